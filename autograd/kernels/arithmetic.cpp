#include <autograd/kernels/arithmetic.hpp>

#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/map.hpp>

namespace xtape::kernels {

void add_in_place(Array& sum, const Array& term) {
  visit_floating("add", sum.dtype(), [&]<class T>(T) { map<T>(Add(), sum, sum, term); });
}

}  // namespace xtape::kernels
