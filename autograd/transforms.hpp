// Derivatives of functions, rather than of results: what one asks of a function of Variables.
//
// What is returned can be differentiated again: by the inputs, by vectors and tangents, and by what the function
// captured, where these need a gradient. So these functions nest, in any order. Inputs that are not floating-point are
// passed on as they are; their gradients are undefined. Where the function does not depend on an input, its derivative
// is zeros.
//
// They throw a DTypeError when the function's value is not floating-point, or a vector is of another dtype than what it
// is for, and a ShapeError when it is of another shape. They throw a GraphError for a function that does not use one of its
// arguments but captures the Variable that was passed for it: its derivative would be zeros, which nobody means.
#pragma once

#include <memory>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// A value, and the gradients with respect to each input.
struct ValueAndGrad {
  Variable value;
  std::vector<Variable> grads;
};

/// A value, and its derivative in a direction.
struct ValueAndTangent {
  Variable value, tangent;
};

/// The gradients of a function whose result has one element: `grad(f, {x, w})`.
std::vector<Variable> grad(const Callable& f, const std::vector<Variable>& inputs);
/// The same with the function's value.
ValueAndGrad value_and_grad(const Callable& f, const std::vector<Variable>& inputs);

/// The vector-Jacobian product: f's value, and v' J for each input. v has the shape of the value.
ValueAndGrad vjp(const Callable& f, const std::vector<Variable>& inputs, const Variable& v);

/// The Jacobian-vector product: f's value, and its derivative in the direction `tangents`, one for each input and of
/// its shape. In forward mode: one walk along what f did, in the same direction, whatever the number of inputs. (Hooks, and
/// the backward of functions of one's own, take part by what they do to gradients.)
/// @throws GraphError for a Function whose backward is not made of differentiable operations.
ValueAndTangent jvp(const Callable& f, const std::vector<Variable>& inputs, const std::vector<Variable>& tangents);

namespace detail {
class Linearization;
}

/// A function as it is near its inputs: what `linearize` returns. Copies share it, and it keeps alive what f computed.
class Linearized {
 public:
  explicit Linearized(std::shared_ptr<const detail::Linearization> linearization);

  /// The Jacobian-vector product with these tangents, one for each input.
  Variable operator()(const std::vector<Variable>& tangents) const;
  /// The vector-Jacobian product: v, of the shape of the value, times the Jacobian for each input.
  std::vector<Variable> transpose(const Variable& v) const;

  Variable value;  ///< f's value

 private:
  std::shared_ptr<const detail::Linearization> linearization_;
};

/// Evaluates f once, for any number of products with its Jacobian there:
///
///     Linearized line = linearize(f, {x});
///     Variable y = line.value + line({t});  // about f(x + t)
Linearized linearize(const Callable& f, const std::vector<Variable>& inputs);

/// How a Jacobian is computed: column by column, one walk for each element of the inputs, or row by row, one for each
/// element of the value; automatic is the one with fewer walks.
enum class JacobianMode { automatic, forward, reverse };

/// Options of `jacobian`.
struct JacobianOptions {
  JacobianMode mode = JacobianMode::automatic;
};

/// The Jacobian with respect to each input: shape of the value + shape of the input.
std::vector<Variable> jacobian(const Callable& f, const std::vector<Variable>& inputs,
                               const JacobianOptions& options = {});

/// The second derivatives of a function whose result has one element: [i][j] has the shape of input i + that of j. One
/// walk forward along f and its gradient for each element of the inputs.
std::vector<std::vector<Variable>> hessian(const Callable& f, const std::vector<Variable>& inputs);

/// The Hessian times a vector, without the Hessian: f's value, and for each input the sum over j of H[i][j] v[j].
ValueAndGrad hvp(const Callable& f, const std::vector<Variable>& inputs, const std::vector<Variable>& vectors);

}  // namespace xtape
