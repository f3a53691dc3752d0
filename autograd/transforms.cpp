#include <autograd/transforms.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tangents.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// One call of a transform: the inputs as Variables of their own to differentiate by, connected to the caller's where
// these are recorded, and what is known of where the function's result leads.
class Call {
 public:
  Call(const char* transform, const Variables& xs) : transform_(transform) {
    for (const Variable& x : xs) {
      detail::require_defined(transform, x);
      bool connected = grad_enabled() && x.requires_grad();
      all_.push_back(!is_floating(x.dtype()) ? x : connected ? reshape(x, x.shape()) : x.detach().requires_grad_());
      if (!is_floating(x.dtype())) continue;
      floating_.push_back(detail::another_handle(all_.back()));
      given_.push_back({edge_to(x), all_.size() - 1});
    }
    start_ = detail::Mark();
  }

  const Variables& inputs() const { return all_; }
  // The floating-point ones, in handles that f cannot write to.
  const Variables& floating() const { return floating_; }

  // f at the inputs, recorded whatever the caller's mode.
  Variable value_of(const Callable& f) {
    Variable y;
    {
      EnableGrad recording;
      y = f(all_, transform_);
    }
    if (!y.defined()) throw Error(std::string(transform_) + ": the function returned an undefined Variable");
    detail::require_floating(transform_, y);
    if (grad_enabled()) known_ = {y.impl()->node, mark_.leads_beyond(y)};
    return y;
  }

  // Whether the caller can differentiate derivatives of y, in directions that are given: by them, by the inputs, or by
  // what f captured.
  bool recorded(const Variable& y, const Variables& directions = {}) const {
    if (!grad_enabled()) return false;
    for (const Variable& v : directions)
      if (v.requires_grad()) return true;
    return known_.node && known_.node == y.impl()->node ? known_.leads_beyond : mark_.leads_beyond(y);
  }

  // Throws where y does not depend on an input, though on the Variable that was given for it. `used` is all that is
  // known.
  void require_use(const Variable& y, const std::vector<bool>& used) const {
    auto in_question = [&](std::size_t i) { return !used[i] && given_[i].edge.node; };
    std::vector<std::size_t> unused;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (in_question(i)) unused.push_back(i);
    if (unused.empty()) return;
    std::vector<Edge> reached = start_.edges_beyond(y);
    auto reaches = [&](const Edge& edge) {
      return std::ranges::any_of(reached, [&](auto& e) { return e.node == edge.node && e.output == edge.output; });
    };
    for (std::size_t i : unused)
      if (!reaches(edge_to(floating_[i])) && reaches(given_[i].edge))
        throw GraphError(std::string(transform_) + ": the function does not use its argument " +
                         std::to_string(given_[i].number) +
                         ", but captures the same Variable: compute with the arguments");
  }

  // x for the caller, in a handle of its own.
  Variable result(const Variable& x) const { return recorded(x) ? reshape(x, x.shape()) : x.detach(); }

  // One result for each input, from those for the floating-point ones.
  Variables results(const Variables& found) const {
    Variables results;
    auto next = found.begin();
    for (const Variable& x : all_) results.push_back(is_floating(x.dtype()) ? result(*next++) : Variable());
    return results;
  }

 private:
  // What is asked several times about the function's value.
  struct Known {
    NodePtr node;
    bool leads_beyond = false;
  };
  struct Given {
    Edge edge;           // to what the caller passed
    std::size_t number;  // among all inputs
  };

  const char* transform_;
  detail::Mark mark_, start_;  // before the inputs, and after them
  Variables all_, floating_;
  std::vector<Given> given_;  // for the floating-point ones
  Known known_;
};

std::vector<bool> defined(const Variables& xs) {
  std::vector<bool> result;
  for (const Variable& x : xs) result.push_back(x.defined());
  return result;
}

Variable or_zeros(const Variable& found, const Variable& x) { return found.defined() ? found : zeros_like(x); }
Variables or_zeros(Variables found, const Variables& xs) {
  for (std::size_t i = 0; i < xs.size(); ++i) found[i] = or_zeros(found[i], xs[i]);
  return found;
}

// The sum of v' J over the ys and their vs, undefined for what plays no part.
Variables pull_back(const Variables& ys, const Variables& xs, const Variables& vs, bool create_graph,
                    bool retain_graph = false) {
  Variables outputs, seeds, result(xs.size());
  for (std::size_t i = 0; i < ys.size(); ++i)
    if (ys[i].requires_grad()) outputs.push_back(ys[i]), seeds.push_back(vs[i]);
  if (!outputs.empty() && !xs.empty())
    result = grad(outputs, xs, {.retain_graph = retain_graph, .create_graph = create_graph, .allow_unused = true,
                                .grad_outputs = seeds});
  return result;
}

// The gradients of a value in a call, by the inputs that are floating-point.
Variables gradients_in(const Call& call, const Variable& y, const Variable& v, bool create_graph,
                       bool retain_graph = false) {
  Variables found = pull_back({y}, call.floating(), {v}, create_graph, retain_graph);
  call.require_use(y, defined(found));
  return or_zeros(std::move(found), call.floating());
}

void require_one_element(const char* transform, const Variable& y) {
  if (y.size() != 1)
    throw ShapeError(std::string(transform) + ": the function's value has shape " + to_string(y.shape()) +
                     ", needs one element");
}

// The vectors of the floating-point xs, inputs or values, each of the shape and dtype of what it is for.
Variables checked_vectors(const char* transform, const char* what, const Variables& vectors, const Variables& xs) {
  if (vectors.size() != xs.size())
    throw ShapeError(std::string(transform) + ": " + std::to_string(vectors.size()) + " vectors for " +
                     std::to_string(xs.size()) + " " + what + "s");
  Variables result;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Variable &v = vectors[i], &x = xs[i];
    if (!is_floating(x.dtype())) continue;
    auto text = [&] {
      return std::string(transform) + ": vector " + std::to_string(i) + " is " + describe(v) + ", its " + what + " " +
             describe(x);
    };
    if (!v.defined() || v.shape() != x.shape()) throw ShapeError(text());
    bool is_scalar = v.impl()->weak;
    if (!is_scalar && v.dtype() != x.dtype()) throw DTypeError(text());
    result.push_back(is_scalar ? v.to(x.dtype()) : v);
  }
  return result;
}

// One at position k, zeros elsewhere.
Variable unit_vector(const Variable& x, std::size_t k) {
  Array unit = Array::full(x.shape(), 0, x.dtype());
  visit_floating("jacobian", x.dtype(), [&]<class T>(T) { unit.mutable_data<T>()[k] = 1; });
  return Variable(std::move(unit));
}

// Its rows or columns along an axis, in the shape of y + that of x and the dtype of x.
Variable assembled(const Variables& parts, std::ptrdiff_t axis, const Variable& y, const Variable& x) {
  Shape shape = y.shape();
  shape.insert(shape.end(), x.shape().begin(), x.shape().end());
  if (parts.empty()) return zeros(shape, x.dtype());
  Variable all = reshape(stack(parts, axis), shape);
  return all.dtype() == x.dtype() ? all : all.to(x.dtype());
}

// Row by row, with unit vectors for v.
Variables jacobian_by_rows(const Call& call, const Variable& y, bool create_graph) {
  const Variables& xs = call.floating();
  std::vector<Variables> rows(xs.size());
  for (std::size_t k = 0; k < y.size(); ++k) {
    Variables found = pull_back({y}, xs, {unit_vector(y, k)}, create_graph, true);
    if (k == 0) call.require_use(y, defined(found));
    for (std::size_t i = 0; i < xs.size(); ++i) rows[i].push_back(or_zeros(found[i], xs[i]));
  }
  Variables result;
  for (std::size_t i = 0; i < xs.size(); ++i) result.push_back(assembled(rows[i], 0, y, xs[i]));
  return result;
}

// Column by column, with unit vectors for the tangents of one input: for each of the ys.
Variables jacobian_by_columns(const detail::TangentWalk& walk, const Variables& ys, const Variables& xs, std::size_t input,
                              bool create_graph) {
  GradMode mode(create_graph);
  std::vector<Variables> columns(ys.size());
  for (std::size_t k = 0; k < xs[input].size(); ++k) {
    Variables tangents(xs.size());
    tangents[input] = unit_vector(xs[input], k);
    Variables column = or_zeros(walk.push(std::move(tangents)), ys);
    for (std::size_t i = 0; i < ys.size(); ++i) columns[i].push_back(column[i]);
  }
  Variables result;
  for (std::size_t i = 0; i < ys.size(); ++i) result.push_back(assembled(columns[i], -1, ys[i], xs[input]));
  return result;
}

std::size_t total_size(const Variables& xs) {
  std::size_t size = 0;
  for (const Variable& x : xs) size += x.size();
  return size;
}

ValueAndGrad value_and_grad_for(const char* name, const Callable& f, const Variables& xs) {
  Call call(name, xs);
  Variable y = call.value_of(f);
  require_one_element(name, y);
  Variables gradients = gradients_in(call, y, ones_like(y), call.recorded(y));
  return {call.result(y), call.results(gradients)};
}

}  // namespace

// One evaluation of a function, and the ways along its record.
class detail::Linearization {
 public:
  Linearization(const char* transform, const Callable& f, const Variables& xs)
      : transform_(transform), call_(transform, xs), y_(call_.value_of(f)), walk_(transform, {y_}, call_.floating()) {
    call_.require_use(y_, walk_.dependence());
  }

  Variable value() const { return call_.result(y_); }

  Variable pushed(const Variables& tangents) const {
    Variables directions = checked_vectors(transform_, "input", tangents, call_.inputs());
    GradMode mode(call_.recorded(y_, directions));
    return call_.result(or_zeros(walk_.push(directions)[0], y_));
  }

  Variables pulled(const Variable& v) const {
    Variables seed = checked_vectors(transform_, "value", {v}, {y_});
    Variables found = pull_back({y_}, call_.floating(), seed, call_.recorded(y_, seed), true);
    return call_.results(or_zeros(std::move(found), call_.floating()));
  }

 private:
  const char* transform_;
  Call call_;
  Variable y_;
  TangentWalk walk_;
};

Linearized::Linearized(std::shared_ptr<const detail::Linearization> linearization)
    : value(linearization->value()), linearization_(std::move(linearization)) {}

Variable Linearized::operator()(const Variables& tangents) const { return linearization_->pushed(tangents); }
Variables Linearized::transpose(const Variable& v) const { return linearization_->pulled(v); }

Linearized linearize(const Callable& f, const std::vector<Variable>& inputs) {
  return Linearized(std::make_shared<detail::Linearization>("linearize", f, inputs));
}

std::vector<Variable> grad(const Callable& f, const std::vector<Variable>& inputs) {
  return value_and_grad_for("grad", f, inputs).grads;
}
ValueAndGrad value_and_grad(const Callable& f, const std::vector<Variable>& inputs) {
  return value_and_grad_for("value_and_grad", f, inputs);
}

ValueAndGrad vjp(const Callable& f, const std::vector<Variable>& xs, const Variable& v) {
  Call call("vjp", xs);
  Variable y = call.value_of(f);
  Variables seed = checked_vectors("vjp", "value", {v}, {y});
  Variables products = gradients_in(call, y, seed[0], call.recorded(y, seed));
  return {call.result(y), call.results(products)};
}

ValueAndTangent jvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& tangents) {
  checked_vectors("jvp", "input", tangents, xs);
  detail::Linearization linearization("jvp", f, xs);
  return {linearization.value(), linearization.pushed(tangents)};
}

std::vector<Variable> jacobian(const Callable& f, const std::vector<Variable>& xs, const JacobianOptions& options) {
  Call call("jacobian", xs);
  Variable y = call.value_of(f);
  const bool fewer_columns = total_size(call.floating()) < y.size(), recorded = call.recorded(y);
  if (options.mode == JacobianMode::reverse || (options.mode == JacobianMode::automatic && !fewer_columns))
    return call.results(jacobian_by_rows(call, y, recorded));
  detail::TangentWalk walk("jacobian", {y}, call.floating());
  call.require_use(y, walk.dependence());
  Variables result;
  for (std::size_t i = 0; i < call.floating().size(); ++i)
    result.push_back(jacobian_by_columns(walk, {y}, call.floating(), i, recorded)[0]);
  return call.results(result);
}

std::vector<std::vector<Variable>> hessian(const Callable& f, const std::vector<Variable>& xs) {
  Call call("hessian", xs);
  Variable y = call.value_of(f);
  require_one_element("hessian", y);
  bool recorded = call.recorded(y);
  Variables gradients = gradients_in(call, y, ones_like(y), true, true);
  std::vector<Variables> columns;  // [j][i]
  detail::TangentWalk walk("hessian", gradients, call.floating());
  for (std::size_t j = 0; j < call.floating().size(); ++j)
    columns.push_back(jacobian_by_columns(walk, gradients, call.floating(), j, recorded));
  std::vector<Variables> result;
  std::size_t i = 0;
  for (const Variable& x : xs) {
    Variables row;
    for (const Variables& column : columns) row.push_back(is_floating(x.dtype()) ? column[i] : Variable());
    result.push_back(is_floating(x.dtype()) ? call.results(row) : Variables(xs.size()));
    i += is_floating(x.dtype());
  }
  return result;
}

ValueAndGrad hvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& vectors) {
  Call call("hvp", xs);
  Variables directions = checked_vectors("hvp", "input", vectors, xs);
  Variable y = call.value_of(f);
  require_one_element("hvp", y);
  Variables gradients = gradients_in(call, y, ones_like(y), true, true);
  // v' times the Jacobian of the gradient, which is v' H. (To push v along f and its gradient takes no less time.)
  Variables products = pull_back(gradients, call.floating(), directions, call.recorded(y, directions));
  return {call.result(y), call.results(or_zeros(std::move(products), call.floating()))};
}

}  // namespace xtape
