// Adam and what came of it, against the published recurrences, written out for single numbers.
#include <cmath>
#include <numeric>

#include "recurrences.hpp"

using namespace xtape;
using namespace xtape::testing;
using namespace xtape::optim;

namespace {

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

BOOST_AUTO_TEST_SUITE(recurrences_adam)

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

BOOST_AUTO_TEST_SUITE_END()
