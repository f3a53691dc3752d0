#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <autograd/autograd.hpp>
#include <optim/steps.hpp>

namespace xtape::optim::detail {
namespace {

// A step p, and what the quadratic model says of it: its residual g + B p, and whether p is at the region's edge.
struct ModelStep {
  Variable p, residual;
  bool at_edge = false;

  // How much smaller the model is there.
  double promise(const Variable& g) const { return -0.5 * dot(g + residual, p).item(); }
};

// A power of 2 near x, as a unit in which squares neither overflow nor underflow.
double unit_for(double x) { return std::ldexp(1, std::ilogb(std::max(x, std::numeric_limits<double>::min()))); }

// The positive tau at which |p + tau d| is the radius.
double to_edge(Variable p, Variable d, double radius) {
  double length = unit_for(radius), step = unit_for(greatest(d));
  p = p / length, d = d / step, radius /= length;
  double dd = dot(d, d).item(), pd = dot(p, d).item(), pp = dot(p, p).item();
  double root = std::sqrt(pd * pd + dd * (radius * radius - pp));
  return length / step * (pd > 0 ? (radius * radius - pp) / (pd + root) : (root - pd) / dd);
}

// Conjugate gradients for B p = -g, up to a residual that makes the whole method converge superlinearly (Nocedal and
// Wright, equation 7.3), or to the edge of the region, or to a direction without positive curvature. Within a region,
// that one is followed to the edge (Algorithm 7.2); where `radius` is infinite, it ends the step, or is all of it if it
// comes first (Algorithm 7.1).
ModelStep conjugate_gradients(Objective& objective, const Point& at, double radius) {
  bool has_edge = !std::isinf(radius);
  double unit = unit_for(greatest(at.gradient));
  if (has_edge) radius = std::min(radius / unit, 0.5 * std::numeric_limits<double>::max());
  const Variable g = at.gradient / unit;
  auto result = [unit](const ModelStep& step) {
    return ModelStep{.p = unit * step.p, .residual = unit * step.residual, .at_edge = step.at_edge};
  };
  // What is left beneath rounding is noise, and no direction to go.
  double rr = dot(g, g).item(), least = objective.epsilon();
  double tolerance = std::clamp(std::sqrt(unit * std::sqrt(rr)), least, 0.5) * std::sqrt(rr);
  ModelStep step{.p = zeros_like(g), .residual = g};
  Variable d = -g;
  // Rounding may keep the residual up for more steps than there are dimensions, but not for long.
  for (std::size_t j = 0; j < 20 * g.size() && std::sqrt(rr) > tolerance; ++j) {
    Variable bd = objective.hessian_times(at, d);
    double curvature = dot(d, bd).item(), alpha = rr / curvature;
    bool flat = !(curvature > 0) || !std::isfinite(alpha);
    if (flat && !has_edge) return result(j == 0 ? ModelStep{.p = d, .residual = g + bd} : step);
    if (flat || norm(step.p + alpha * d).item() >= radius) {
      alpha = to_edge(step.p, d, radius);
      step.at_edge = true;
    }
    step.p += alpha * d;
    step.residual = step.residual + alpha * bd;
    if (step.at_edge) return result(step);
    double before = std::exchange(rr, dot(step.residual, step.residual).item());
    d = (rr / before) * d - step.residual;
  }
  return result(step);
}

class NewtonCGSteps : public Steps {
 public:
  explicit NewtonCGSteps(Objective& objective) : objective_(objective) {}

  Outcome step(Point& at) override {
    Variable p = conjugate_gradients(objective_, at, INFINITY).p;
    std::optional<Point> next;
    if (dot(p, at.gradient).item() < 0) next = search(objective_, at, p, 1);
    if (!next) next = search(objective_, at, -at.gradient, first_length(at.gradient));
    if (!next) return Outcome::exhausted;
    at = std::move(*next);
    return Outcome::moved;
  }

 private:
  Objective& objective_;
};

class TrustRegionSteps : public Steps {
 public:
  TrustRegionSteps(Objective& objective, const MinimizeOptions& options)
      : objective_(objective), radius_(options.trust_radius), max_radius_(options.max_trust_radius) {}

  // Algorithm 4.1, with eta = 0.15. Near the minimum, both differences are but rounding: a little more on either side
  // lets their ratio tend to 1 there (Conn, Gould and Toint, Trust-region methods, 2000, section 17.4.2).
  Outcome step(Point& at) override {
    ModelStep model = conjugate_gradients(objective_, at, radius_);
    Point next = objective_.at(at.x + model.p);
    if (greatest(next.x - at.x) == 0) return Outcome::exhausted;
    double rounding = 10 * objective_.epsilon() * std::abs(at.value);
    double fell = at.value - next.value + rounding, promised = model.promise(at.gradient) + rounding;
    double ratio = fell / promised;
    // Two that are negative have a positive ratio, too; and what rises by rounding has to be less steep at least.
    bool is_worse = fell < 0 || promised < 0 ||
                    (next.value > at.value && !(greatest(next.gradient) < greatest(at.gradient)));
    if (is_worse || !(ratio >= 0.25)) radius_ = 0.25 * norm(model.p).item();
    else if (ratio > 0.75 && model.at_edge) radius_ = std::min(2 * radius_, max_radius_);
    if (is_worse || !(ratio > 0.15)) return Outcome::rejected;
    at = std::move(next);
    return Outcome::moved;
  }

 private:
  Objective& objective_;
  double radius_, max_radius_;
};

}  // namespace

std::unique_ptr<Steps> newton_cg_steps(Objective& objective) { return std::make_unique<NewtonCGSteps>(objective); }
std::unique_ptr<Steps> trust_region_steps(Objective& objective, const MinimizeOptions& options) {
  return std::make_unique<TrustRegionSteps>(objective, options);
}

}  // namespace xtape::optim::detail
