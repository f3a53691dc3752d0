// The w for which a particle, repelled by charges at (10, 0) and (10, 10 - w), comes through the origin: the least
// square of where it crosses the x-axis, by descent. The force is the gradient of the potential, so that gradients
// nest.
#include <cmath>

#include "descent.hpp"
#include "evaluation.hpp"

namespace gradbench {
namespace {

// The square of where the particle comes down, along a path by Euler's method.
struct Miss {
  template <class T>
  T operator()(const std::vector<T>& w) const {
    const double dt = 0.1;
    std::vector<T> x{0, 8}, v{0.75, 0};
    auto potential = [&](const auto& p) {
      using std::sqrt;
      auto inverse_distance = [&](const T& y) {
        auto a = p[0] - 10, b = p[1] - y;
        return 1 / sqrt(a * a + b * b);
      };
      return inverse_distance(10 - w[0]) + inverse_distance(0);
    };
    while (true) {
      const std::vector<T> slope = xtape::scalar::gradient(potential, x);
      x[0] += dt * v[0];
      x[1] += dt * v[1];
      if (x[1] <= 0) {
        const T end = x[0] - x[1] / v[1] * v[0];
        return end * end;
      }
      v[0] -= dt * slope[0];
      v[1] -= dt * slope[1];
    }
  }
};

}  // namespace

Evaluation particle(bool) {
  return {"particle", "w = 0", [] { return Vector{Miss()(Vector{0})}; }, [] { return argmin(Miss(), Vector{0}); }, {},
          [] { return Vector{0.2071918746486116}; }};  // as GradBench says
}

}  // namespace gradbench
