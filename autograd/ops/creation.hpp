// New arrays.
#pragma once

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

namespace detail {
Variable from_blob(void* elements, const Dims& shape, DType dtype, std::shared_ptr<const void> owner, bool read_only);
}  // namespace detail

/// Of any elements, to be set by the caller.
Variable empty(const Dims& shape, DType dtype = default_dtype());
Variable zeros(const Dims& shape, DType dtype = default_dtype());
Variable ones(const Dims& shape, DType dtype = default_dtype());
/// @throws ValueError for a value that the dtype does not have, such as 0.5 for int64.
Variable full(const Dims& shape, const Scalar& value, DType dtype = default_dtype());
/// The float, double, std::int64_t or bool elements at an address, in row-major order, without a copy. `owner` keeps them
/// alive as long as an array has them; without one, the caller does. What is written to the Variable while it shares the
/// elements with no other array is written there; const elements are copied before the first write. Elements that are
/// changed there by others are changed for all that share them, results and what the tape saved among them.
/// @throws ShapeError for a negative extent, ValueError for a null pointer to one element or more.
template <class T>
  requires(std::is_arithmetic_v<T> && detail::is_stored<std::remove_const_t<T>>)
// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved on
Variable from_blob(T* elements, const Dims& shape, std::shared_ptr<const void> owner = {}) {
  using Element = std::remove_const_t<T>;
  return detail::from_blob(const_cast<Element*>(elements), shape, dtype_of<Element>(), std::move(owner),
                           std::is_const_v<T>);
}
/// Of the shape and dtype of x.
Variable empty_like(const Variable& x);
Variable zeros_like(const Variable& x);
Variable ones_like(const Variable& x);
Variable full_like(const Variable& x, const Scalar& value);
/// Ones on the diagonal of an n x m matrix (m = n if left out), zeros elsewhere.
Variable eye(std::size_t n, std::size_t m, DType dtype = default_dtype());
Variable eye(std::size_t n, DType dtype = default_dtype());
/// start, start + step, ... before stop. @throws ValueError for a step of 0, or numbers that are not finite or that the
/// dtype does not have.
Variable arange(const Scalar& start, const Scalar& stop, const Scalar& step, DType dtype);
/// The same, of int64 when all are integers, else of the default dtype.
template <class Start, class Stop, class Step = int>
  requires(std::is_arithmetic_v<Start> && std::is_arithmetic_v<Stop> && std::is_arithmetic_v<Step>)
Variable arange(Start start, Stop stop, Step step = 1) {
  constexpr bool integers = std::is_integral_v<Start> && std::is_integral_v<Stop> && std::is_integral_v<Step>;
  return arange(Scalar(start), Scalar(stop), Scalar(step), integers ? int64 : default_dtype());
}
/// 0, 1, ... before stop.
template <class Stop>
  requires std::is_arithmetic_v<Stop>
Variable arange(Stop stop) {
  return arange(Stop{0}, stop);
}
/// So many numbers at equal distances from start to stop, both included; of one, start.
/// @throws ValueError for numbers that are not finite.
Variable linspace(double start, double stop, std::size_t count, DType dtype = default_dtype());
/// `base` to the power of each of these.
Variable logspace(double start, double stop, std::size_t count, double base = 10, DType dtype = default_dtype());
/// Uniform in [0, 1).
Variable rand(const Dims& shape, DType dtype = default_dtype(), Generator& generator = default_generator());
/// Normal, of mean 0 and variance 1.
Variable randn(const Dims& shape, DType dtype = default_dtype(), Generator& generator = default_generator());

}  // namespace xtape
