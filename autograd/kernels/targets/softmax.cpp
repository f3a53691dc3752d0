#include <autograd/kernels/targets/softmax.hpp>

#include <array>
#include <cmath>
#include <utility>

#include <autograd/kernels/dense.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/targets/here.hpp>
#include <autograd/kernels/targets/reduce.hpp>

namespace xtape::kernels {
namespace {

// out = f(x) for a row.
template <class T, class F>
void map_numbers(const F& f, const T* x, std::size_t n, T* out) {
  map_row<Batch<T>, 1, 1>([f](const Batch<T>& x) { return std::array{f(x)}; }, &x, step_one, n, &out);
}

// out = exp(x - m) for a row whose greatest number is m, so that nothing overflows; returns m and the sum of out.
template <class T>
std::pair<T, T> exponentials(const T* x, std::size_t n, T* out) {
  const T m = static_cast<T>(reduce_row_on<here, Max>(x, n));
  map_numbers([m](auto x) { return exp(x - m); }, x, n, out);
  return {m, static_cast<T>(reduce_row_on<here, Sum>(out, n))};
}

}  // namespace

template <Target target, class T>
void softmax_row_on(const T* x, std::size_t n, T* out) {
  const T total = exponentials(x, n, out).second;
  map_numbers([total](auto e) { return e / total; }, out, n, out);
}

template <Target target, class T>
void log_softmax_row_on(const T* x, std::size_t n, T* out) {
  auto [m, total] = exponentials(x, n, out);
  // Not in one shift: beside a great m the logarithm is lost.
  map_numbers([m, log_total = std::log(total)](auto x) { return x - m - log_total; }, x, n, out);
}

template <Target target, class T>
T cross_entropy_row_on(const T* x, std::size_t n, std::size_t label, T* probabilities) {
  auto [m, total] = exponentials(x, n, probabilities);
  map_numbers([scale = 1 / total](auto e) { return e * scale; }, probabilities, n, probabilities);
  return std::log(total) - (x[label] - m);
}

template <Target target, class T>
void cross_entropy_gradient_row_on(T scale, const T* probabilities, std::size_t n, std::size_t label, T* out) {
  map_numbers([scale](auto p) { return scale * p; }, probabilities, n, out);
  out[label] -= scale;
}

template void softmax_row_on<here>(const float*, std::size_t, float*);
template void softmax_row_on<here>(const double*, std::size_t, double*);
template void log_softmax_row_on<here>(const float*, std::size_t, float*);
template void log_softmax_row_on<here>(const double*, std::size_t, double*);
template float cross_entropy_row_on<here>(const float*, std::size_t, std::size_t, float*);
template double cross_entropy_row_on<here>(const double*, std::size_t, std::size_t, double*);
template void cross_entropy_gradient_row_on<here>(float, const float*, std::size_t, std::size_t, float*);
template void cross_entropy_gradient_row_on<here>(double, const double*, std::size_t, std::size_t, double*);

}  // namespace xtape::kernels
