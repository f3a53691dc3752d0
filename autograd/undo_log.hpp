// What writes in place replaced: for functions that are computed again.
#pragma once

#include <unordered_set>
#include <vector>

#include <autograd/tape.hpp>

namespace xtape::detail {

/// A Variable, and what it held: its elements, and its place in the graph.
struct Content {
  Variable variable;
  Array value;
  NodePtr node;
  std::uint32_t output;
  bool weak;
  Scalar scalar;

  explicit Content(const Variable& x);
  VariableImpl* impl() const { return variable.impl(); }
  /// Gives the variable this content, and keeps the one that it had.
  void swap();
  /// Whether it has another now.
  bool is_changed() const;
};

/// Notes, until the end of the scope, what the Variables held that this thread writes to in place.
class UndoLog {
 public:
  UndoLog();
  ~UndoLog();
  UndoLog(const UndoLog&) = delete;
  UndoLog& operator=(const UndoLog&) = delete;

  /// What they held before the first write, for those that there still are.
  std::vector<Content> contents() &&;

  /// The same, for a look at them.
  const std::vector<Content>& noted() const { return contents_; }
  /// To be called before x is written to in place.
  static void note(const Variable& x);
  /// How many of this thread's logs hold a handle to it.
  static std::size_t handles(VariableImpl* x);

 private:
  std::vector<Content> contents_;
  std::unordered_set<VariableImpl*> noted_;
  UndoLog* outer_;
};

/// Until the end of the scope, Variables hold again what a log had noted. What is written to them in between is undone.
class Undone {
 public:
  explicit Undone(std::vector<Content> contents);
  ~Undone();
  Undone(const Undone&) = delete;
  Undone& operator=(const Undone&) = delete;

 private:
  std::vector<Content> contents_;
};

}  // namespace xtape::detail
