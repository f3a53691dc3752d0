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

}  // namespace xtape
