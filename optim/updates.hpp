// What a step of each optimizer does to the elements of a parameter p, from its gradient g: functions of registers for
// kernels::update. The names are those of the options, see the headers of the optimizers.
#pragma once

#include <cstddef>

#include <autograd/kernels/simd.hpp>

namespace xtape::optim {

struct SGDUpdate {
  static constexpr std::size_t writes = 1, reads = 1;
  double lr, weight_decay;

  void operator()(auto& p, auto g) const { p -= lr * (g + weight_decay * p); }
};

/// The step goes along the gradient `direct` times, and along the momentum b `ahead` times.
struct MomentumUpdate {
  static constexpr std::size_t writes = 2, reads = 1;
  double lr, weight_decay, kept, taken, direct, ahead;

  void operator()(auto& p, auto& b, auto g) const {
    g += weight_decay * p;
    b = kept * b + taken * g;
    p -= lr * (direct * g + ahead * b);
  }
};

/// The moments of Adam and of those that follow it.
struct MovingMoments {
  double beta1, beta2;

  void operator()(auto& m, auto& v, const auto& g) const {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
  }
};

/// `gradient` times the parameter is added to its gradient, and of the parameter `kept` times are left.
struct Decay {
  double gradient = 0, kept = 1;
};
template <class Options>
Decay decay_of(const Options& options) {
  if (options.decoupled_weight_decay) return {.kept = 1 - options.lr * options.weight_decay};
  return {.gradient = options.weight_decay};
}

/// rate = lr / (1 - beta1^t), scale = 1 / sqrt(1 - beta2^t)
struct AdamUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  MovingMoments moments;
  Decay decay;
  double rate, scale, epsilon;

  void operator()(auto& p, auto& m, auto& v, auto g) const {
    g += decay.gradient * p;
    moments(m, v, g);
    p = step(p, m, v);
  }
  auto step(const auto& p, const auto& m, const auto& v) const {
    return decay.kept * p - rate * m / (sqrt(v) * scale + epsilon);
  }
};

/// With the greatest second moment so far.
struct AMSGradUpdate {
  static constexpr std::size_t writes = 4, reads = 1;
  AdamUpdate adam;

  void operator()(auto& p, auto& m, auto& v, auto& most, auto g) const {
    g += adam.decay.gradient * p;
    adam.moments(m, v, g);
    most = maximum(most, v);
    p = adam.step(p, m, most);
  }
};

/// rate = lr / (1 - beta1^t)
struct AdamaxUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  double beta1, beta2, epsilon, weight_decay, rate;

  void operator()(auto& p, auto& m, auto& u, auto g) const {
    g += weight_decay * p;
    m = beta1 * m + (1 - beta1) * g;
    u = maximum(beta2 * u, abs(g) + epsilon);
    p -= rate * m / u;
  }
};

struct NAdamUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  MovingMoments moments;
  Decay decay;
  double of_gradient, of_moment, scale, epsilon;

  void operator()(auto& p, auto& m, auto& v, auto g) const {
    g += decay.gradient * p;
    moments(m, v, g);
    p = decay.kept * p - (of_gradient * g + of_moment * m) / (sqrt(v) * scale + epsilon);
  }
};

/// While the variance of the second moment has no bound: along the first one.
struct UnrectifiedUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  MovingMoments moments;
  Decay decay;
  double rate;

  void operator()(auto& p, auto& m, auto& v, auto g) const {
    g += decay.gradient * p;
    moments(m, v, g);
    p = decay.kept * p - rate * m;
  }
};

/// The direction of a step, and the step along it, which takes the moments with it.
struct LAMBDirection {
  static constexpr std::size_t writes = 1, reads = 4;
  MovingMoments moments;
  double unbias, scale, epsilon, weight_decay;

  void operator()(auto& direction, auto m, auto v, const auto& p, const auto& g) const {
    moments(m, v, g);
    direction = unbias * m / (sqrt(v) * scale + epsilon) + weight_decay * p;
  }
};
struct LAMBUpdate {
  static constexpr std::size_t writes = 3, reads = 2;
  MovingMoments moments;
  double lr;

  void operator()(auto& p, auto& m, auto& v, const auto& direction, const auto& g) const {
    moments(m, v, g);
    p -= lr * direction;
  }
};

struct LionUpdate {
  static constexpr std::size_t writes = 2, reads = 1;
  double lr, beta1, beta2, weight_decay;

  void operator()(auto& p, auto& m, const auto& g) const {
    auto blend = beta1 * m + (1 - beta1) * g;
    auto sign = where(blend > 0, 1, where(blend < 0, -1, 0));
    p -= lr * (sign + weight_decay * p);
    m = beta2 * m + (1 - beta2) * g;
  }
};

struct AdagradUpdate {
  static constexpr std::size_t writes = 2, reads = 1;
  double rate, weight_decay, epsilon;

  void operator()(auto& p, auto& s, auto g) const {
    g += weight_decay * p;
    s += g * g;
    p -= rate * g / (sqrt(s) + epsilon);
  }
};

struct AdadeltaUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  double lr, rho, epsilon, weight_decay;

  void operator()(auto& p, auto& s, auto& a, auto g) const {
    g += weight_decay * p;
    s = rho * s + (1 - rho) * g * g;
    auto d = sqrt(a + epsilon) / sqrt(s + epsilon) * g;
    a = rho * a + (1 - rho) * d * d;
    p -= lr * d;
  }
};

struct RMSPropUpdate {
  static constexpr std::size_t writes = 2, reads = 1;
  double lr, alpha, epsilon, weight_decay;

  void operator()(auto& p, auto& s, auto g) const { p -= lr * direction(p, s, g); }
  /// The gradient over the root of the mean square.
  auto direction(const auto& p, auto& s, auto g) const {
    g += weight_decay * p;
    s = alpha * s + (1 - alpha) * g * g;
    return g / (sqrt(s) + epsilon);
  }
  /// The gradient over the standard deviation; rounding can make the variance of equal gradients a little negative.
  auto direction(const auto& p, auto& s, auto& a, auto g) const {
    g += weight_decay * p;
    s = alpha * s + (1 - alpha) * g * g;
    a = alpha * a + (1 - alpha) * g;
    return g / (sqrt(maximum(s - a * a, 0)) + epsilon);
  }
};

struct CenteredRMSPropUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  RMSPropUpdate rmsprop;

  void operator()(auto& p, auto& s, auto& a, auto g) const { p -= rmsprop.lr * rmsprop.direction(p, s, a, g); }
};

struct RMSPropMomentumUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  RMSPropUpdate rmsprop;
  double momentum;

  void operator()(auto& p, auto& s, auto& b, auto g) const {
    b = momentum * b + rmsprop.direction(p, s, g);
    p -= rmsprop.lr * b;
  }
};

struct CenteredRMSPropMomentumUpdate {
  static constexpr std::size_t writes = 4, reads = 1;
  RMSPropUpdate rmsprop;
  double momentum;

  void operator()(auto& p, auto& s, auto& a, auto& b, auto g) const {
    b = momentum * b + rmsprop.direction(p, s, a, g);
    p -= rmsprop.lr * b;
  }
};

struct RpropUpdate {
  static constexpr std::size_t writes = 3, reads = 1;
  double eta_minus, eta_plus, min_step_size, max_step_size;

  void operator()(auto& p, auto& previous, auto& s, auto g) const {
    auto sign = [](const auto& x) { return where(x > 0, 1, where(x < 0, -1, 0)); };
    auto agreement = sign(g) * sign(previous);  // their product could underflow
    auto factor = where(agreement > 0, eta_plus, where(agreement < 0, eta_minus, 1));
    s = minimum(maximum(s * factor, min_step_size), max_step_size);
    g = where(agreement < 0, 0, g);
    p -= s * sign(g);
    previous = g;
  }
};

struct AverageUpdate {
  static constexpr std::size_t writes = 1, reads = 1;
  double decay;

  void operator()(auto& average, const auto& p) const { average = decay * average + (1 - decay) * p; }
};

struct Swap {
  static constexpr std::size_t writes = 2, reads = 0;

  template <class V>
  void operator()(V& a, V& b) const {
    V before = a;
    a = b;
    b = before;
  }
};

}  // namespace xtape::optim
