// Half the sum of squares of sign(t_i) - sum over j of x_j t_i^j, for n points t_i from -1 to 1.
#include <string>

#include <autograd/autograd.hpp>

#include "evaluation.hpp"

namespace gradbench {

using namespace xtape;

Evaluation llsq(bool small) {
  const std::size_t n = small ? 20 : 4096, m = small ? 5 : 128;
  const Vector x = uniform(m, -1, 1);
  auto plain = [n]<class T>(const std::vector<T>& at) {
    T total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double t = -1 + 2 * static_cast<double>(i) / static_cast<double>(n - 1);
      T rest = t > 0 ? 1.0 : t < 0 ? -1.0 : 0.0;
      double power = 1;
      for (const T& a : at) rest -= a * power, power *= t;
      total += rest * rest;
    }
    return T(total / 2);
  };
  // By Variables: the polynomials are the product of Vandermonde's matrix and x.
  auto loss = [n, m](const Variable& at) {
    const Variable t = linspace(-1, 1, n, float64);
    return sum(square(sign(t) - mv(vander(t, m, true), at))) / 2;
  };
  return {"llsq", std::to_string(n) + " points, " + std::to_string(m), [=] { return Vector{plain(x)}; },
          [=] {
            const Variable g = grad(loss, {Variable(x)})[0];
            return Vector(g.data<double>(), g.data<double>() + m);
          },
          adolc_gradient(plain, x), [=] { return by_differences(plain, x); }};
}

}  // namespace gradbench
