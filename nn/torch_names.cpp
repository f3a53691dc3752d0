#include <nn/torch_names.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>


namespace xtape::nn {
namespace {

constexpr std::string_view wrapped_part = "module";
constexpr std::string_view batches = "num_batches_tracked";

using NamedVariables = std::vector<std::pair<std::string, Variable>>;

bool in_its_own_right(const std::string& name) { return name.find('.') == std::string::npos; }

NamedVariables own_variables(const Module& module) {
  NamedVariables result;
  for (const NamedVariables& list : {module.named_parameters(), module.named_buffers()})
    std::copy_if(list.begin(), list.end(), std::back_inserter(result),
                 [](const auto& entry) { return in_its_own_right(entry.first); });
  return result;
}

// The part of WeightNorm or SpectralNorm that computes with the parameter whose substitutes these modules hold.
const Module* wrapped_by(const Module& module) {
  const auto& children = module.children();
  bool only = children.size() == 1 && children[0].first == wrapped_part;
  NamedVariables own = own_variables(module);
  bool substituted = std::any_of(own.begin(), own.end(), [](const auto& entry) {
    return entry.first.ends_with("_v") || entry.first.ends_with("_orig");
  });
  return only && substituted ? children[0].second.get() : nullptr;
}

/// A parameter or buffer in one of its places.
struct Place {
  std::string ours;   // the name in our state: that of its first place
  std::string torch;
  Variable x;
};

class Places {
 public:
  explicit Places(const Module& module) {
    for (const NamedVariables& list : {module.named_parameters(), module.named_buffers()})
      for (const auto& [name, x] : list) ours_.emplace_back(name, x);
    collect(module, "");
  }
  std::vector<Place> take() { return std::move(places_); }

 private:
  void collect(const Module& module, const std::string& prefix) {
    const Module* wrapped = wrapped_by(module);
    for (const auto& [name, x] : own_variables(module))
      places_.push_back({name_of(x), prefix + name, x});
    for (const auto& [name, child] : module.children()) collect(*child, wrapped ? prefix : prefix + name + ".");
  }

  std::string name_of(const Variable& x) const {
    return std::find_if(ours_.begin(), ours_.end(), [&](const auto& entry) {
      return entry.second.impl() == x.impl();
    })->first;
  }

  NamedVariables ours_;
  std::vector<Place> places_;
};

std::vector<Place> places_of(const Module& module) { return Places(module).take(); }

bool counts_batches(std::string_view name) { return name == batches || name.ends_with("." + std::string(batches)); }

}  // namespace

StateDict from_torch(const Module& module, const StateDict& state) {
  StateDict result, rest = state;
  for (const Place& place : places_of(module)) {
    auto found = state.find(place.torch);
    if (found != state.end()) result.emplace(place.ours, found->second);
    else if (counts_batches(place.ours))
      result.emplace(place.ours, Variable(Array::full(place.x.shape(), 0, place.x.dtype())));
    rest.erase(place.torch);
  }
  for (const auto& [name, x] : rest)
    if (!counts_batches(name)) result.emplace(name, x);
  return result;
}

StateDict to_torch(const Module& module) {
  StateDict result, state = module.state_dict();
  for (const Place& place : places_of(module)) result.emplace(place.torch, state.at(place.ours));
  return result;
}

}  // namespace xtape::nn
