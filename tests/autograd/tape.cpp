#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

using namespace xtape;

BOOST_AUTO_TEST_CASE(the_gradient_of_a_square) {
  Variable x = Variable({3.0}, float64).requires_grad_();
  sum(x * x).backward();
  BOOST_TEST(x.grad().item() == 6.0);
}
