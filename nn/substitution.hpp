// One Variable in the place of another. For nn's own use.
#pragma once

#include <utility>
#include <vector>

#include <autograd/tape.hpp>
#include <autograd/undo_log.hpp>

namespace xtape::nn::detail {

/// Until the end of the scope, the first Variable of each pair has, in all its handles, the value of the second and its
/// place in the graph.
class Substitution {
 public:
  explicit Substitution(std::vector<std::pair<Variable, Variable>> pairs) : pairs_(std::move(pairs)) {
    for (auto& [x, other] : pairs_) {
      xtape::detail::UndoLog::note(x);
      xtape::detail::UndoLog::note(other);
    }
    swap();
  }
  ~Substitution() { swap(); }
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

 private:
  void swap() {
    for (auto& [x, other] : pairs_) {
      std::swap(x.impl()->value, other.impl()->value);
      std::swap(x.impl()->node, other.impl()->node);
      std::swap(x.impl()->output, other.impl()->output);
    }
  }

  std::vector<std::pair<Variable, Variable>> pairs_;
};

}  // namespace xtape::nn::detail
