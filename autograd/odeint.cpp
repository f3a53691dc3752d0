#include <autograd/odeint.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include <autograd/computed_again.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/scan.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;
using Field = std::function<Variable(double t, const Variable& y)>;
using Slopes = std::array<Variable, 7>;

std::string text(double x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// The coefficients, by the names of the book: table 5.2, and those of the interpolation, II.6.
constexpr std::array<double, 7> c{0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
constexpr std::array<std::array<double, 6>, 7> a{{
    {},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
}};
constexpr std::array<double, 7> e{71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920,
                                  -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
constexpr std::array<double, 7> d{-12715105075.0 / 11282082432, 0, 87487479700.0 / 32700410799,
                                  -10690763975.0 / 1880347072, 701980252875.0 / 199316789632,
                                  -1453857185.0 / 822651844, 69997945.0 / 29380423};

Variable combined(const auto& weights, const Slopes& k, std::size_t count) {
  Variable sum;
  for (std::size_t j = 0; j < count; ++j)
    if (weights[j] != 0) sum = sum.defined() ? sum + weights[j] * k[j] : weights[j] * k[j];
  return sum;
}

// One step: the slopes at its stages, the last of which is at its end and serves the next step.
struct Step {
  double t, h;
  Variable start, end;
  Slopes k;

  Step(const Field& f, double t, double h, const Variable& y, const Variable& slope) : t(t), h(h), start(y) {
    k[0] = slope;
    for (std::size_t i = 1; i < 7; ++i) k[i] = f(t + c[i] * h, end = y + h * combined(a[i], k, i));
  }

  // y at each t + theta h, stacked.
  Variable at(const std::vector<double>& thetas) const {
    Shape shape(start.rank() + 1, 1);
    shape[0] = thetas.size();
    Variable theta = reshape(Variable(thetas).to(start.dtype()), shape);
    Variable difference = end - start, bend = h * k[0] - difference;
    Variable last = difference - h * k[6] - bend, fourth = h * combined(d, k, 7);
    return start + theta * (difference + (1 - theta) * (bend + theta * (last + (1 - theta) * fourth)));
  }
};

// A step as it was accepted, for those who take it again, and the times in it: within, by their thetas, and at its end.
struct Taken {
  double t, h;
  std::vector<double> thetas;
  bool reaches_one;

  // y at these times, stacked; undefined where there are none.
  Variable samples(const Step& step) const {
    Variables parts;
    if (!thetas.empty()) parts.push_back(step.at(thetas));
    if (reaches_one) parts.push_back(stack({step.end}));
    return parts.empty() ? Variable() : parts.size() == 1 ? parts[0] : concatenate(parts);
  }
};

struct Problem {
  Field f;
  std::vector<double> times;
  OdeOptions options;
  std::size_t controlled;  // how many elements of y, the first ones, have a say in the step size
  const char* what = "y";  // which they are
  bool may_start = true;   // whether first_step is the caller's to choose

  double direction() const { return times.back() < times.front() ? -1 : 1; }
};

// Solves the problem, with as many operations recorded as the caller's mode has it.
class Solver {
 public:
  Solver(const Problem& problem, const Variable& y0) : problem_(problem), y_(y0), found_{stack({y0})} {}

  const std::vector<Taken>& taken() const { return taken_; }
  OdeStatistics statistics() const { return statistics_; }
  // The solution at each time, stacked; and at the last one.
  Variable found() const { return concatenate(found_); }
  Variable end() const { return y_; }

  void run() {
    t_ = problem_.times.front();
    if (problem_.times.size() == 1) return;
    require_finite_start();
    slope_ = evaluate(t_, y_);
    require_finite(slope_, t_);
    h_ = first_step();
    while (next_ < problem_.times.size()) advance();
  }

 private:
  Variable evaluate(double t, const Variable& y) {
    ++statistics_.evaluations;
    return problem_.f(t, y);
  }

  // The root of the mean square, in units of the error that is allowed.
  double size(const Variable& x, const Variable& scale) const {
    Variable ratio = reshape(x / scale, {-1});
    // Without an error, none needs to be allowed.
    if (problem_.options.atol == 0) ratio = where(reshape(x, {-1}) == 0, zeros_like(ratio), ratio);
    if (problem_.controlled < ratio.size()) ratio = ratio[range(0, std::ptrdiff_t(problem_.controlled))];
    return ratio.size() ? sqrt(mean(square(ratio))).item() : 0;
  }
  Variable scale(const Variable& magnitude) const { return problem_.options.atol + problem_.options.rtol * magnitude; }

  // The first of the controlled elements for which this holds.
  std::optional<std::size_t> first(const Variable& condition) const {
    Variable found = reshape(condition, {-1})[range(0, std::ptrdiff_t(problem_.controlled))];
    if (!any(found).item<bool>()) return std::nullopt;
    const bool* begin = found.data<bool>();
    return std::find(begin, begin + found.size(), true) - begin;
  }
  std::string element(std::size_t i) const { return "element " + std::to_string(i) + " of " + problem_.what; }

  void require_finite_start() const {
    NoGrad guard;
    if (auto i = first(logical_not(isfinite(y_))))
      throw ValueError("odeint: " + element(*i) + " is not finite at the start, t = " + text(t_));
  }
  // Where the error that is allowed is relative to 0, it says nothing of a first step.
  void require_scale(const Variable& allowed, const Variable& slope) const {
    if (auto i = first(logical_and(allowed == 0, slope != 0)))
      throw ValueError("odeint: " + element(*i) + " is 0 at the start, t = " + text(t_) +
                       ", and changes: needs atol > 0" + (problem_.may_start ? ", or first_step > 0" : ""));
  }

  static void require_finite(const Variable& slope, double t) {
    NoGrad guard;
    if (slope.size() && !std::isfinite(sum(abs(slope)).item()))
      throw ValueError("odeint: the derivative at t = " + text(t) + " is not finite");
  }

  // Hairer, Norsett, Wanner, II.4: so that one step of Euler, and the change of the slope on it, are small.
  double first_step() {
    double length = std::abs(problem_.times.back() - t_), sign = problem_.direction();
    double most = std::min(problem_.options.max_step, length);
    if (problem_.options.first_step > 0) return sign * std::min(problem_.options.first_step, most);
    NoGrad guard;
    Variable allowed = scale(abs(y_)), slope = slope_.detach();
    require_scale(allowed, slope);
    double d0 = size(y_, allowed), d1 = size(slope, allowed);
    double guess = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1;
    double h0 = std::min(guess > 0 && std::isfinite(guess) ? guess : 1e-6, most);
    double d2 = size(evaluate(t_ + sign * h0, y_.detach() + sign * h0 * slope) - slope, allowed) / h0;
    double steepest = std::max(d1, d2);
    double h1 = steepest <= 1e-15 ? std::max(1e-6, h0 * 1e-3) : std::pow(0.01 / steepest, 0.2);
    double h = std::min({100 * h0, h1, most});
    return sign * (std::isfinite(h) && h > 0 ? h : h0);
  }

  // Tries one step; takes it, or makes the next one shorter.
  void advance() {
    double end = problem_.times.back(), sign = problem_.direction();
    if (statistics_.steps + statistics_.rejected >= problem_.options.max_steps)
      throw ValueError("odeint: " + std::to_string(problem_.options.max_steps) + " steps led to t = " + text(t_) +
                       " only; allow more by max_steps, or greater errors");
    if (!(std::abs(h_) > std::abs(t_) * 1e-15))
      throw ValueError("odeint: the step size became too small at t = " + text(t_) +
                       "; is there a singularity, or is the tolerance below rounding?");
    bool last = (t_ + 1.01 * h_ - end) * sign >= 0;
    double h = last ? end - t_ : h_;
    statistics_.evaluations += 6;
    Step step(problem_.f, t_, h, y_, slope_);
    double error = error_of(step);
    if (!std::isfinite(error)) return reject(h, 0.2, step);
    double factor = std::pow(error, 0.2 - 0.75 * beta);
    if (error > 1) return reject(h, std::max(0.2, 0.9 / factor), step);
    accept(step, last ? end : t_ + h);
    double growth = std::clamp(0.9 * std::pow(before_, beta) / std::max(factor, 1e-10), 0.2, 10.0);
    if (rejected_) growth = std::min(growth, 1.0);
    before_ = std::max(error, 1e-4);
    rejected_ = false;
    h_ = sign * std::min(std::abs(h) * growth, problem_.options.max_step);
  }

  double error_of(const Step& step) const {
    NoGrad guard;
    Variable error = step.h * combined(e, step.k, 7);
    return size(error, scale(maximum(abs(step.start), abs(step.end))));
  }

  void reject(double h, double factor, const Step& step) {
    ++statistics_.rejected;
    rejected_ = true;
    h_ = h * factor;
    // A shorter step mends what is not finite, unless that is at its very start.
    if (t_ + h_ * c[1] == t_) require_finite(step.k[1], t_);
  }

  void accept(const Step& step, double end) {
    double sign = problem_.direction();
    const std::vector<double>& times = problem_.times;
    Taken taken{t_, step.h, {}, false};
    for (; next_ < times.size() && (times[next_] - end) * sign < 0; ++next_)
      taken.thetas.push_back((times[next_] - t_) / step.h);
    if ((taken.reaches_one = next_ < times.size() && times[next_] == end)) ++next_;
    if (Variable samples = taken.samples(step); samples.defined()) found_.push_back(samples);
    taken_.push_back(std::move(taken));
    ++statistics_.steps;
    t_ = end;
    y_ = step.end;
    slope_ = step.k[6];
  }

  static constexpr double beta = 0.04;  // of the PI controller

  const Problem& problem_;
  double t_ = 0, h_ = 0, before_ = 1e-4;
  bool rejected_ = false;
  std::size_t next_ = 1;  // of the times
  Variable y_, slope_;
  Variables found_;
  std::vector<Taken> taken_;
  OdeStatistics statistics_;
};

// The steps that were found without a record, again, with the memory of some states.
Variable solve_again(const Problem& problem, const Variable& y0, const std::vector<Taken>& taken) {
  auto step = [f = problem.f, taken](const Variables& state, const Variable& i) {
    const Taken& at = taken[i.item<std::size_t>()];
    Step step(f, at.t, at.h, state[0], state[1]);
    return ScanStep{{step.end, step.k[6]}, at.samples(step)};
  };
  Scanned found = scan(step, Variables{y0, problem.f(problem.times[0], y0)}, taken.size(),
                       {.checkpoints = problem.options.checkpoints});
  Variables parts{stack({y0})};
  for (const Variable& y : found.outputs)
    if (y.defined()) parts.push_back(y);
  return concatenate(parts);
}

// f as it is called from all sides.
class RightSide {
 public:
  explicit RightSide(const Callable& f) : f_(f) {}

  Variable operator()(double t, const Variable& y, const Variables& parameters) const {
    Variables xs{Variable(Array::full({}, t, y.dtype())), detail::own_copy("odeint", y)};
    xs.insert(xs.end(), parameters.begin(), parameters.end());
    Variable slope = f_(xs, "odeint");
    if (!slope.defined()) throw Error("odeint: the function returned an undefined Variable");
    auto message = [&] { return "odeint: the function returned " + describe(slope) + " for y, " + describe(y); };
    if (slope.shape() != y.shape()) throw ShapeError(message());
    if (slope.dtype() != y.dtype()) throw DTypeError(message());
    return slope;
  }

 private:
  Callable f_;
};

// The solution at all times. Operands: y0, the parameters, and a stand-in for each captured edge.
class Adjoint final : public OperationOf<Adjoint> {
 public:
  Adjoint(RightSide f, std::vector<double> times, const OdeOptions& options, std::size_t given, Array y,
          detail::Traces first, std::span<const Edge> captured)
      : OperationOf("odeint"), f_(std::move(f)), times_(std::move(times)), options_(options), given_(given),
        y_(std::move(y)), first_(std::move(first)), values_(detail::values_of(captured)) {
    for (const Edge& edge : captured) captured_like_.push_back(like(edge));
    options_.statistics = nullptr;
    options_.first_step = 0;
  }

  bool mixes_dtypes() const override { return true; }
  void evaluate(std::span<const Array>, std::span<Array> results) override { results[0] = y_; }
  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  // y, the gradient by it, a, and those by the parameters, all in one vector, from each time to the one before it.
  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> gradients) const override {
    bool higher_order = grad_enabled();
    Variable y = detail::output_of(const_cast<Node*>(&node), y_);
    if (!higher_order) y = y.detach();
    Variables parameters;
    for (std::size_t i = 1; i < given_; ++i) {
      Variable p = node.operand(i);
      parameters.push_back(higher_order ? p : detail::isolated(p, false));
    }
    Variables by = differentiated_by(node);
    Variable a = outputs[0][Index(-1)], sums;
    for (std::size_t i = times_.size() - 1; i-- > 0;) {
      Variable begin = joined(y[Index(std::ptrdiff_t(i + 1))], a, sums, by);
      Field f = [&](double t, const Variable& z) { return slope(t, z, node, parameters, by); };
      Problem problem{f, {times_[i + 1], times_[i]}, options_, 2 * a.size(), "y and its gradient", false};
      Solver solver(problem, begin);
      solver.run();
      Variable end = solver.end();
      std::ptrdiff_t n = std::ptrdiff_t(a.size());
      a = reshape(end[range(n, 2 * n)], a.shape()) + outputs[0][Index(std::ptrdiff_t(i))];
      sums = end[range(2 * n, std::ptrdiff_t(end.size()))];
    }
    gradients[0].value = a;
    if (sums.defined()) hand_over(sums, by, gradients);
  }

 private:
  // One Variable for each operand behind y0 whose gradient is asked for: of its shape and dtype, others undefined.
  Variables differentiated_by(const Node& node) const {
    Variables result;
    for (std::size_t i = 1; i < node.edges().size(); ++i) {
      Variable like = i < given_ ? Variable(node.operand_value(i)) : captured_like_[i - given_];
      result.push_back(node.edges()[i].node ? like : Variable());
    }
    return result;
  }

  // A Variable of the shape and dtype of the captured one.
  static Variable like(const Edge& edge) {
    if (edge.node->is_leaf()) return Variable(detail::values_of({&edge, 1}).begin()->second);
    const Node::Result& type = edge.node->result_type(edge.output);
    return Variable(Array::full(type.shape(), 0, type.dtype));
  }

  static Variable joined(const Variable& y, const Variable& a, const Variable& sums, const Variables& by) {
    Variables parts{reshape(y, {-1}), reshape(a, {-1})};
    if (sums.defined()) parts.push_back(sums);
    else
      for (const Variable& p : by)
        if (p.defined()) parts.push_back(zeros({p.size()}, y.dtype()));
    return concatenate(parts);
  }

  // d/dt of (y, a, sums): f, and -a' times its derivatives.
  Variable slope(double t, const Variable& z, const Node& node, const Variables& parameters,
                 const Variables& by) const {
    detail::Mark start;
    bool higher_order = grad_enabled();
    std::size_t n = y_.size() / times_.size();
    Shape shape(y_.shape().begin() + 1, y_.shape().end());
    auto part = [&](std::size_t from) {
      return reshape(z[range(std::ptrdiff_t(from), std::ptrdiff_t(from + n))], shape);
    };
    Variable y = part(0), a = part(n);
    y = higher_order && y.requires_grad() ? detail::isolated(y, true) : y.detach().requires_grad_();
    Variables xs, targets{y};
    for (const Variable& p : parameters) xs.push_back(detail::isolated(p, higher_order));
    auto captured = node.edges().subspan(given_);
    Variable f = slope_again(t, y, xs, captured);
    std::size_t places = by.size();
    for (std::size_t i = 0; i < places; ++i)
      if (by[i].defined())
        targets.push_back(i < xs.size() ? xs[i] : detail::stand_in(captured[i - xs.size()]));
    Variables found(targets.size());
    if (f.requires_grad()) found = detail::partial_grad(f, a, targets, start);
    Variables parts{reshape(higher_order ? f : f.detach(), {-1})};
    auto each = found.begin();
    auto add = [&](std::size_t size) {
      const Variable& g = *each++;
      parts.push_back(g.defined() ? -reshape(g, {-1}).to(z.dtype()) : zeros({size}, z.dtype()));
    };
    add(n);
    for (const Variable& p : by)
      if (p.defined()) add(p.size());
    return concatenate(parts);
  }

  Variable slope_again(double t, const Variable& y, const Variables& parameters, std::span<const Edge> captured) const {
    EnableGrad recording;
    detail::Again as_first(first_, values_, captured);
    return f_(t, y, parameters);
  }

  static void hand_over(const Variable& sums, const Variables& by, std::span<InputGradient> gradients) {
    std::ptrdiff_t from = 0;
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (!by[i].defined()) continue;
      std::ptrdiff_t to = from + std::ptrdiff_t(by[i].size());
      gradients[i + 1].value = reshape(sums[range(from, to)], by[i].shape()).to(by[i].dtype());
      from = to;
    }
  }

  RightSide f_;
  std::vector<double> times_;
  OdeOptions options_;
  std::size_t given_;
  Array y_;
  detail::Traces first_;
  detail::CapturedValues values_;
  Variables captured_like_;
};

// y, which solves the equation, as a function of y0, the parameters and what f captures.
Variable connected(const RightSide& f, const Problem& problem, const Variable& y, const Variable& y0,
                   const Variables& parameters) {
  detail::Traces first;
  std::vector<Edge> captured;
  {
    detail::RandomFork numbers;
    detail::UndoLog log;
    detail::Mark start;
    Variables xs;
    for (const Variable& p : parameters) xs.push_back(detail::isolated(p, false));
    Variable slope = f(problem.times[0], y0.detach(), xs);
    captured = start.edges_beyond(slope);
    slope = Variable();
    xs.clear();
    first = {numbers.seeds(), std::move(log).contents()};
  }
  Variables operands{y0};
  operands.insert(operands.end(), parameters.begin(), parameters.end());
  std::size_t given = operands.size();
  for (const Edge& edge : captured) operands.push_back(detail::stand_in(edge));
  Adjoint operation(f, problem.times, problem.options, given, y.value(), std::move(first), captured);
  return detail::perform(operation, detail::pointers_to(operands));
}

void check(const Variable& y0, const std::vector<double>& times, const OdeOptions& options) {
  detail::require_floating("odeint", y0);
  if (times.empty()) throw ValueError("odeint: there are no times");
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!std::isfinite(times[i])) throw ValueError("odeint: times[" + std::to_string(i) + "] is " + text(times[i]));
    if (i > 0 && (times[i] == times[i - 1] || (times[i] > times[i - 1]) != (times[1] > times[0])))
      throw ValueError("odeint: times[" + std::to_string(i) + "] is " + text(times[i]) + " after " +
                       text(times[i - 1]) + ": times need to increase, or to decrease");
  }
  auto require = [](bool good, const char* name, double value, const char* needs) {
    if (!good) throw ValueError(std::string("odeint: ") + name + " " + text(value) + ", needs " + needs);
  };
  require(options.rtol >= 0 && std::isfinite(options.rtol), "rtol", options.rtol, "a number >= 0");
  require(options.atol >= 0 && std::isfinite(options.atol), "atol", options.atol, "a number >= 0");
  require(options.rtol + options.atol > 0, "atol", options.atol, "a number > 0 where rtol is 0");
  require(options.first_step >= 0, "first_step", options.first_step, "a number >= 0");
  require(options.max_step > 0, "max_step", options.max_step, "a number > 0");
  if (options.adjoint && options.checkpoints > 0)
    throw ValueError("odeint: the adjoint equation needs no checkpoints; ask for one of the two");
}

}  // namespace

Variable odeint(const Callable& f, const Variable& y0, const std::vector<double>& times,
                const std::vector<Variable>& parameters, const OdeOptions& options) {
  check(y0, times, options);
  for (const Variable& p : parameters) detail::require_defined("odeint", p);
  RightSide right_side(f);
  Field field = [=](double t, const Variable& y) { return right_side(t, y, parameters); };
  Problem problem{field, times, options, y0.size()};
  bool through_steps = !options.adjoint && options.checkpoints == 0;
  Solver solver(problem, y0);
  {
    GradMode mode(grad_enabled() && through_steps);
    solver.run();
  }
  if (options.statistics) *options.statistics = solver.statistics();
  if (through_steps || !grad_enabled() || times.size() == 1) return solver.found();
  if (options.checkpoints > 0) return solve_again(problem, y0, solver.taken());
  return connected(right_side, problem, solver.found(), y0, parameters);
}

}  // namespace xtape
