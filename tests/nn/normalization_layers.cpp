// Norms: running statistics, options and misuse. Their outputs and gradients stand in all_layers and peers_layers.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(normalization_layers)

BOOST_AUTO_TEST_CASE(batch_norm_keeps_running_statistics) {
  seed(9);
  nn::BatchNorm1D norm(2, {.momentum = 0.25, .dtype = float64});
  BOOST_TEST(norm.parameters().size() == 2);
  Variable x = randn({50, 2}, float64) * 3 + 1;
  close(norm(x), (x - mean(x, 0)) / sqrt(var(x, 0) + 1e-5), 1e-14);
  close(norm.running_mean, 0.25 * mean(x, 0), 1e-14);
  close(norm.running_var, 0.75 + 0.25 * var(x, 0, false, 1), 1e-14);
  BOOST_TEST(norm.num_batches_tracked.item() == 1);
  norm.eval();
  Variable before = norm.running_mean.copy();
  close(norm(x), (x - norm.running_mean) / sqrt(norm.running_var + 1e-5), 1e-14);
  close(norm.running_mean, before);
  // Over many batches, they approach those of the population.
  norm.train();
  for (int i = 0; i < 40; ++i) norm(x);
  close(norm.running_mean, mean(x, 0), 1e-4);
}

BOOST_AUTO_TEST_CASE(without_a_momentum_the_statistics_are_plain_means) {
  seed(10);
  nn::BatchNorm2D norm(3, {.momentum = std::nullopt, .dtype = float64});
  Variable means = zeros({3}, float64), variances = zeros({3}, float64);
  for (int i = 0; i < 5; ++i) {
    Variable x = randn({4, 3, 2, 2}, float64);
    norm(x);
    means = means + mean(x, {0, 2, 3}) / 5;
    variances = variances + var(x, {0, 2, 3}, false, 1) / 5;
  }
  close(norm.running_mean, means, 1e-14);
  close(norm.running_var, variances, 1e-14);
  BOOST_TEST(norm.num_batches_tracked.item() == 5);
}

BOOST_AUTO_TEST_CASE(options_leave_parameters_and_buffers_out) {
  nn::BatchNorm1D plain(2, {.affine = false});
  BOOST_TEST(plain.parameters().empty());
  BOOST_TEST(plain.named_buffers().size() == 3);
  nn::BatchNorm1D untracked(2, {.track_running_stats = false});
  BOOST_TEST(untracked.named_buffers().empty());
  Variable x = randn({8, 2});
  Variable y = untracked(x);
  untracked.eval();
  close(untracked(x), y);  // by the batch in evaluation as well
  BOOST_TEST(nn::LayerNorm(3, {.affine = false}).parameters().empty());
  BOOST_TEST(nn::LayerNorm(3, {.bias = false}).parameters().size() == 1);
  BOOST_TEST(nn::GroupNorm(1, 3, {.affine = false}).parameters().empty());
  BOOST_TEST(nn::RMSNorm(3, {.affine = false}).parameters().empty());
  BOOST_TEST(nn::InstanceNorm(3).state_dict().empty());
  BOOST_TEST(nn::InstanceNorm(3, {.affine = true, .track_running_stats = true}).state_dict().size() == 5);
}

BOOST_AUTO_TEST_CASE(statistics_of_numbers_far_from_zero_are_exact) {
  seed(11);
  nn::BatchNorm1D norm(3);
  Variable x = randn({1000, 3}, float64), shifted = (x + 4096).to(float32);
  Variable exact = shifted.to(float64);
  close(norm(shifted).to(float64), (exact - mean(exact, 0)) / sqrt(var(exact, 0) + 1e-5), 1e-3);
  Variable variance = var(exact, 0, false, 1);
  close(norm.running_var.to(float64), 0.9 + 0.1 * variance, 1e-6);
}

BOOST_AUTO_TEST_CASE(rms_norm_in_closed_form) {
  nn::RMSNorm norm(4, {.dtype = float64});
  {
    NoGrad guard;
    norm.weight.assign(Variable({1, 2, 3, 4}, float64));
  }
  Variable x({{1, -1, 3, 5}}, float64);  // the mean of the squares is 9
  close(norm(x), Variable({{1, -2, 9, 20}}, float64) / 3, 1e-14);
  // An input of nothing but zeros: by the epsilon of its dtype.
  close(norm(zeros({1, 4}, float64)), zeros({1, 4}, float64));
  nn::RMSNorm wide(2, {.epsilon = 8.5, .affine = false});
  close(wide(Variable{{0.0, 1.0}}), Variable{{0.0, 1.0 / 3}}, 1e-7);
}

BOOST_AUTO_TEST_CASE(layers_print_what_they_normalize) {
  BOOST_TEST(nn::BatchNorm2D(7).description() == "7");
  BOOST_TEST(nn::LayerNorm({3, 4}).description() == "3, 4");
  BOOST_TEST(nn::GroupNorm(2, 6).description() == "2, 6");
}

BOOST_AUTO_TEST_CASE(failed_calls_leave_the_statistics) {
  nn::BatchNorm1D norm(2, {.affine = false});
  StateDict before = norm.state_dict();
  throws<DTypeError>([&] { norm(zeros({4, 2}, float64)); }, {"BatchNorm1D(2)", "float64(4, 2)", "needs float32"});
  throws<ShapeError>([&] { norm(zeros({4, 3})); }, {"BatchNorm1D(2)", "(4, 3)", "2 channels"});
  throws<ValueError>([&] { norm(zeros({1, 2})); }, {"BatchNorm1D(2)", "(1, 2)", "more than one element"});
  BOOST_TEST((norm(zeros({0, 2})).shape() == Shape{0, 2}));
  for (const auto& [name, x] : norm.state_dict()) close(x, before.at(name));
}

BOOST_AUTO_TEST_CASE(misuse) {
  throws<ShapeError>([] { nn::BatchNorm1D(2)(zeros({4, 2, 3, 3})); }, {"BatchNorm1D(2)", "(4, 2, 3, 3)", "of 2 or 3"});
  throws<ShapeError>([] { nn::BatchNorm2D(2)(zeros({4, 2})); }, {"BatchNorm2D(2)", "(4, 2)", "of 4"});
  throws<ShapeError>([] { nn::InstanceNorm(2)(zeros({4, 2})); }, {"InstanceNorm(2)", "(4, 2)", "of 3 or more"});
  throws<ValueError>([] { nn::InstanceNorm(2)(zeros({4, 2, 1})); }, {"InstanceNorm(2)", "more than one element"});
  nn::BatchNorm1D of_batch(8, {.track_running_stats = false});
  nn::InstanceNorm of_instance(8);
  for (nn::Module* norm : std::vector<nn::Module*>{&of_batch, &of_instance}) {
    norm->eval();
    throws<ValueError>([&] { (*norm)(zeros({1, 8, 1})); },
                       {"(8): input float32(1, 8, 1)", "more than one element", "no running statistics"});
    BOOST_TEST(((*norm)(zeros({0, 8, 3})).shape() == Shape{0, 8, 3}));
  }
  throws<ValueError>([] { nn::BatchNorm1D(0); }, {"BatchNorm1D(0)", "1 or more"});
  throws<ValueError>([] { nn::BatchNorm1D(2, {.epsilon = 0}); }, {"BatchNorm1D(2)", "epsilon is 0"});
  throws<ValueError>([] { nn::BatchNorm2D(2, {.epsilon = NAN}); }, {"BatchNorm2D(2)", "epsilon is nan"});
  for (double bad : {double(NAN), -0.1, 1.5})
    throws<ValueError>([bad] { nn::BatchNorm1D(2, {.momentum = bad}); }, {"BatchNorm1D(2)", "momentum", "0 to 1"});
  throws<DTypeError>([] { nn::BatchNorm1D(2, {.dtype = int64}); }, {"BatchNorm1D(2)", "int64"});
  throws<ValueError>([] { nn::InstanceNorm(2, {.momentum = 2}); }, {"InstanceNorm(2)", "momentum is 2"});
  throws<ValueError>([] { nn::LayerNorm(2, {.epsilon = -1}); }, {"LayerNorm(2)", "epsilon is -1"});
  throws<ValueError>([] { nn::LayerNorm(Shape{2, 0}); }, {"LayerNorm(2, 0)", "1 or more"});
  throws<ValueError>([] { nn::LayerNorm(Shape{}); }, {"LayerNorm()", "1 or more"});
  throws<ShapeError>([] { nn::LayerNorm({3, 2})(zeros({4, 2})); }, {"LayerNorm(3, 2)", "(4, 2)", "(3, 2)"});
  throws<ValueError>([] { nn::RMSNorm(0); }, {"RMSNorm(0)", "1 or more"});
  throws<ValueError>([] { nn::RMSNorm(2, {.epsilon = NAN}); }, {"RMSNorm(2)", "nan"});
  throws<ShapeError>([] { nn::RMSNorm(2)(zeros({2, 3})); }, {"RMSNorm(2)", "(2, 3)", "(2,)"});
  throws<ValueError>([] { nn::GroupNorm(4, 6); }, {"GroupNorm(4, 6)", "divide"});
  throws<ValueError>([] { nn::GroupNorm(0, 6); }, {"GroupNorm(0, 6)"});
  throws<ShapeError>([] { nn::GroupNorm(2, 6)(zeros({2, 4, 3})); }, {"GroupNorm(2, 6)", "(2, 4, 3)", "6 channels"});
}

BOOST_AUTO_TEST_SUITE_END()
