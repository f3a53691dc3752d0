// dy_0/dt = x_0, dy_i/dt = x_i y_(i-1), by s steps of the method of Runge and Kutta from t = 0 to 2; the gradient of
// y_(n-1).
#include <string>

#include "scalars.hpp"

namespace gradbench {
namespace {

struct Solution {
  std::size_t steps;

  template <class T>
  T operator()(const std::vector<T>& x) const {
    const std::size_t n = x.size();
    const double h = 2.0 / static_cast<double>(steps);
    std::vector<T> y(n), at(n), k1(n), k2(n), k3(n), k4(n);
    auto slope = [&](const std::vector<T>& from, std::vector<T>& k) {
      k[0] = x[0];
      for (std::size_t i = 1; i < n; ++i) k[i] = x[i] * from[i - 1];
    };
    auto go = [&](const std::vector<T>& k, double by) {
      for (std::size_t i = 0; i < n; ++i) at[i] = y[i] + by * k[i];
    };
    for (std::size_t step = 0; step < steps; ++step) {
      slope(y, k1), go(k1, h / 2);
      slope(at, k2), go(k2, h / 2);
      slope(at, k3), go(k3, h);
      slope(at, k4);
      for (std::size_t i = 0; i < n; ++i) y[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    }
    return y[n - 1];
  }
};

}  // namespace

Evaluation ode(bool small) {
  const std::size_t n = small ? 5 : 100'000, steps = small ? 3 : 1;
  return of_scalars("ode", std::to_string(n) + ", " + std::to_string(steps) + " steps", Solution{steps}, uniform(n, 0.5, 1));
}

}  // namespace gradbench
