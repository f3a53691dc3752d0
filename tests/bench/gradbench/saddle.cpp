// min over p of max over q of |p|^2 - |q|^2, from (1, 1), by descent in descent: gradients nest.
#include "descent.hpp"
#include "evaluation.hpp"

namespace gradbench {
namespace {

const Vector start{1, 1};

// The function of q, for one p.
template <class P>
auto beside(const P& p) {
  return [&p](const auto& q) { return p[0] * p[0] + p[1] * p[1] - (q[0] * q[0] + q[1] * q[1]); };
}

template <class P>
auto best_answer(const P& p) {
  return argmax(beside(p), P(start.begin(), start.end()));
}

struct Greatest {
  template <class P>
  auto operator()(const P& p) const {
    return beside(p)(best_answer(p));
  }
};

}  // namespace

Evaluation saddle(bool) {
  auto solve = [] {
    const Vector p = argmin(Greatest(), start), q = best_answer(p);
    return Vector{p[0], p[1], q[0], q[1]};
  };
  return {"saddle", "from (1, 1)", [] { return Vector{Greatest()(start)}; }, solve, {},
          [] { return Vector(4, 8.246324826140356e-06); }};  // as GradBench says
}

}  // namespace gradbench
