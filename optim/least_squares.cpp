#include <optim/least_squares.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <autograd/autograd.hpp>
#include <optim/residuals.hpp>
#include <optim/state.hpp>

namespace xtape::optim {
namespace {

constexpr const char* who = "least_squares";

void check(const LeastSquaresOptions& o) {
  detail::check_when_to_stop(who, o);
  auto check = detail::checker_of_options(who);
  check("damping", o.damping, {.low_included = false});
}

class LevenbergMarquardt {
 public:
  LevenbergMarquardt(const detail::FlatInputs& inputs, const Callable& f, const LeastSquaresOptions& options)
      : residuals_(inputs, f), options_(options), least_mu_(least_damping(inputs.size())),
        mu_(std::max(least_mu_, options.damping)), at_(residuals_.at(inputs.start())) {
    require_value_at_start();
    const JacobianStructure& structure = options.structure;
    if (structure.rows.defined() || structure.columns.defined())
      sparsity_.emplace(who, structure, at_.r.size(), inputs.size());
    linear_ = linear(at_);
    if (!linear_->is_finite()) throw ValueError(std::string(who) + ": the derivatives are not finite at the start");
    scale_ = zeros({inputs.size()}, float64);
    rescale();
  }

  Stop run() {
    while (true) {
      if (is_flat()) return Stop::gradient_tolerance;
      if (iterations_ == options_.max_iterations) return Stop::max_iterations;
      if (residuals_.evaluations() >= options_.max_evaluations) return Stop::max_evaluations;
      ++iterations_;
      if (auto reason = step()) return *reason;
    }
  }

  LeastSquaresResult result(const detail::FlatInputs& inputs, Stop reason) const {
    return {.x = inputs.parts(at_.x), .value = at_.value, .residuals = at_.residuals,
            .gradient_norm = 2 * detail::greatest(linear_->gradient()), .iterations = iterations_,
            .evaluations = residuals_.evaluations(), .jacobians = residuals_.jacobians(),
            .converged = is_converged(reason), .reason = reason, .message = sentence(reason)};
  }

 private:
  void require_value_at_start() const {
    double size = detail::greatest(at_.r);
    auto fail = [&](const std::string& what) { throw ValueError(std::string(who) + ": the " + what); };
    if (!std::isfinite(size)) fail("residuals are not finite at the start");
    bool underflows = size > 0 && at_.value < std::numeric_limits<double>::min();
    if (!std::isfinite(at_.value) || underflows)
      fail("squares of the residuals " + std::string(underflows ? "underflow" : "overflow") + " at the start, up to " +
           detail::text(size) + "; scale the residuals");
  }

  std::unique_ptr<detail::Linear> linear(const detail::Fit& at) {
    return residuals_.linear(at, sparsity_ ? &*sparsity_ : nullptr);
  }

  // D in Moré's paper. A column of zeros counts as one of norm 1.
  void rescale() {
    scale_ = maximum(scale_, linear_->norms());
    D_ = where(scale_ > 0.0, scale_, ones_like(scale_));
  }

  bool is_flat() const {
    if (at_.value == 0) return true;
    Variable norms = linear_->norms();
    Variable cosines = linear_->gradient() / (where(norms > 0.0, norms, ones_like(norms)) * std::sqrt(at_.value));
    return detail::greatest(cosines) <= options_.gradient_tolerance;
  }

  // One step, which may be rejected: the damping then grows, and the next is shorter.
  std::optional<Stop> step() {
    Variable p = linear_->solve(mu_, D_);
    detail::Fit next = residuals_.at(at_.x + p);
    double step = norm(D_ * (next.x - at_.x)).item();
    if (step == 0 && options_.step_tolerance > 0) return Stop::step_tolerance;
    if (step == 0 || mu_ > 1e100) return Stop::no_descent;
    Variable change = linear_->times(p);
    double promised = -(2 * dot(linear_->gradient(), p) + dot(change, change)).item(), fell = at_.value - next.value;
    double ratio = fell / promised;
    bool accepted = ratio > 1e-4 && take(std::move(next));
    double before = accepted ? at_.value + fell : at_.value;
    damp(accepted, ratio);
    const LeastSquaresOptions& o = options_;
    if (step <= o.step_tolerance * norm(D_ * at_.x).item()) return Stop::step_tolerance;
    if (std::max(std::abs(fell), promised) <= o.value_tolerance * before && ratio <= 2) return Stop::value_tolerance;
    return std::nullopt;
  }

  // Goes there, unless there are no derivatives.
  bool take(detail::Fit next) {
    auto linear = this->linear(next);
    if (!linear->is_finite()) return false;
    at_ = std::move(next);
    linear_ = std::move(linear);
    rescale();
    return true;
  }

  // Less would be lost in rounding beside columns of norm 1, of which the equations' matrix has up to 2 n rows.
  static double least_damping(std::size_t n) {
    double root = std::max(1e-12, 8 * static_cast<double>(n) * std::numeric_limits<double>::epsilon());
    return root * root;
  }

  // Nielsen 1999, equation 2.5.
  void damp(bool accepted, double ratio) {
    if (accepted) {
      mu_ = std::max(least_mu_, mu_ * std::max(1. / 3, 1 - std::pow(2 * ratio - 1, 3)));
      growth_ = 2;
    } else {
      mu_ *= growth_;
      growth_ *= 2;
    }
  }

  detail::Residuals residuals_;
  LeastSquaresOptions options_;
  std::optional<detail::Sparsity> sparsity_ = {};
  double least_mu_, mu_, growth_ = 2;
  detail::Fit at_;
  std::unique_ptr<detail::Linear> linear_ = {};
  Variable scale_ = {}, D_ = {};
  std::int64_t iterations_ = 0;
};

}  // namespace

LeastSquaresResult least_squares(const Callable& f, const std::vector<Variable>& x0,
                                 const LeastSquaresOptions& options) {
  NoGrad guard;
  check(options);
  detail::FlatInputs inputs(who, x0);
  LevenbergMarquardt method(inputs, f, options);
  Stop reason = method.run();
  return method.result(inputs, reason);
}

LeastSquaresResult least_squares(const Callable& f, const Variable& x0, const LeastSquaresOptions& options) {
  return least_squares(f, std::vector<Variable>{x0}, options);
}

}  // namespace xtape::optim
