// Derivatives of functions, rather than of results: what one asks of a function of Variables.
//
// What is returned can be differentiated again: by the inputs, by vectors and tangents, and by what the function
// captured, where these need a gradient. So these functions nest, in any order. Inputs that are not floating-point are
// passed on as they are; their gradients are undefined. Where the function does not depend on an input, its derivative
// is zeros.
//
// They throw a DTypeError when the function's value is not floating-point, or a vector is of another dtype than what it
// is for, and a ShapeError when it is of another shape.
#pragma once

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
/// its shape. The vector-Jacobian product u -> u' J is linear in u; its own one, with the tangents, is J t (double
/// reverse), at the price of two walks whatever the number of inputs.
ValueAndTangent jvp(const Callable& f, const std::vector<Variable>& inputs, const std::vector<Variable>& tangents);

/// The Jacobian with respect to each input: shape of the value + shape of the input. One walk for each element of the
/// value.
std::vector<Variable> jacobian(const Callable& f, const std::vector<Variable>& inputs);

/// The second derivatives of a function whose result has one element: [i][j] has the shape of input i + that of j.
std::vector<std::vector<Variable>> hessian(const Callable& f, const std::vector<Variable>& inputs);

/// The Hessian times a vector, without the Hessian: f's value, and for each input the sum over j of H[i][j] v[j].
ValueAndGrad hvp(const Callable& f, const std::vector<Variable>& inputs, const std::vector<Variable>& vectors);

}  // namespace xtape
