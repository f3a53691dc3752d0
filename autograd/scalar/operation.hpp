// Functions of scalars among Variables.
#pragma once

#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

#include <autograd/scalar/program.hpp>
#include <autograd/variable.hpp>

namespace xtape {
namespace detail {

std::vector<double> elements_for_reals(const Variable& x);
/// The program's results at the elements of x, in one axis or, for one `number`, in none.
Variable call_program(std::shared_ptr<const scalar::Program> program, const Variable& x, bool number);

}  // namespace detail

/// A function of Reals as one operation on a Variable, for code that is written for numbers: solvers, simulators,
/// geometry.
///
///     Variable y = scalar_function([](const std::vector<Real>& x) { return x[0] * exp(-x[1]); }, parameters);
///
/// f is called once, with the elements of x in the order of their indices, and returns a Real or a container of m
/// Reals: the result is 0-d, or of shape (m). It is computed in float64 and has x's dtype. Derivatives of any order
/// flow through. f may take any branches, and nothing from other Variables.
/// @throws DTypeError unless x is floating-point.
template <class F>
Variable scalar_function(F&& f, const Variable& x) {
  bool number = false;
  auto results = [&](const std::vector<Real>& inputs) {
    const auto y = f(inputs);
    number = std::is_convertible_v<decltype(y), Real>;
    return scalar::detail::list_of(y);
  };
  auto program = std::make_shared<const scalar::Program>(scalar::Program::of(results, detail::elements_for_reals(x)));
  return detail::call_program(std::move(program), x, number);
}

}  // namespace xtape
