// A moment in the making of graphs: what tells a function's own record from what the function captured.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/tape.hpp>

namespace xtape::detail {

/// Everything recorded before a Mark, in any thread, is older than the Mark; what this thread records after it is not.
class Mark {
 public:
  Mark();

  /// No smaller than the sequence of any node older than it, and unlike that of other Marks.
  std::uint64_t sequence() const { return last_; }
  bool is_older(const Node& node) const { return node.sequence() <= last_; }
  /// The edges by which the record of y leads from what came after the Mark to what is older, each once. y itself
  /// counts as reached by one.
  std::vector<Edge> edges_beyond(const Variable& y) const;
  /// Whether derivatives of y can depend on something older that needs a gradient: there is an edge beyond, or a hook,
  /// which can have captured anything.
  bool leads_beyond(const Variable& y) const;

 private:
  template <class Beyond, class Inside>
  bool visit(const Variable& y, Beyond beyond, Inside inside) const;

  std::uint64_t last_;
};

}  // namespace xtape::detail
