#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <autograd/autograd.hpp>
#include <optim/lbfgs_pairs.hpp>
#include <optim/line_search.hpp>
#include <optim/steps.hpp>

namespace xtape::optim::detail {

double first_length(const Variable& gradient) { return std::min(1.0, 1 / sum(abs(gradient)).item()); }

std::optional<Point> search(Objective& objective, const Point& at, const Variable& direction, double t) {
  // What the search returns is the last point that it tried, or the best: the others need not be kept.
  std::pair<double, Point> last, best{0, at};
  auto on_line = [&](double t) {
    Point point = objective.at(at.x + t * direction);
    LinePoint on_line{.t = t, .loss = point.value, .gradient = point.gradient, .slope = INFINITY};
    if (point.gradient.defined()) on_line.slope = dot(point.gradient, direction).item();
    last = {t, std::move(point)};
    if (last.second.value < best.second.value) best = last;
    return on_line;
  };
  LinePoint start{.t = 0, .loss = at.value, .gradient = at.gradient, .slope = dot(at.gradient, direction).item()};
  double finest = std::numeric_limits<double>::epsilon() * greatest(at.x);
  LinePoint found = strong_wolfe(on_line, start, t, greatest(direction), {.tolerance_change = finest});
  if (found.t == last.first && last.second.value < at.value) return last.second;
  if (best.first > 0) return best.second;
  return std::nullopt;
}

namespace {

// Pairs whose curvature is lost in rounding would spoil the matrix.
void remember(LBFGSPairs& pairs, const Variable& s, const Variable& y, std::int64_t limit) {
  double ys = dot(y, s).item(), epsilon = std::numeric_limits<double>::epsilon();
  if (ys > epsilon * dot(y, y).item() && std::isfinite(1 / ys))
    pairs.remember(s, y, ys, static_cast<std::size_t>(limit));
}

class LBFGSSteps : public Steps {
 public:
  LBFGSSteps(Objective& objective, std::int64_t history_size) : objective_(objective), history_size_(history_size) {}

  // Where the pairs lead nowhere, the gradient has another try.
  Outcome step(Point& at) override {
    std::optional<Point> next = along(at, pairs_.direction(at.gradient));
    if (!next && !pairs_.empty()) {
      pairs_ = {};
      next = along(at, -at.gradient);
    }
    if (!next) return Outcome::exhausted;
    remember(pairs_, next->x - at.x, next->gradient - at.gradient, history_size_);
    at = std::move(*next);
    return Outcome::moved;
  }

 private:
  std::optional<Point> along(const Point& at, const Variable& direction) {
    if (!(dot(at.gradient, direction).item() < 0)) return std::nullopt;
    return search(objective_, at, direction, pairs_.empty() ? first_length(at.gradient) : 1);
  }

  Objective& objective_;
  std::int64_t history_size_;
  LBFGSPairs pairs_;
};

// Bertsekas 1982. Variables near a bound to which minus the gradient leads are held: they go to the bound. The others
// are free, and go as the pairs say, cut at the bounds; the line search follows this bent line.
class ProjectedSteps : public Steps {
 public:
  ProjectedSteps(Objective& objective, std::int64_t history_size, Variable lower, Variable upper)
      : objective_(objective), history_size_(history_size), lower_(std::move(lower)), upper_(std::move(upper)) {}

  Outcome step(Point& at) override {
    hold(at);
    LBFGSPairs pairs = free_pairs();
    std::optional<Point> next = search(at, direction(at, pairs), pairs.empty());
    if (!next && !pairs.empty()) {
      pairs_ = pairs = {};
      next = search(at, direction(at, pairs), true);
    }
    if (!next) return Outcome::exhausted;
    remember(pairs_, next->x - at.x, next->gradient - at.gradient, history_size_);
    at = std::move(*next);
    return Outcome::moved;
  }

 private:
  Variable inside(const Variable& x) const { return clip(x, lower_, upper_); }

  // Which variables are held, and where they go. "Near" has to vanish at the solution (the paper's equation 32).
  void hold(const Point& at) {
    double near = std::min(1e-3, greatest(inside(at.x - at.gradient) - at.x));
    Variable low = logical_and(at.x <= lower_ + near, at.gradient > 0.0);
    Variable high = logical_and(at.x >= upper_ - near, at.gradient < 0.0);
    free_ = where(logical_or(low, high), zeros_like(at.x), ones_like(at.x));
    target_ = where(low, lower_, where(high, upper_, at.x));
  }

  // The pairs on the free variables alone, but for those without curvature there.
  LBFGSPairs free_pairs() const {
    LBFGSPairs pairs;
    for (std::size_t i = 0; i < pairs_.rho.size(); ++i)
      remember(pairs, pairs_.s[i] * free_, pairs_.y[i] * free_, history_size_);
    return pairs;
  }

  Variable direction(const Point& at, const LBFGSPairs& pairs) const {
    Variable gradient = at.gradient * free_;
    Variable direction = pairs.direction(gradient);
    if (pairs.empty() && greatest(gradient) > 0) direction *= first_length(gradient);
    return direction * free_ + (target_ - at.x);
  }

  // Armijo's rule along the bent line (the paper's equation 23), where the next try is the minimum of a parabola. With
  // nothing known of the function, the first step may be much too short: it grows as long as that pays.
  std::optional<Point> search(const Point& at, const Variable& direction, bool may_grow) {
    double slope = dot(at.gradient * free_, direction).item(), t = 1;
    if (!(slope <= 0)) return std::nullopt;
    auto on_line = [&](double t) { return objective_.at(inside(at.x + t * direction)); };
    for (int tries = 0; tries < 60; ++tries) {
      Point point = on_line(t);
      if (greatest(point.x - at.x) == 0) return std::nullopt;
      double promised = t * slope + dot(at.gradient * (1 - free_), point.x - at.x).item();
      if (point.value < at.value && point.value <= at.value + 1e-4 * promised)
        return may_grow && tries == 0 ? grown(std::move(point), on_line) : point;
      double least = -promised * t / (2 * (point.value - at.value - promised));
      t = std::isfinite(least) ? std::clamp(least, 0.1 * t, 0.5 * t) : 0.1 * t;
    }
    return std::nullopt;
  }

  template <class Line>
  static Point grown(Point point, const Line& on_line) {
    for (double t = 4; t < 1e9; t *= 4) {
      Point next = on_line(t);
      if (!(next.value < point.value)) break;
      point = std::move(next);
    }
    return point;
  }

  Objective& objective_;
  std::int64_t history_size_;
  Variable lower_, upper_, free_, target_;
  LBFGSPairs pairs_;
};

}  // namespace

std::unique_ptr<Steps> lbfgs_steps(Objective& objective, const MinimizeOptions& options) {
  return std::make_unique<LBFGSSteps>(objective, options.history_size);
}
std::unique_ptr<Steps> projected_lbfgs_steps(Objective& objective, const MinimizeOptions& options,
                                             const Variable& lower, const Variable& upper) {
  return std::make_unique<ProjectedSteps>(objective, options.history_size, lower, upper);
}

}  // namespace xtape::optim::detail
