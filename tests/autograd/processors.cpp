// Translation units that are compiled for different processors work in one program.
#include <boost/test/unit_test.hpp>

#include "processors.hpp"

#include "../support.hpp"

using namespace xtape;

BOOST_AUTO_TEST_SUITE(processors)

BOOST_AUTO_TEST_CASE(fused_functions_for_two_processors_in_one_program) {
  for (auto f : {testing::on_any, testing::on_avx2}) {
    if (f == testing::on_avx2 && !__builtin_cpu_supports("avx2")) continue;
    for (DType dtype : {float32, float64}) {
      Variable x = linspace(-1, 1, 3 * 37, dtype).reshape({3, 37}).requires_grad_();
      Variable s = full({37}, 0.5, dtype).requires_grad_();
      Variable y = f(x, s);
      testing::close(y, 2 * tanh(x) * s, 1e-6);
      sum(y).backward();
      testing::close(s.grad(), sum(2 * tanh(x), 0), 1e-5);
      testing::close(x.grad(), 1 - square(tanh(x)), 1e-6);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
