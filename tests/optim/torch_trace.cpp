// Prints what optimizers and schedules do, for torch_optim.py to compare with PyTorch: a line for each, its name and
// then the elements of the parameters after each of 20 steps, or the rates and momenta of the groups in each of 60.
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

using namespace xtape;
using namespace xtape::optim;

namespace {

constexpr int optimizer_steps = 20, schedule_steps = 60;

void print(const std::string& name, const std::vector<double>& values) {
  std::printf("%s:", name.c_str());
  for (double value : values) std::printf(" %.17g", value);
  std::printf("\n");
}

std::vector<Variable> parameters() {
  std::vector<Variable> result;
  for (std::size_t size : {3, 18}) {
    Array values({size}, float64);
    for (std::size_t k = 0; k < size; ++k)
      values.mutable_data<double>()[k] = std::cos(1.0 + 0.7 * static_cast<double>(k));
    result.push_back(parameter(Variable(values)));
  }
  return result;
}

void set_gradients(const std::vector<Variable>& xs, int t) {
  for (const Variable& x : xs) {
    Array g(x.shape(), float64);
    for (std::size_t k = 0; k < x.size(); ++k) {
      double p = x.value().at(k);
      g.mutable_data<double>()[k] = p * p * p - 0.3 * p + 0.1 * std::sin(t + 2.0 * static_cast<double>(k));
    }
    x.set_grad(Variable(g));
  }
}

void append(std::vector<double>& values, const std::vector<Variable>& xs) {
  for (const Variable& x : xs) values.insert(values.end(), x.data<double>(), x.data<double>() + x.size());
}

template <class O, class Options>
void trace(const std::string& name, const Options& first, const Options& second) {
  auto xs = parameters();
  O optimizer({{{xs[0]}, first}, {{xs[1]}, second}});
  std::vector<double> values;
  for (int t = 1; t <= optimizer_steps; ++t) {
    set_gradients(xs, t);
    if (t == 3) xs[1].zero_grad();
    optimizer.step();
    append(values, xs);
  }
  print(name, values);
}

void trace_lbfgs(const std::string& name, const LBFGSOptions& options) {
  auto xs = parameters();
  LBFGS lbfgs(xs, options);
  std::vector<double> values;
  for (int t = 1; t <= optimizer_steps; ++t) {
    lbfgs.step([&] {
      lbfgs.zero_grad();
      Variable x = concatenate({xs[0], xs[1]}), left = x[range(0, 20)], right = x[range(1, 21)];
      Variable loss = sum(5 * square(right - square(left)) + square(1 - left)) + 0.01 * sum(square(square(x)));
      loss.backward();
      return loss;
    });
    append(values, xs);
  }
  print(name, values);
}

using Make = std::function<std::shared_ptr<Schedule>(Optimizer&)>;

template <class S, class Options>
Make make(const Options& options) {
  return [=](Optimizer& optimizer) { return std::make_shared<S>(optimizer, options); };
}

// A combination, which keeps its parts.
template <class Combined, class... Rest>
Make combine(const std::vector<Make>& makers, Rest... rest) {
  return [=](Optimizer& optimizer) -> std::shared_ptr<Schedule> {
    struct Whole {
      std::vector<std::shared_ptr<Schedule>> parts;
      std::unique_ptr<Combined> combined;
    };
    auto whole = std::make_shared<Whole>();
    Schedules schedules;
    for (const Make& maker : makers) {
      whole->parts.push_back(maker(optimizer));
      schedules.push_back(dynamic_cast<RateSchedule&>(*whole->parts.back()));
    }
    whole->combined = std::make_unique<Combined>(optimizer, schedules, rest...);
    return {whole, whole->combined.get()};
  };
}

template <class O = SGD>
void trace(const std::string& name, const Make& make) {
  auto xs = parameters();
  O optimizer({{{xs[0]}, {.lr = 0.1}}, {{xs[1]}, {.lr = 0.02}}});
  auto schedule = make(optimizer);
  std::vector<double> values;
  const char* momentum = optimizer.has_option("momentum") ? "momentum" : "beta1";
  for (int t = 0; t <= schedule_steps; ++t) {
    for (std::size_t group : {0, 1}) {
      values.push_back(optimizer.lr(group));
      values.push_back(optimizer.option(momentum, group));
    }
    if (t == schedule_steps) break;
    if (schedule->needs_metric()) schedule->step(1 + 0.5 * std::cos(0.4 * t) * std::exp(-0.05 * t));
    else schedule->step();
  }
  print(name, values);
}

void trace_optimizers() {
  trace<SGD, SGDOptions>("SGD", {.lr = 0.1}, {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true});
  trace<SGD, SGDOptions>("SGD dampened", {}, {.lr = 0.05, .momentum = 0.8, .dampening = 0.3});
  trace<SGD, SGDOptions>("SGD maximize", {.lr = 0.01, .maximize = true},
                         {.lr = 0.01, .momentum = 0.8, .weight_decay = 0.3, .maximize = true});
  trace<AdamW, AdamWOptions>("AdamW maximize", {}, {.lr = 0.01, .weight_decay = 0.3, .maximize = true});
  trace<Adagrad, AdagradOptions>("Adagrad", {}, {.lr = 0.1, .lr_decay = 0.01, .weight_decay = 0.02, .epsilon = 1e-4});
  trace<Adagrad, AdagradOptions>("Adagrad accumulator", {.initial_accumulator_value = 0.3},
                                 {.initial_accumulator_value = 0.3});
  trace<Adadelta, AdadeltaOptions>("Adadelta", {}, {.lr = 0.5, .rho = 0.8, .epsilon = 1e-4, .weight_decay = 0.02});
  trace<RMSProp, RMSPropOptions>("RMSprop", {}, {.lr = 0.02, .alpha = 0.9, .epsilon = 1e-4, .weight_decay = 0.02});
  trace<RMSProp, RMSPropOptions>("RMSprop centered", {.centered = true},
                                 {.lr = 0.02, .alpha = 0.9, .momentum = 0.8, .centered = true});
  trace<RMSProp, RMSPropOptions>("RMSprop momentum", {.momentum = 0.5},
                                 {.lr = 0.02, .weight_decay = 0.1, .momentum = 0.9});
  trace<Rprop, RpropOptions>("Rprop", {}, {.lr = 0.05, .eta_minus = 0.3, .eta_plus = 1.5, .min_step_size = 0.01,
                                           .max_step_size = 0.2});
  trace<Rprop, RpropOptions>("Rprop maximize", {.maximize = true}, {.lr = 0.05, .maximize = true});
  trace<Adam, AdamOptions>("Adam", {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.1});
  trace<Adam, AdamOptions>("Adam amsgrad", {.amsgrad = true},
                           {.lr = 0.02, .beta2 = 0.5, .weight_decay = 0.1, .amsgrad = true});
  trace<AMSGrad, AMSGradOptions>("Adam as AMSGrad", {}, {.lr = 0.02, .beta2 = 0.5, .weight_decay = 0.1});
  trace<AdamW, AdamWOptions>("AdamW", {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.3,
                                         .amsgrad = true});
  trace<Adamax, AdamaxOptions>("Adamax", {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1});
  trace<NAdam, NAdamOptions>("NAdam", {}, {.lr = 0.02, .beta1 = 0.8, .weight_decay = 0.1, .momentum_decay = 0.1});
  trace<RAdam, RAdamOptions>("RAdam", {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1});
  trace_lbfgs("LBFGS", {.lr = 0.01, .max_iter = 4});
  trace_lbfgs("LBFGS short history", {.lr = 0.01, .max_iter = 5, .history_size = 3});
  trace_lbfgs("LBFGS strong_wolfe", {.max_iter = 3, .strong_wolfe = true});
}

void trace_schedules() {
  trace("StepLR", make<StepLR>(StepLROptions{.step_size = 7, .gamma = 0.5}));
  trace("MultiStepLR", make<MultiStepLR>(MultiStepLROptions{.milestones = {30, 5, 12, 12}, .gamma = 0.5}));
  trace("ExponentialLR", make<ExponentialLR>(ExponentialLROptions{.gamma = 0.93}));
  trace("LinearLR", make<LinearLR>(LinearLROptions{.start_factor = 0.2, .end_factor = 0.9, .total_iters = 40}));
  trace("LinearLR default", make<LinearLR>(LinearLROptions{}));
  trace("ConstantLR", make<ConstantLR>(ConstantLROptions{.factor = 0.2, .total_iters = 40}));
  trace("ConstantLR default", make<ConstantLR>(ConstantLROptions{}));
  trace("PolynomialLR default", make<PolynomialLR>(PolynomialLROptions{}));
  trace("PolynomialLR", make<PolynomialLR>(PolynomialLROptions{.total_iters = 50, .power = 1.7}));
  trace("CosineAnnealingLR", make<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 17, .eta_min = 0.003}));
  trace("CosineAnnealingWarmRestarts",
        make<CosineAnnealingWarmRestarts>(CosineAnnealingWarmRestartsOptions{.T_0 = 6, .T_mult = 2, .eta_min = 0.003}));
  trace("CosineAnnealingWarmRestarts 1",
        make<CosineAnnealingWarmRestarts>(CosineAnnealingWarmRestartsOptions{.T_0 = 7}));
  trace("LambdaLR", [](Optimizer& optimizer) -> std::shared_ptr<Schedule> {
    return std::make_shared<LambdaLR>(optimizer, [](std::int64_t t) { return 1 / (1.0 + static_cast<double>(t)); });
  });
  trace("MultiplicativeLR", [](Optimizer& optimizer) -> std::shared_ptr<Schedule> {
    return std::make_shared<MultiplicativeLR>(optimizer, [](std::int64_t t) { return t % 2 ? 0.9 : 1.05; });
  });
  trace("CyclicLR", make<CyclicLR>(CyclicLROptions{.base_lr = 0.01, .max_lr = {0.1, 0.2}, .step_size_up = 7}));
  trace("CyclicLR triangular2", make<CyclicLR>(CyclicLROptions{
      .base_lr = {0.01, 0.02}, .max_lr = 0.1, .step_size_up = 5, .step_size_down = 9,
      .mode = CyclicMode::triangular2, .base_momentum = 0.7, .max_momentum = {0.8, 0.95}}));
  trace("CyclicLR exp_range", make<CyclicLR>(CyclicLROptions{.base_lr = 0.01, .max_lr = 0.1, .step_size_up = 8,
      .mode = CyclicMode::exp_range, .gamma = 0.97, .cycle_momentum = false}));
  trace<Adam>("OneCycleLR", make<OneCycleLR>(OneCycleLROptions{.max_lr = {0.1, 0.2}, .total_steps = 61}));
  trace("OneCycleLR linear", make<OneCycleLR>(OneCycleLROptions{.max_lr = 0.1, .total_steps = 70, .pct_start = 0.4,
      .anneal_strategy = Anneal::linear, .base_momentum = 0.7, .div_factor = 10, .final_div_factor = 100}));
  trace("OneCycleLR three_phase", make<OneCycleLR>(OneCycleLROptions{
      .max_lr = 0.1, .total_steps = 65, .three_phase = true}));
  trace("ReduceLROnPlateau default", make<ReduceLROnPlateau>(ReduceLROnPlateauOptions{}));
  trace("ReduceLROnPlateau", make<ReduceLROnPlateau>(ReduceLROnPlateauOptions{
      .factor = 0.6, .patience = 2, .cooldown = 3, .min_lr = {0.001, 0.005}}));
  trace("ReduceLROnPlateau max abs", make<ReduceLROnPlateau>(ReduceLROnPlateauOptions{
      .mode = PlateauMode::max, .factor = 0.7, .patience = 1, .threshold = 0.01,
      .threshold_mode = ThresholdMode::abs}));
  Make warm = make<LinearLR>(LinearLROptions{.start_factor = 0.1, .total_iters = 10}),
       cosine = make<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 20, .eta_min = 1e-5}),
       decay = make<ExponentialLR>(ExponentialLROptions{.gamma = 0.95});
  trace("ChainedScheduler", combine<ChainedScheduler>({warm, decay, cosine}));
  trace("SequentialLR", combine<SequentialLR>({warm, cosine, decay}, std::vector<std::int64_t>{10, 35}));
}

}  // namespace

int main() {
  trace_optimizers();
  trace_schedules();
}
