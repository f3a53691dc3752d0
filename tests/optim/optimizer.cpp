// What all optimizers have in common: groups, options, closures, clipping, and misuse.
#include <cmath>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

// A method of one's own, of which the documentation gives the outline.
struct SignSGDOptions {
  double lr = 1e-3;
};

class SignSGD : public Method<SignSGD, SignSGDOptions> {
 public:
  using Method::Method;
  static const Description<SignSGDOptions>& description() {
    static const Description<SignSGDOptions> d{"SignSGD", {{"lr", &SignSGDOptions::lr}}};
    return d;
  }

 protected:
  void update(const SignSGDOptions& options, std::size_t, Array& parameter, const Array& gradient) override {
    for (std::size_t k = 0; k < parameter.size(); ++k)
      parameter.mutable_data<float>()[k] -= static_cast<float>(options.lr) * (gradient.at(k) > 0 ? 1 : -1);
  }
};

Variable two() { return parameter(ones({2})); }

// That going up is going down with minus the gradients, in the group that asks for it.
template <class O, class Options>
void maximizes(Options options) {
  auto up = parameters(float32), down = parameters(float32);
  if constexpr (requires { options.weight_decay; }) options.weight_decay = 0.1;
  O descent(down, options);
  options.maximize = true;
  O ascent({{{up[0], up[1], up[2]}, options}, {{up[3], up[4]}, options}});
  options.maximize = false;
  for (int t = 1; t <= 4; ++t) {
    set_gradients(up, t);
    set_gradients(down, t);
    for (const Variable& x : down) x.set_grad(-x.grad());
    std::vector<Variable> before;
    for (const Variable& x : up) before.push_back(x.grad().copy());
    ascent.step();
    descent.step();
    for (std::size_t i = 0; i < up.size(); ++i) same(up[i].grad(), before[i]);
  }
  same(up, down);
  BOOST_TEST(up[3].value().at(0) != parameters(float32)[3].value().at(0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer)

BOOST_AUTO_TEST_CASE(parameters_without_a_gradient_stay) {
  Variable x = two(), y = two();
  Adam adam({x, y});
  x.set_grad(ones({2}));
  adam.step();
  close(y, ones({2}));
  BOOST_TEST(x.value().at(0) < 1);
  adam.zero_grad();
  BOOST_TEST(!x.grad().defined());
}

// As designated initializers make the order part of the interface: that of PyTorch's arguments.
BOOST_AUTO_TEST_CASE(options_are_in_the_order_of_pytorch) {
  auto [lr, momentum, dampening, weight_decay, nesterov, maximize] = SGDOptions{
      .lr = 1, .momentum = 2, .dampening = 3, .weight_decay = 4, .nesterov = true, .maximize = true};
  BOOST_TEST((lr == 1 && momentum == 2 && dampening == 3 && weight_decay == 4 && nesterov && maximize));
}

BOOST_AUTO_TEST_CASE(each_group_goes_by_its_options) {
  auto xs = parameters(float64), ys = parameters(float64);
  std::vector<Variable> first(xs.begin(), xs.begin() + 2), second(xs.begin() + 2, xs.end());
  Adam both({{first, {.lr = 0.1}}, {second, {.lr = 0.01, .weight_decay = 0.1}}});
  Adam one({ys[0], ys[1]}, {.lr = 0.1}), other({ys[2], ys[3], ys[4]}, {.lr = 0.01, .weight_decay = 0.1});
  BOOST_TEST(both.groups() == 2u);
  BOOST_TEST(both.parameters().size() == 5u);
  BOOST_TEST(both.lr(1) == 0.01);
  BOOST_TEST(both.options(1).weight_decay == 0.1);
  for (int t = 1; t <= 4; ++t) {
    set_gradients(xs, t);
    set_gradients(ys, t);
    both.step();
    one.step();
    other.step();
  }
  same(xs, ys);
}

BOOST_AUTO_TEST_CASE(they_maximize) {
  maximizes<SGD, SGDOptions>({.momentum = 0.9});
  maximizes<Adagrad, AdagradOptions>({});
  maximizes<Adadelta, AdadeltaOptions>({});
  maximizes<RMSProp, RMSPropOptions>({.centered = true});
  maximizes<Rprop, RpropOptions>({});
  maximizes<Adam, AdamOptions>({});
  maximizes<AMSGrad, AMSGradOptions>({});
  maximizes<AdamW, AdamWOptions>({});
  maximizes<Adamax, AdamaxOptions>({});
  maximizes<NAdam, NAdamOptions>({});
  maximizes<RAdam, RAdamOptions>({});
  maximizes<Lion, LionOptions>({});
  maximizes<LAMB, LAMBOptions>({});
}

// As often as it is called, and whatever groups there are by then.
BOOST_AUTO_TEST_CASE(an_undo_point_brings_the_state_back) {
  Variable x = Variable({1.0}, float64).requires_grad_(), y = Variable({2.0}, float64).requires_grad_();
  optim::SGD sgd({x}, {.lr = 0.5, .momentum = 0.9});
  auto step = [&] {
    sgd.zero_grad();
    sum(x + y).backward();
    sgd.step();
  };
  step();
  const auto undo = sgd.undo_point();
  const StateDict before = sgd.state_dict();
  for (int times = 0; times < 2; ++times) {
    step();
    sgd.set_lr(0.25);
    undo();
    for (const auto& [name, value] : sgd.state_dict()) BOOST_TEST(all(value == before.at(name)).item<bool>());
  }
  sgd.add_param_group({{y}, {.lr = 1}});
  step();
  undo();
  BOOST_TEST(sgd.lr() == 0.5);
  BOOST_TEST(sgd.state_dict().at("step").data<std::int64_t>()[0] == 1);
  BOOST_TEST(sgd.state_dict().at("step").data<std::int64_t>()[1] == 1);
  step();
}

BOOST_AUTO_TEST_CASE(groups_may_be_added) {
  auto xs = parameters(float64), ys = parameters(float64);
  Adam grown({xs[0], xs[1]}, {.lr = 0.1}), first({ys[0], ys[1]}, {.lr = 0.1});
  Adam second({ys[2], ys[3], ys[4]}, {.lr = 0.01, .weight_decay = 0.1});
  ExponentialLR decay(grown, {.gamma = 0.5});
  for (int t = 1; t <= 5; ++t) {
    if (t == 3) {
      grown.add_param_group({{xs[2], xs[3], xs[4]}, {.lr = 0.01, .weight_decay = 0.1}});
      decay.step();  // of the group that was there when it was made
      first.set_lr(0.05);
    }
    set_gradients(xs, t);
    set_gradients(ys, t);
    grown.step();
    first.step();
    if (t >= 3) second.step();
  }
  same(xs, ys);
  BOOST_TEST(grown.groups() == 2u);
  StateDict state = grown.state_dict();
  Adam fresh({{{xs[0], xs[1]}, {}}, {{xs[2], xs[3], xs[4]}, {}}});
  fresh.load_state_dict(state);
  same(fresh.state_dict(), state);

  Variable x = two();
  throws<ValueError>([&] { grown.add_param_group({{}, {}}); }, {"Adam: the list of parameters is empty in group 2"});
  throws<ValueError>([&] { grown.add_param_group({{x, xs[1]}, {}}); }, {"Adam: parameter 6", "as parameter 1"});
  throws<ValueError>([&] { grown.add_param_group({{x}, {.beta1 = 1}}); }, {"Adam: group 2: beta1 is 1"});
  throws<ValueError>([&] { ChainedScheduler(grown, {decay}); }, {"ExponentialLR, has 1 of 2 groups"});
  same(grown.state_dict(), state);
}

BOOST_AUTO_TEST_CASE(groups_may_be_listed_at_run_time) {
  std::vector<Adam::Group> groups;
  for (double lr : {0.1, 0.2, 0.3}) groups.push_back({{two()}, {.lr = lr}});
  Adam adam(groups);
  BOOST_TEST(adam.groups() == 3u);
  BOOST_TEST(adam.lr(2) == 0.3);
}

BOOST_AUTO_TEST_CASE(options_by_name) {
  SGD sgd({{{two()}, {.lr = 0.1, .momentum = 0.5}}, {{two()}, {.lr = 0.2}}});
  BOOST_TEST(sgd.has_option("momentum"));
  BOOST_TEST(!sgd.has_option("beta1"));
  BOOST_TEST(sgd.option("momentum") == 0.5);
  sgd.set_option("momentum", 1, 0.7);
  sgd.set_option("nesterov", 1, 1);
  BOOST_TEST(sgd.options(1).momentum == 0.7);
  BOOST_TEST(sgd.options(1).nesterov);
  sgd.set_lr(0.3);
  BOOST_TEST(sgd.lr(0) == 0.3);
  BOOST_TEST(sgd.lr(1) == 0.3);
  sgd.set_lr(1, 0.4);
  BOOST_TEST(sgd.lr(0) == 0.3);
  BOOST_TEST(sgd.lr(1) == 0.4);
  throws<ValueError>([&] { sgd.option("beta1"); }, {"SGD: option: there is no \"beta1\"", "momentum"});
  throws<ValueError>([&] { sgd.option("lr", 2); }, {"SGD: option: group 2 of 2"});
  throws<ValueError>([&] { sgd.options(2); }, {"SGD: options: group 2"});
  throws<ValueError>([&] { sgd.set_option("momentum", 0, NAN); }, {"SGD: momentum is nan"});
  throws<ValueError>([&] { sgd.set_option("nesterov", 0, 0.5); }, {"SGD: nesterov is 0.5", "integer"});
  throws<ValueError>([&] { sgd.set_option("momentum", 1, 0); }, {"SGD: nesterov with momentum 0"});
  throws<ValueError>([&] { sgd.set_lr(INFINITY); }, {"SGD: lr is inf, needs 0 or more"});
  BOOST_TEST(sgd.option("momentum") == 0.5);
  BOOST_TEST(sgd.lr(1) == 0.4);
}

BOOST_AUTO_TEST_CASE(a_momentum_that_is_switched_on_later) {
  Variable x = two();
  SGD sgd({x}, {.lr = 0.1});
  for (double momentum : {0.0, 0.5, 0.5}) {
    sgd.set_option("momentum", 0, momentum);
    x.set_grad(ones({2}));
    sgd.step();
  }
  close(x, Variable{1, 1} - 0.1 * (1 + 1 + 1.5), 1e-6);
}

BOOST_AUTO_TEST_CASE(a_closure_computes_the_loss) {
  Variable x = parameter(Variable{3, -4});
  SGD sgd({x}, {.lr = 0.5});
  Optimizer& base = sgd;
  NoGrad guard;  // the closure is recorded all the same
  Variable loss = base.step([&] {
    base.zero_grad();
    Variable loss = sum(square(x));
    loss.backward();
    return loss;
  });
  BOOST_TEST(loss.item() == 25);
  close(x, zeros({2}));
  throws<ValueError>([&] { base.step(std::function<Variable()>()); }, {"SGD: step: the closure is empty"});
}

BOOST_AUTO_TEST_CASE(clips_the_gradients_of_all_groups) {
  Variable x = two(), y = two(), without = two();
  SGD sgd({{{x}, {}}, {{y, without}, {}}});
  x.set_grad(Variable{3, 0});
  y.set_grad(Variable{0, -4});
  BOOST_TEST(sgd.clip_grad_norm(10) == 5);
  close(x.grad(), Variable{3, 0});
  BOOST_TEST(sgd.clip_grad_norm(1) == 5);
  close(x.grad(), Variable{0.6, 0}, 1e-6);
  close(y.grad(), Variable{0, -0.8}, 1e-6);
  sgd.clip_grad_value(0.7);
  close(y.grad(), Variable{0, -0.7}, 1e-7);
  BOOST_TEST(!without.grad().defined());
  throws<ValueError>([&] { sgd.clip_grad_norm(-1); }, {"clip_grad_norm", "-1"});
}

BOOST_AUTO_TEST_CASE(a_method_of_ones_own) {
  Variable x = two();
  SignSGD sign({x}, {.lr = 0.25});
  x.set_grad(Variable{2, -3});
  sign.step();
  close(x, Variable{0.75, 1.25});
}

BOOST_AUTO_TEST_CASE(a_gradient_of_another_dtype_changes_nothing) {
  Variable x = two(), y = two();
  SGD sgd({x, y}, {.lr = 1});
  x.set_grad(ones({2}));
  y.set_grad(ones({2}));
  y.mutable_value() = y.value().to(float64);
  throws<DTypeError>([&] { sgd.step(); }, {"SGD: step: the gradient of parameter 1 is float32(2,)", "float64(2,)"});
  close(x, ones({2}));
}

BOOST_AUTO_TEST_CASE(moments_follow_a_converted_parameter) {
  Variable x = two();
  SGD sgd({x}, {.lr = 0.5, .momentum = 0.5});
  x.set_grad(ones({2}));
  sgd.step();
  x.zero_grad();
  x.mutable_value() = x.value().to(float64);
  x.set_grad(ones({2}, float64));
  sgd.step();
  close(x, Variable({-0.25, -0.25}, float64));
}

BOOST_AUTO_TEST_CASE(misuse_of_parameters) {
  Variable x = two(), y = two();
  throws<ValueError>([] { Adam({}); }, {"Adam: the list of groups is empty"});
  throws<ValueError>([] { Adam(std::vector<Variable>()); }, {"Adam: the list of parameters is empty"});
  throws<ValueError>([&] { Adam({{{x}, {}}, {{}, {}}}); }, {"Adam: the list of parameters is empty in group 1"});
  throws<ValueError>([&] { Adam({x, x}); }, {"Adam: parameter 1", "listed before, as parameter 0"});
  throws<ValueError>([&] { Adam({{{x, y}, {}}, {{y}, {}}}); }, {"Adam: parameter 2", "listed before, as parameter 1"});
  throws<ValueError>([] { Adam({Variable()}); }, {"Adam: parameter 0 is undefined"});
  throws<GraphError>([&] { Adam({x * 2}); }, {"Adam: parameter 0", "leaf"});
  throws<DTypeError>([] { SGD({arange(3).to(int64)}); }, {"SGD: parameter 0", "int64"});
}

BOOST_AUTO_TEST_CASE(misuse_of_options) {
  Variable x = two(), y = two();
  throws<ValueError>([&] { Adam({x}, {.lr = NAN}); }, {"Adam: lr is nan, needs 0 or more"});
  throws<ValueError>([&] { Adam({x}, {.lr = -1}); }, {"Adam: lr is -1"});
  throws<ValueError>([&] { Adam({x}, {.beta1 = 1}); }, {"Adam: beta1 is 1", "below 1"});
  throws<ValueError>([&] { Adam({x}, {.epsilon = INFINITY}); }, {"Adam: epsilon is inf"});
  throws<ValueError>([&] { Adam({{{x}, {}}, {{y}, {.beta2 = 1}}}); }, {"Adam: group 1: beta2 is 1"});
  throws<ValueError>([&] { SGD({x}, {.lr = 1, .nesterov = true}); }, {"SGD: nesterov", "momentum"});
  throws<ValueError>([&] { SGD({x}, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); }, {"dampening 0.1"});
  throws<ValueError>([&] { SGD({x}, {.weight_decay = -0.1}); }, {"SGD: weight_decay is -0.1"});
  throws<ValueError>([&] { Adagrad({x}, {.lr_decay = -1}); }, {"Adagrad: lr_decay is -1"});
  throws<ValueError>([&] { Adadelta({x}, {.rho = 1.5}); }, {"Adadelta: rho is 1.5", "at most 1"});
  throws<ValueError>([&] { RMSProp({x}, {.alpha = -1}); }, {"RMSProp: alpha is -1"});
  throws<ValueError>([&] { RMSProp({x}, {.momentum = NAN}); }, {"RMSProp: momentum is nan"});
  throws<ValueError>([&] { Rprop({x}, {.eta_minus = 1}); }, {"Rprop: eta_minus is 1", "below 1"});
  throws<ValueError>([&] { Rprop({x}, {.eta_plus = 1}); }, {"Rprop: eta_plus is 1", "more than 1"});
  throws<ValueError>([&] { Rprop({x}, {.min_step_size = 2, .max_step_size = 1}); },
                     {"Rprop: min_step_size is 2, above the max_step_size of 1"});
  throws<ValueError>([&] { AMSGrad({x}, {.beta2 = 1}); }, {"AMSGrad: beta2 is 1"});
  throws<ValueError>([&] { AdamW({x}, {.weight_decay = -1}); }, {"AdamW: weight_decay is -1"});
  throws<ValueError>([&] { Adamax({x}, {.beta1 = -0.1}); }, {"Adamax: beta1 is -0.1"});
  throws<ValueError>([&] { NAdam({x}, {.momentum_decay = -1}); }, {"NAdam: momentum_decay is -1"});
  throws<ValueError>([&] { RAdam({x}, {.beta2 = 1}); }, {"RAdam: beta2 is 1"});
  throws<ValueError>([&] { Lion({x}, {.beta2 = 1}); }, {"Lion: beta2 is 1"});
  throws<ValueError>([&] { LAMB({x}, {.epsilon = -1}); }, {"LAMB: epsilon is -1"});
  throws<ValueError>([&] { LBFGS({x}, {.max_iter = 0}); }, {"LBFGS: max_iter is 0"});
  throws<ValueError>([&] { LBFGS({x}, {.history_size = 0}); }, {"LBFGS: history_size is 0"});
}

BOOST_AUTO_TEST_SUITE_END()
