#include <autograd/kernels/softmax.hpp>

#include <cmath>

#include <autograd/kernels/map.hpp>
#include <autograd/kernels/reduce.hpp>

namespace xtape::kernels {
namespace {

std::vector<bool> only(std::size_t axis, std::size_t rank) {
  std::vector<bool> mask(rank, false);
  mask[axis] = true;
  return mask;
}

}  // namespace

// With m the maximum, exp(x - m) does not overflow. Where a whole row is -inf, m would make NaN of it all the same.
Array softmax(const Array& x, std::size_t axis) {
  return visit_floating("softmax", x.dtype(), [&]<class T>(T) {
    Array result(x.shape(), x.dtype());
    auto mask = only(axis, x.rank());
    map<T>([](auto x, auto m) { return xsimd::exp(x - m); }, result, x, max(x, mask));
    map<T>([](auto e, auto total) { return e / total; }, result, result, sum(result, mask));
    return result;
  });
}

Array log_softmax(const Array& x, std::size_t axis) {
  return visit_floating("log_softmax", x.dtype(), [&]<class T>(T) {
    Array result(x.shape(), x.dtype());
    auto mask = only(axis, x.rank());
    Array m = max(x, mask);
    map<T>([](auto x, auto m) { return xsimd::exp(x - m); }, result, x, m);
    Array total = sum(result, mask);
    map<T>([](auto m, auto total) { return m + xsimd::log(total); }, m, m, total);
    map<T>([](auto x, auto shift) { return x - shift; }, result, x, m);
    return result;
  });
}

}  // namespace xtape::kernels
