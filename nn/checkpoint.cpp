// In the file, the metadata "part.NAME" says that there is a part, which may have no tensors; "generator.NAME" and
// "text.NAME" hold texts, and "step" the step.
#include <nn/checkpoint.hpp>

#include <algorithm>
#include <charconv>

#include <autograd/memory_error.hpp>
#include <autograd/ops/creation.hpp>
#include <nn/serialization.hpp>

namespace xtape::nn {
namespace {

constexpr const char *step_key = "step", *number_name = "number";
const std::string part_prefix = "part.", generator_prefix = "generator.", text_prefix = "text.";

void require_name(const std::string& name) {
  if (name.empty() || name.find('.') != std::string::npos)
    throw ValueError("checkpoint: a part is named \"" + name + "\", needs a name without '.', which separates it from "
                     "those of its tensors");
}

std::int64_t parse_step(const std::string& file, const std::string& text) {
  std::int64_t step = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc{} || end != text.data() + text.size())
    throw FileError("load checkpoint: " + file + ": its step is \"" + text + "\", needs a whole number");
  return step;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return list;
}

}  // namespace

StateDict CheckpointPart::state_of(const Scalar& number) {
  return {{number_name, full({}, number, number.dtype())}};
}

Scalar CheckpointPart::number_in(const StateDict& state) {
  auto found = state.find(number_name);
  if (state.size() != 1 || found == state.end() || found->second.size() != 1)
    throw ValueError("what is saved is no number");
  const Variable& x = found->second;
  return x.dtype() == int64 ? Scalar(*x.data<std::int64_t>()) : Scalar(x.item());
}

// What brings the part back to its present state.
std::function<void()> CheckpointPart::undo_point() const {
  if (generator_) return [generator = generator_, state = generator_->state()] { generator->set_state(state); };
  if (undo_point_) return undo_point_();
  // The others go back all the same, and what is thrown is why the state could not be restored.
  return [load = load_state_, state = state_()] {
    try {
      load(state);
    } catch (...) {
    }
  };
}

Checkpoint::Checkpoint(const std::vector<CheckpointPart>& parts, std::int64_t step) : step(step) {
  xtape::detail::naming("checkpoint", [&] {
    for (const CheckpointPart& part : parts) {
      require_name(part.name_);
      if (states.contains(part.name_) || generators.contains(part.name_))
        throw ValueError("checkpoint: there are two parts \"" + part.name_ + "\"");
      if (part.generator_) generators.emplace(part.name_, part.generator_->state());
      else states.emplace(part.name_, part.state_());
    }
  });
}

void Checkpoint::restore(const std::vector<CheckpointPart>& parts) const {
  xtape::detail::naming("checkpoint: restore", [&] { bring_back(parts); });
}

void Checkpoint::bring_back(const std::vector<CheckpointPart>& parts) const {
  std::vector<std::string> missing;
  for (const CheckpointPart& part : parts) {
    bool there = part.generator_ ? generators.contains(part.name_) : states.contains(part.name_);
    if (!there) missing.push_back(part.name_);
  }
  if (!missing.empty()) {
    std::vector<std::string> present;
    for (const auto& [name, state] : states) present.push_back(name);
    for (const auto& [name, state] : generators) present.push_back(name);
    throw ValueError("checkpoint: restore: lacks " + quoted_list(missing) + ", has " + quoted_list(present));
  }

  std::vector<CheckpointPart> order = parts;
  std::stable_partition(order.begin(), order.end(), [](const CheckpointPart& part) { return part.is_module_; });
  auto load = [this](const CheckpointPart& part) {
    if (part.generator_) part.generator_->set_state(generators.at(part.name_));
    else part.load_state_(states.at(part.name_));
  };
  std::vector<std::function<void()>> undo_points;
  for (const CheckpointPart& part : order) undo_points.push_back(part.undo_point());
  std::size_t done = 0;
  auto undo = [&] {
    for (std::size_t i = done; i-- > 0;) undo_points[i]();
  };
  try {
    for (; done < order.size(); ++done) load(order[done]);
  } catch (const MemoryError&) {
    undo();
    throw;
  } catch (const Error& error) {
    undo();
    throw ValueError("checkpoint: restore \"" + order[done].name_ + "\": " + error.what());
  } catch (...) {
    undo();
    throw;
  }
}

void Checkpoint::save(const std::filesystem::path& file) const {
  xtape::detail::naming("save checkpoint", [&] { write(file); });
}

void Checkpoint::write(const std::filesystem::path& file) const {
  StateDict tensors;
  std::map<std::string, std::string> metadata{{step_key, std::to_string(step)}};
  for (const auto& [part, state] : states) {
    require_name(part);
    metadata.emplace(part_prefix + part, "");
    for (const auto& [name, x] : state) tensors.emplace(part + "." + name, x);
  }
  for (const auto& [part, state] : generators) {
    require_name(part);
    metadata.emplace(generator_prefix + part, state);
  }
  for (const auto& [name, text] : texts) metadata.emplace(text_prefix + name, text);
  save_safetensors(file, tensors, metadata);
}

Checkpoint Checkpoint::load(const std::filesystem::path& file) {
  return xtape::detail::naming("load checkpoint", [&] { return read(file); });
}

Checkpoint Checkpoint::read(const std::filesystem::path& file) {
  Safetensors content = load_safetensors(file);
  auto fail = [&](const std::string& what) { throw FileError("load checkpoint: " + file.string() + ": " + what); };
  if (!content.metadata.contains(step_key)) fail("is no checkpoint, although a safetensors file: it lacks \"step\"");
  if (!content.checked) fail("is damaged, or no checkpoint: it carries no checksums");
  Checkpoint result;
  for (auto& [key, text] : content.metadata) {
    auto name_after = [&key = key](const std::string& prefix) { return key.substr(prefix.size()); };
    if (key == step_key) result.step = parse_step(file.string(), text);
    else if (key.starts_with(part_prefix)) result.states[name_after(part_prefix)];
    else if (key.starts_with(generator_prefix)) result.generators.emplace(name_after(generator_prefix), text);
    else if (key.starts_with(text_prefix)) result.texts.emplace(name_after(text_prefix), text);
  }
  for (const auto& [name, x] : content.tensors) {
    auto part = result.states.find(name.substr(0, name.find('.')));
    if (part == result.states.end() || part->first.size() == name.size())
      fail("has the tensor \"" + name + "\", which is of no part");
    part->second.emplace(name.substr(part->first.size() + 1), x);
  }
  return result;
}

}  // namespace xtape::nn
