#include <optim/line_search.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace xtape::optim {
namespace {

// Where the cubic through two points with their slopes is least, within the bounds; their middle if it is nowhere.
double cubic_minimum(const LinePoint& a, const LinePoint& b, double low, double high) {
  const auto& [left, right] = a.t <= b.t ? std::pair(a, b) : std::pair(b, a);
  double d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t);
  double square = d1 * d1 - left.slope * right.slope;
  if (!(square >= 0)) return (low + high) / 2;
  double d2 = std::sqrt(square);
  double t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  if (std::isnan(t)) return (low + high) / 2;  // a loss is infinite
  return std::min(std::max(t, low), high);
}

// A point that is out of the loss's domain, such as beyond a barrier, is no point to go to: it counts as infinitely
// high, and the search comes back from it.
double height(const LinePoint& point) {
  return std::isfinite(point.loss) && std::isfinite(point.slope) ? point.loss : INFINITY;
}

// Two points around the minimum, and which of them has the lesser loss.
struct Bracket {
  std::array<LinePoint, 2> ends;
  std::size_t lesser = 0;

  Bracket(LinePoint a, LinePoint b) : ends{std::move(a), std::move(b)} { compare(); }
  void compare() { lesser = height(ends[0]) <= height(ends[1]) ? 0 : 1; }
  LinePoint& low() { return ends[lesser]; }
  LinePoint& high() { return ends[1 - lesser]; }
  double left() const { return std::min(ends[0].t, ends[1].t); }
  double right() const { return std::max(ends[0].t, ends[1].t); }
  double width() const { return right() - left(); }
};

class Search {
 public:
  Search(const std::function<LinePoint(double)>& evaluate, const LinePoint& start, double direction_size,
         const WolfeOptions& options)
      : evaluate_(evaluate), start_(start), direction_size_(direction_size), options_(options) {}

  LinePoint run(double t) {
    LinePoint point = evaluate_(t);
    std::optional<Bracket> bracket = enclose(point);
    return bracket ? narrow(*std::move(bracket)) : point;
  }

 private:
  bool falls_enough(const LinePoint& point) const {
    return !(height(point) > start_.loss + options_.c1 * point.t * start_.slope);
  }
  bool is_flat_enough(const LinePoint& point) const { return std::abs(point.slope) <= -options_.c2 * start_.slope; }

  // Goes ahead until the minimum lies behind (Algorithm 3.5). No bracket when `point` satisfies the conditions.
  std::optional<Bracket> enclose(LinePoint& point) {
    LinePoint before = start_;
    for (; steps_ < options_.max_steps; ++steps_) {
      if (!falls_enough(point) || (steps_ > 1 && point.loss >= before.loss)) return Bracket(before, point);
      if (is_flat_enough(point)) return std::nullopt;
      if (point.slope >= 0) return Bracket(before, point);
      double nearest = point.t + 0.01 * (point.t - before.t), farthest = point.t * 10;
      double t = cubic_minimum(before, point, nearest, farthest);
      before = std::exchange(point, evaluate_(t));
    }
    return Bracket(start_, point);
  }

  // Narrows the bracket around a point that satisfies the conditions (Algorithm 3.6).
  LinePoint narrow(Bracket bracket) {
    bool was_near_end = false;
    for (; steps_ < options_.max_steps; ++steps_) {
      if (bracket.width() * direction_size_ < options_.tolerance_change) break;
      LinePoint point = evaluate_(next_try(bracket, was_near_end));
      if (!falls_enough(point) || point.loss >= bracket.low().loss) {
        bracket.high() = std::move(point);
        bracket.compare();
        continue;
      }
      bool done = is_flat_enough(point);
      if (!done && point.slope * (bracket.high().t - bracket.low().t) >= 0) bracket.high() = bracket.low();
      bracket.low() = std::move(point);
      if (done) break;
    }
    return bracket.low();
  }

  // The cubic's minimum; twice in a row near an end of the bracket, or at the end, a point a tenth away from it.
  static double next_try(const Bracket& bracket, bool& was_near_end) {
    double left = bracket.left(), right = bracket.right(), margin = 0.1 * bracket.width();
    double t = cubic_minimum(bracket.ends[0], bracket.ends[1], left, right);
    bool near_end = std::min(right - t, t - left) < margin;
    if (near_end && (was_near_end || t >= right || t <= left)) {
      t = std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
      near_end = false;
    }
    was_near_end = near_end;
    return t;
  }

  const std::function<LinePoint(double)>& evaluate_;
  const LinePoint& start_;
  double direction_size_;
  WolfeOptions options_;
  int steps_ = 0;
};

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start, double t,
                       double direction_size, const WolfeOptions& options) {
  return Search(evaluate, start, direction_size, options).run(t);
}

}  // namespace xtape::optim
