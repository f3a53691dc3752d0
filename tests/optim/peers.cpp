// Optimizers against libtorch's, in float64: the parameters after each step.
#include <functional>

#include <tests/torch_support.hpp>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
namespace T = torch::optim;

namespace {

constexpr int many_steps = 20;

void agree(const std::vector<Variable>& own, const std::vector<torch::Tensor>& other) {
  for (std::size_t i = 0; i < own.size(); ++i) BOOST_TEST(difference(own[i], other[i], 0) <= 1e-9);
}

// Both with the same parameters, in two groups; `options` makes libtorch's of ours.
template <class Own, class Other, class OwnOptions, class OtherOptions>
void compare(const OwnOptions& first, const OwnOptions& second, const OtherOptions& other_first,
             const OtherOptions& other_second) {
  auto xs = parameters(float64);
  std::vector<torch::Tensor> ts;
  for (const Variable& x : xs) ts.push_back(to_torch(x).requires_grad_());
  Own own({{{xs[0], xs[1]}, first}, {{xs[2], xs[3], xs[4]}, second}});
  std::vector<torch::Tensor> in_first(ts.begin(), ts.begin() + 2), in_second(ts.begin() + 2, ts.end());
  std::vector<T::OptimizerParamGroup> groups;
  groups.emplace_back(in_first, std::make_unique<OtherOptions>(other_first));
  groups.emplace_back(in_second, std::make_unique<OtherOptions>(other_second));
  Other other(groups, other_first);
  for (int t = 1; t <= many_steps; ++t) {
    set_gradients(xs, t);
    if (t == 2) xs[1].zero_grad();
    for (std::size_t i = 0; i < ts.size(); ++i)
      ts[i].mutable_grad() = xs[i].grad().defined() ? to_torch(xs[i].grad()) : torch::Tensor();
    own.step();
    other.step();
    agree(xs, ts);
  }
}

template <class X>
X rosenbrock(const X& left, const X& right) {
  return (5 * (right - left * left) * (right - left * left) + (1 - left) * (1 - left)).sum();
}

void compare_lbfgs(const optim::LBFGSOptions& own_options, const T::LBFGSOptions& other_options) {
  Variable x = parameter(Variable({-1.2, 0.3, 0.8, -0.4, 1.1, 0.2}, float64));
  torch::Tensor t = to_torch(x).requires_grad_();
  optim::LBFGS own({x}, own_options);
  T::LBFGS other({t}, other_options);
  for (int step = 0; step < many_steps; ++step) {
    own.step([&] {
      own.zero_grad();
      Variable left = x[range(0, 5)], right = x[range(1, 6)];
      Variable loss = sum(5 * square(right - square(left)) + square(1 - left));
      loss.backward();
      return loss;
    });
    other.step([&] {
      other.zero_grad();
      torch::Tensor loss = rosenbrock(t.slice(0, 0, 5), t.slice(0, 1, 6));
      loss.backward();
      return loss;
    });
    agree({x}, {t});
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_peers)

BOOST_AUTO_TEST_CASE(sgd) {
  compare<optim::SGD, T::SGD, optim::SGDOptions>(
      {.lr = 0.01, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true},
      {.lr = 0.02, .momentum = 0.8, .dampening = 0.3},
      T::SGDOptions(0.01).momentum(0.9).weight_decay(0.02).nesterov(true),
      T::SGDOptions(0.02).momentum(0.8).dampening(0.3));
}

BOOST_AUTO_TEST_CASE(adam) {
  using Betas = std::tuple<double, double>;
  compare<optim::Adam, T::Adam, optim::AdamOptions>(
      {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.1, .amsgrad = true},
      T::AdamOptions(), T::AdamOptions(0.02).betas(Betas(0.8, 0.95)).eps(1e-4).weight_decay(0.1).amsgrad(true));
  compare<optim::AdamW, T::AdamW, optim::AdamWOptions>(
      {}, {.lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.3, .amsgrad = true}, T::AdamWOptions(),
      T::AdamWOptions(0.02).betas(Betas(0.8, 0.95)).weight_decay(0.3).amsgrad(true));
}

BOOST_AUTO_TEST_CASE(adagrad) {
  compare<optim::Adagrad, T::Adagrad, optim::AdagradOptions>(
      {}, {.lr = 0.1, .lr_decay = 0.05, .weight_decay = 0.02, .epsilon = 1e-4}, T::AdagradOptions(),
      T::AdagradOptions(0.1).lr_decay(0.05).weight_decay(0.02).eps(1e-4));
}

BOOST_AUTO_TEST_CASE(rmsprop) {
  compare<optim::RMSProp, T::RMSprop, optim::RMSPropOptions>(
      {.centered = true}, {.lr = 0.02, .alpha = 0.9, .epsilon = 1e-4, .weight_decay = 0.02, .momentum = 0.7},
      T::RMSpropOptions().centered(true),
      T::RMSpropOptions(0.02).alpha(0.9).eps(1e-4).weight_decay(0.02).momentum(0.7));
}

BOOST_AUTO_TEST_CASE(lbfgs) {
  compare_lbfgs({.lr = 0.02, .max_iter = 4}, T::LBFGSOptions(0.02).max_iter(4));
  compare_lbfgs({.max_iter = 3, .history_size = 5, .strong_wolfe = true},
                T::LBFGSOptions(1).max_iter(3).history_size(5).line_search_fn("strong_wolfe"));
}

BOOST_AUTO_TEST_CASE(step_lr) {
  optim::SGD own({parameter(ones({1}))}, {.lr = 0.8});
  T::SGD other({torch::ones({1}, torch::requires_grad())}, T::SGDOptions(0.8));
  optim::StepLR own_schedule(own, {.step_size = 7, .gamma = 0.3});
  T::StepLR other_schedule(other, 7, 0.3);
  other_schedule.step();  // libtorch's schedules come one step later than PyTorch's, which make this step when made
  for (int t = 0; t < 60; ++t) {
    double expected = static_cast<T::SGDOptions&>(other.param_groups()[0].options()).lr();
    BOOST_TEST(std::abs(own.lr() - expected) <= 1e-9 * expected);
    own_schedule.step();
    other_schedule.step();
  }
}

BOOST_AUTO_TEST_SUITE_END()
