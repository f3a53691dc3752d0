// Operations with a backward of one's own. Compositions of operations need none; this is for those that know better.
// Not part of <autograd/autograd.hpp>: few need it, and it brings the tape along.
#pragma once

#include <any>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <boost/core/demangle.hpp>

#include <autograd/grad_mode.hpp>
#include <autograd/tape.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// What a Function's forward leaves to its backward.
class FunctionContext {
 public:
  /// Keeps the values of Variables, inputs and results among them, for the way back; the walk releases them.
  void save(std::vector<Variable> xs) { given_ = std::move(xs); }
  /// What was saved, as it was, connected to the graph as it was.
  std::vector<Variable> saved() const;
  /// Whether the gradient of an input is of any use; another may be left undefined.
  /// @throws ValueError when there is no such input.
  bool needs_gradient(std::size_t input) const;

  std::any data;  ///< whatever else backward needs

 private:
  friend class FunctionCall;
  struct Kept {
    Saved value;
    std::ptrdiff_t result;  // which result this is, or -1: their node is not to hold itself
  };

  /// Keeps what was given, now that the results are known.
  void keep(const std::vector<Variable>& results);

  std::vector<Variable> given_;
  std::vector<Kept> kept_;
  std::vector<bool> needed_;
  const Node* node_ = nullptr;
};

/// A Function's call, as the tape sees it.
class FunctionCall final : public OperationOf<FunctionCall> {
 public:
  using Forward = std::function<std::vector<Variable>(FunctionContext&)>;
  using Backward = std::function<std::vector<Variable>(FunctionContext&, const std::vector<Variable>&)>;

  FunctionCall(const char* name, Backward backward) : OperationOf(name), backward_(std::move(backward)) {}

  /// What `forward` returns, recorded when an input needs a gradient. @throws Error for an undefined input or result.
  std::vector<Variable> operator()(const std::vector<Variable>& inputs, const Forward& forward);

  void evaluate(std::span<const Array> operands, std::span<Array> results) override;
  bool mixes_dtypes() const override { return true; }
  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override;

 private:
  mutable FunctionContext context_;
  Backward backward_;
  std::vector<Array> values_;  // of the results, until they are handed over
  std::vector<Node::Result> inputs_;
};

/// Base of operations with a backward of their own:
///
///     struct Cube : Function<Cube> {
///       static Variable forward(FunctionContext& context, const std::vector<Variable>& inputs) {
///         context.save(inputs);
///         return inputs[0] * inputs[0] * inputs[0];
///       }
///       static std::vector<Variable> backward(FunctionContext& context, const Variable& gradient) {
///         return {3 * square(context.saved()[0]) * gradient};
///       }
///     };
///     Variable y = Cube::apply({x});
///
/// Nothing that forward computes is recorded. Backward returns a gradient for each input, undefined for none; written
/// with differentiable operations, it can be differentiated again. An operation with several results returns a vector
/// of them from forward, as `apply` then does, and takes a vector of gradients, zeros for results of no use.
template <class Derived>
class Function {
 public:
  /// Calls forward, with the further arguments, and records the call when an input needs a gradient.
  /// @throws Error for an undefined input or result.
  template <class... Arguments>
  static auto apply(const std::vector<Variable>& inputs, Arguments&&... arguments) {
    static const std::string name = boost::core::demangle(typeid(Derived).name());
    auto forward = [&](FunctionContext& context) {
      return Derived::forward(context, inputs, std::forward<Arguments>(arguments)...);
    };
    constexpr bool single = std::derived_from<decltype(forward(std::declval<FunctionContext&>())), Variable>;
    auto backward = [](FunctionContext& context, const std::vector<Variable>& gradients) -> std::vector<Variable> {
      if constexpr (single) return Derived::backward(context, gradients[0]);
      else return Derived::backward(context, gradients);
    };
    FunctionCall call(name.c_str(), backward);
    std::vector<Variable> results = call(inputs, [&](FunctionContext& context) { return std::vector<Variable>{forward(context)}; });
    if constexpr (single) return results[0];
    else return results;
  }
};

}  // namespace xtape
