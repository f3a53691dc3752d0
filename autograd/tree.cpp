#include <autograd/tree.hpp>

#include <autograd/error.hpp>

namespace xtape::detail {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "\"" : ", \"") + name + "\"";
  return result.empty() ? "none" : result;
}

}  // namespace

std::string TreePath::text() const {
  if (!outer) return "";
  std::string before = outer->text(), own = key.data() ? std::string(key) : std::to_string(index);
  return before.empty() ? own : before + "." + own;
}

void require_same_places(const char* caller, const FlatTree& tree, const FlatTree& other) {
  if (tree.leaves.size() == other.leaves.size() && tree.names == other.names) return;
  std::string text = std::string(caller) + ": trees of different Variables: ";
  if (tree.names == other.names)
    text += std::to_string(tree.leaves.size()) + " and " + std::to_string(other.leaves.size());
  else text += listed(tree.names) + "; and " + listed(other.names);
  throw ValueError(text);
}

}  // namespace xtape::detail
