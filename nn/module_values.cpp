// The values of a module's parameters and buffers: found at the first call, computed, converted, saved and loaded.
#include <algorithm>

#include <autograd/memory_error.hpp>
#include <nn/checks.hpp>
#include <nn/module_state.hpp>

namespace xtape::nn {

namespace {

// Whether a parameter that was added without knowing all extents, and has no elements yet, can have this shape.
bool completes(const Shape& known, const Shape& shape) {
  if (shape.size() != known.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0 || (known[i] != 0 && known[i] != shape[i])) return false;
  return true;
}

// Replaces the value in every handle; a gradient of the old one is of no use.
void replace_value(VariableImpl& impl, Array value) {
  impl.value = std::move(value);
  impl.grad = Variable();
}

}  // namespace

detail::Registered Module::add_lazy(const std::string& name, const Shape& shape, DType dtype) {
  if (std::find(shape.begin(), shape.end(), 0) == shape.end())
    throw ValueError(this->name() + ": add_lazy \"" + name + "\": all extents of " + to_string(shape) +
                     " are known; use add");
  detail::Registered x = add(name, parameter(Variable(Array(shape, dtype))));
  state_->slots.back()->known = shape;
  return x;
}

void Module::materialize(const Variable& x, const Array& value) {
  auto text = [&] {
    return name() + ": materialize: " + (value.defined() ? describe(Variable(value)) : "an undefined array") + " for " +
           describe(x);
  };
  if (!is_lazy(x) || !value.defined() || !completes(x.shape(), value.shape()))
    throw ShapeError(text() + ": needs a parameter that is not yet materialized, and elements of its known extents");
  if (value.dtype() != x.dtype()) throw DTypeError(text() + ": needs one dtype");
  replace_value(*x.impl(), value);
}

void Module::complete(const Variable& x, const std::function<void()>& f) {
  auto slot = std::ranges::find_if(state_->slots, [&](const auto& slot) { return slot->x.impl() == x.impl(); });
  const bool registered = slot != state_->slots.end();
  // Only what no other thread is about to change is looked at.
  if (registered && (*slot)->completed.load(std::memory_order_acquire) && x.size() > 0) return;
  std::scoped_lock lock(state_->completing);
  if (x.size() == 0) f();
  if (registered) (*slot)->completed.store(true, std::memory_order_release);
}

detail::Slot* Module::lazy_slot(const Variable& x) const {
  detail::Slot* found = nullptr;
  visit([&](const Module& module, const std::string&) {
    for (const auto& slot : module.state_->slots)
      if (slot->known && slot->x.impl() == x.impl()) found = slot.get();
  });
  return found;
}

bool Module::is_lazy(const Variable& x) const { return x.defined() && x.size() == 0 && lazy_slot(x); }

bool Module::materialized() const {
  bool all = true;
  visit([&](const Module& module, const std::string&) {
    for (const auto& slot : module.state_->slots) all = all && !(slot->known && slot->x.size() == 0);
  });
  return all;
}

Variable Module::set_computed(const std::string& name) {
  using Kind = detail::Slot::Kind;
  for (const auto& slot : state_->slots) {
    if (slot->name != name || slot->kind != Kind::parameter) continue;
    slot->x.zero_grad();
    slot->x.requires_grad_(false);
    slot->kind = Kind::computed;
    return slot->x;
  }
  throw ValueError(this->name() + ": set_computed \"" + name + "\": there is no such parameter");
}

void Module::to(DType dtype) try {
  if (!is_floating(dtype))
    throw DTypeError(name() + ": to " + to_string(dtype) + ": needs float32 or float64");
  std::vector<std::pair<VariableImpl*, Array>> converted;  // all that can fail comes first
  for (const auto& [name, x] : collect(true, true, true))
    if (is_floating(x.dtype()) && x.dtype() != dtype) converted.emplace_back(x.impl(), x.value().to(dtype));
  for (auto& [impl, value] : converted) replace_value(*impl, std::move(value));
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("to", "the names of the parameters");
}

StateDict Module::state_dict() const {
  return xtape::detail::naming("state_dict", [&] {
    StateDict state;
    for (const auto& [name, x] : collect(true, true))
      state.emplace(name, is_lazy(x) ? Variable() : Variable(x.value().copy()));
    return state;
  });
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  xtape::detail::naming("load_state_dict", [&] { load(state, strict); });
}

void Module::load(const StateDict& state, bool strict) {
  NamedVariables own = collect(true, true);
  std::string problems;
  StateDict expected, considered = state;
  for (const auto& [name, x] : own) {
    auto found = state.find(name);
    if (found == state.end()) {
      if (strict) expected.emplace(name, x);
    } else if (const Variable& given = found->second; !given.defined() && lazy_slot(x)) {
      expected.emplace(name, given);  // comes from a module that was not materialized
    } else if (is_lazy(x)) {
      expected.emplace(name, given);
      if (!given.defined() || given.dtype() != x.dtype() || !completes(x.shape(), given.shape()))
        problems += "\n  " + name + ": got " + describe(given) + ", needs " + describe(x) +
                    ", where 0 stands for what is not yet known";
    } else {
      expected.emplace(name, x);
    }
  }
  if (!strict) std::erase_if(considered, [&](const auto& entry) { return !expected.contains(entry.first); });
  problems += misfits(expected, considered);
  if (!problems.empty()) throw ValueError(name() + ": load_state_dict: the state does not fit this module" + problems);
  // All that can fail comes first.
  std::vector<std::pair<VariableImpl*, Array>> replaced;
  std::vector<std::pair<Array*, Array>> assigned;
  for (auto& [name, x] : own) {
    auto found = state.find(name);
    if (found == state.end()) continue;
    if (!found->second.defined()) replaced.emplace_back(x.impl(), Array(*lazy_slot(x)->known, x.dtype()));
    else if (is_lazy(x)) replaced.emplace_back(x.impl(), found->second.value().copy());
    else assigned.emplace_back(&x.mutable_value(), found->second.value());
  }
  for (auto& [impl, value] : replaced) replace_value(*impl, std::move(value));
  for (auto& [array, value] : assigned) array->assign(value);
}

std::function<void()> Module::undo_point() const try {
  struct Held {
    Variable x;
    Array value;
    Variable gradient;
  };
  std::vector<Held> held;
  for (const auto& [name, x] : collect(true, true)) held.push_back({x, x.value(), x.grad()});
  return [held] {
    for (const Held& each : held) {
      each.x.impl()->value = each.value;
      each.x.impl()->grad = each.gradient;
    }
  };
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("undo_point", "what it keeps");
}

}  // namespace xtape::nn
