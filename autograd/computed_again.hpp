// Functions that are computed again on the way back, or more than once on the way there: what a first run leaves, and
// what makes later runs compute the same. For checkpoint, scan, roots and differential equations.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/undo_log.hpp>

namespace xtape::detail {

/// What a first run leaves to later ones.
struct Traces {
  std::vector<RandomFork::Seed> seeds;  ///< of the random numbers that it drew
  std::vector<Content> written;         ///< what it wrote to in place, as it was before
};

/// The parameters among what functions captured, with the values that they had.
using CapturedValues = std::unordered_map<VariableImpl*, Array>;
CapturedValues values_of(std::span<const Edge> captured);

/// What stands for a captured edge, as an operand or to differentiate by; its value plays no part.
Variable stand_in(const Edge& edge);

/// x as a Variable of its own, for a function that may write to it in place; where x needs a gradient, its gradient
/// goes on to x.
Variable own_copy(const char* caller, const Variable& x);

/// The scope of a later run: it draws the same random numbers and finds the same values, and has no side effects, which
/// were the first run's.
class Again {
 public:
  Again(const Traces& first, const CapturedValues& values, std::span<const Edge> captured);

 private:
  RandomFork same_numbers_;
  Undone as_it_was_;
};

/// partial_grad of several outputs, summed.
std::vector<Variable> partial_grad(const std::vector<Variable>& outputs, const std::vector<Variable>& seeds,
                                   const std::vector<Variable>& inputs, const Mark& start);

/// @throws GraphError when y, recorded since `start`, was computed with something older that is not among `edges`.
void require_same_captured(const Variable& y, const Mark& start, std::span<const Edge> edges);

}  // namespace xtape::detail
