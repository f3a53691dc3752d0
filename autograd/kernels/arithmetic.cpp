#include <autograd/kernels/arithmetic.hpp>

#include <autograd/kernels/map.hpp>

namespace xtape::kernels {

void add_in_place(Array& sum, const Array& term) {
  visit_floating("add", sum.dtype(), [&]<class T>(T) { map<T>([](auto a, auto b) { return a + b; }, sum, sum, term); });
}

}  // namespace xtape::kernels
