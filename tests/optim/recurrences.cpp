// Optimizers against their published recurrences, written out for single numbers.
#include <cmath>

#include "recurrences.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

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

struct DuchiHazanSinger {
  double s = 0.2;
  void operator()(double& p, double g, int t) {
    g += 0.03 * p;
    s += g * g;
    p -= 0.1 / (1 + (t - 1) * 0.05) * g / (std::sqrt(s) + 1e-3);
  }
};

struct Zeiler {
  double s = 0, a = 0;
  void operator()(double& p, double g, int) {
    g += 0.03 * p;
    s = 0.8 * s + 0.2 * g * g;
    double d = std::sqrt(a + 1e-3) / std::sqrt(s + 1e-3) * g;
    a = 0.8 * a + 0.2 * d * d;
    p -= 0.5 * d;
  }
};

struct TielemanHinton {
  double s = 0;
  void operator()(double& p, double g, int) {
    g += 0.03 * p;
    s = 0.8 * s + 0.2 * g * g;
    p -= 0.01 * g / (std::sqrt(s) + 1e-3);
  }
};

struct RMSPropWithMomentum {
  double s = 0, b = 0;
  void operator()(double& p, double g, int) {
    s = 0.8 * s + 0.2 * g * g;
    b = 0.7 * b + g / (std::sqrt(s) + 1e-3);
    p -= 0.01 * b;
  }
};

template <bool with_momentum>
struct Graves {
  double s = 0, a = 0, b = 0;
  void operator()(double& p, double g, int) {
    s = 0.8 * s + 0.2 * g * g;
    a = 0.8 * a + 0.2 * g;
    b = (with_momentum ? 0.7 * b : 0) + g / (std::sqrt(s - a * a) + 1e-3);
    p -= 0.01 * b;
  }
};

// By signs that agree or not, which the gradients of these steps do both.
struct RiedmillerBraun {
  double before = 0, s = 0.3;
  void operator()(double& p, double g, int) {
    if (g * before > 0) s = std::min(s * 1.5, 0.6);
    if (g * before < 0) s = std::max(s * 0.4, 0.05), g = 0;
    if (g != 0) p -= g > 0 ? s : -s;
    before = g;
  }
};

struct Chen {
  double m = 0;
  void operator()(double& p, double g, int) {
    double blend = 0.8 * m + 0.2 * g;
    p -= 0.01 * ((blend > 0) - (blend < 0) + 0.03 * p);
    m = 0.9 * m + 0.1 * g;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrences)

BOOST_AUTO_TEST_CASE(sgd) {
  agrees_by_number<PlainSGD>(make<SGD>(SGDOptions{.lr = 0.01}));
  agrees_by_number<NesterovSGD>(make<SGD>(
      SGDOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.02, .nesterov = true}));
  agrees_by_number<DampenedSGD>(make<SGD>(SGDOptions{.lr = 0.01, .momentum = 0.8, .dampening = 0.5}));
}

BOOST_AUTO_TEST_CASE(adagrad) {
  agrees_by_number<DuchiHazanSinger>(make<Adagrad>(AdagradOptions{
      .lr = 0.1, .lr_decay = 0.05, .weight_decay = 0.03, .initial_accumulator_value = 0.2, .epsilon = 1e-3}));
}

BOOST_AUTO_TEST_CASE(adadelta) {
  agrees_by_number<Zeiler>(make<Adadelta>(
      AdadeltaOptions{.lr = 0.5, .rho = 0.8, .epsilon = 1e-3, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(rmsprop) {
  RMSPropOptions options{.lr = 0.01, .alpha = 0.8, .epsilon = 1e-3};
  options.weight_decay = 0.03;
  agrees_by_number<TielemanHinton>(make<RMSProp>(options));
  options.weight_decay = 0;
  options.momentum = 0.7;
  agrees_by_number<RMSPropWithMomentum>(make<RMSProp>(options));
  options.centered = true;
  agrees_by_number<Graves<true>>(make<RMSProp>(options));
  options.momentum = 0;
  agrees_by_number<Graves<false>>(make<RMSProp>(options));
}

BOOST_AUTO_TEST_CASE(rprop) {
  agrees_by_number<RiedmillerBraun>(make<Rprop>(
      RpropOptions{.lr = 0.3, .eta_minus = 0.4, .eta_plus = 1.5, .min_step_size = 0.05, .max_step_size = 0.6}));
}

// Where the product of two gradients underflows, they agree all the same; a gradient of 0 agrees with none.
BOOST_AUTO_TEST_CASE(rprop_looks_at_signs_alone) {
  Variable x = parameter(zeros({2}));
  Rprop rprop({x}, {.lr = 1});
  for (double g : {1e-30, 1e-30, 1e-30}) {
    x.set_grad(Variable{g, 0.0});
    rprop.step();
  }
  close(x, Variable{-1 - 1.2 - 1.44, 0.0});
}

BOOST_AUTO_TEST_CASE(lion) {
  agrees_by_number<Chen>(make<Lion>(LionOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(rmsprop_centered_survives_equal_gradients) {
  Variable x = parameter(ones({5}));
  RMSProp rmsprop({x}, {.centered = true});
  for (int t = 0; t < 5000; ++t) {
    x.set_grad(full({5}, 0.1));
    rmsprop.step();
  }
  for (std::size_t k = 0; k < 5; ++k) BOOST_TEST(std::isfinite(x.value().at(k)));
}

// The buffer begins with the whole gradient, also when the momentum comes after the first step, and after loading.
BOOST_AUTO_TEST_CASE(sgd_dampens_from_the_second_step_with_momentum_on) {
  for (bool interrupted : {false, true}) {
    Variable x = parameter(zeros({1}, float64));
    SGD sgd({x}, {.lr = 1, .dampening = 0.5}), other({x});
    x.set_grad(ones({1}, float64));
    sgd.step();
    sgd.set_option("momentum", 0, 0.9);
    if (interrupted) other.load_state_dict(sgd.state_dict());
    SGD& next = interrupted ? other : sgd;
    next.step();
    BOOST_TEST(x.item() == -2);
    next.step();
    BOOST_TEST(x.item() == -2 - (0.9 + 0.5), boost::test_tools::tolerance(1e-15));
  }
}

BOOST_AUTO_TEST_SUITE_END()
