#include <autograd/mark.hpp>

#include <set>
#include <utility>

#include <autograd/node_table.hpp>

namespace xtape::detail {
namespace {

bool has_hooks(const Node& node) {
  if (!node.attached()) return false;
  std::scoped_lock lock(node.attached()->mutex);
  return !node.attached()->hooks.empty();
}

}  // namespace

Mark::Mark() : last_(last_sequence_of_all()) {}

// Visits what y was recorded from since the mark: calls `beyond` for each edge to what is older, and `inside` for each
// node that is not, until one of them returns true. Returns whether one did.
template <class Beyond, class Inside>
bool Mark::visit(const Variable& y, Beyond beyond, Inside inside) const {
  std::vector<Node*> path;
  NodeTable entered;
  auto follow = [&](const Edge& edge) {
    if (!edge.node) return false;
    if (is_older(*edge.node)) return beyond(edge);
    if (entered.find(edge.node.get()) != NodeTable::none) return false;
    entered.insert(edge.node.get(), 0);
    path.push_back(edge.node.get());
    return inside(*edge.node);
  };
  if (follow(edge_to(y))) return true;
  while (!path.empty()) {
    Node* node = path.back();
    path.pop_back();
    for (const Edge& edge : node->edges())
      if (follow(edge)) return true;
  }
  return false;
}

std::vector<Edge> Mark::edges_beyond(const Variable& y) const {
  std::vector<Edge> result;
  std::set<std::pair<Node*, std::uint32_t>> found;
  auto keep = [&](const Edge& edge) {
    if (found.emplace(edge.node.get(), edge.output).second) result.push_back(edge);
    return false;
  };
  visit(y, keep, [](const Node&) { return false; });
  return result;
}

bool Mark::leads_beyond(const Variable& y) const {
  return visit(y, [](const Edge&) { return true; }, has_hooks);
}

}  // namespace xtape::detail
