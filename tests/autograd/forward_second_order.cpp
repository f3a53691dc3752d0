// Second derivatives of every operation of the list by all pairs of modes: the curvature of a weighted sum of its value,
// in two directions.
#include <boost/test/data/test_case.hpp>

#include "forward_samples.hpp"

using namespace xtape;
using namespace forward_mode;

namespace {

struct Curvature {
  const Sample& sample;
  Variables along, across;  // the directions
  Variable u = weights(sample.f(sample.inputs));

  // The slope along the first direction, in forward mode, and by the reverse mode.
  Variable slope(const Variables& xs) const { return sum(u * jvp(sample.f, xs, along).tangent); }
  Variable slope_by_reverse(const Variables& xs) const {
    Variables gradients = vjp(sample.f, xs, u).grads;
    Variable total = Variable(Array::scalar(0, float64));
    for (std::size_t i = 0; i < xs.size(); ++i) total = total + sum(gradients[i] * along[i]);
    return total;
  }

  double jvp_of(const Callable& slope) const { return jvp(slope, sample.inputs, across).tangent.item(); }
  double grad_of(const Callable& slope) const { return product(grad(slope, sample.inputs), across); }
  double differences() const {
    constexpr double step = 1e-5;
    return (slope(moved(sample.inputs, across, step)) - slope(moved(sample.inputs, across, -step))).item() / (2 * step);
  }
};

void check(const Sample& sample) {
  Curvature curvature{sample, directions(sample.inputs, -1, 1.5), directions(sample.inputs, -1.25, 1)};
  auto slope = [&](const Variables& xs) { return curvature.slope(xs); };
  auto by_reverse = [&](const Variables& xs) { return curvature.slope_by_reverse(xs); };
  const double expected = curvature.grad_of(by_reverse);
  close(curvature.jvp_of(slope), expected, 1e-10, "jvp of jvp, and grad of vjp");
  close(curvature.grad_of(slope), expected, 1e-10, "grad of jvp, and grad of vjp");
  close(curvature.jvp_of(by_reverse), expected, 1e-10, "jvp of vjp, and grad of vjp");
  close(curvature.differences(), expected, 1e-5, "differences of jvp, and grad of vjp");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_second_order)

BOOST_DATA_TEST_CASE(all_pairs_of_modes, samples::operations(), operation) {
  for (const auto& sample : operation.samples)
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      if (operation.differentiable) check(sample);
    }
}

BOOST_AUTO_TEST_SUITE_END()
