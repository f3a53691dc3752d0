// Derivatives of functions, rather than of results: what one asks of a function of Variables.
//
// A function is any callable. Its inputs are a list, `grad(f, {x, w})`, which it takes one by one, `[](auto x, auto w)`,
// up to eight, or as what names its type, `[](const std::vector<Variable>& xs)`; or one Variable, `grad(f, x)`; or a tree
// of Variables (see tree.hpp), such as a struct or a std::map, which it takes as it is. Derivatives by the inputs have
// their type. It returns a Variable; or several, as a tree; or `with_aux(y, more)`, see there. Its arguments are its own:
// what it writes to them in place, the caller does not see.
//
// What is returned can be differentiated again: by the inputs, by vectors and tangents, and by what the function
// captured, where these need a gradient. So these functions nest, in any order. Inputs that are not floating-point are
// passed on as they are; their gradients are undefined. So are Variables in a tree that are undefined. Where the function
// does not depend on an input, its derivative is zeros.
//
// They throw a DTypeError when the function's value is not floating-point, or a vector is of another dtype than what it
// is for, a ShapeError when it is of another shape, and a ValueError for trees of different Variables. They throw a
// GraphError for a function that does not use one of its arguments but captures the Variable that was passed for it: its
// derivative would be zeros, which nobody means.
#pragma once

#include <memory>
#include <vector>

#include <autograd/typed_function.hpp>

namespace xtape {

/// A value, and the derivatives by each input; `aux` where the function returned it.
template <class Y, class T, class Aux = void>
struct ValueAndGradOf {
  Y value;
  T grads;
  Aux aux;
};
template <class Y, class T>
struct ValueAndGradOf<Y, T, void> {
  Y value;
  T grads;
};
/// Of a Variable by a list.
using ValueAndGrad = ValueAndGradOf<Variable, std::vector<Variable>>;

/// A value, and its derivative in a direction; `aux` where the function returned it.
template <class Y, class Aux = void>
struct ValueAndTangentOf {
  Y value, tangent;
  Aux aux;
};
template <class Y>
struct ValueAndTangentOf<Y, void> {
  Y value, tangent;
};
using ValueAndTangent = ValueAndTangentOf<Variable>;

/// How a Jacobian is computed: by columns, one for each element of the inputs, or by rows, one for each element of the
/// value; automatic takes what there is less of. A walk computes up to 128 of them at once, see vmap.
enum class JacobianMode { automatic, forward, reverse };

/// Options of `jacobian`.
struct JacobianOptions {
  JacobianMode mode = JacobianMode::automatic;
};

namespace detail {

// The transforms of lists.

struct FlatDerivatives {
  std::vector<Variable> values, derivatives, aux;
};
FlatDerivatives flat_value_and_grad(const FlatCall& call);
FlatDerivatives flat_vjp(const FlatCall& call, const FlatTree& vectors);
FlatDerivatives flat_jvp(const FlatCall& call, const FlatTree& tangents);
FlatDerivatives flat_hvp(const FlatCall& call, const FlatTree& vectors);
std::vector<std::vector<Variable>> flat_jacobian(const FlatCall& call, const JacobianOptions& options);  // of each value
std::vector<std::vector<Variable>> flat_hessian(const FlatCall& call);

class Linearization;
std::shared_ptr<const Linearization> flat_linearize(const FlatCall& call);
std::vector<Variable> values_of(const Linearization& line);
std::vector<Variable> aux_of(const Linearization& line);
std::vector<Variable> pushed(const Linearization& line, const FlatTree& tangents);
std::vector<Variable> pulled(const Linearization& line, const FlatTree& vectors);

template <class Typed, class T>
auto value_and_grad_of(const Typed& typed, const FlatDerivatives& found, const T&) {
  using Result = ValueAndGradOf<typename Typed::Value, T, typename Typed::Aux>;
  if constexpr (Typed::has_aux)
    return Result{typed.as_value(found.values), typed.as_inputs(found.derivatives), typed.as_aux(found.aux)};
  else return Result{typed.as_value(found.values), typed.as_inputs(found.derivatives)};
}

template <class Typed>
constexpr void require_one_value() {
  static_assert(std::same_as<typename Typed::Value, Variable>, "the function's value is to be one Variable; what else it "
                                                               "has to say goes into with_aux(value, more)");
}

template <class F>
using Plain = std::remove_reference_t<F>;

}  // namespace detail

/// The gradients of a function whose value has one element: `grad(f, {x, w})`. What it returns beside is dropped.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
detail::Input<T> grad(F&& f, const T& inputs) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("grad", f, at);
  detail::require_one_value<decltype(typed)>();
  return typed.as_inputs(detail::flat_value_and_grad(typed.flat()).derivatives);
}

/// The same with the function's value.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto value_and_grad(F&& f, const T& inputs) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("value_and_grad", f, at);
  detail::require_one_value<decltype(typed)>();
  return detail::value_and_grad_of(typed, detail::flat_value_and_grad(typed.flat()), at);
}

/// The vector-Jacobian product: f's value, and v' J for each input. v has the type and the shape of the value.
template <detail::NoVariables F, Tree T = std::vector<Variable>, class V = Variable>
auto vjp(F&& f, const T& inputs, const V& v) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("vjp", f, at);
  const typename decltype(typed)::Value& vectors = v;
  return detail::value_and_grad_of(typed, detail::flat_vjp(typed.flat(), detail::flat_tree(vectors)), at);
}

/// The Jacobian-vector product: f's value, and its derivative in the direction `tangents`, one for each input and of
/// its shape. In forward mode: one walk along what f did, in the same direction, whatever the number of inputs. (Hooks,
/// and the backward of functions of one's own, take part by what they do to gradients.)
/// @throws GraphError for a Function whose backward, or a hook that, is not made of differentiable operations.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto jvp(F&& f, const T& inputs, const detail::Input<T>& tangents) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("jvp", f, at);
  using Typed = decltype(typed);
  const detail::FlatDerivatives found = detail::flat_jvp(typed.flat(), detail::flat_tree(tangents));
  using Result = ValueAndTangentOf<typename Typed::Value, typename Typed::Aux>;
  if constexpr (Typed::has_aux)
    return Result{typed.as_value(found.values), typed.as_value(found.derivatives), typed.as_aux(found.aux)};
  else return Result{typed.as_value(found.values), typed.as_value(found.derivatives)};
}

/// A function as it is near its inputs: what `linearize` returns. Copies share it, and it keeps alive what f computed.
template <class T, class Y, class Aux = void>
class LinearizedOf;

template <class T, class Y>
class LinearizedOf<T, Y, void> {
 public:
  LinearizedOf(std::shared_ptr<const detail::Linearization> linearization, std::shared_ptr<const void> arguments,
               const T& inputs, Y f_value)
      : value(std::move(f_value)), inputs_(inputs), form_(value), arguments_(std::move(arguments)),
        linearization_(std::move(linearization)) {}

  /// The Jacobian-vector product with these tangents, one for each input.
  Y operator()(const T& tangents) const {
    return detail::with_leaves(form_, detail::pushed(*linearization_, detail::flat_tree(tangents)));
  }
  /// The vector-Jacobian product: v, of the shape of the value, times the Jacobian for each input.
  T transpose(const Y& v) const {
    return detail::with_leaves(inputs_, detail::pulled(*linearization_, detail::flat_tree(v)));
  }

  Y value;  ///< f's value

 private:
  T inputs_;
  Y form_;
  std::shared_ptr<const void> arguments_;  // of f, see TypedFunction
  std::shared_ptr<const detail::Linearization> linearization_;
};

template <class T, class Y, class Aux>
class LinearizedOf : public LinearizedOf<T, Y> {
 public:
  LinearizedOf(LinearizedOf<T, Y> linearized, Aux more)
      : LinearizedOf<T, Y>(std::move(linearized)), aux(std::move(more)) {}

  Aux aux;  ///< what f returned beside its value
};

/// Of a Variable by a list.
using Linearized = LinearizedOf<std::vector<Variable>, Variable>;

/// Evaluates f once, for any number of products with its Jacobian there:
///
///     auto line = linearize(f, x);
///     Variable y = line.value + line(t);  // about f(x + t)
///
/// Where f captures Variables that require gradients, the value and all products are recorded, and share what f recorded:
/// a backward through one of them lets go of it for all, unless it is called with `retain_graph`.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto linearize(F&& f, const T& inputs) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("linearize", f, at);
  using Typed = decltype(typed);
  auto found = detail::flat_linearize(typed.flat());
  using Line = LinearizedOf<detail::Input<T>, typename Typed::Value>;
  using LineAndAux = LinearizedOf<detail::Input<T>, typename Typed::Value, typename Typed::Aux>;
  Line line(found, typed.arguments(), at, typed.as_value(detail::values_of(*found)));
  if constexpr (Typed::has_aux) return LineAndAux(std::move(line), typed.as_aux(detail::aux_of(*found)));
  else return line;
}

/// The Jacobian with respect to each input: shape of the value + shape of the input. Of a function of several results, a
/// tree like these, with a Jacobian by the inputs in the place of each; no struct. What f returns beside is dropped.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto jacobian(F&& f, const T& inputs, const JacobianOptions& options = {}) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("jacobian", f, at);
  const std::vector<std::vector<Variable>> rows = detail::flat_jacobian(typed.flat(), options);
  auto next = [&, row = rows.begin()]() mutable { return typed.as_inputs(*row++); };
  return detail::replaced<detail::Input<T>>(typed.as_value(std::vector<Variable>(rows.size())), next);
}

/// The second derivatives of a function whose value has one element: [i][j] has the shape of input i + that of j, a list
/// of lists, a map of maps, or a Variable for a Variable; no struct. By columns: forward along f and its gradient, for
/// each element of the inputs. What f returns beside is dropped.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto hessian(F&& f, const T& inputs) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("hessian", f, at);
  detail::require_one_value<decltype(typed)>();
  const std::vector<std::vector<Variable>> rows = detail::flat_hessian(typed.flat());
  auto next = [&, row = rows.begin()]() mutable { return typed.as_inputs(*row++); };
  return detail::replaced<detail::Input<T>>(at, next);
}

/// The Hessian times a vector, without the Hessian: f's value, and for each input the sum over j of H[i][j] v[j].
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto hvp(F&& f, const T& inputs, const detail::Input<T>& vectors) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<detail::Plain<F>, detail::Input<T>> typed("hvp", f, at);
  detail::require_one_value<decltype(typed)>();
  return detail::value_and_grad_of(typed, detail::flat_hvp(typed.flat(), detail::flat_tree(vectors)), at);
}

}  // namespace xtape
