// The walk forward: tangents of inputs, pushed along a record to its results.
#pragma once

#include <cstdint>
#include <vector>

#include <autograd/node_table.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {

/// What the results were recorded from since the inputs, in the order in which it was: the way of any number of
/// tangents. Nothing older than the inputs is looked at. It is good for as long as the results are, which keep the
/// record alive.
class TangentWalk {
 public:
  /// For a transform that errors name.
  TangentWalk(const char* transform, const std::vector<Variable>& results, const std::vector<Variable>& inputs);

  /// Whether the results depend on each input.
  std::vector<bool> dependence() const;
  /// The tangents of the results from those of the inputs, undefined for zeros in both. Recorded where the grad mode is
  /// on.
  /// @throws GraphError where the record was released, and what the operations throw.
  std::vector<Variable> push(std::vector<Variable> tangents) const;

 private:
  static constexpr std::uint32_t none = NodeTable::none;

  // One operation: the places of the tangents of its operands, and of its results, which follow each other.
  struct Step {
    const Node* node;
    std::uint32_t first_operand, first_result;
    bool is_input;
  };
  class Search;
  class Push;

  const char* transform_;
  std::vector<Step> steps_;
  std::vector<std::uint32_t> operands_;         // places, `none` where there is no tangent
  std::vector<std::uint32_t> uses_;             // of each place
  std::vector<std::uint32_t> inputs_, results_;  // their places
};

}  // namespace xtape::detail
