// Schedules go on from saved states, and refuse those that do not fit and options out of range.
#include <cmath>
#include <functional>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

std::unique_ptr<SGD> two_groups() {
  return std::make_unique<SGD>(std::vector<SGD::Group>{{{parameter(ones({1}))}, {.lr = 0.8, .momentum = 0.9}},
                                                       {{parameter(ones({1}))}, {.lr = 0.2, .momentum = 0.9}}});
}

// What a schedule does to rates and momenta; when interrupted, new ones go on from the states of both.
template <class S, class Options>
void resumes(const Options& options) {
  auto run = [&](bool interrupted) {
    auto sgd = two_groups();
    auto schedule = std::make_unique<S>(*sgd, options);
    std::vector<double> values;
    for (int t = 0; t < 30; ++t) {
      if (interrupted && t % 7 == 3) {
        StateDict state = schedule->state_dict();
        auto fresh = two_groups();
        schedule = std::make_unique<S>(*fresh, options);
        fresh->load_state_dict(sgd->state_dict());
        sgd = std::move(fresh);
        schedule->load_state_dict(state);
        same(schedule->state_dict(), state);
      }
      schedule->step();
      for (std::size_t group : {0, 1}) {
        values.push_back(sgd->lr(group));
        values.push_back(sgd->options(group).momentum);
      }
    }
    return values;
  };
  BOOST_TEST(run(false) == run(true), boost::test_tools::per_element());
}

// Two schedules as one, made from the options of both.
template <class Combined>
struct Pair {
  LinearLR warm_up;
  CyclicLR cycle;
  ExponentialLR decay;
  Combined combined;

  struct Options {
    std::vector<std::int64_t> milestones;
  };
  Pair(Optimizer& optimizer, const Options& options)
      : warm_up(optimizer, {.total_iters = 8}), cycle(optimizer, {.base_lr = 0.1, .max_lr = 0.5, .step_size_up = 3}),
        decay(optimizer, {.gamma = 0.9}), combined(make(optimizer, options)) {}
  Combined make(Optimizer& optimizer, const Options& options) {
    if constexpr (std::is_same_v<Combined, SequentialLR>)
      return Combined(optimizer, {warm_up, cycle, decay}, options.milestones);
    else
      return Combined(optimizer, {warm_up, cycle, decay});
  }
  void step() { combined.step(); }
  StateDict state_dict() const { return combined.state_dict(); }
  void load_state_dict(const StateDict& state) { combined.load_state_dict(state); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule_states)

BOOST_AUTO_TEST_CASE(go_on_to_the_same_bits) {
  resumes<StepLR>(StepLROptions{.step_size = 4, .gamma = 0.7});
  resumes<MultiStepLR>(MultiStepLROptions{.milestones = {5, 10, 11}});
  resumes<ExponentialLR>(ExponentialLROptions{.gamma = 0.9});
  resumes<LinearLR>(LinearLROptions{.start_factor = 0.1, .total_iters = 20});
  resumes<ConstantLR>(ConstantLROptions{.factor = 0.1, .total_iters = 20});
  resumes<WarmUpLR>(WarmUpLROptions{.steps = 20});
  resumes<PolynomialLR>(PolynomialLROptions{.total_iters = 20, .power = 2});
  resumes<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 8, .eta_min = 0.01});
  resumes<CosineAnnealingWarmRestarts>(CosineAnnealingWarmRestartsOptions{.T_0 = 3, .T_mult = 2});
  resumes<LambdaLR>(LambdaLR::Function([](std::int64_t t) { return 1 / (1.0 + static_cast<double>(t)); }));
  resumes<MultiplicativeLR>(MultiplicativeLR::Function([](std::int64_t t) { return t % 2 ? 0.9 : 1.05; }));
  resumes<CyclicLR>(CyclicLROptions{.base_lr = 0.1, .max_lr = {0.3, 0.7}, .step_size_up = 4});
  resumes<OneCycleLR>(OneCycleLROptions{.max_lr = 0.3, .total_steps = 40});
  resumes<Pair<ChainedScheduler>>(Pair<ChainedScheduler>::Options{});
  resumes<Pair<SequentialLR>>(Pair<SequentialLR>::Options{{6, 20}});
}

// Other schedules and the user set them as well: they belong to the optimizer, and come back with its state.
BOOST_AUTO_TEST_CASE(leave_the_rates_and_momenta_to_the_optimizer) {
  auto sgd = two_groups(), other = two_groups();
  CyclicLROptions options{.base_lr = 0.1, .max_lr = 0.5, .step_size_up = 4};
  CyclicLR schedule(*sgd, options), resumed(*other, options);
  for (int t = 0; t < 3; ++t) schedule.step();
  other->set_lr(7);
  other->set_option("momentum", 0, 0.5);
  resumed.load_state_dict(schedule.state_dict());
  BOOST_TEST(resumed.steps() == 3);
  BOOST_TEST(resumed.lr() == schedule.lr());
  for (std::size_t group : {0, 1}) BOOST_TEST(other->lr(group) == 7);
  BOOST_TEST(other->options(0).momentum == 0.5);
}

// What two schedules and a user do to the rates comes back with the states, whatever is loaded first, and goes on.
BOOST_AUTO_TEST_CASE(of_two_schedules_come_back_in_any_order) {
  struct WarmUpAndPlateau {
    LinearLR first;
    ReduceLROnPlateau second;
    explicit WarmUpAndPlateau(Optimizer& optimizer)
        : first(optimizer, {.start_factor = 0.1, .total_iters = 4}), second(optimizer, {.patience = 0}) {}
    void step() { first.step(), second.step(1); }
  };
  struct StairsAndDecay {
    StepLR first;
    ExponentialLR second;
    explicit StairsAndDecay(Optimizer& optimizer)
        : first(optimizer, {.step_size = 2, .gamma = 0.5}), second(optimizer, {.gamma = 0.9}) {}
    void step() { first.step(), second.step(); }
  };
  struct CycleAndDecay {
    OneCycleLR first;
    ExponentialLR second;
    explicit CycleAndDecay(Optimizer& optimizer)
        : first(optimizer, {.max_lr = 1, .total_steps = 20}), second(optimizer, {.gamma = 0.9}) {}
    void step() { first.step(), second.step(); }
  };
  auto check = [&]<class Schedules>(std::type_identity<Schedules>, bool set_between, const std::string& order) {
    auto sgd = two_groups(), fresh = two_groups();
    Schedules schedules(*sgd), resumed(*fresh);
    schedules.step();
    if (set_between) {
      sgd->set_lr(0.123);
      sgd->set_option("momentum", 0, 0.5);
    }
    for (char part : order) {
      if (part == 'o') fresh->load_state_dict(sgd->state_dict());
      if (part == '1') resumed.first.load_state_dict(schedules.first.state_dict());
      if (part == '2') resumed.second.load_state_dict(schedules.second.state_dict());
    }
    for (int t = 0; t < 4; ++t, schedules.step(), resumed.step())
      for (std::size_t group : {0, 1}) {
        BOOST_TEST(fresh->lr(group) == sgd->lr(group));
        BOOST_TEST(fresh->options(group).momentum == sgd->options(group).momentum);
      }
  };
  for (const char* order : {"o12", "1o2", "21o"})
    for (bool set_between : {false, true}) {
      check(std::type_identity<WarmUpAndPlateau>(), set_between, order);
      check(std::type_identity<StairsAndDecay>(), set_between, order);
      check(std::type_identity<CycleAndDecay>(), set_between, order);
    }
}

BOOST_AUTO_TEST_CASE(hold_the_options) {
  auto sgd = two_groups(), other = two_groups();
  CosineAnnealingLR schedule(*sgd, {.T_max = 10, .eta_min = 0.01}), resumed(*other, {.T_max = 3});
  for (int t = 0; t < 4; ++t) schedule.step();
  resumed.load_state_dict(schedule.state_dict());
  other->load_state_dict(sgd->state_dict());
  for (int t = 4; t < 15; ++t) {
    schedule.step();
    resumed.step();
    for (std::size_t group : {0, 1}) BOOST_TEST(other->lr(group) == sgd->lr(group));
  }
  auto more = two_groups();
  OneCycleLR long_one(*sgd, {.max_lr = {0.3, 0.4}, .total_steps = 50});
  OneCycleLR short_one(*more, {.max_lr = 1, .total_steps = 5});
  for (int t = 0; t < 9; ++t) long_one.step();
  short_one.load_state_dict(long_one.state_dict());
  long_one.step();
  short_one.step();
  for (std::size_t group : {0, 1}) BOOST_TEST(more->lr(group) == sgd->lr(group));
}

BOOST_AUTO_TEST_CASE(of_options_that_are_refused_change_nothing) {
  auto sgd = two_groups();
  MultiStepLR schedule(*sgd, {.milestones = {2, 5}}), other(*sgd, {.milestones = {2, 6}});
  MultiStepLR one(*sgd, {.milestones = {2}});
  CyclicLR cyclic(*sgd, {.base_lr = 0.1, .max_lr = 1}),
      halving(*sgd, {.base_lr = 0.1, .max_lr = 1, .mode = CyclicMode::triangular2});
  StateDict before = schedule.state_dict(), state = before;
  throws<ValueError>([&] { schedule.load_state_dict(other.state_dict()); },
                     {"MultiStepLR: load_state_dict", "options.milestones is 6, needs 5"});
  throws<ValueError>([&] { schedule.load_state_dict(one.state_dict()); },
                     {"options.milestones: got int64(1,), needs int64(2,)"});
  throws<ValueError>([&] { cyclic.load_state_dict(halving.state_dict()); }, {"options.mode is 1, needs 0"});
  state["options.gamma"] = Variable({NAN}, float64);
  throws<ValueError>([&] { schedule.load_state_dict(state); }, {"options.gamma is nan"});
  same(schedule.state_dict(), before);
}

BOOST_AUTO_TEST_CASE(that_do_not_fit_change_nothing) {
  auto sgd = two_groups();
  StepLR schedule(*sgd, {.step_size = 2, .gamma = 0.5});
  for (int t = 0; t < 3; ++t) schedule.step();
  StateDict before = schedule.state_dict(), state = before;
  throws<ValueError>([&] { schedule.load_state_dict({}); },
                     {"StepLR: load_state_dict", "missing: base_lr, float64(2,)", "missing: lr",
                      "missing: step, int64(1,)"});
  state["lr"] = Variable({0.5, NAN}, float64);
  state["base_lr"] = Variable({0.5}, float64);
  state["step"] = Variable{-1}.to(int64);
  state["more"] = ones({1});
  throws<ValueError>([&] { schedule.load_state_dict(state); },
                     {"lr is nan", "base_lr: got float64(1,), needs float64(2,)", "step is -1", "unexpected: more"});
  same(schedule.state_dict(), before);
  BOOST_TEST(sgd->lr(0) == 0.4);
  BOOST_TEST(schedule.steps() == 3);
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_none_changes_nothing) {
  auto sgd = two_groups();
  double factor = 1;
  LambdaLR schedule(*sgd, [&](std::int64_t) { return factor; });
  for (double wrong : std::vector<double>{NAN, -1, INFINITY}) {
    factor = wrong;
    throws<ValueError>([&] { schedule.step(); }, {"LambdaLR: the learning rate of group 0 is", "needs 0 or more"});
    BOOST_TEST(sgd->lr(0) == 0.8);
    BOOST_TEST(schedule.steps() == 0);
  }
}

// Nesterov's method needs a momentum, which the cycle takes away at its top.
BOOST_AUTO_TEST_CASE(a_momentum_that_the_optimizer_does_not_take_changes_nothing) {
  SGD sgd({parameter(ones({1}))}, {.lr = 0.5, .momentum = 0.9, .nesterov = true});
  CyclicLROptions options{.base_lr = 0.1, .max_lr = 1, .step_size_up = 1, .base_momentum = 0};
  options.max_momentum = 0;
  throws<ValueError>([&] { CyclicLR(sgd, options); }, {"CyclicLR: group 0 of SGD: nesterov with momentum 0"});
  BOOST_TEST(sgd.lr() == 0.5);
  BOOST_TEST(sgd.options().momentum == 0.9);
  BOOST_TEST(sgd.initial_lr() == 0.5);

  options.max_momentum = 0.9;
  CyclicLR schedule(sgd, options);
  throws<ValueError>([&] { schedule.step(); }, {"CyclicLR: group 0 of SGD: nesterov with momentum 0"});
  BOOST_TEST(schedule.steps() == 0);
  BOOST_TEST(sgd.lr() == 0.1);
  BOOST_TEST(sgd.options().momentum == 0.9);
}

BOOST_AUTO_TEST_CASE(one_that_was_not_made_leaves_no_rate_to_begin_from) {
  SGD sgd({parameter(ones({1}))}, {.lr = 0.1});
  throws<ValueError>([&] { LambdaLR(sgd, [](std::int64_t) { return NAN; }); }, {"the learning rate of group 0 is nan"});
  sgd.set_lr(1);
  ExponentialLR schedule(sgd, {.gamma = 0.5});
  BOOST_TEST(sgd.initial_lr() == 1);
}

BOOST_AUTO_TEST_CASE(misuse) {
  auto sgd = two_groups();
  auto refuses = [&](const std::function<void()>& f, std::initializer_list<const char*> parts) {
    throws<ValueError>(f, parts);
    BOOST_TEST(sgd->lr(0) == 0.8);
  };
  refuses([&] { StepLR(*sgd, {.step_size = 0}); }, {"StepLR: step_size is 0, needs 1 or more"});
  refuses([&] { StepLR(*sgd, {.gamma = NAN}); }, {"StepLR: gamma is nan"});
  refuses([&] { MultiStepLR(*sgd, {.milestones = {3, 0}}); }, {"MultiStepLR: milestones is 0"});
  refuses([&] { ExponentialLR(*sgd, {.gamma = -1}); }, {"ExponentialLR: gamma is -1"});
  refuses([&] { ConstantLR(*sgd, {.factor = 0}); }, {"ConstantLR: factor is 0"});
  refuses([&] { ConstantLR(*sgd, {.total_iters = 0}); }, {"ConstantLR: total_iters is 0"});
  refuses([&] { LinearLR(*sgd, {.start_factor = 0}); }, {"LinearLR: start_factor is 0"});
  refuses([&] { LinearLR(*sgd, {.end_factor = 1.5}); }, {"LinearLR: end_factor is 1.5", "at most 1"});
  refuses([&] { LinearLR(*sgd, {.total_iters = 0}); }, {"LinearLR: total_iters is 0"});
  refuses([&] { WarmUpLR(*sgd, {.steps = 0}); }, {"WarmUpLR: steps is 0"});
  refuses([&] { PolynomialLR(*sgd, {.power = NAN}); }, {"PolynomialLR: power is nan"});
  refuses([&] { CosineAnnealingLR(*sgd, {}); }, {"CosineAnnealingLR: T_max is 0, needs 1 or more"});
  refuses([&] { CosineAnnealingLR(*sgd, {.T_max = 3, .eta_min = -1}); }, {"eta_min is -1"});
  refuses([&] { CosineAnnealingWarmRestarts(*sgd, {}); }, {"CosineAnnealingWarmRestarts: T_0 is 0"});
  refuses([&] { CosineAnnealingWarmRestarts(*sgd, {.T_0 = 1, .T_mult = 0}); }, {"T_mult is 0"});
  refuses([&] { LambdaLR(*sgd, LambdaLR::Function()); }, {"LambdaLR: a function is empty"});
  std::vector<LambdaLR::Function> one_function{[](std::int64_t) { return 1.0; }};
  refuses([&] { LambdaLR(*sgd, one_function); }, {"LambdaLR: 1 functions", "2 groups"});
  refuses([&] { CyclicLR(*sgd, {.max_lr = 1}); }, {"CyclicLR: base_lr has 0 numbers"});
  refuses([&] { CyclicLR(*sgd, {.base_lr = 0.1, .max_lr = {1, 2, 3}}); }, {"CyclicLR: max_lr has 3 numbers"});
  refuses([&] { CyclicLR(*sgd, {.base_lr = 0.1, .max_lr = NAN}); }, {"CyclicLR: max_lr is nan"});
  refuses([&] { CyclicLR(*sgd, {.base_lr = 0.1, .max_lr = 1, .max_momentum = 1}); }, {"CyclicLR: max_momentum is 1"});
  refuses([&] { OneCycleLR(*sgd, {.max_lr = 1}); }, {"OneCycleLR: total_steps is 0"});
  refuses([&] { OneCycleLR(*sgd, {.total_steps = 5}); }, {"OneCycleLR: max_lr has 0 numbers"});
  refuses([&] { OneCycleLR(*sgd, {.max_lr = 1, .total_steps = 5, .pct_start = 1.5}); }, {"pct_start is 1.5"});
  refuses([&] { OneCycleLR(*sgd, {.max_lr = 1, .total_steps = 5, .div_factor = 0}); }, {"div_factor is 0"});
  Adagrad adagrad({parameter(ones({1}))});
  throws<ValueError>([&] { OneCycleLR(adagrad, {.max_lr = 1, .total_steps = 5}); },
                     {"OneCycleLR: the optimizer has neither momentum nor beta1", ".cycle_momentum = false"});
  OneCycleLR(adagrad, {.max_lr = 1, .total_steps = 5, .cycle_momentum = false});
}

BOOST_AUTO_TEST_CASE(misuse_of_combinations) {
  auto sgd = two_groups(), other = two_groups();
  StepLR a(*sgd, {.step_size = 3}), b(*sgd, {.step_size = 2}), stranger(*other, {.step_size = 3});
  throws<ValueError>([&] { ChainedScheduler(*sgd, {}); }, {"ChainedScheduler: there are no schedules"});
  throws<ValueError>([&] { ChainedScheduler(*sgd, {a, stranger}); },
                     {"ChainedScheduler: schedule 1, StepLR, is of another optimizer"});
  throws<ValueError>([&] { ChainedScheduler(*sgd, {a, b, a}); },
                     {"schedule 2, StepLR, is listed before, as schedule 0"});
  throws<ValueError>([&] { SequentialLR(*sgd, {a, b}, {}); }, {"SequentialLR: 2 schedules and 0 milestones"});
  throws<ValueError>([&] { SequentialLR(*sgd, {a, b}, {0}); }, {"SequentialLR: milestone 0 after 0"});
}

BOOST_AUTO_TEST_SUITE_END()
