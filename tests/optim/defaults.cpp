// What options are when they are not given: as in PyTorch 2's documentation and, for what it does not have, in the
// papers.
#include <map>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

using Defaults = std::map<std::string, double>;

void equal(const Defaults& a, const Defaults& b) {
  for (const auto& [name, value] : a)
    BOOST_TEST((b.contains(name) && b.at(name) == value), name << " is " << value);
  BOOST_TEST(a.size() == b.size());
}

// States hold the options by their names; of lists, the first number is compared.
template <class O>
void has(const Defaults& expected) {
  O optimizer({parameter(ones({1}))});
  Defaults options;
  for (const auto& [name, x] : optimizer.state_dict())
    if (optimizer.has_option(name)) options.emplace(name, x.value().at(0));
  equal(options, expected);
}

// Of those that go up on demand.
template <class O>
void can_maximize(Defaults expected) {
  expected.emplace("maximize", 0);
  has<O>(expected);
}

template <class S, class... Options>
void schedule_has(const Defaults& expected, const Options&... given) {
  SGD sgd({parameter(ones({1}))}, {.lr = 1});
  const std::string prefix = "options.";
  Defaults options;
  for (const auto& [name, x] : S(sgd, given...).state_dict())
    if (name.starts_with(prefix)) options.emplace(name.substr(prefix.size()), x.value().at(0));
  equal(options, expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(defaults)

BOOST_AUTO_TEST_CASE(of_optimizers) {
  can_maximize<SGD>({{"lr", 1e-3}, {"momentum", 0}, {"dampening", 0}, {"weight_decay", 0}, {"nesterov", 0}});
  can_maximize<Adagrad>({{"lr", 1e-2}, {"lr_decay", 0}, {"weight_decay", 0}, {"initial_accumulator_value", 0},
                {"epsilon", 1e-10}});
  can_maximize<Adadelta>({{"lr", 1}, {"rho", 0.9}, {"epsilon", 1e-6}, {"weight_decay", 0}});
  can_maximize<RMSProp>({{"lr", 1e-2}, {"alpha", 0.99}, {"epsilon", 1e-8}, {"weight_decay", 0}, {"momentum", 0},
                {"centered", 0}});
  can_maximize<Rprop>({{"lr", 1e-2}, {"eta_minus", 0.5}, {"eta_plus", 1.2}, {"min_step_size", 1e-6},
                       {"max_step_size", 50}});
  Defaults adam{{"lr", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weight_decay", 0}};
  auto with = [&](const Defaults& others) {
    Defaults result = others;
    result.insert(adam.begin(), adam.end());
    return result;
  };
  can_maximize<Adam>(with({{"amsgrad", 0}}));
  can_maximize<AMSGrad>(adam);
  can_maximize<AdamW>(with({{"amsgrad", 0}, {"weight_decay", 1e-2}}));
  can_maximize<Adamax>(with({{"lr", 2e-3}}));
  can_maximize<NAdam>(with({{"lr", 2e-3}, {"momentum_decay", 4e-3}, {"decoupled_weight_decay", 0}}));
  can_maximize<RAdam>(with({{"decoupled_weight_decay", 0}}));
  can_maximize<Lion>({{"lr", 1e-4}, {"beta1", 0.9}, {"beta2", 0.99}, {"weight_decay", 0}});
  can_maximize<LAMB>(with({{"epsilon", 1e-6}}));
  has<LBFGS>({{"lr", 1}, {"max_iter", 20}, {"max_eval", 0}, {"tolerance_grad", 1e-7}, {"tolerance_change", 1e-9},
              {"history_size", 100}, {"strong_wolfe", 0}});
}

BOOST_AUTO_TEST_CASE(of_schedules) {
  schedule_has<StepLR>({{"step_size", 30}, {"gamma", 0.1}}, StepLROptions{.step_size = 30});
  schedule_has<MultiStepLR>({{"milestones", 30}, {"gamma", 0.1}}, MultiStepLROptions{.milestones = {30}});
  schedule_has<LinearLR>({{"start_factor", 1.0 / 3}, {"end_factor", 1}, {"total_iters", 5}});
  schedule_has<ConstantLR>({{"factor", 1.0 / 3}, {"total_iters", 5}});
  schedule_has<PolynomialLR>({{"total_iters", 5}, {"power", 1}});
  schedule_has<CosineAnnealingLR>({{"T_max", 9}, {"eta_min", 0}}, CosineAnnealingLROptions{.T_max = 9});
  schedule_has<CosineAnnealingWarmRestarts>({{"T_0", 9}, {"T_mult", 1}, {"eta_min", 0}},
                                            CosineAnnealingWarmRestartsOptions{.T_0 = 9});
  schedule_has<CyclicLR>({{"base_lr", 0.1}, {"max_lr", 1}, {"step_size_up", 2000}, {"step_size_down", 2000},
                          {"mode", static_cast<double>(CyclicMode::triangular)}, {"gamma", 1}, {"cycle_momentum", 1},
                          {"base_momentum", 0.8}, {"max_momentum", 0.9}},
                         CyclicLROptions{.base_lr = 0.1, .max_lr = 1});
  schedule_has<OneCycleLR>({{"max_lr", 1}, {"total_steps", 9}, {"pct_start", 0.3},
                            {"anneal_strategy", static_cast<double>(Anneal::cos)}, {"cycle_momentum", 1},
                            {"base_momentum", 0.85}, {"max_momentum", 0.95}, {"div_factor", 25},
                            {"final_div_factor", 1e4}, {"three_phase", 0}},
                           OneCycleLROptions{.max_lr = 1, .total_steps = 9});
  schedule_has<ReduceLROnPlateau>({{"mode", static_cast<double>(PlateauMode::min)}, {"factor", 0.1}, {"patience", 10},
                                   {"threshold", 1e-4}, {"threshold_mode", static_cast<double>(ThresholdMode::rel)},
                                   {"cooldown", 0}, {"min_lr", 0}, {"epsilon", 1e-8}});
}

BOOST_AUTO_TEST_SUITE_END()
