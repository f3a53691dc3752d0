// Schedules against their closed forms, for two groups.
#include <cmath>
#include <functional>
#include <numbers>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

constexpr int many_steps = 60;
constexpr double pi = std::numbers::pi;

// Two groups, of rates 0.8 and 0.2.
struct Two {
  SGD optimizer{{{{parameter(ones({1}))}, {.lr = 0.8}}, {{parameter(ones({1}))}, {.lr = 0.2}}}};
  std::vector<double> bases{0.8, 0.2};
};

bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(std::abs(b), 1e-3); }

// That the schedule gives `rate(base, t)` in step t, and that a group without a schedule's help stays as it is.
template <class S, class Options>
void follows(const Options& options, const std::function<double(double base, double t)>& rate) {
  Two two;
  S schedule(two.optimizer, options);
  for (int t = 0; t <= many_steps; ++t) {
    for (std::size_t group : {0, 1}) {
      double expected = rate(two.bases[group], t);
      BOOST_TEST(near(two.optimizer.lr(group), expected),
                 "step " << t << ": " << two.optimizer.lr(group) << ", needs " << expected);
      BOOST_TEST(schedule.lr(group) == two.optimizer.lr(group));
    }
    BOOST_TEST(schedule.steps() == t);
    schedule.step();
  }
}

double line(double from, double to, double part) { return from + (to - from) * part; }
double cosine(double from, double to, double part) { return to + (from - to) * (1 + std::cos(pi * part)) / 2; }

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(steps) {
  follows<StepLR>(StepLROptions{.step_size = 7, .gamma = 0.5},
                  [](double base, double t) { return base * std::pow(0.5, std::floor(t / 7)); });
}

BOOST_AUTO_TEST_CASE(milestones) {
  follows<MultiStepLR>(MultiStepLROptions{.milestones = {30, 5, 12, 12}, .gamma = 0.5}, [](double base, double t) {
    return base * std::pow(0.5, (t >= 5) + 2 * (t >= 12) + (t >= 30));
  });
}

BOOST_AUTO_TEST_CASE(exponential) {
  follows<ExponentialLR>(ExponentialLROptions{.gamma = 0.9},
                         [](double base, double t) { return base * std::pow(0.9, t); });
}

BOOST_AUTO_TEST_CASE(linear) {
  follows<LinearLR>(LinearLROptions{.start_factor = 0.25, .end_factor = 0.75, .total_iters = 20},
                    [](double base, double t) { return base * line(0.25, 0.75, std::min(t / 20, 1.0)); });
}

BOOST_AUTO_TEST_CASE(constant) {
  follows<ConstantLR>(ConstantLROptions{.factor = 0.3, .total_iters = 20},
                      [](double base, double t) { return t < 20 ? base * 0.3 : base; });
}

BOOST_AUTO_TEST_CASE(warm_up) {
  follows<WarmUpLR>(WarmUpLROptions{.steps = 20},
                    [](double base, double t) { return base * std::min((t + 1) / 20, 1.0); });
}

BOOST_AUTO_TEST_CASE(polynomial) {
  follows<PolynomialLR>(PolynomialLROptions{.total_iters = 40, .power = 1.5}, [](double base, double t) {
    return base * std::pow(1 - std::min(t / 40, 1.0), 1.5);
  });
}

BOOST_AUTO_TEST_CASE(cosine_annealing) {
  follows<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 17, .eta_min = 0.05},
                             [](double base, double t) { return cosine(base, 0.05, t / 17); });
}

BOOST_AUTO_TEST_CASE(cosine_annealing_with_restarts) {
  follows<CosineAnnealingWarmRestarts>(CosineAnnealingWarmRestartsOptions{.T_0 = 7, .eta_min = 0.05},
                                       [](double base, double t) { return cosine(base, 0.05, std::fmod(t, 7) / 7); });
  CosineAnnealingWarmRestartsOptions doubling{.T_0 = 6, .T_mult = 2};
  follows<CosineAnnealingWarmRestarts>(doubling, [](double base, double t) {
    double begin = t < 6 ? 0 : t < 18 ? 6 : t < 42 ? 18 : 42, length = t < 6 ? 6 : t < 18 ? 12 : t < 42 ? 24 : 48;
    return cosine(base, 0, (t - begin) / length);
  });
}

BOOST_AUTO_TEST_CASE(cosine_annealing_with_a_restart_that_has_no_end) {
  CosineAnnealingWarmRestartsOptions options{.T_0 = 4, .T_mult = std::int64_t{1} << 62};
  follows<CosineAnnealingWarmRestarts>(options, [](double base, double t) {
    return t < 4 ? cosine(base, 0, t / 4) : base;
  });
}

BOOST_AUTO_TEST_CASE(lambdas) {
  Two two;
  LambdaLR schedule(two.optimizer, {[](std::int64_t t) { return 1 / (1.0 + static_cast<double>(t)); },
                                    [](std::int64_t t) { return t < 3 ? 1 : 0.5; }});
  for (int t = 0; t <= 6; ++t) {
    BOOST_TEST(two.optimizer.lr(0) == 0.8 * (1 / (1.0 + t)));
    BOOST_TEST(two.optimizer.lr(1) == (t < 3 ? 0.2 : 0.1));
    schedule.step();
  }
}

// f(t) = (t + 1) / (t + 2) makes 2 / (t + 2) of the steps up to t.
BOOST_AUTO_TEST_CASE(multiplicative) {
  MultiplicativeLR::Function factor = [](std::int64_t t) { return (1.0 + t) / (2.0 + t); };
  follows<MultiplicativeLR>(factor, [](double base, double t) { return base * 2 / (t + 2); });
  Two two;
  MultiplicativeLR schedule(two.optimizer, {factor, [](std::int64_t) { return 1; }});
  schedule.step();
  BOOST_TEST(near(two.optimizer.lr(0), 0.8 * 2 / 3));
  BOOST_TEST(two.optimizer.lr(1) == 0.2);
  throws<ValueError>([&] { MultiplicativeLR(two.optimizer, std::vector{factor}); },
                     {"MultiplicativeLR: 1 functions, needs one for each of 2 groups"});
  throws<ValueError>([&] { MultiplicativeLR(two.optimizer, MultiplicativeLR::Function()); },
                     {"MultiplicativeLR: a function is empty"});
}

BOOST_AUTO_TEST_CASE(cyclic) {
  // Up in 4 steps, down in 6; Smith's figure 2.
  auto triangle = [](double t) {
    double x = std::fmod(t, 10);
    return x <= 4 ? x / 4 : (10 - x) / 6;
  };
  CyclicLROptions options{.base_lr = 0.1, .max_lr = 0.5, .step_size_up = 4, .step_size_down = 6,
                          .cycle_momentum = false};
  follows<CyclicLR>(options, [&](double, double t) { return line(0.1, 0.5, triangle(t)); });
  options.mode = CyclicMode::triangular2;
  follows<CyclicLR>(options, [&](double, double t) {
    return line(0.1, 0.5, triangle(t) / std::pow(2, std::floor(t / 10)));
  });
  options.mode = CyclicMode::exp_range;
  options.gamma = 0.9;
  follows<CyclicLR>(options, [&](double, double t) { return line(0.1, 0.5, triangle(t) * std::pow(0.9, t)); });
}

BOOST_AUTO_TEST_CASE(cyclic_has_bounds_for_each_group_and_cycles_the_momentum) {
  Two two;
  CyclicLR schedule(two.optimizer, {.base_lr = {0.1, 0.2}, .max_lr = {0.3, 0.6}, .step_size_up = 2,
                                    .base_momentum = 0.5, .max_momentum = {0.7, 0.9}});
  for (double part : {0.0, 0.5, 1.0, 0.5, 0.0}) {
    BOOST_TEST(near(two.optimizer.lr(0), line(0.1, 0.3, part)));
    BOOST_TEST(near(two.optimizer.lr(1), line(0.2, 0.6, part)));
    BOOST_TEST(near(two.optimizer.options(0).momentum, line(0.7, 0.5, part)));
    BOOST_TEST(near(two.optimizer.options(1).momentum, line(0.9, 0.5, part)));
    schedule.step();
  }
}

// The top is at step pct_start * total_steps - 1, the end at total_steps - 1.
BOOST_AUTO_TEST_CASE(one_cycle) {
  for (auto [strategy, between] : {std::pair(Anneal::cos, &cosine), std::pair(Anneal::linear, &line)}) {
    for (bool three_phase : {false, true}) {
      Adam adam({parameter(ones({1}))}, {.lr = 7});
      OneCycleLR schedule(adam, {.max_lr = 0.5, .total_steps = 50, .pct_start = 0.2, .anneal_strategy = strategy,
                                 .div_factor = 10, .final_div_factor = 100, .three_phase = three_phase});
      for (double t = 0; t < 50; ++t) {
        double rate, momentum;
        if (t <= 9) rate = between(0.05, 0.5, t / 9), momentum = between(0.95, 0.85, t / 9);
        else if (!three_phase) rate = between(0.5, 0.0005, (t - 9) / 40), momentum = between(0.85, 0.95, (t - 9) / 40);
        else if (t <= 18) rate = between(0.5, 0.05, (t - 9) / 9), momentum = between(0.85, 0.95, (t - 9) / 9);
        else rate = between(0.05, 0.0005, (t - 18) / 31), momentum = 0.95;
        BOOST_TEST(near(adam.lr(), rate));
        BOOST_TEST(near(adam.options().beta1, momentum));
        schedule.step();
      }
      // One step more is allowed, in which nothing rises again.
      BOOST_TEST(near(adam.lr(), 0.0005));
      BOOST_TEST(near(adam.options().beta1, 0.95));
      throws<ValueError>([&] { schedule.step(); }, {"OneCycleLR: step 51 of 50"});
      BOOST_TEST(schedule.steps() == 50);
    }
  }
}

// However short the cycle and wherever its top: it ends at the lowest rate, and never goes above the highest.
BOOST_AUTO_TEST_CASE(one_cycle_at_its_ends) {
  for (double pct_start : {0.0, 0.3, 0.5})
    for (std::int64_t total_steps : {1, 2, 3, 10})
      for (Anneal strategy : {Anneal::cos, Anneal::linear}) {
        Adam adam({parameter(ones({1}))}, {.lr = 7});
        OneCycleLR schedule(adam, {.max_lr = 0.5, .total_steps = total_steps, .pct_start = pct_start,
                                   .anneal_strategy = strategy});
        double last = adam.lr();
        for (std::int64_t t = 1; t <= total_steps; ++t) {
          BOOST_TEST(adam.lr() <= 0.5 * (1 + 1e-12));
          if (t == total_steps) last = adam.lr();
          schedule.step();
        }
        BOOST_TEST(near(last, 0.5 / 25 / 1e4));
        BOOST_TEST(near(adam.lr(), last));
      }
}

BOOST_AUTO_TEST_CASE(chained_factors_multiply) {
  Two two;
  WarmUpLR warm_up(two.optimizer, {.steps = 10});
  StepLR decay(two.optimizer, {.step_size = 20, .gamma = 0.1});
  CosineAnnealingLR annealing(two.optimizer, {.T_max = 70});
  ChainedScheduler schedule(two.optimizer, {warm_up, decay, annealing});
  for (int t = 0; t <= many_steps; ++t) {
    double factor = std::min((t + 1) / 10.0, 1.0) * std::pow(0.1, t / 20) * (1 + std::cos(pi * t / 70)) / 2;
    for (std::size_t group : {0, 1}) BOOST_TEST(near(two.optimizer.lr(group), two.bases[group] * factor));
    BOOST_TEST(decay.steps() == t);
    schedule.step();
  }
}

BOOST_AUTO_TEST_CASE(chained_ones_go_on_from_the_steps_that_they_made_alone) {
  Two two, other;
  CyclicLROptions options{.base_lr = 0.1, .max_lr = 0.5, .step_size_up = 5};
  StepLR stairs(two.optimizer, {.step_size = 4, .gamma = 0.5}), alone(other.optimizer, {.step_size = 4, .gamma = 0.5});
  for (int t = 0; t < 3; ++t) stairs.step(), alone.step();
  CyclicLR cycle(two.optimizer, options), cycle_alone(other.optimizer, options);
  ChainedScheduler schedule(two.optimizer, {cycle, stairs});
  for (int t = 0; t < 20; ++t) {
    schedule.step();
    cycle_alone.step();
    alone.step();
    BOOST_TEST(stairs.steps() == alone.steps());
    BOOST_TEST(cycle.steps() == cycle_alone.steps());
    for (std::size_t group : {0, 1}) {
      BOOST_TEST(two.optimizer.lr(group) == other.optimizer.lr(group));
      BOOST_TEST(two.optimizer.options(group).momentum == other.optimizer.options(group).momentum);
    }
  }
  BOOST_TEST(schedule.steps() == 20);
}

// One that begins anew in another combination begins all of its schedules anew.
BOOST_AUTO_TEST_CASE(chained_ones_begin_where_a_sequence_begins) {
  Two two;
  ExponentialLR decay(two.optimizer, {.gamma = 0.5}), first(two.optimizer, {.gamma = 1});
  StepLR stairs(two.optimizer, {.step_size = 2, .gamma = 0.1});
  ChainedScheduler both(two.optimizer, {decay, stairs});
  SequentialLR schedule(two.optimizer, {first, both}, {3});
  for (int t = 0; t < 5; ++t) schedule.step();
  BOOST_TEST(decay.steps() == 2);
  BOOST_TEST(near(two.optimizer.lr(), 0.8 * 0.25 * 0.1));
}

BOOST_AUTO_TEST_CASE(sequential_begins_each_from_the_base_rate) {
  Two two;
  LinearLR warm_up(two.optimizer, {.start_factor = 0.1, .total_iters = 10});
  CosineAnnealingLR annealing(two.optimizer, {.T_max = 20, .eta_min = 0.01});
  ExponentialLR decay(two.optimizer, {.gamma = 0.9});
  SequentialLR schedule(two.optimizer, {warm_up, annealing, decay}, {10, 35});
  for (int t = 0; t <= many_steps; ++t) {
    for (std::size_t group : {0, 1}) {
      double base = two.bases[group];
      double expected = t < 10   ? base * line(0.1, 1, t / 10.0)
                        : t < 35 ? cosine(base, 0.01, (t - 10) / 20.0)
                                 : base * std::pow(0.9, t - 35);
      BOOST_TEST(near(two.optimizer.lr(group), expected));
    }
    schedule.step();
  }
  BOOST_TEST(warm_up.steps() == 9);
}

// As PyTorch's get_last_lr: the rate that a schedule makes of what those before it made.
BOOST_AUTO_TEST_CASE(schedules_of_a_combination_say_the_rates_that_they_set_last) {
  Two two;
  WarmUpLR warm_up(two.optimizer, {.steps = 4});
  ExponentialLR decay(two.optimizer, {.gamma = 0.9});
  ChainedScheduler chained(two.optimizer, {warm_up, decay});
  for (int t = 0; t < 2; ++t) chained.step();
  for (std::size_t group : {0, 1}) {
    BOOST_TEST(near(warm_up.lr(group), two.bases[group] * 0.9 * 3 / 4));  // the factor of the step before is in it
    BOOST_TEST(near(decay.lr(group), two.bases[group] * 0.9 * 0.9 * 3 / 4));
  }

  Two other;
  StepLR first(other.optimizer, {.step_size = 1, .gamma = 0.5}), second(other.optimizer, {.step_size = 1});
  SequentialLR sequential(other.optimizer, {first, second}, {3});
  for (int t = 0; t < 4; ++t) sequential.step();
  for (std::size_t group : {0, 1}) {
    BOOST_TEST(near(first.lr(group), other.bases[group] / 4));
    BOOST_TEST(near(second.lr(group), other.bases[group] / 10));
  }
}

BOOST_AUTO_TEST_CASE(combinations_may_be_combined) {
  Two two;
  WarmUpLR warm_up(two.optimizer, {.steps = 4});
  ExponentialLR decay(two.optimizer, {.gamma = 0.9});
  StepLR stairs(two.optimizer, {.step_size = 8, .gamma = 0.5});
  SequentialLR first(two.optimizer, {warm_up, decay}, {4});
  ChainedScheduler both(two.optimizer, {first, stairs});
  for (int t = 0; t < 4; ++t) both.step();
  BOOST_TEST(near(two.optimizer.lr(), 0.8));
  for (int t = 4; t < 9; ++t) both.step();
  BOOST_TEST(near(two.optimizer.lr(), 0.8 * 0.5 * std::pow(0.9, 5)));
}

BOOST_AUTO_TEST_CASE(what_the_user_sets_in_between_counts) {
  Two two;
  ExponentialLR decay(two.optimizer, {.gamma = 0.5});
  two.optimizer.set_lr(0.4);
  decay.step();
  BOOST_TEST(two.optimizer.lr(0) == 0.2);
  BOOST_TEST(two.optimizer.lr(1) == 0.2);
  BOOST_TEST(two.optimizer.initial_lr(0) == 0.8);
}

BOOST_AUTO_TEST_CASE(by_the_base_class) {
  Two two;
  StepLR stairs(two.optimizer, {.gamma = 0.5});
  Schedule& schedule = stairs;
  schedule.step();
  schedule.step();
  BOOST_TEST(two.optimizer.lr(0) == 0.2);
  throws<ValueError>([&] { schedule.lr(2); }, {"StepLR: lr: group 2 of 2"});
}

// PyTorch's takes a fraction of an epoch, which must not pass for a metric that nobody looks at.
BOOST_AUTO_TEST_CASE(those_of_rates_refuse_a_number) {
  Two two;
  CosineAnnealingWarmRestarts schedule(two.optimizer, {.T_0 = 10});
  throws<ValueError>([&] { schedule.step(7.5); }, {"CosineAnnealingWarmRestarts: step(7.5)", "needs step()"});
  BOOST_TEST(schedule.steps() == 0);
  BOOST_TEST(two.optimizer.lr() == 0.8);
}

BOOST_AUTO_TEST_SUITE_END()
