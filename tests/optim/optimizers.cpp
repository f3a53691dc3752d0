// Optimizers against their published recurrences, written out for single numbers, and schedules.
#include <cmath>
#include <memory>
#include <vector>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// Every length that a vector register treats differently, and a 0-d parameter.
std::vector<Variable> parameters(DType dtype) {
  seed(11);
  std::vector<Variable> result;
  for (const Shape& shape : std::vector<Shape>{{}, {3}, {0}, {17}, {5, 9}}) result.push_back(parameter(randn(shape, dtype)));
  return result;
}

// Gradients that change from step to step: those of a quartic, plus what depends on the step.
void set_gradients(const std::vector<Variable>& xs, int step) {
  NoGrad guard;
  for (const Variable& x : xs) x.set_grad(x * square(x) + 0.1 * step);
}

// Compares an optimizer with `rule(p, g, t)`, which changes one number, over some steps. The rule carries its state.
template <class Rule>
void agrees(const std::function<std::unique_ptr<optim::Optimizer>(std::vector<Variable>)>& make) {
  for (DType dtype : {float64, float32}) {
    auto xs = parameters(dtype);
    std::vector<std::vector<double>> numbers;
    std::vector<std::vector<Rule>> rules;
    for (const Variable& x : xs) {
      numbers.emplace_back();
      for (std::size_t k = 0; k < x.size(); ++k) numbers.back().push_back(x.value().at(k));
      rules.emplace_back(x.size());
    }
    auto optimizer = make(xs);
    for (int t = 1; t <= 8; ++t) {
      set_gradients(xs, t);
      optimizer->step();
      for (std::size_t i = 0; i < xs.size(); ++i)
        for (std::size_t k = 0; k < xs[i].size(); ++k) {
          double& p = numbers[i][k];
          rules[i][k](p, p * p * p + 0.1 * t, t);
          BOOST_TEST(std::abs(p - xs[i].value().at(k)) <= (dtype == float64 ? 1e-13 : 2e-5) * std::max(1.0, std::abs(p)));
        }
    }
  }
}

struct PlainSGD {
  void operator()(double& p, double g, int) { p -= 0.01 * g; }
};

struct NesterovSGD {
  double b = 0;
  void operator()(double& p, double g, int) {
    g += 0.02 * p;
    b = 0.9 * b + g;
    p -= 0.01 * (g + 0.9 * b);
  }
};

struct DampenedSGD {
  double b = 0;
  void operator()(double& p, double g, int t) {
    b = t == 1 ? g : 0.8 * b + 0.5 * g;
    p -= 0.01 * b;
  }
};

struct KingmaBa {
  double m = 0, v = 0;
  void operator()(double& p, double g, int t) {
    g += 0.03 * p;
    m = 0.8 * m + 0.2 * g;
    v = 0.95 * v + 0.05 * g * g;
    double unbiased_m = m / (1 - std::pow(0.8, t)), unbiased_v = v / (1 - std::pow(0.95, t));
    p -= 0.01 * unbiased_m / (std::sqrt(unbiased_v) + 1e-3);
  }
};

template <class O, class Options>
auto make(const Options& options) {
  return [options](std::vector<Variable> xs) -> std::unique_ptr<optim::Optimizer> {
    return std::make_unique<O>(std::move(xs), options);
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizers)

BOOST_AUTO_TEST_CASE(sgd_is_its_recurrence) {
  agrees<PlainSGD>(make<optim::SGD>(optim::SGDOptions{.lr = 0.01}));
  agrees<NesterovSGD>(make<optim::SGD>(
      optim::SGDOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true}));
  agrees<DampenedSGD>(make<optim::SGD>(optim::SGDOptions{.lr = 0.01, .momentum = 0.8, .dampening = 0.5}));
}

BOOST_AUTO_TEST_CASE(adam_is_its_recurrence) {
  agrees<KingmaBa>(make<optim::Adam>(
      optim::AdamOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(adam_begins_with_steps_of_the_learning_rate) {
  Variable x = parameter(zeros({3}));
  optim::Adam adam({x}, {.lr = 0.5});
  x.set_grad(Variable{1e-3, -7, 1e4});
  adam.step();
  close(x, Variable{-0.5, 0.5, -0.5}, 1e-5);
}

BOOST_AUTO_TEST_CASE(parameters_without_a_gradient_stay) {
  Variable x = parameter(ones({2})), y = parameter(ones({2}));
  optim::Adam adam({x, y});
  x.set_grad(ones({2}));
  adam.step();
  close(y, ones({2}));
  BOOST_TEST(x.value().at(0) < 1);
  adam.zero_grad();
  BOOST_TEST(!x.grad().defined());
}

BOOST_AUTO_TEST_CASE(states_go_on_to_the_same_bits) {
  auto run = [](bool interrupted) {
    auto xs = parameters(float32);
    auto adam = std::make_unique<optim::Adam>(xs, optim::AdamOptions{.lr = 0.1});
    for (int t = 1; t <= 6; ++t) {
      if (interrupted && t == 4) {
        StateDict state = adam->state_dict();
        adam = std::make_unique<optim::Adam>(xs);
        adam->load_state_dict(state);
      }
      set_gradients(xs, t);
      adam->step();
    }
    return xs;
  };
  auto a = run(false), b = run(true);
  for (std::size_t i = 0; i < a.size(); ++i) close(a[i], b[i]);
}

BOOST_AUTO_TEST_CASE(states_that_do_not_fit_change_nothing) {
  Variable x = parameter(ones({2})), y = parameter(ones({3}));
  optim::Adam adam({x}), other({y});
  for (const Variable& p : {x, y}) p.set_grad(ones(p.shape()));
  adam.step();
  other.step();
  StateDict before = adam.state_dict(), state = other.state_dict();
  throws<ValueError>([&] { adam.load_state_dict(state); },
                     {"Adam: load_state_dict", "moment1.0: got float32(3,), needs float32(2,)"});
  state = before;
  state.erase("lr");
  state.emplace("extra", x);
  throws<ValueError>([&] { adam.load_state_dict(state); }, {"missing: lr", "unexpected: extra"});
  state = before;
  state["lr"] = Variable(NAN).to(float64);
  throws<ValueError>([&] { adam.load_state_dict(state); }, {"lr", "nan"});
  for (const auto& [name, value] : adam.state_dict()) close(value, before.at(name));
}

BOOST_AUTO_TEST_CASE(misuse) {
  Variable x = parameter(ones({2}));
  throws<ValueError>([] { optim::Adam({}); }, {"Adam", "empty"});
  throws<ValueError>([&] { optim::Adam({x, x}); }, {"Adam: parameter 1", "listed before, as parameter 0"});
  throws<ValueError>([] { optim::Adam({Variable()}); }, {"Adam: parameter 0 is undefined"});
  throws<GraphError>([&] { optim::Adam({x * 2}); }, {"Adam: parameter 0", "leaf"});
  throws<DTypeError>([] { optim::SGD({arange(3).to(int64)}); }, {"SGD: parameter 0", "int64"});
  throws<ValueError>([&] { optim::Adam({x}, {.lr = NAN}); }, {"Adam: lr is nan"});
  throws<ValueError>([&] { optim::Adam({x}, {.lr = -1}); }, {"Adam: lr is -1"});
  throws<ValueError>([&] { optim::Adam({x}, {.beta1 = 1}); }, {"Adam: beta1", "below 1"});
  throws<ValueError>([&] { optim::Adam({x}, {.epsilon = INFINITY}); }, {"Adam: epsilon is inf"});
  throws<ValueError>([&] { optim::SGD({x}, {.lr = 1, .nesterov = true}); }, {"SGD: nesterov", "momentum"});
  optim::SGD sgd({x}, {.lr = 1});
  throws<ValueError>([&] { sgd.set_lr(INFINITY); }, {"SGD: lr is inf"});
  BOOST_TEST(sgd.lr() == 1);
}

BOOST_AUTO_TEST_CASE(steps_of_the_learning_rate) {
  Variable x = parameter(ones({1}));
  optim::SGD sgd({x}, {.lr = 0.8});
  optim::StepLR schedule(sgd, {.step_size = 3, .gamma = 0.5});
  for (double expected : {0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2}) {
    BOOST_TEST(sgd.lr() == expected);
    schedule.step();
  }
  BOOST_TEST(schedule.lr(9) == 0.1);
  optim::SGD other({x}, {.lr = 7});
  optim::StepLR resumed(other, {.step_size = 3, .gamma = 0.5});
  resumed.load_state_dict(schedule.state_dict());
  BOOST_TEST(other.lr() == sgd.lr());
  BOOST_TEST(resumed.steps() == 7);
  throws<ValueError>([&] { resumed.load_state_dict({}); }, {"schedule: load_state_dict", "base_lr"});
  throws<ValueError>([&] { schedule.lr(-1); }, {"schedule: step -1"});
  throws<ValueError>([&] { optim::StepLR(sgd, {.step_size = 0}); }, {"StepLR: step_size 0"});
  throws<ValueError>([&] { optim::StepLR(sgd, {.gamma = NAN}); }, {"StepLR", "gamma nan"});
}

BOOST_AUTO_TEST_SUITE_END()
