// What the tape sees of a fused function: its kernel, and the function that is its gradient.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::fused {

/// Several results of several inputs, element by element over a common shape to which the inputs broadcast. A result
/// may be wanted in a smaller shape, which broadcasts to the common one as well: then it is the sum over what that
/// repeats. An input or result may be of several blocks, equal parts along its last axis: then each block broadcasts
/// for itself.
class Function {
 public:
  /// How many blocks each input and result is of. Arrays of static storage.
  using Blocks = std::span<const std::size_t>;

  virtual ~Function() = default;

  std::size_t inputs() const { return input_blocks_.size(); }
  std::size_t results() const { return result_blocks_.size(); }
  Blocks input_blocks() const { return input_blocks_; }

  /// Fills the results, whose shapes say what is wanted; those that are undefined are not.
  virtual void evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const = 0;
  /// The same made of differentiable operations; undefined for results that are 0.
  virtual std::vector<Variable> compose(const Shape& common, std::span<const Variable> inputs) const = 0;
  /// The function of this one's inputs x and of a weight h for each result, whose results are the derivatives of the
  /// weighted sum of the results by each x: the vector-Jacobian product. Null where none was
  /// compiled: `compose` serves then.
  virtual std::shared_ptr<const Function> gradient() const = 0;

 protected:
  Function(Blocks inputs, Blocks results) : input_blocks_(inputs), result_blocks_(results) {}

 private:
  Blocks input_blocks_, result_blocks_;
};

using FunctionPtr = std::shared_ptr<const Function>;

/// What `compose` gives for the gradient of `f`: the inputs are those of f, and the weights of its results.
std::vector<Variable> compose_gradient(const Function& f, const Shape& common, std::span<const Variable> inputs);

/// Calls a function whose results are of one block each, and records the call as one node.
/// @throws ShapeError for inputs that do not broadcast or have no such blocks, DTypeError for those that are not of one
/// floating-point dtype.
std::vector<Variable> call(const FunctionPtr& f, const std::vector<Variable>& inputs);

}  // namespace xtape::fused
