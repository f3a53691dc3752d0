// The schedule that watches a metric.
#include <cmath>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

SGD one_rate(double lr) { return SGD({parameter(ones({1}))}, {.lr = lr}); }

// The rates after steps with these metrics.
std::vector<double> rates(const ReduceLROnPlateauOptions& options, const std::vector<double>& metrics) {
  SGD sgd({parameter(ones({1}))}, {.lr = 1});
  ReduceLROnPlateau schedule(sgd, options);
  std::vector<double> result;
  for (double metric : metrics) {
    schedule.step(metric);
    result.push_back(sgd.lr());
  }
  return result;
}

using Rates = std::vector<double>;

}  // namespace

BOOST_AUTO_TEST_SUITE(plateau)

BOOST_AUTO_TEST_CASE(reduces_after_patience) {
  BOOST_TEST(rates({.factor = 0.5, .patience = 2}, {5, 4, 4, 4, 4, 3, 3, 3, 3}) ==
             (Rates{1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(may_wait_for_a_rise) {
  BOOST_TEST(rates({.mode = PlateauMode::max, .factor = 0.5, .patience = 0}, {1, 2, 2, 3, 2.9}) ==
             (Rates{1, 1, 0.5, 0.5, 0.25}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(thresholds) {
  ReduceLROnPlateauOptions options{.factor = 0.5, .patience = 0, .threshold = 0.1};
  BOOST_TEST(rates(options, {10, 9.5, 8.9}) == (Rates{1, 0.5, 0.5}), boost::test_tools::per_element());
  options.threshold_mode = ThresholdMode::abs;
  BOOST_TEST(rates(options, {10, 9.95, 9.85}) == (Rates{1, 0.5, 0.5}), boost::test_tools::per_element());
  options.mode = PlateauMode::max;
  BOOST_TEST(rates(options, {10, 10.05, 10.15}) == (Rates{1, 0.5, 0.5}), boost::test_tools::per_element());
  options.threshold_mode = ThresholdMode::rel;
  BOOST_TEST(rates(options, {10, 10.5, 11.1}) == (Rates{1, 0.5, 0.5}), boost::test_tools::per_element());
}

// A part of the best metric is a part of its magnitude: what is worse than -1 is no improvement on it. At 0 there is
// none, so that every fall counts.
BOOST_AUTO_TEST_CASE(negative_metrics) {
  ReduceLROnPlateauOptions options{.factor = 0.5, .patience = 0, .threshold = 0.01};
  BOOST_TEST(rates(options, {-1, -0.995, -1.005, -1.02}) == (Rates{1, 0.5, 0.25, 0.25}),
             boost::test_tools::per_element());
  BOOST_TEST(rates(options, {1, -1, 0, -2}) == (Rates{1, 1, 0.5, 0.5}), boost::test_tools::per_element());
  BOOST_TEST(rates(options, {0, -1e-9, 0}) == (Rates{1, 1, 0.5}), boost::test_tools::per_element());
  BOOST_TEST(rates(options, {INFINITY, 5, -INFINITY, -INFINITY}) == (Rates{0.5, 0.5, 0.5, 0.25}),
             boost::test_tools::per_element());
  options.mode = PlateauMode::max;
  BOOST_TEST(rates(options, {-1, -1.005, -0.995, -0.98}) == (Rates{1, 0.5, 0.25, 0.25}),
             boost::test_tools::per_element());
  options.threshold_mode = ThresholdMode::abs;
  BOOST_TEST(rates(options, {-1, -0.995, -0.98}) == (Rates{1, 0.5, 0.5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cools_down) {
  BOOST_TEST(rates({.factor = 0.5, .patience = 0, .cooldown = 2}, {1, 1, 1, 1, 1, 1}) ==
             (Rates{1, 0.5, 0.5, 0.5, 0.25, 0.25}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(goes_no_lower_than_allowed) {
  BOOST_TEST(rates({.factor = 0.5, .patience = 0, .min_lr = 0.4}, {1, 1, 1, 1}) == (Rates{1, 0.5, 0.4, 0.4}),
             boost::test_tools::per_element());
  BOOST_TEST(rates({.factor = 0.5, .patience = 0, .epsilon = 0.3}, {1, 1, 1, 1}) == (Rates{1, 0.5, 0.5, 0.5}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_nan_is_no_improvement) {
  BOOST_TEST(rates({.factor = 0.5, .patience = 1}, {NAN, NAN, 1, NAN, NAN}) == (Rates{1, 0.5, 0.5, 0.5, 0.25}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(goes_on_from_a_state) {
  auto run = [](bool interrupted) {
    Rates result;
    SGD sgd = one_rate(1);
    ReduceLROnPlateauOptions options{.factor = 0.5, .patience = 1, .cooldown = 2};
    auto make = [&] { return std::make_unique<ReduceLROnPlateau>(sgd, options); };
    auto schedule = make();
    for (double metric : {3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}) {
      if (interrupted) {
        StateDict state = schedule->state_dict(), of_optimizer = sgd.state_dict();
        sgd.set_lr(99);
        schedule = make();
        schedule->load_state_dict(state);
        sgd.load_state_dict(of_optimizer);
        same(schedule->state_dict(), state);
      }
      schedule->step(metric);
      result.push_back(sgd.lr());
    }
    return result;
  };
  BOOST_TEST(run(false) == run(true), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(misuse) {
  SGD sgd = one_rate(1);
  throws<ValueError>([&] { ReduceLROnPlateau(sgd, {.factor = 1}); }, {"ReduceLROnPlateau: factor is 1", "below 1"});
  throws<ValueError>([&] { ReduceLROnPlateau(sgd, {.patience = -1}); }, {"patience is -1"});
  throws<ValueError>([&] { ReduceLROnPlateau(sgd, {.threshold = NAN}); }, {"threshold is nan"});
  throws<ValueError>([&] { ReduceLROnPlateau(sgd, {.epsilon = -1}); }, {"epsilon is -1"});
  throws<ValueError>([&] { ReduceLROnPlateau(sgd, {.min_lr = {1, 2}}); }, {"min_lr has 2 numbers", "1 groups"});
  ReduceLROnPlateau schedule(sgd);
  Schedule& base = schedule;
  throws<ValueError>([&] { base.step(); }, {"ReduceLROnPlateau: step: needs the metric"});
  BOOST_TEST(schedule.steps() == 0);
  StateDict before = schedule.state_dict(), state = before;
  state["best"] = Variable({NAN}, float64);
  state["bad_steps"] = Variable{-1}.to(int64);
  state.erase("cooldown");
  throws<ValueError>([&] { schedule.load_state_dict(state); },
                     {"ReduceLROnPlateau: load_state_dict", "best is nan", "bad_steps is -1", "missing: cooldown"});
  same(schedule.state_dict(), before);
}

BOOST_AUTO_TEST_SUITE_END()
