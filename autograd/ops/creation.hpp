// New arrays.
#pragma once

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Of any elements, to be set by the caller.
Variable empty(const Dims& shape, DType dtype = float32);
Variable zeros(const Dims& shape, DType dtype = float32);
Variable ones(const Dims& shape, DType dtype = float32);
Variable full(const Dims& shape, double value, DType dtype = float32);
/// Of the shape and dtype of x.
Variable empty_like(const Variable& x);
Variable zeros_like(const Variable& x);
Variable ones_like(const Variable& x);
Variable full_like(const Variable& x, double value);
/// Ones on the diagonal of an n x m matrix (m = n if left out), zeros elsewhere.
Variable eye(std::size_t n, std::size_t m, DType dtype = float32);
Variable eye(std::size_t n, DType dtype = float32);
/// start, start + step, ... before stop. @throws ValueError for a step of 0, or numbers that are not finite.
Variable arange(double start, double stop, double step, DType dtype);
/// The same, of int64 when all are integers, else of float32.
template <class Start, class Stop, class Step = int>
  requires(std::is_arithmetic_v<Start> && std::is_arithmetic_v<Stop> && std::is_arithmetic_v<Step>)
Variable arange(Start start, Stop stop, Step step = 1) {
  constexpr bool integers = std::is_integral_v<Start> && std::is_integral_v<Stop> && std::is_integral_v<Step>;
  return arange(static_cast<double>(start), static_cast<double>(stop), static_cast<double>(step),
                integers ? int64 : float32);
}
/// 0, 1, ... before stop.
template <class Stop>
  requires std::is_arithmetic_v<Stop>
Variable arange(Stop stop) {
  return arange(Stop{0}, stop);
}
/// So many numbers at equal distances from start to stop, both included; of one, start.
/// @throws ValueError for numbers that are not finite.
Variable linspace(double start, double stop, std::size_t count, DType dtype = float32);
/// `base` to the power of each of these.
Variable logspace(double start, double stop, std::size_t count, double base = 10, DType dtype = float32);
/// Uniform in [0, 1).
Variable rand(const Dims& shape, DType dtype = float32, Generator& generator = default_generator());
/// Normal, of mean 0 and variance 1.
Variable randn(const Dims& shape, DType dtype = float32, Generator& generator = default_generator());

}  // namespace xtape
