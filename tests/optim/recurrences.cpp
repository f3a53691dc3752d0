// Optimizers against their published recurrences, written out for single numbers.
#include <cmath>
#include <functional>
#include <numeric>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

using Make = std::function<std::unique_ptr<Optimizer>(std::vector<Variable>)>;

template <class O, class Options>
Make make(const Options& options) {
  return [options](std::vector<Variable> xs) -> std::unique_ptr<Optimizer> {
    return std::make_unique<O>(std::move(xs), options);
  };
}

// Compares an optimizer with a rule for the numbers of one parameter, `rule(p, g, t)`, over some steps. The rule
// carries its state.
template <class Rule>
void agrees(const Make& make) {
  for (DType dtype : {float64, float32}) {
    auto xs = parameters(dtype);
    std::vector<std::vector<double>> numbers;
    std::vector<Rule> rules(xs.size());
    for (const Variable& x : xs) {
      numbers.emplace_back();
      for (std::size_t k = 0; k < x.size(); ++k) numbers.back().push_back(x.value().at(k));
    }
    auto optimizer = make(xs);
    double tolerance = dtype == float64 ? 1e-12 : 5e-5;
    for (int t = 1; t <= 8; ++t) {
      set_gradients(xs, t);
      optimizer->step();
      for (std::size_t i = 0; i < xs.size(); ++i) {
        std::vector<double> gradients;
        for (double p : numbers[i]) gradients.push_back(p * p * p + 0.1 * t);
        rules[i](numbers[i], gradients, t);
        for (std::size_t k = 0; k < xs[i].size(); ++k) {
          double p = numbers[i][k];
          BOOST_TEST(std::abs(p - xs[i].value().at(k)) <= tolerance * std::max(1.0, std::abs(p)));
        }
      }
    }
  }
}

// A rule that treats each number alone: `Number` has the state of one.
template <class Number>
struct EachNumber {
  std::vector<Number> states;
  void operator()(std::vector<double>& ps, const std::vector<double>& gs, int t) {
    states.resize(ps.size());
    for (std::size_t k = 0; k < ps.size(); ++k) states[k](ps[k], gs[k], t);
  }
};

template <class Number>
void agrees_by_number(const Make& make) {
  agrees<EachNumber<Number>>(make);
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

struct ReddiKaleKumar {
  double m = 0, v = 0, most = 0;
  void operator()(double& p, double g, int t) {
    m = 0.8 * m + 0.2 * g;
    v = 0.5 * v + 0.5 * g * g;
    most = std::max(most, v);
    p -= 0.01 * m / (1 - std::pow(0.8, t)) / (std::sqrt(most / (1 - std::pow(0.5, t))) + 1e-3);
  }
};

struct LoshchilovHutter {
  double m = 0, v = 0;
  void operator()(double& p, double g, int t) {
    p -= 0.01 * 0.3 * p;
    m = 0.8 * m + 0.2 * g;
    v = 0.95 * v + 0.05 * g * g;
    p -= 0.01 * m / (1 - std::pow(0.8, t)) / (std::sqrt(v / (1 - std::pow(0.95, t))) + 1e-3);
  }
};

struct KingmaBaInfinity {
  double m = 0, u = 0;
  void operator()(double& p, double g, int t) {
    g += 0.03 * p;
    m = 0.8 * m + 0.2 * g;
    u = std::max(0.7 * u, std::abs(g) + 1e-3);
    p -= 0.01 / (1 - std::pow(0.8, t)) * m / u;
  }
};

template <bool decoupled>
struct Dozat {
  double m = 0, v = 0, product = 1;
  void operator()(double& p, double g, int t) {
    auto mu = [](int t) { return 0.8 * (1 - 0.5 * std::pow(0.96, t * 0.1)); };
    if (decoupled) p *= 1 - 0.01 * 0.03;
    else g += 0.03 * p;
    product *= mu(t);
    m = 0.8 * m + 0.2 * g;
    v = 0.95 * v + 0.05 * g * g;
    double looked_ahead = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product);
    p -= 0.01 * looked_ahead / (std::sqrt(v / (1 - std::pow(0.95, t))) + 1e-3);
  }
};

template <bool decoupled>
struct Liu {
  double m = 0, v = 0;
  void operator()(double& p, double g, int t) {
    if (decoupled) p *= 1 - 0.01 * 0.03;
    else g += 0.03 * p;
    m = 0.8 * m + 0.2 * g;
    v = 0.9 * v + 0.1 * g * g;
    double unbiased = m / (1 - std::pow(0.8, t)), power = std::pow(0.9, t);
    double longest = 2 / (1 - 0.9) - 1, length = longest - 2 * t * power / (1 - power);
    if (length > 5) {
      double rectifier = std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
      p -= 0.01 * unbiased * rectifier * std::sqrt(1 - power) / (std::sqrt(v) + 1e-3);
    } else {
      p -= 0.01 * unbiased;
    }
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

struct You {
  std::vector<double> m, v;
  void operator()(std::vector<double>& ps, const std::vector<double>& gs, int t) {
    m.resize(ps.size());
    v.resize(ps.size());
    std::vector<double> r;
    for (std::size_t k = 0; k < ps.size(); ++k) {
      m[k] = 0.8 * m[k] + 0.2 * gs[k];
      v[k] = 0.95 * v[k] + 0.05 * gs[k] * gs[k];
      r.push_back(m[k] / (1 - std::pow(0.8, t)) / (std::sqrt(v[k] / (1 - std::pow(0.95, t))) + 1e-3) + 0.03 * ps[k]);
    }
    auto norm = [](const std::vector<double>& x) {
      return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
    };
    double ratio = norm(ps) > 0 && norm(r) > 0 ? norm(ps) / norm(r) : 1;
    for (std::size_t k = 0; k < ps.size(); ++k) ps[k] -= 0.01 * ratio * r[k];
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

BOOST_AUTO_TEST_CASE(adam) {
  agrees_by_number<KingmaBa>(make<Adam>(
      AdamOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(amsgrad) {
  agrees_by_number<ReddiKaleKumar>(make<AMSGrad>(
      AMSGradOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.5, .epsilon = 1e-3}));
  agrees_by_number<ReddiKaleKumar>(make<Adam>(
      AdamOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.5, .epsilon = 1e-3, .amsgrad = true}));
}

BOOST_AUTO_TEST_CASE(adamw) {
  agrees_by_number<LoshchilovHutter>(make<AdamW>(
      AdamWOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.3}));
}

BOOST_AUTO_TEST_CASE(adamax) {
  agrees_by_number<KingmaBaInfinity>(make<Adamax>(
      AdamaxOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.7, .epsilon = 1e-3, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(nadam) {
  NAdamOptions options{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.03,
                       .momentum_decay = 0.1};
  agrees_by_number<Dozat<false>>(make<NAdam>(options));
  options.decoupled_weight_decay = true;
  agrees_by_number<Dozat<true>>(make<NAdam>(options));
}

// With this beta2, the eight steps lie on both sides of the bound.
BOOST_AUTO_TEST_CASE(radam) {
  RAdamOptions options{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.03};
  agrees_by_number<Liu<false>>(make<RAdam>(options));
  options.decoupled_weight_decay = true;
  agrees_by_number<Liu<true>>(make<RAdam>(options));
}

BOOST_AUTO_TEST_CASE(lion) {
  agrees_by_number<Chen>(make<Lion>(LionOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(lamb) {
  agrees<You>(make<LAMB>(LAMBOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.03}));
}

BOOST_AUTO_TEST_CASE(adam_begins_with_steps_of_the_learning_rate) {
  Variable x = parameter(zeros({3}));
  Adam adam({x}, {.lr = 0.5});
  x.set_grad(Variable{1e-3, -7, 1e4});
  adam.step();
  close(x, Variable{-0.5, 0.5, -0.5}, 1e-5);
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
