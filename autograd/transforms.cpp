#include <autograd/transforms.hpp>

#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
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
      if (!is_floating(x.dtype())) all_.push_back(x);
      else floating_.push_back(all_.emplace_back(connected ? reshape(x, x.shape()) : x.detach().requires_grad_()));
    }
  }

  // The floating-point inputs.
  const Variables& floating() const { return floating_; }

  // f at the inputs, recorded whatever the caller's mode.
  Variable value_of(const Callable& f) const {
    EnableGrad recording;
    Variable y = f(all_, transform_);
    if (!y.defined()) throw Error(std::string(transform_) + ": the function returned an undefined Variable");
    detail::require_floating(transform_, y);
    return y;
  }

  // Whether the caller can differentiate derivatives of y, in directions that are given: by them, by the inputs, or by
  // what f captured.
  bool recorded(const Variable& y, const Variables& directions = {}) const {
    if (!grad_enabled()) return false;
    for (const Variable& v : directions)
      if (v.requires_grad()) return true;
    return mark_.leads_beyond(y);
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
  const char* transform_;
  detail::Mark mark_;  // before the inputs
  Variables all_, floating_;
};

// The sum of v' J over the ys and their vs, with zeros for what plays no part.
Variables pull_back(const Variables& ys, const Variables& xs, const Variables& vs, bool create_graph,
                    bool retain_graph = false) {
  Variables outputs, seeds, result(xs.size());
  for (std::size_t i = 0; i < ys.size(); ++i)
    if (ys[i].requires_grad()) outputs.push_back(ys[i]), seeds.push_back(vs[i]);
  if (!outputs.empty() && !xs.empty())
    result = grad(outputs, xs, {.retain_graph = retain_graph, .create_graph = create_graph, .allow_unused = true,
                                .grad_outputs = seeds});
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!result[i].defined()) result[i] = zeros_like(xs[i]);
  return result;
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

// Row by row, with unit vectors for v.
Variables jacobian_of(const Variable& y, const Variables& xs, bool create_graph) {
  std::vector<Variables> rows(xs.size());
  for (std::size_t k = 0; k < y.size(); ++k) {
    Array unit = Array::full(y.shape(), 0, y.dtype());
    visit_floating("jacobian", y.dtype(), [&]<class T>(T) { unit.mutable_data<T>()[k] = 1; });
    Variables row = pull_back({y}, xs, {Variable(std::move(unit))}, create_graph, true);
    for (std::size_t i = 0; i < xs.size(); ++i) rows[i].push_back(row[i]);
  }
  Variables result;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    Shape shape = y.shape();
    shape.insert(shape.end(), xs[i].shape().begin(), xs[i].shape().end());
    result.push_back(rows[i].empty() ? zeros(shape, xs[i].dtype()) : reshape(stack(rows[i]), shape));
  }
  return result;
}

ValueAndGrad value_and_grad_for(const char* name, const Callable& f, const Variables& xs) {
  Call call(name, xs);
  Variable y = call.value_of(f);
  require_one_element(name, y);
  Variables gradients = pull_back({y}, call.floating(), {ones_like(y)}, call.recorded(y));
  return {call.result(y), call.results(gradients)};
}

}  // namespace

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
  Variables products = pull_back({y}, call.floating(), seed, call.recorded(y, seed));
  return {call.result(y), call.results(products)};
}

ValueAndTangent jvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& tangents) {
  Call call("jvp", xs);
  Variables directions = checked_vectors("jvp", "input", tangents, xs);
  Variable y = call.value_of(f);
  Variable u = zeros_like(y).requires_grad_();
  Variables pulled = pull_back({y}, call.floating(), {u}, true, true);
  Variable tangent = pull_back(pulled, {u}, directions, call.recorded(y, directions))[0];
  return {call.result(y), call.result(tangent)};
}

std::vector<Variable> jacobian(const Callable& f, const std::vector<Variable>& xs) {
  Call call("jacobian", xs);
  Variable y = call.value_of(f);
  return call.results(jacobian_of(y, call.floating(), call.recorded(y)));
}

std::vector<std::vector<Variable>> hessian(const Callable& f, const std::vector<Variable>& xs) {
  Call call("hessian", xs);
  Variable y = call.value_of(f);
  require_one_element("hessian", y);
  bool recorded = call.recorded(y);
  Variables gradients = pull_back({y}, call.floating(), {ones_like(y)}, true, true);
  std::vector<Variables> result;
  auto next = gradients.begin();
  for (const Variable& x : xs)
    result.push_back(is_floating(x.dtype()) ? call.results(jacobian_of(*next++, call.floating(), recorded))
                                            : Variables(xs.size()));
  return result;
}

ValueAndGrad hvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& vectors) {
  Call call("hvp", xs);
  Variables directions = checked_vectors("hvp", "input", vectors, xs);
  Variable y = call.value_of(f);
  require_one_element("hvp", y);
  Variables gradients = pull_back({y}, call.floating(), {ones_like(y)}, true, true);
  // v' times the Jacobian of the gradient, which is v' H.
  Variables products = pull_back(gradients, call.floating(), directions, call.recorded(y, directions));
  return {call.result(y), call.results(products)};
}

}  // namespace xtape
