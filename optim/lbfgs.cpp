#include <optim/lbfgs.hpp>

#include <algorithm>
#include <cmath>

#include <autograd/autograd.hpp>
#include <optim/line_search.hpp>

namespace xtape::optim {

const Description<LBFGSOptions>& LBFGS::description() {
  using O = LBFGSOptions;
  static const Description<O> lbfgs{
      "LBFGS",
      {{"lr", &O::lr}, {"max_iter", &O::max_iter, {.low = 1}}, {"max_eval", &O::max_eval},
       {"tolerance_grad", &O::tolerance_grad}, {"tolerance_change", &O::tolerance_change},
       {"history_size", &O::history_size, {.low = 1}}, {"strong_wolfe", &O::strong_wolfe}}};
  return lbfgs;
}

LBFGS::LBFGS(std::vector<Variable> parameters, const LBFGSOptions& options) : Method(std::move(parameters), options) {
  DType dtype = this->parameters().front().dtype();
  for (const Variable& x : this->parameters())
    if (x.dtype() != dtype)
      throw DTypeError("LBFGS: parameters of " + std::string(to_string(dtype)) + " and " + to_string(x.dtype()) +
                       ": needs one dtype");
}

// The parameters as one vector

std::size_t LBFGS::size() const {
  std::size_t size = 0;
  for (const Variable& x : parameters()) size += x.size();
  return size;
}

Variable LBFGS::flat_parameters() const {
  std::vector<Variable> parts;
  for (const Variable& x : parameters()) parts.push_back(x.reshape({-1}));
  return concatenate(parts);
}

Variable LBFGS::flat_gradient() const {
  check_gradients();
  std::vector<Variable> parts;
  for (const Variable& x : parameters())
    parts.push_back(x.grad().defined() ? x.grad().reshape({-1}) : zeros({x.size()}, x.dtype()));
  return concatenate(parts);
}

void LBFGS::set_parameters(const Variable& flat) const {
  std::size_t begin = 0;
  for (const Variable& x : parameters()) {
    auto end = begin + x.size();
    x.assign(flat[range(static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end))].reshape(x.shape()));
    begin = end;
  }
}

// Directions

// The pair of changes since the last iteration, for the approximation of the Hessian matrix.
void LBFGS::remember(const Variable& gradient) {
  Variable y = gradient - state_->gradient, s = state_->direction * state_->step_length;
  double ys = dot(y, s).item();
  if (!(ys > 1e-10)) return;
  state_->pairs.remember(std::move(s), std::move(y), ys, static_cast<std::size_t>(options().history_size));
}

// Steps

void LBFGS::take_step() {
  throw ValueError("LBFGS: step: needs a closure that computes the loss and its gradients, as it is called several "
                   "times: step([&] { ... return loss; })");
}

Variable LBFGS::take_step(const std::function<Variable()>& closure) {
  NoGrad guard;
  std::shared_ptr<State> before = std::exchange(state_, std::make_shared<State>(*state_));
  std::vector<Array> values;
  values.reserve(parameters().size());
  try {
    Variable loss = evaluate(closure);
    // Only now: layers that find their widths at the first call have parameters without elements before it.
    for (const Variable& x : parameters()) values.push_back(x.value());
    minimize(closure, loss.item());
    return loss;
  } catch (...) {
    state_ = std::move(before);
    for (std::size_t i = 0; i < values.size(); ++i) parameters()[i].impl()->value = std::move(values[i]);
    throw;
  }
}

Variable LBFGS::evaluate(const std::function<Variable()>& closure) {
  EnableGrad guard;
  Variable loss = closure();
  ++state_->evaluations;
  if (!loss.defined()) throw ValueError("LBFGS: step: the closure returned an undefined Variable, needs the loss");
  return loss;
}

void LBFGS::minimize(const std::function<Variable()>& closure, double first_loss) {
  const LBFGSOptions& o = options();
  auto greatest = [](const Variable& x) { return max(abs(x)).item(); };
  std::int64_t max_evaluations = state_->evaluations - 1 + (o.max_eval > 0 ? o.max_eval : o.max_iter * 5 / 4);

  convert_state();
  LinePoint at{.loss = first_loss, .gradient = flat_gradient()};
  if (size() == 0 || greatest(at.gradient) <= o.tolerance_grad) return;

  for (std::int64_t iteration = 1;; ++iteration) {
    if (++state_->iterations > 1) remember(at.gradient);
    Variable direction = state_->pairs.direction(at.gradient);
    double loss_before = at.loss, first_length = std::min(1.0, 1 / sum(abs(at.gradient)).item());
    state_->direction = direction;
    state_->gradient = at.gradient;
    state_->step_length = state_->iterations == 1 ? first_length * o.lr : o.lr;
    at.t = 0;
    at.slope = dot(at.gradient, direction).item();
    if (at.slope > -o.tolerance_change) break;

    Variable start = flat_parameters();
    auto move = [&](double t) { set_parameters(start + t * direction); };
    if (o.strong_wolfe) {
      auto on_line = [&](double t) {
        move(t);
        LinePoint point{.t = t, .loss = evaluate(closure).item(), .gradient = flat_gradient()};
        point.slope = dot(point.gradient, direction).item();
        return point;
      };
      at = strong_wolfe(on_line, at, state_->step_length, greatest(direction));
      state_->step_length = at.t;
      move(at.t);
    } else {
      move(state_->step_length);
      if (iteration == o.max_iter) break;
      at.loss = evaluate(closure).item();
      at.gradient = flat_gradient();
    }
    if (iteration == o.max_iter || state_->evaluations >= max_evaluations) break;
    if (greatest(at.gradient) <= o.tolerance_grad) break;
    if (greatest(direction) * std::abs(state_->step_length) <= o.tolerance_change) break;
    if (std::abs(at.loss - loss_before) < o.tolerance_change) break;
  }
}

// The model may have been converted since the last step.
void LBFGS::convert_state() {
  DType dtype = parameters().front().dtype();
  if (!state_->direction.defined() || state_->direction.dtype() == dtype) return;
  for (Variable* x : {&state_->direction, &state_->gradient}) *x = x->to(dtype);
  for (auto* history : {&state_->pairs.s, &state_->pairs.y})
    for (Variable& x : *history) x = x.to(dtype);
}

// State

namespace {

constexpr const char* history_rho = "history_rho";

// One below the other: shape (rows, size).
Variable stacked(const std::vector<Variable>& rows, std::size_t size, DType dtype) {
  return rows.empty() ? zeros({0, size}, dtype) : stack(rows).to(dtype);
}

}  // namespace

void LBFGS::save_more(StateDict& state) const {
  NoGrad guard;
  DType dtype = parameters().front().dtype();
  state.emplace("iterations", detail::to_variable<std::int64_t>({state_->iterations}));
  state.emplace("evaluations", detail::to_variable<std::int64_t>({state_->evaluations}));
  state.emplace("step_length", detail::to_variable<double>({state_->step_length}));
  state.emplace("scale", detail::to_variable<double>({state_->pairs.scale}));
  state.emplace(history_rho, detail::to_variable<double>(state_->pairs.rho));
  state.emplace("history_steps", stacked(state_->pairs.s, size(), dtype));
  state.emplace("history_gradients", stacked(state_->pairs.y, size(), dtype));
  if (!state_->direction.defined()) return;
  state.emplace("direction", state_->direction.to(dtype).copy());
  state.emplace("gradient", state_->gradient.to(dtype).copy());
}

void LBFGS::expect_more(StateDict& expected, const StateDict& state) const {
  DType dtype = parameters().front().dtype();
  for (const char* name : {"iterations", "evaluations"}) expected.emplace(name, Variable(Array({1}, int64)));
  for (const char* name : {"step_length", "scale"}) expected.emplace(name, Variable(Array({1}, float64)));
  auto rho = state.find(history_rho);
  std::size_t pairs = rho != state.end() && rho->second.defined() && rho->second.rank() == 1 ? rho->second.size() : 0;
  expected.emplace(history_rho, Variable(Array({pairs}, float64)));
  for (const char* name : {"history_steps", "history_gradients"}) expected.emplace(name, zeros({pairs, size()}, dtype));
  auto iterations = state.find("iterations");
  if (iterations == state.end() || describe(iterations->second) != "int64(1,)") return;
  if (iterations->second.item() > 0)
    for (const char* name : {"direction", "gradient"}) expected.emplace(name, zeros({size()}, dtype));
}

std::string LBFGS::problems_of_more(const StateDict& state) const {
  std::string problems;
  for (const char* name : {"iterations", "evaluations", "step_length", "scale"}) {
    auto found = state.find(name);
    if (found == state.end() || !found->second.defined() || found->second.size() != 1) continue;
    if (std::string problem = detail::out_of_range(name, found->second.item(), {}); !problem.empty())
      problems += "\n  " + problem;
  }
  return problems;
}

void LBFGS::load_more(const StateDict& state) {
  NoGrad guard;
  auto loaded = std::make_shared<State>();
  loaded->iterations = *state.at("iterations").data<std::int64_t>();
  loaded->evaluations = *state.at("evaluations").data<std::int64_t>();
  loaded->step_length = state.at("step_length").item();
  loaded->pairs.scale = state.at("scale").item();
  const Variable& rho = state.at(history_rho);
  loaded->pairs.rho.assign(rho.data<double>(), rho.data<double>() + rho.size());
  for (std::size_t i = 0; i < loaded->pairs.rho.size(); ++i) {
    loaded->pairs.s.push_back(state.at("history_steps")[i].copy());
    loaded->pairs.y.push_back(state.at("history_gradients")[i].copy());
  }
  if (loaded->iterations > 0) {
    loaded->direction = state.at("direction").copy();
    loaded->gradient = state.at("gradient").copy();
  }
  state_ = std::move(loaded);
}

}  // namespace xtape::optim
