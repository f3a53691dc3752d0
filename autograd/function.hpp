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
  /// Keeps Variables, inputs and results among them, for the way back: protected, and released by the walk.
  void save(std::vector<Variable> xs) { given_ = std::move(xs); }
  /// What was saved, connected to the graph as it was. @throws GraphError when an element was changed in place since.
  std::vector<Variable> saved() const;
  /// Whether the gradient of an input is of any use; another may be left undefined.
  /// @throws ValueError when there is no such input.
  bool needs_gradient(std::size_t input) const;

  std::any data;  ///< whatever else backward needs

 private:
  template <class>
  friend class Function;
  friend class FunctionNode;
  struct Kept {
    Saved value;
    std::ptrdiff_t result;  // which result this is, or -1: their node is not to hold itself
  };

  /// Protects what was given, now that the results are known.
  void keep(const std::vector<Variable>& results);
  void release();

  std::vector<Variable> given_;
  std::vector<Kept> kept_;
  std::vector<bool> needed_;
  Node* node_ = nullptr;
};

/// The node of a Function's call.
class FunctionNode final : public Node {
 public:
  using Backward = std::function<std::vector<Variable>(FunctionContext&, const std::vector<Variable>&)>;

  FunctionNode(const char* name, std::span<const Variable> inputs, std::span<const Variable> results,
               FunctionContext context, Backward backward);
  std::span<Edge> edges() override { return edges_; }
  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override;

 private:
  void release_saved() override { context_.release(); }

  FunctionContext context_;
  Backward backward_;
  std::vector<Edge> edges_;
  std::vector<Result> inputs_, results_;
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
    FunctionContext context;
    bool recorded = false;
    for (const Variable& x : inputs) {
      if (!x.defined()) throw Error(name + ": an input is an undefined Variable");
      context.needed_.push_back(x.requires_grad());
      recorded = recorded || (x.requires_grad() && grad_enabled());
    }
    auto forward = [&] {
      NoGrad guard;
      return Derived::forward(context, inputs, std::forward<Arguments>(arguments)...);
    };
    constexpr bool single = std::is_same_v<decltype(forward()), Variable>;
    std::vector<Variable> results{forward()};
    for (const Variable& y : results)
      if (!y.defined()) throw Error(name + ": forward returned an undefined Variable");
    if (recorded) {
      context.keep(results);
      auto backward = [](FunctionContext& context, const std::vector<Variable>& gradients) -> std::vector<Variable> {
        if constexpr (single) return Derived::backward(context, gradients[0]);
        else return Derived::backward(context, gradients);
      };
      NodePtr node(new FunctionNode(name.c_str(), inputs, results, std::move(context), backward));
      for (std::uint32_t i = 0; i < results.size(); ++i) {
        bool differentiable = is_floating(results[i].dtype());
        results[i] = differentiable ? detail::result_of(node, results[i].value(), i) : results[i].detach();
      }
    } else {
      for (Variable& y : results) y = y.detach();
    }
    if constexpr (single) return results[0];
    else return results;
  }
};

}  // namespace xtape
