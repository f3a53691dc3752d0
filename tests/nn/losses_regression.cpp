// Losses of numbers, against closed forms and finite differences.
#include <cmath>
#include <numbers>

#include <tests/nn/losses_support.hpp>

using namespace xtape;
using namespace xtape::testing;
using nn::Reduction;

BOOST_AUTO_TEST_SUITE(regression_losses)

BOOST_AUTO_TEST_CASE(reductions) {
  Variable a = numbers64({{1, 2}, {3, 4}}), b = numbers64({{1, 0}, {0, 8}});
  close(nn::mse_loss(a, b), number64((0 + 4 + 9 + 16) / 4.0));
  close(nn::mse_loss(a, b, {.reduction = Reduction::sum}), number64(29));
  close(nn::mse_loss(a, b, {.reduction = Reduction::batchmean}), number64(14.5));
  close(nn::mse_loss(a, b, {.reduction = Reduction::none}), numbers64({{0, 4}, {9, 16}}));
  Variable nothing = zeros({0, 2}, float64);
  close(nn::mse_loss(nothing, nothing, {.reduction = Reduction::sum}), number64(0));
  throws<ShapeError>([&] { nn::mse_loss(nothing, nothing); }, {"mse_loss", "float64(0, 2)", "one or more"});
  throws<ShapeError>([&] { nn::mse_loss(a[0][0], b[0][0], {.reduction = Reduction::batchmean}); },
                     {"mse_loss", "float64()"});
}


BOOST_AUTO_TEST_CASE(absolute_huber_and_smooth_l1) {
  Variable x = numbers64({0, 1.5, -3, 0.25}), y = numbers64({0, 1, 0, 0});
  auto none = Reduction::none;
  close(nn::mae_loss(x, y, {none}), numbers64({0, 0.5, 3, 0.25}));
  close(nn::l1_loss(x, y), number64(3.75 / 4));
  close(nn::huber_loss(x, y, {.reduction = none, .delta = 0.5}), numbers64({0, 0.125, 0.5 * (3 - 0.25), 0.03125}),
        1e-15);
  close(nn::smooth_l1_loss(x, y, {.reduction = none, .beta = 0.5}), numbers64({0, 0.25, 2.75, 0.0625}), 1e-15);
  close(nn::smooth_l1_loss(x, y, {.beta = 0}), nn::mae_loss(x, y));
  // With delta 1 both are the same.
  close(nn::huber_loss(x, y), nn::smooth_l1_loss(x, y));
  close(nn::huber_loss(x.to(float32), y.to(float32)), nn::huber_loss(x, y).to(float32), 1e-7);
}

BOOST_AUTO_TEST_CASE(derivatives_of_regression_losses) {
  Variable x = randn({4, 3}, float64), y = randn({4, 3}, float64), spread = rand({4, 3}, float64) + 0.5;
  Variable counts = numbers64({{0, 1, 2}, {3, 4, 5}, {6, 7, 0.5}, {0.25, 2, 3}}), rate = rand({4, 3}, float64) + 0.5;
  for (Reduction reduction : all_reductions) {
    has_derivatives([&](auto& x, auto& y) { return nn::mse_loss(x, y, {reduction}); }, {x, y});
    has_derivatives([&](auto& x, auto& y) { return nn::mae_loss(x, y, {reduction}); }, {x, y});
    has_derivatives([&](auto& x, auto& y) { return nn::huber_loss(x, y, {.reduction = reduction, .delta = 0.7}); }, {x, y});
    has_derivatives([&](auto& x, auto& y) { return nn::smooth_l1_loss(x, y, {.reduction = reduction, .beta = 0.7}); }, {x, y});
    has_derivatives(
        [&](const Variable& x) { return nn::poisson_nll_loss(x, counts, {.full = true, .reduction = reduction}); },
        {x});
    has_derivatives([&](auto& x, auto& y) {
      return nn::poisson_nll_loss(x, y, {.log_input = false, .full = true, .reduction = reduction});
    }, {rate, rate + 1.2});
    has_derivatives([&](auto& x, auto& y, auto& v) {
      return nn::gaussian_nll_loss(x, y, v, {.full = true, .reduction = reduction});
    }, {x, y, spread});
  }
}

// 0 log 0 is 0; the slope is that of the rate alone.
BOOST_AUTO_TEST_CASE(no_count_under_a_rate_of_zero) {
  Variable rate = zeros({1}, float64).requires_grad_();
  Variable loss = nn::poisson_nll_loss(rate, zeros({1}, float64), {.log_input = false, .epsilon = 0});
  BOOST_TEST(loss.item() == 0);
  BOOST_TEST(grad(loss, rate).item() == 1);
}

BOOST_AUTO_TEST_CASE(poisson_likelihoods) {
  Variable rates = numbers64({0.5, 2, 3}), counts = numbers64({0, 1, 4});
  Variable expected = numbers64({0.5, 2 - std::log(2), 3 - 4 * std::log(3)});
  close(nn::poisson_nll_loss(log(rates), counts, {.reduction = Reduction::none}), expected, 1e-14);
  close(nn::poisson_nll_loss(rates, counts, {.log_input = false, .epsilon = 0, .reduction = Reduction::none}), expected,
        1e-14);
  double stirling = 4 * std::log(4) - 4 + 0.5 * std::log(2 * std::numbers::pi * 4);  // log(4!) but for 0.02
  close(nn::poisson_nll_loss(log(rates), counts, {.full = true, .reduction = Reduction::none}),
        expected + numbers64({0, 0, stirling}), 1e-14);
  // The derivative by a count of 0 has no logarithm of 0 in it.
  Variable zero = parameter(numbers64({0}));
  nn::poisson_nll_loss(numbers64({1}), zero, {.full = true}).backward();
  close(zero.grad(), numbers64({-1}));
}

BOOST_AUTO_TEST_CASE(gaussian_likelihoods) {
  Variable x = numbers64({{1, 2}, {3, 5}}), y = numbers64({{0, 2}, {3, 1}}), v = numbers64({{2, 1}, {3, 4}});
  auto density = [](double d, double v) {
    return -std::log(std::exp(-d * d / (2 * v)) / std::sqrt(2 * std::numbers::pi * v));
  };
  close(nn::gaussian_nll_loss(x, y, v, {.full = true, .reduction = Reduction::none}),
        numbers64({{density(1, 2), density(0, 1)}, {density(0, 3), density(4, 4)}}), 1e-14);
  // One variance for a sample.
  Variable shared = nn::gaussian_nll_loss(x, y, numbers64({2, 3}));
  close(shared, nn::gaussian_nll_loss(x, y, numbers64({{2}, {3}})));
  close(shared, nn::gaussian_nll_loss(x, y, numbers64({{2, 2}, {3, 3}})));
  // Small variances count as epsilon, and still have the gradient of it.
  Variable tiny = parameter(numbers64({1e-9}));
  Variable loss = nn::gaussian_nll_loss(numbers64({1}), numbers64({1}), tiny, {.epsilon = 0.5});
  close(loss, number64(0.5 * std::log(0.5)), 1e-15);
  loss.backward();
  close(tiny.grad(), numbers64({1}), 1e-14);
}

BOOST_AUTO_TEST_CASE(regression_losses_refuse_what_does_not_fit) {
  Variable x = zeros({3, 10});
  throws<ShapeError>([&] { nn::mse_loss(x, zeros({3})); }, {"mse_loss", "(3, 10)", "(3,)", "one shape"});
  throws<DTypeError>([&] { nn::mse_loss(x, zeros({3, 10}, float64)); }, {"mse_loss", "float32", "float64"});
  throws<DTypeError>([&] { nn::mae_loss(x.to(int64), x.to(int64)); }, {"mae_loss", "int64", "floating-point"});
  throws<Error>([&] { nn::huber_loss(x, Variable()); }, {"huber_loss", "undefined"});
  throws<ValueError>([&] { nn::huber_loss(x, x, {.delta = 0}); }, {"huber_loss", "delta is 0"});
  throws<ValueError>([&] { nn::huber_loss(x, x, {.delta = NAN}); }, {"huber_loss", "delta is nan"});
  throws<ValueError>([&] { nn::smooth_l1_loss(x, x, {.beta = -1}); },
                     {"smooth_l1_loss", "beta is -1", "0 or more"});
  throws<ShapeError>([&] { nn::smooth_l1_loss(x, zeros({1}), {.beta = 0}); }, {"smooth_l1_loss", "(1,)"});
  throws<ValueError>([&] { nn::poisson_nll_loss(x, x, {.epsilon = INFINITY}); },
                     {"poisson_nll_loss", "epsilon is inf"});
  throws<ValueError>([&] { nn::gaussian_nll_loss(x, x, x, {.epsilon = 0}); }, {"gaussian_nll_loss", "epsilon is 0"});
  throws<ValueError>([&] { nn::gaussian_nll_loss(x, x, x - 1); },
                     {"gaussian_nll_loss", "variance -1 of element 0", "0 or more"});
  throws<ShapeError>([&] { nn::gaussian_nll_loss(x, x, zeros({10})); }, {"gaussian_nll_loss", "(3, 10)", "(10,)"});
  throws<DTypeError>([&] { nn::gaussian_nll_loss(x, x, ones({3, 10}, float64)); }, {"float32", "float64"});
  throws<Error>([&] { nn::gaussian_nll_loss(x, x, {}); }, {"gaussian_nll_loss", "undefined"});
}

BOOST_AUTO_TEST_SUITE_END()
