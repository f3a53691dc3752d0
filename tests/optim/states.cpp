// Optimizers go on from saved states to the same bits, and refuse those that do not fit.
#include <cmath>
#include <functional>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

std::vector<Variable> half(const std::vector<Variable>& xs, bool first) {
  auto middle = xs.begin() + 2;
  return first ? std::vector(xs.begin(), middle) : std::vector(middle, xs.end());
}

// Trains with two groups; when interrupted, goes on with an optimizer that was made with default options.
template <class O, class Options>
void resumes(const Options& a, const Options& b) {
  for (DType dtype : {float32, float64}) {
    auto run = [&](bool interrupted) {
      auto xs = parameters(dtype);
      auto make = [&](const Options& a, const Options& b) {
        return std::make_unique<O>(std::vector<typename O::Group>{{half(xs, true), a}, {half(xs, false), b}});
      };
      auto optimizer = make(a, b);
      for (int t = 1; t <= 8; ++t) {
        if (interrupted && t == 5) {
          StateDict state = optimizer->state_dict();
          optimizer = make({}, {});
          optimizer->load_state_dict(state);
          same(optimizer->state_dict(), state);
        }
        set_gradients(xs, t);
        if (t < 3) xs[1].zero_grad();  // not all have made the same number of steps
        if (t < 7) xs[4].zero_grad();  // and some none when it is saved
        optimizer->step();
      }
      return xs;
    };
    same(run(false), run(true));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(states)

BOOST_AUTO_TEST_CASE(go_on_to_the_same_bits) {
  resumes<SGD, SGDOptions>({.lr = 0.1}, {.lr = 0.02, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  resumes<Adagrad, AdagradOptions>({.initial_accumulator_value = 0.1}, {.lr = 0.1, .lr_decay = 0.1});
  resumes<Adadelta, AdadeltaOptions>({}, {.lr = 0.1, .rho = 0.8});
  resumes<RMSProp, RMSPropOptions>({.momentum = 0.5}, {.lr = 0.1, .centered = true});
  resumes<Rprop, RpropOptions>({.lr = 0.1}, {.eta_minus = 0.3, .eta_plus = 1.5, .max_step_size = 0.2});
  resumes<Adam, AdamOptions>({.lr = 0.1}, {.beta1 = 0.8, .amsgrad = true});
  resumes<AMSGrad, AMSGradOptions>({.lr = 0.1}, {.beta1 = 0.8});
  resumes<AdamW, AdamWOptions>({.lr = 0.1}, {.weight_decay = 0.3});
  resumes<Adamax, AdamaxOptions>({.lr = 0.1}, {.beta1 = 0.8});
  resumes<NAdam, NAdamOptions>({.lr = 0.1}, {.momentum_decay = 0.1});
  resumes<RAdam, RAdamOptions>({.lr = 0.1, .beta2 = 0.9}, {.decoupled_weight_decay = true});
  resumes<Lion, LionOptions>({.lr = 0.1}, {.weight_decay = 0.3});
  resumes<LAMB, LAMBOptions>({.lr = 0.1}, {.weight_decay = 0.3});
}

BOOST_AUTO_TEST_CASE(of_options_that_were_set_after_the_last_step) {
  auto run = [](bool interrupted) {
    auto xs = parameters(float64);
    auto sgd = std::make_unique<SGD>(xs, SGDOptions{.lr = 0.1});
    for (int t = 1; t <= 4; ++t) {
      set_gradients(xs, t);
      sgd->step();
      if (t == 1) sgd->set_option("momentum", 0, 0.9);
      if (t == 2) sgd->set_option("momentum", 0, 0);
      if (t == 3) sgd->set_option("momentum", 0, 0.5);
      if (!interrupted) continue;
      StateDict state = sgd->state_dict();
      sgd = std::make_unique<SGD>(xs);
      sgd->load_state_dict(state);
    }
    return xs;
  };
  same(run(false), run(true));
}

BOOST_AUTO_TEST_CASE(are_copies) {
  Variable x = parameter(ones({2}));
  SGD sgd({x}, {.momentum = 0.9});
  x.set_grad(ones({2}));
  sgd.step();
  StateDict saved = sgd.state_dict();
  sgd.step();
  close(saved.at("momentum.0"), ones({2}));
  sgd.load_state_dict(saved);
  sgd.step();
  close(saved.at("momentum.0"), ones({2}));
}

BOOST_AUTO_TEST_CASE(that_do_not_fit_change_nothing) {
  Variable x = parameter(ones({2})), y = parameter(ones({3}));
  Adam adam({x}), other({y});
  for (const Variable& p : {x, y}) p.set_grad(ones(p.shape()));
  adam.step();
  other.step();
  StateDict before = adam.state_dict(), state = other.state_dict();
  throws<ValueError>([&] { adam.load_state_dict(state); },
                     {"Adam: load_state_dict", "moment1.0: got float32(3,), needs float32(2,)",
                      "moment2.0: got float32(3,), needs float32(2,)"});
  state = before;
  state.erase("lr");
  state.erase("moment2.0");
  state.emplace("extra", x);
  state["beta1"] = Variable({1.0}, float64);
  state["step"] = Variable{-3}.to(int64);
  throws<ValueError>([&] { adam.load_state_dict(state); },
                     {"missing: lr, float64(1,)", "unexpected: extra", "group 0: beta1 is 1",
                      "step: got -3 for parameter 0"});
  state = before;
  state.erase("moment2.0");
  throws<ValueError>([&] { adam.load_state_dict(state); }, {"missing: moment2.0, float32(2,)"});
  state = before;
  state["lr"] = Variable({NAN}, float64);
  throws<ValueError>([&] { adam.load_state_dict(state); }, {"group 0: lr is nan"});
  state["lr"] = Variable();
  throws<ValueError>([&] { adam.load_state_dict(state); }, {"lr: got an undefined Variable"});
  same(adam.state_dict(), before);
}

BOOST_AUTO_TEST_CASE(of_other_groups_do_not_fit) {
  Variable x = parameter(ones({2})), y = parameter(ones({2})), z = parameter(ones({2}));
  SGD one({x, y, z}), two({{{x}, {}}, {{y, z}, {}}}), other_two({{{x, y}, {}}, {{z}, {}}});
  throws<ValueError>([&] { one.load_state_dict(two.state_dict()); },
                     {"group_sizes: got int64(2,), needs int64(1,)", "lr: got float64(2,), needs float64(1,)"});
  throws<ValueError>([&] { two.load_state_dict(other_two.state_dict()); },
                     {"group 0: got 2 parameters, needs 1", "group 1: got 1 parameters, needs 2"});
}

BOOST_AUTO_TEST_CASE(of_other_methods_do_not_fit) {
  Variable x = parameter(ones({2}));
  throws<ValueError>([&] { Adam({x}).load_state_dict(NAdam({x}).state_dict()); },
                     {"Adam: load_state_dict", "missing: amsgrad", "unexpected: mu_product"});
}

BOOST_AUTO_TEST_SUITE_END()
