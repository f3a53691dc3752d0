// What the tests of published recurrences share.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "support.hpp"

namespace xtape::testing {

/// Makes an optimizer of these parameters.
using Make = std::function<std::unique_ptr<optim::Optimizer>(std::vector<Variable>)>;

template <class O, class Options>
Make make(const Options& options) {
  return [options](std::vector<Variable> xs) -> std::unique_ptr<optim::Optimizer> {
    return std::make_unique<O>(std::move(xs), options);
  };
}

/// Compares an optimizer with a rule for the numbers of one parameter, `rule(p, g, t)`, over some steps. The rule
/// carries its state.
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

/// A rule that treats each number alone: `Number` has the state of one.
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

}  // namespace xtape::testing
