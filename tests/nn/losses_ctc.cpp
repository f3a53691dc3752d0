// The CTC loss, against the sum over all paths.
#include <cmath>
#include <vector>

#include <tests/nn/losses_support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;
using nn::Reduction;

namespace {

using Labels = std::vector<std::int64_t>;

Labels collapsed(const Labels& path, std::int64_t blank) {
  Labels said;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) said.push_back(path[t]);
  return said;
}

// -log of the probability of all paths of `times` classes that say the target, one by one.
double by_all_paths(const Variable& log_probabilities, std::size_t n, std::size_t times, const Labels& target,
                    std::int64_t blank) {
  std::size_t batch = log_probabilities.shape(1), classes = log_probabilities.shape(2);
  double total = 0;
  for (Labels path(times, 0);;) {
    if (collapsed(path, blank) == target) {
      double logarithm = 0;
      for (std::size_t t = 0; t < times; ++t)
        logarithm += log_probabilities.value().at((t * batch + n) * classes + static_cast<std::size_t>(path[t]));
      total += std::exp(logarithm);
    }
    std::size_t t = 0;
    while (t < times && ++path[t] == static_cast<std::int64_t>(classes)) path[t++] = 0;
    if (t == times) return -std::log(total);
  }
}

Variable random_log_probabilities(std::size_t times, std::size_t batch, std::size_t classes) {
  return log_softmax(randn({times, batch, classes}, float64));
}

// Repetitions, an empty target, a target without padding, and inputs that are shorter than others.
const std::vector<Labels> said{{1, 2}, {2, 2}, {}, {1, 1, 2}};
const Variable padded({{1, 2, 9}, {2, 2, 0}, {-1, 7, 7}, {1, 1, 2}}, int64);
const Variable joined({1, 2, 2, 2, 1, 1, 2}, int64);
const Variable input_lengths({5, 3, 4, 5}, int64), target_lengths({2, 2, 0, 3}, int64);

}  // namespace

BOOST_AUTO_TEST_SUITE(ctc)

BOOST_AUTO_TEST_CASE(is_the_sum_over_all_paths) {
  seed(3);
  Variable x = random_log_probabilities(5, 4, 3), expected = zeros({4}, float64);
  for (std::size_t n = 0; n < 4; ++n)
    expected.mutable_data<double>()[n] =
        by_all_paths(x, n, static_cast<std::size_t>(input_lengths.value().at(n)), said[n], 0);
  nn::CTCOptions none{.reduction = Reduction::none};
  close(nn::ctc_loss(x, padded, input_lengths, target_lengths, none), expected, 1e-13);
  close(nn::ctc_loss(x, joined, input_lengths, target_lengths, none), expected, 1e-13);
  close(nn::ctc_loss(x, padded, input_lengths, target_lengths), mean(expected / Variable({2, 2, 1, 3}, float64)),
        1e-13);
  close(nn::ctc_loss(x, padded, input_lengths, target_lengths, {.reduction = Reduction::sum}), sum(expected), 1e-13);
  close(nn::ctc_loss(x.to(float32), padded, input_lengths, target_lengths, none), expected.to(float32), 1e-5);
  // With the last class for the blank.
  double first = by_all_paths(x, 0, 5, {1, 0}, 2), second = by_all_paths(x, 1, 2, {0}, 2);
  Variable pair = x[{range(), range(0, 2)}];
  close(nn::ctc_loss(pair, Variable({1, 0, 0}, int64), Variable({5, 2}, int64), Variable({2, 1}, int64),
                     {.blank = 2, .reduction = Reduction::none}),
        Variable({first, second}, float64), 1e-13);
}

BOOST_AUTO_TEST_CASE(has_right_derivatives) {
  seed(4);
  Variable x = random_log_probabilities(5, 4, 3);
  for (Reduction reduction : {Reduction::mean, Reduction::none}) {
    auto loss = [&](const Variable& x) {
      return nn::ctc_loss(x, padded, input_lengths, target_lengths, {.reduction = reduction});
    };
    auto result = gradcheck(loss, {x}, {.order = 2});
    BOOST_TEST(result.ok, result.message);
  }
}

BOOST_AUTO_TEST_CASE(targets_that_cannot_be_said) {
  seed(5);
  Variable x = parameter(random_log_probabilities(3, 2, 3));
  // Two times 1 needs a blank between them, and so three times.
  Variable targets({{1, 1}, {1, 1}}, int64), inputs({3, 2}, int64), lengths({2, 2}, int64);
  Variable losses = nn::ctc_loss(x, targets, inputs, lengths, {.reduction = Reduction::none});
  BOOST_TEST(std::isfinite(losses.value().at(0)));
  BOOST_TEST(losses.value().at(1) == INFINITY);
  losses = nn::ctc_loss(x, targets, inputs, lengths, {.reduction = Reduction::none, .zero_infinity = true});
  BOOST_TEST(losses.value().at(1) == 0);
  sum(losses).backward();
  close(x.grad()[{range(), 1}], zeros({3, 3}, float64));
  BOOST_TEST(max(abs(x.grad())).item() > 0);
  // Probabilities of 0 count as such, and make no NaN.
  Variable certain = parameter(log(Variable({{{0, 1, 0}}, {{1, 0, 0}}, {{0, 1, 0}}}, float64)));
  Variable loss = nn::ctc_loss(certain, Variable({{1, 1}}, int64), Variable({3}, int64), Variable({2}, int64));
  BOOST_TEST(loss.item() == 0);
  loss.backward();
  close(certain.grad(), Variable({{{0, -0.5, 0}}, {{-0.5, 0, 0}}, {{0, -0.5, 0}}}, float64));
}

BOOST_AUTO_TEST_CASE(what_is_no_number_stays_none) {
  for (bool zero_infinity : {false, true}) {
    Variable loss = nn::ctc_loss(full({3, 1, 3}, NAN), ones({1, 1}, int64), Variable({3}, int64),
                                 Variable({1}, int64), {.zero_infinity = zero_infinity});
    BOOST_TEST(std::isnan(loss.item()));
  }
}

BOOST_AUTO_TEST_CASE(inputs_of_no_length) {
  seed(6);
  Variable x = parameter(random_log_probabilities(3, 3, 3));
  // The first sample has no time and says nothing; the second has a label to say, and the third time for it.
  Variable targets = ones({3, 1}, int64), inputs({0, 0, 2}, int64), lengths({0, 1, 1}, int64);
  Variable losses = nn::ctc_loss(x, targets, inputs, lengths, {.reduction = Reduction::none});
  BOOST_TEST(losses.value().at(0) == 0);
  BOOST_TEST(losses.value().at(1) == INFINITY);
  Variable third = nn::ctc_loss(x[{range(), range(2, 3)}], targets[range(2, 3)], inputs[range(2, 3)],
                                lengths[range(2, 3)], {.reduction = Reduction::none});
  close(losses[range(2, 3)], third, 1e-14);
  Variable total = nn::ctc_loss(x, targets, inputs, lengths, {.zero_infinity = true});
  close(total, third[0] / 3, 1e-14);
  total.backward();
  close(x.grad()[{range(), range(0, 2)}], zeros({3, 2, 3}, float64));
}

BOOST_AUTO_TEST_CASE(batches_of_none) {
  Variable x = parameter(zeros({5, 0, 3})), targets = zeros({0, 2}, int64), lengths = zeros({0}, int64);
  Variable losses = nn::ctc_loss(x, targets, lengths, lengths, {.reduction = Reduction::none});
  BOOST_TEST((losses.shape() == Shape{0}));
  Variable total = nn::ctc_loss(x, targets, lengths, lengths, {.reduction = Reduction::sum});
  BOOST_TEST(total.item() == 0);
  total.backward();
  BOOST_TEST((x.grad().shape() == x.shape()));
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_fit) {
  Variable x = zeros({5, 4, 3});
  auto loss = [](const Variable& x, const Variable& y, const Variable& inputs, const Variable& targets,
                 const nn::CTCOptions& options = {}) { return [=] { nn::ctc_loss(x, y, inputs, targets, options); }; };
  Variable y = joined;
  throws<ShapeError>(loss(Variable(), y, input_lengths, target_lengths), {"ctc_loss", "undefined"});
  throws<ShapeError>(loss(zeros({5, 3}), y, input_lengths, target_lengths),
                     {"ctc_loss", "(5, 3)", "(time, batch, classes)"});
  throws<ShapeError>(loss(zeros({0, 4, 3}), y, input_lengths, target_lengths), {"ctc_loss", "(0, 4, 3)"});
  Variable nobody = zeros({0}, int64);
  throws<ShapeError>(loss(zeros({5, 0, 3}), nobody, nobody, nobody), {"ctc_loss", "mean", "(0,)"});
  throws<DTypeError>(loss(x.to(int64), y, input_lengths, target_lengths), {"ctc_loss", "int64"});
  throws<ShapeError>(loss(x, y.to(float32), input_lengths, target_lengths), {"targets float32(7,)", "int64"});
  throws<ShapeError>(loss(x, zeros({3, 2}, int64), input_lengths, target_lengths),
                     {"targets int64(3, 2)", "batch of 4"});
  throws<ShapeError>(loss(x, Variable(1).to(int64), input_lengths, target_lengths), {"targets int64()"});
  throws<ShapeError>(loss(x, y, zeros({3}, int64), target_lengths), {"input length int64(3,)", "batch of 4"});
  throws<ShapeError>(loss(x, y, input_lengths, Variable{2, 2, 0, 3}), {"target length float32(4,)"});
  throws<ValueError>(loss(x, y, Variable({5, 6, 4, 5}, int64), target_lengths),
                     {"input length of sample 1 is 6", "0 to 5"});
  throws<ValueError>(loss(x, y, Variable({5, -1, 4, 5}, int64), target_lengths),
                     {"input length of sample 1 is -1", "0 to 5"});
  throws<ValueError>(loss(x, padded, input_lengths, Variable({2, 2, 0, 4}, int64)),
                     {"target length of sample 3 is 4", "0 to 3"});
  throws<ValueError>(loss(x, y, input_lengths, Variable({2, -1, 0, 3}, int64)), {"target length of sample 1 is -1"});
  throws<ShapeError>(loss(x, y, input_lengths, Variable({2, 2, 0, 2}, int64)), {"6 in all", "int64(7,)"});
  throws<ValueError>(loss(x, Variable({1, 2, 2, 3, 1, 1, 2}, int64), input_lengths, target_lengths),
                     {"label 3 of sample 1", "0 to 2"});
  throws<ValueError>(loss(x, Variable({1, 0, 2, 2, 1, 1, 2}, int64), input_lengths, target_lengths),
                     {"label 0 of sample 0", "blank, 0"});
  throws<ValueError>(loss(x, y, input_lengths, target_lengths, {.blank = 3}), {"blank is 3 of 3"});
}

BOOST_AUTO_TEST_SUITE_END()
