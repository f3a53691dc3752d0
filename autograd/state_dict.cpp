#include <autograd/state_dict.hpp>

namespace xtape {

std::string misfits(const StateDict& expected, const StateDict& state) {
  std::string lines;
  for (const auto& [name, x] : expected) {
    auto found = state.find(name);
    if (found == state.end()) lines += "\n  missing: " + name + ", " + describe(x);
    else if (describe(found->second) != describe(x))
      lines += "\n  " + name + ": got " + describe(found->second) + ", needs " + describe(x);
  }
  for (const auto& [name, x] : state)
    if (!expected.contains(name)) lines += "\n  unexpected: " + name + ", " + describe(x);
  return lines;
}

StateDict with_prefix(const StateDict& state, const std::string& prefix) {
  StateDict result;
  for (const auto& [name, x] : state) result.emplace(prefix + name, x);
  return result;
}

StateDict without_prefix(const StateDict& state, const std::string& prefix) {
  StateDict result;
  for (const auto& [name, x] : state)
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), x);
  if (result.empty())
    throw ValueError("without_prefix: none of the " + std::to_string(state.size()) + " names begins with \"" + prefix +
                     "\"" + (state.empty() ? "" : ", the first of which is \"" + state.begin()->first + "\""));
  return result;
}

}  // namespace xtape
