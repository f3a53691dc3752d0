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
  /// Keeps Variables, inputs and the result among them, for the way back: protected, and released by the walk.
  void save(std::vector<Variable> xs) { given_ = std::move(xs); }
  /// What was saved, connected to the graph as it was. @throws GraphError when an element was changed in place since.
  std::vector<Variable> saved() const;
  /// Whether the gradient of an input is of any use; another may be left undefined.
  bool needs_gradient(std::size_t input) const { return needed_.at(input); }

  std::any data;  ///< whatever else backward needs

 private:
  template <class>
  friend class Function;
  friend class FunctionNode;

  /// Protects what was given, now that the result is known.
  void keep(const Variable& result);
  void release();

  std::vector<Variable> given_;
  std::vector<Saved> kept_;
  std::vector<bool> is_result_, needed_;
  Node* node_ = nullptr;
};

/// The node of a Function's call.
class FunctionNode final : public Node {
 public:
  using Backward = std::vector<Variable> (*)(FunctionContext& context, const Variable& gradient);

  FunctionNode(const char* name, std::span<const Variable> inputs, FunctionContext context, Backward backward);
  std::span<Edge> edges() override { return edges_; }
  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override;

 private:
  void release_saved() override { context_.release(); }

  FunctionContext context_;
  Backward backward_;
  std::vector<Edge> edges_;
  std::vector<Shape> shapes_;
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
/// with differentiable operations, it can be differentiated again.
template <class Derived>
class Function {
 public:
  /// Calls forward, with the further arguments, and records the call when an input needs a gradient.
  template <class... Arguments>
  static Variable apply(const std::vector<Variable>& inputs, Arguments&&... arguments) {
    static const std::string name = boost::core::demangle(typeid(Derived).name());
    FunctionContext context;
    bool recorded = false;
    for (const Variable& x : inputs) {
      if (!x.defined()) throw Error(name + ": an input is an undefined Variable");
      context.needed_.push_back(x.requires_grad());
      recorded = recorded || (x.requires_grad() && grad_enabled());
    }
    Variable result;
    {
      NoGrad guard;
      result = Derived::forward(context, inputs, std::forward<Arguments>(arguments)...);
    }
    if (!result.defined()) throw Error(name + ": forward returned an undefined Variable");
    if (!recorded) return result.detach();
    context.keep(result);
    return detail::output_of(NodePtr(new FunctionNode(name.c_str(), inputs, std::move(context), &Derived::backward)),
                             result.value());
  }
};

}  // namespace xtape
