// The scalar type in the containers of xtensor, and its functions among Variables.
#include <autograd/autograd.hpp>
#include <autograd/scalar/operation.hpp>
#include <autograd/scalar/xtensor.hpp>
#include <tests/support.hpp>

#include <xtensor/xmath.hpp>

using namespace xtape;

namespace {

// Of three numbers two: with branches, loops, and a number that is no input.
std::vector<Real> two_of_three(const std::vector<Real>& x) {
  Real y = 0;
  for (const Real& v : x) y += v > 0.5 ? v * v * v : sin(v) * x[0];
  return {y * exp(-x[1]), 3 / (1 + x[2] * x[2])};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scalar_containers)

BOOST_AUTO_TEST_CASE(xtensor_arrays) {
  // sum of a_ij b_j exp(a_ij): the gradient by a is b_j (1 + a_ij) exp(a_ij).
  const xt::xarray<double> a{{0.5, -1, 2}, {0.25, 3, -0.5}}, b{1, -2, 0.5};
  auto f = [&](const auto& x) {
    using T = typename std::decay_t<decltype(x)>::value_type;
    T total = 0;
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 3; ++j) total += x(i, j) * b(j) * exp(x(i, j));
    return total;
  };
  const xt::xarray<double> g = scalar::gradient(f, a);
  BOOST_TEST((g.dimension() == 2 && g.shape(0) == 2 && g.shape(1) == 3));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      BOOST_TEST(g(i, j) == b(j) * (1 + a(i, j)) * std::exp(a(i, j)), boost::test_tools::tolerance(1e-14));
  const xt::xarray<double> h = scalar::hessian(f, a);
  BOOST_TEST(h.dimension() == 4);
  BOOST_TEST(h(1, 2, 1, 2) == b(2) * (2 + a(1, 2)) * std::exp(a(1, 2)), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(h(1, 2, 1, 1) == 0);
}

BOOST_AUTO_TEST_CASE(xtensor_expressions) {
  // A row of products, by xtensor's own expressions: d (x_i y_i)^2 = 2 x_i y_i^2.
  auto f = [](const xt::xarray<Real>& x) {
    xt::xarray<Real> y = x * x + 2.0 * x;
    return xt::xarray<Real>(y * y);
  };
  const xt::xarray<double> x{1, -2, 0.5};
  const xt::xarray<double> j = scalar::jacobian(f, x);
  BOOST_TEST((j.dimension() == 2 && j.shape(0) == 3 && j.shape(1) == 3));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 3; ++k) {
      const double y = x(i) * x(i) + 2 * x(i);
      BOOST_TEST(j(i, k) == (i == k ? 2 * y * (2 * x(i) + 2) : 0), boost::test_tools::tolerance(1e-14));
    }
  const xt::xtensor<double, 1> fixed{1, -2, 0.5};
  auto total = [](const xt::xtensor<Real, 1>& v) { return Real(xt::sum(v * v)()); };
  const xt::xtensor<double, 1> g = scalar::gradient(total, fixed);
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(g(i) == 2 * fixed(i));
}

BOOST_AUTO_TEST_CASE(functions_among_variables) {
  Variable x({0.75, -0.5, 2}, float64);
  x.requires_grad_();
  Variable y = scalar_function(two_of_three, x);
  BOOST_TEST((y.shape() == Shape{2}));
  const double total = 0.75 * 0.75 * 0.75 + std::sin(-0.5) * 0.75 + 8;
  BOOST_TEST(y[0].item() == total * std::exp(0.5), boost::test_tools::tolerance(1e-14));
  sum(y * y).backward();
  const double dy = std::exp(0.5), g0 = 2 * y[0].item();
  BOOST_TEST(x.grad()[0].item() == g0 * dy * (3 * 0.75 * 0.75 + std::sin(-0.5)), boost::test_tools::tolerance(1e-13));
  const GradcheckResult found = gradcheck([](const Variable& v) { return scalar_function(two_of_three, v); }, {x}, {.order = 2});
  BOOST_TEST(found.ok, found.message);
  // Third order: of x^4 it is 24 x.
  Variable z = full({}, 1.5, float64);
  z.requires_grad_();
  Variable d = scalar_function([](const std::vector<Real>& v) { return v[0] * v[0] * v[0] * v[0]; }, z);
  BOOST_TEST(d.rank() == 0);
  for (int order = 0; order < 3; ++order) d = grad(d, z, {.create_graph = true});
  BOOST_TEST(d.item() == 36, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(functions_among_variables_of_other_kinds) {
  auto f = [](const std::vector<Real>& v) { return v[0] * v[1]; };
  Variable x({{3.0, 4.0}}, float32);
  x.requires_grad_();
  Variable y = scalar_function(f, x);
  BOOST_TEST((y.dtype() == float32 && y.item() == 12));
  y.backward();
  BOOST_TEST((x.grad().dtype() == float32 && x.grad()[0][0].item() == 4));
  BOOST_TEST((!scalar_function(f, x.detach()).requires_grad()));
  BOOST_CHECK_THROW(scalar_function(f, Variable({1, 2}, int64)), DTypeError);
  BOOST_CHECK_THROW(scalar_function(f, Variable()), Error);
  // The elements in the order of their indices, however they lie.
  Variable grid({{1.0, 2.0}, {3.0, 4.0}}, float64);
  Variable order = scalar_function([](const std::vector<Real>& v) { return v[0] + 10 * v[1] + 100 * v[2]; }, transpose(grid));
  BOOST_TEST(order.item() == 1 + 30 + 200);
  Variable none = scalar_function([](const std::vector<Real>&) { return std::vector<Real>(); }, x);
  BOOST_TEST((none.shape() == Shape{0}));
}

BOOST_AUTO_TEST_SUITE_END()
