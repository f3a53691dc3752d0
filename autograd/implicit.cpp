#include <autograd/implicit.hpp>

#include <cmath>
#include <memory>
#include <sstream>

#include <autograd/computed_again.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/decompositions.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/transforms.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

Variables joined(Variables first, const Variables& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

double greatest(const Variable& x) { return x.size() ? max(abs(x)).item() : 0; }
double tolerance_for(const Variable& x, double tolerance) {
  return tolerance > 0 ? tolerance : x.dtype() == float64 ? 1e-12 : 1e-5;
}

std::string text(double x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// The function of an equation, as it is called from all sides: f(x, parameters...), of the shape of x.
class Equation {
 public:
  Equation(const char* caller, const Callable& f)
      : caller_(caller), f_(f), seeds_(std::make_shared<std::vector<detail::RandomFork::Seed>>()) {}

  const char* caller() const { return caller_; }

  Variable operator()(const Variables& xs) const {
    detail::RandomFork same_numbers(*seeds_);
    Variables given = xs;
    given[0] = detail::own_copy(caller_, xs[0]);
    Variable y = f_(given, caller_);
    if (same_numbers.seeds().size() != seeds_->size()) *seeds_ = same_numbers.seeds();
    require_like("the function returned", y, xs[0]);
    return y;
  }

  void require_like(const char* what, const Variable& y, const Variable& x) const {
    auto message = [&](const std::string& got) {
      return std::string(caller_) + ": " + what + " " + got + ", needs " + describe(x) + " as x";
    };
    if (!y.defined()) throw Error(message("an undefined Variable"));
    if (y.shape() != x.shape()) throw ShapeError(message(describe(y)));
    if (y.dtype() != x.dtype()) throw DTypeError(message(describe(y)));
  }

 private:
  const char* caller_;
  Callable f_;
  std::shared_ptr<std::vector<detail::RandomFork::Seed>> seeds_;  // of the random numbers that each call draws
};

// v' dy/dx, zeros where y does not depend on x. The record of y is kept.
Variable pull_back(const Variable& y, const Variable& x, const Variable& v) {
  if (!y.requires_grad()) return zeros_like(x);
  Variable found = grad({y}, {x}, {.retain_graph = true, .create_graph = grad_enabled(), .allow_unused = true,
                                   .grad_outputs = {v}})[0];
  return found.defined() ? found : zeros_like(x);
}

// dy/dx as a matrix.
Variable jacobian_matrix(const Variable& y, const Variable& x) {
  Variables rows;
  for (std::size_t k = 0; k < y.size(); ++k) {
    Array unit = Array::full(y.shape(), 0, y.dtype());
    visit_floating("jacobian", y.dtype(), [&]<class T>(T) { unit.mutable_data<T>()[k] = 1; });
    rows.push_back(reshape(pull_back(y, x, Variable(std::move(unit))), {-1}));
  }
  return stack(rows);
}

Variable solve_flat(const char* caller, const Variable& matrix, const Variable& b) {
  try {
    return reshape(solve(matrix, reshape(b, {-1})), b.shape());
  } catch (const ValueError&) {
    throw ValueError(std::string(caller) + ": the Jacobian is singular, or not finite");
  }
}

// An equation that defines x: how the gradient of x becomes that of the function's value.
class Rule {
 public:
  virtual ~Rule() = default;
  /// y is f(xs...), recorded, x the first of xs, and g the gradient of x. To be differentiable where it is recorded.
  virtual Variable adjoint(const Equation& f, const Variable& y, const Variables& xs, const Variable& g) const = 0;
};
using RulePtr = std::shared_ptr<const Rule>;

// A solution of the equation. Operands: the parameters, and a stand-in for each captured edge.
class Solution final : public OperationOf<Solution> {
 public:
  Solution(const Equation& f, RulePtr rule, std::size_t parameters, Array x, detail::Traces first,
           std::span<const Edge> captured)
      : OperationOf(f.caller()), f_(f), rule_(std::move(rule)), parameters_(parameters), x_(std::move(x)),
        first_(std::move(first)), values_(detail::values_of(captured)) {}

  bool mixes_dtypes() const override { return true; }
  void evaluate(std::span<const Array>, std::span<Array> results) override { results[0] = x_; }
  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> gradients) const override {
    detail::Mark start;
    bool higher_order = grad_enabled();
    // The solution is connected to the parameters through this very node: so are its further derivatives.
    Variables xs{detail::isolated(detail::output_of(const_cast<Node*>(&node), x_), higher_order)}, targets;
    for (std::size_t i = 0; i < parameters_; ++i) xs.push_back(detail::isolated(node.operand(i), higher_order));
    // x is among the targets where the walk must not go on from it to this node.
    std::vector<std::size_t> places;
    for (std::size_t i = higher_order ? 0 : 1; i < xs.size(); ++i)
      if (xs[i].requires_grad()) targets.push_back(xs[i]), places.push_back(i);
    auto captured = node.edges().subspan(parameters_);
    for (std::size_t i = 0; i < captured.size(); ++i)
      targets.push_back(detail::stand_in(captured[i])), places.push_back(xs.size() + i);
    Variable y = value_again(xs, captured);
    std::vector<Edge> known(node.edges().begin(), node.edges().end());
    known.push_back({NodePtr(const_cast<Node*>(&node)), 0});
    detail::require_same_captured(y, start, known);
    Variables found = detail::partial_grad(y, rule_->adjoint(f_, y, xs, outputs[0]), targets, start);
    for (std::size_t k = 0; k < found.size(); ++k)
      if (places[k] > 0) gradients[places[k] - 1].value = found[k];
  }

 private:
  Variable value_again(const Variables& xs, std::span<const Edge> captured) const {
    EnableGrad recording;
    detail::Again as_first(first_, values_, captured);
    return f_(xs);
  }

  Equation f_;
  RulePtr rule_;
  std::size_t parameters_;
  Array x_;
  detail::Traces first_;
  detail::CapturedValues values_;
};

// x, which solves the equation, as a function of the parameters and of what f captures.
Variable connected(const Equation& f, RulePtr rule, const Variable& x, const Variables& parameters) {
  if (!grad_enabled()) return x.detach();
  detail::Traces first;
  std::vector<Edge> captured;
  bool recorded = false;
  {
    detail::UndoLog log;
    detail::Mark start;
    Variables xs{x.detach()};
    for (const Variable& p : parameters) xs.push_back(detail::isolated(p, false));
    Variable y = f(xs);
    if ((recorded = y.requires_grad())) captured = start.edges_beyond(y);
    y = Variable();
    xs.clear();
    first.written = std::move(log).contents();
  }
  if (!recorded) return x.detach();
  Variables operands = parameters;
  for (const Edge& edge : captured) operands.push_back(detail::stand_in(edge));
  Solution operation(f, std::move(rule), parameters.size(), x.value(), std::move(first), captured);
  return detail::perform(operation, detail::pointers_to(operands));
}

// f(x, p) = 0: by the Jacobian J of f in x, u = -J'^-1 g.
struct RootRule final : Rule {
  Variable adjoint(const Equation& f, const Variable& y, const Variables& xs, const Variable& g) const override {
    return -solve_flat(f.caller(), transpose(jacobian_matrix(y, xs[0])), g);
  }
};

void check_max_iterations(const char* caller, std::size_t count) {
  if (count == 0) throw ValueError(std::string(caller) + ": max_iterations 0, needs at least 1");
}

// x + step, or x with the half, the quarter, ... of the step where the whole one leads to no smaller |f|. Undefined
// where none does.
Variable damped(const Callable& f, const Variable& x, const Variable& step, double before) {
  for (double factor = 1; factor > 1e-6; factor /= 2)
    if (Variable next = x + factor * step; norm(f({next})).item() < before) return next;
  return {};
}

Variable newton(const char* caller, const Callable& f, Variable x, const RootOptions& options) {
  check_max_iterations(caller, options.max_iterations);
  double tolerance = tolerance_for(x, options.tolerance), size = 0;
  for (std::size_t i = 0; i < options.max_iterations; ++i) {
    Variable at = x.detach().requires_grad_(), y;
    {
      EnableGrad recording;
      y = f({at}, caller);
    }
    Variable value = y.detach();
    size = norm(value).item();
    if (size == 0) return x;
    if (!std::isfinite(size))
      throw ValueError(std::string(caller) + ": f is not finite at iteration " + std::to_string(i));
    Variable step = -solve_flat(caller, jacobian_matrix(y, at), value);
    double relative = greatest(step) / (1 + greatest(x));
    if (relative <= tolerance) return x + step;
    Variable next = damped(f, x, step, size);
    if (next.defined()) x = next;
    else if (relative <= std::sqrt(tolerance)) return x;  // as near as rounding lets it come
    else break;
  }
  throw ValueError(std::string(caller) + ": no convergence of Newton's method in " +
                   std::to_string(options.max_iterations) + " iterations: |f| is " + text(size) +
                   "; start nearer to the root, or pass another solver");
}

// x = g(x, p): by iteration, u = v + (dg/dx)' u.
class FixedPointRule final : public Rule, public std::enable_shared_from_this<FixedPointRule> {
 public:
  explicit FixedPointRule(const FixedPointOptions& options) : options_(options) {}

  Variable adjoint(const Equation& g, const Variable& y, const Variables& xs, const Variable& v) const override {
    Variable u = limit(y, xs[0], v.detach(), g.caller());
    if (!grad_enabled()) return u;
    // The same as a function of v, x and the parameters: a fixed point as well.
    Equation next(g.caller(), [g](const Variables& all) {
      Variables parameters(all.begin() + 3, all.end());
      auto of_x = [&](const Variable& x) { return g(joined({x}, parameters)); };
      return all[1] + vjp(of_x, {all[2]}, all[0]).grads[0];
    });
    return connected(next, shared_from_this(), u, joined({v}, xs));
  }

 private:
  Variable limit(const Variable& y, const Variable& x, const Variable& v, const char* caller) const {
    NoGrad guard;
    double tolerance = tolerance_for(x, options_.tolerance), change = 0;
    Variable u = v;
    for (std::size_t i = 0; i < options_.max_iterations; ++i) {
      Variable next = v + pull_back(y, x, u);
      change = greatest(next - u);
      u = next;
      if (!std::isfinite(change)) break;
      // The equation is linear: what counts as small depends on v.
      if (change <= tolerance * greatest(u)) return u;
    }
    throw ValueError(std::string(caller) + ": no convergence on the way back: the last change is " + text(change) +
                     "; a function that is no contraction is one for custom_root");
  }

  FixedPointOptions options_;
};

Variable iterate(const char* caller, const Callable& g, Variable x, const FixedPointOptions& options) {
  check_max_iterations(caller, options.max_iterations);
  double tolerance = tolerance_for(x, options.tolerance), change = 0;
  for (std::size_t i = 0; i < options.max_iterations; ++i) {
    Variable next = g({x}, caller);
    change = greatest(next - x);
    x = next;
    if (!std::isfinite(change))
      throw ValueError(std::string(caller) + ": the values are not finite after iteration " + std::to_string(i + 1));
    if (change <= tolerance * (1 + greatest(x))) return x;
  }
  throw ValueError(std::string(caller) + ": no convergence after " + std::to_string(options.max_iterations) +
                   " iterations: the last change is " + text(change));
}

// The function of x alone, and what its values have to be like.
Callable at_parameters(const Equation& f, const Variables& parameters) {
  Variables constants;
  for (const Variable& p : parameters) {
    detail::require_defined(f.caller(), p);
    constants.push_back(p.detach());
  }
  return [f, constants](const Variable& x) { return f(joined({x}, constants)); };
}

// What a solver of one's own returns. How near to 0 f has to be there, only that solver knows.
Variable solved(const RootSolver& solver, const Equation& f, const Callable& of_x, const Variable& x0) {
  Variable x = solver(of_x, x0.detach());
  f.require_like("the solver returned", x, x0);
  if (!std::isfinite(greatest(x)) || !std::isfinite(greatest(of_x({x}))))
    throw ValueError(std::string(f.caller()) + ": the solver returned an x that is not finite, or where f is not");
  return x;
}

template <class Options>
void check(const char* caller, const Variable& x0, const Options& options) {
  detail::require_floating(caller, x0);
  if (!(options.tolerance >= 0 && std::isfinite(options.tolerance)))
    throw ValueError(std::string(caller) + ": tolerance " + text(options.tolerance) + ", needs a number >= 0");
}

}  // namespace

Variable custom_root(const Callable& f, const Variable& x0, const std::vector<Variable>& parameters,
                     const RootOptions& options) {
  const char* caller = "custom_root";
  check(caller, x0, options);
  Equation equation(caller, f);
  Variable x;
  {
    NoGrad guard;
    Callable of_x = at_parameters(equation, parameters);
    x = options.solver ? solved(options.solver, equation, of_x, x0) : newton(caller, of_x, x0.detach(), options);
  }
  return connected(equation, std::make_shared<RootRule>(), x, parameters);
}

Variable fixed_point(const Callable& g, const Variable& x0, const std::vector<Variable>& parameters,
                     const FixedPointOptions& options) {
  const char* caller = "fixed_point";
  check(caller, x0, options);
  Equation equation(caller, g);
  Variable x;
  {
    NoGrad guard;
    x = iterate(caller, at_parameters(equation, parameters), x0.detach(), options);
  }
  return connected(equation, std::make_shared<FixedPointRule>(options), x, parameters);
}

}  // namespace xtape
