// All pairs and triples of transforms, of functions that capture the variables of the outer ones, against derivatives of
// polynomials times exp(x y z) that are found by symbols.
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

using namespace xtape;

namespace {

using Powers = std::array<int, 3>;  // of x, y and z

// The sum of c x^i y^j z^k, times exp(x y z).
class Formula {
 public:
  explicit Formula(std::map<Powers, double> terms) : terms_(std::move(terms)) {}

  Formula times(int variable) const {
    std::map<Powers, double> result;
    for (const auto& [powers, factor] : terms_) {
      Powers higher = powers;
      ++higher[variable];
      result[higher] += factor;
    }
    return Formula(result);
  }

  // d/dx (p exp(x y z)) = (dp/dx + y z p) exp(x y z)
  Formula derivative(int variable, int order) const {
    if (order == 0) return *this;
    std::map<Powers, double> result;
    for (const auto& [powers, factor] : terms_) {
      Powers lower = powers, higher = powers;
      --lower[variable];
      for (int other = 0; other < 3; ++other) higher[other] += other != variable;
      if (powers[variable] > 0) result[lower] += factor * powers[variable];
      result[higher] += factor;
    }
    return Formula(result).derivative(variable, order - 1);
  }

  double at(const std::array<double, 3>& point) const {
    double sum = 0;
    for (const auto& [powers, factor] : terms_)
      sum += factor * std::pow(point[0], powers[0]) * std::pow(point[1], powers[1]) * std::pow(point[2], powers[2]);
    return sum * std::exp(point[0] * point[1] * point[2]);
  }

 private:
  std::map<Powers, double> terms_;
};

using Elementwise = std::function<Variable(const Variable&)>;

// A transform as an operator: the derivative, of its order, of a function that works element by element.
struct Operator {
  const char* name;
  int order;
  std::function<Variable(const Elementwise& f, const Variable& x)> derivative;
};

auto sum_of(const Elementwise& f) {
  return [&f](const Variable& x) { return sum(f(x)); };
}

// The same with the elements beside the sum.
auto sum_and_more(const Elementwise& f) {
  return [&f](const Variable& x) {
    Variable y = f(x);
    return with_aux(sum(y), std::tuple(y, 7));
  };
}

struct Point {
  Variable idle, at;
  int number = 3;
};

// In the derivatives of several results, the second one counts.
std::vector<Variable> with_a_square(const Elementwise& f, const Variable& x) { return {x * x, f(x)}; }

const std::vector<Operator> operators = {
    {"grad", 1, [](auto& f, auto& x) { return grad(sum_of(f), x); }},
    {"grad by a struct", 1, [](auto& f, auto& x) {
       return grad([&](const Point& p) { return sum(f(p.at)); }, Point{2 * x, x}).at;
     }},
    {"value_and_grad", 1, [](auto& f, auto& x) { return value_and_grad(sum_of(f), {x}).grads[0]; }},
    {"vjp", 1, [](auto& f, auto& x) { return vjp(f, x, ones_like(x)).grads; }},
    {"vjp of several", 1, [](auto& f, auto& x) {
       return vjp([&](auto& x) { return with_a_square(f, x); }, x, std::vector{zeros_like(x), ones_like(x)}).grads;
     }},
    {"jvp", 1, [](auto& f, auto& x) { return jvp(f, x, ones_like(x)).tangent; }},
    {"jvp of several", 1, [](auto& f, auto& x) {
       return jvp([&](auto& x) { return with_a_square(f, x); }, x, ones_like(x)).tangent[1];
     }},
    {"jacobian by columns", 1, [](auto& f, auto& x) {
       return sum(jacobian(f, x, {.mode = JacobianMode::forward}), 1);
     }},
    {"jacobian by rows", 1, [](auto& f, auto& x) { return sum(jacobian(f, x, {.mode = JacobianMode::reverse}), 1); }},
    {"linearize", 1, [](auto& f, auto& x) { return linearize(f, x)(ones_like(x)); }},
    {"linearize, transposed", 1, [](auto& f, auto& x) { return linearize(f, x).transpose(ones_like(x)); }},
    {"hessian", 2, [](auto& f, auto& x) { return sum(hessian(sum_of(f), x), 1); }},
    {"hvp", 2, [](auto& f, auto& x) { return hvp(sum_of(f), x, ones_like(x)).grads; }},
    {"vmap", 0, [](auto& f, auto& x) { return vmap(f, stack({2 * x, x}))[1]; }},
    {"vmap of grad", 1, [](auto& f, auto& x) {
       return vmap([&](auto& v) { return grad(sum_of(f), v); }, stack({2 * x, x}))[1];
     }},
    {"grad of vmap", 1, [](auto& f, auto& x) {
       return grad([&](auto& v) { return sum(vmap(f, stack({v, v}))) / 2; }, x);
     }},
    {"the value of vjp", 0, [](auto& f, auto& x) { return vjp(f, x, ones_like(x)).value; }},
    {"the value of linearize", 0, [](auto& f, auto& x) { return linearize(f, x).value; }},
    {"what value_and_grad has beside", 0, [](auto& f, auto& x) {
       return std::get<0>(value_and_grad(sum_and_more(f), x).aux);
     }},
    {"what hvp has beside", 0, [](auto& f, auto& x) { return std::get<0>(hvp(sum_and_more(f), x, x).aux); }},
};

// Those with a direction, in which they take the derivative.
struct Directional {
  const char* name;
  int order;
  std::function<Variable(const Elementwise& f, const Variable& x, const Variable& v)> derivative;
};

const std::vector<Directional> directionals = {
    {"vjp", 1, [](auto& f, auto& x, auto& v) { return vjp(f, x, v).grads; }},
    {"jvp", 1, [](auto& f, auto& x, auto& v) { return jvp(f, x, v).tangent; }},
    {"linearize", 1, [](auto& f, auto& x, auto& v) { return linearize(f, x)(v); }},
    {"linearize, transposed", 1, [](auto& f, auto& x, auto& v) { return linearize(f, x).transpose(v); }},
    {"hvp", 2, [](auto& f, auto& x, auto& v) { return hvp(sum_of(f), x, v).grads; }},
    {"jvp by a struct", 1, [](auto& f, auto& x, auto& v) {
       return jvp([&](const Point& p) { return f(p.at); }, Point{x, x}, {x, v}).tangent;
     }},
    {"vjp of several", 1, [](auto& f, auto& x, auto& v) {
       return vjp([&](auto& x) { return with_a_square(f, x); }, x, std::vector{zeros_like(v), v}).grads;
     }},
};

// n (n - 1) ... of `count` factors.
double falling(int n, int count) { return count == 0 ? 1 : n * falling(n - 1, count - 1); }

// The derivative of x^n.
Variable power(const Variable& x, int n, int order = 0) { return falling(n, order) * pow(x, n - order); }

void check(const Variable& found, const Variable& expected) {
  BOOST_TEST(!found.requires_grad());
  for (std::size_t i = 0; i < expected.size(); ++i)
    BOOST_TEST(std::abs(found.value().at(i) / expected.value().at(i) - 1) <= 1e-10);
}

constexpr double points[3][2] = {{0.5, -0.75}, {1.25, 0.5}, {-0.5, 0.75}};

Variable at(int variable) { return Variable({points[variable][0], points[variable][1]}, float64); }

void check(const Variable& found, const Formula& formula) {
  BOOST_TEST(!found.requires_grad());
  for (std::size_t i = 0; i < 2; ++i) {
    const double expected = formula.at({points[0][i], points[1][i], points[2][i]});
    BOOST_TEST(std::abs(found.value().at(i) - expected) <= 1e-10 * (1 + std::abs(expected)),
               "element " << i << ": " << found.value().at(i) << ", expected " << expected);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transforms_enumerated)

BOOST_AUTO_TEST_CASE(formulas) {
  // d/dx (x exp(x y z)) = (1 + x y z) exp(x y z)
  const Formula f = Formula({{{0, 0, 0}, 1}}).times(0).derivative(0, 1);
  BOOST_TEST(std::abs(f.at({2, 0.5, 0.25}) - 1.25 * std::exp(0.25)) < 1e-15);
}

// d/dx (x d/dy (x y exp(x y z))), where z is a constant.
BOOST_AUTO_TEST_CASE(pairs) {
  const Variable z = at(2);
  for (const Operator& outer : operators)
    for (const Operator& inner : operators)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          return x * inner.derivative([&](const Variable& y) { return x * y * exp(x * y * z); }, at(1));
        };
        const Formula expected = Formula({{{1, 1, 0}, 1}}).derivative(1, inner.order).times(0);
        check(outer.derivative(f, at(0)), expected.derivative(0, outer.order));
      }
}

// The same where what is captured was recorded by the inner function, and written to in place.
BOOST_AUTO_TEST_CASE(pairs_with_writes_in_place) {
  const Variable z = at(2);
  for (const Operator& outer : operators)
    for (const Operator& inner : operators)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          auto g = [&](const Variable& y) {
            Variable product = x * 1, argument = y;  // the argument is the function's own
            product *= argument;
            argument *= x * z;
            return product * exp(argument);
          };
          Variable result = inner.derivative(g, at(1));
          result *= x;
          return result;
        };
        const Formula expected = Formula({{{1, 1, 0}, 1}}).derivative(1, inner.order).times(0);
        check(outer.derivative(f, at(0)), expected.derivative(0, outer.order));
      }
}

// d/dx (x d/dy (y d/dz (x exp(x y z)))).
BOOST_AUTO_TEST_CASE(triples) {
  for (const Operator& first : operators)
    for (const Operator& second : operators)
      for (const Operator& third : operators)
        BOOST_TEST_CONTEXT(first.name << " of " << second.name << " of " << third.name) {
          auto f = [&](const Variable& x) {
            auto g = [&](const Variable& y) {
              return y * third.derivative([&](const Variable& z) { return x * exp(x * y * z); }, at(2));
            };
            return x * second.derivative(g, at(1));
          };
          const Formula inner = Formula({{{1, 0, 0}, 1}}).derivative(2, third.order).times(1);
          check(first.derivative(f, at(0)), inner.derivative(1, second.order).times(0).derivative(0, first.order));
        }
}

// The inner ones are taken at points that depend on the outer variables: d/dx (d/dy (x y d/dz z^5 at z = x y) at y = x).
BOOST_AUTO_TEST_CASE(at_outer_variables) {
  for (const Operator& first : operators)
    for (const Operator& second : operators)
      for (const Operator& third : operators)
        BOOST_TEST_CONTEXT(first.name << " of " << second.name << " of " << third.name) {
          auto f = [&](const Variable& x) {
            auto g = [&](const Variable& y) {
              return x * y * third.derivative([](const Variable& z) { return power(z, 5); }, x * y);
            };
            return second.derivative(g, x);
          };
          const int of_y = 6 - third.order, of_x = 2 * of_y - second.order;
          const double factor = falling(5, third.order) * falling(of_y, second.order);
          check(first.derivative(f, at(0)), factor * power(at(0), of_x, first.order));
        }
}

// The directions do so: d/dx (d/dy y^5 along x^2).
BOOST_AUTO_TEST_CASE(along_outer_variables) {
  for (const Operator& outer : operators)
    for (const Directional& inner : directionals)
      BOOST_TEST_CONTEXT(outer.name << " of " << inner.name) {
        auto f = [&](const Variable& x) {
          return inner.derivative([](const Variable& y) { return power(y, 5); }, at(1), x * x);
        };
        check(outer.derivative(f, at(0)), power(at(1), 5, inner.order) * power(at(0), 2, outer.order));
      }
}

BOOST_AUTO_TEST_SUITE_END()
