#include <autograd/transforms.hpp>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// The inputs as Variables of their own to differentiate by: connected to the caller's where these are recorded.
struct Inputs {
  const char* transform;
  Variables all, floating;
  bool recorded = false;

  Inputs(const char* transform, const Variables& xs) : transform(transform) {
    for (const Variable& x : xs) {
      detail::require_defined(transform, x);
      bool connected = grad_enabled() && x.requires_grad();
      recorded = recorded || connected;
      if (!is_floating(x.dtype())) all.push_back(x);
      else floating.push_back(all.emplace_back(connected ? reshape(x, x.shape()) : x.detach().requires_grad_()));
    }
  }

  // One gradient for each input, from those of the floating-point ones.
  Variables spread(const Variables& gradients) const {
    Variables result;
    auto next = gradients.begin();
    for (const Variable& x : all) result.push_back(is_floating(x.dtype()) ? *next++ : Variable());
    return result;
  }
};

// Whatever the caller's mode.
Variable evaluate(const Callable& f, const Inputs& inputs) {
  EnableGrad recording;
  return f(inputs.all, inputs.transform);
}

// v' J, with zeros for what plays no part.
Variables pull_back(const Variable& y, const Variables& xs, const Variable& v, bool create_graph, bool retain_graph) {
  Variables result(xs.size());
  if (y.requires_grad() && !xs.empty())
    result = grad({y}, xs, {.retain_graph = retain_graph, .create_graph = create_graph, .allow_unused = true,
                            .grad_outputs = {v}});
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!result[i].defined()) result[i] = zeros_like(xs[i]);
  return result;
}

void require_one_element(const char* transform, const Variable& y) {
  if (y.size() != 1)
    throw ShapeError(std::string(transform) + ": the function's value has shape " + to_string(y.shape()) +
                     ", needs one element");
}

void require_like(const char* transform, const Variables& vectors, const Variables& inputs) {
  if (vectors.size() != inputs.size())
    throw ShapeError(std::string(transform) + ": " + std::to_string(vectors.size()) + " vectors for " +
                     std::to_string(inputs.size()) + " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (is_floating(inputs[i].dtype()) && (!vectors[i].defined() || vectors[i].shape() != inputs[i].shape()))
      throw ShapeError(std::string(transform) + ": vector " + std::to_string(i) + " has shape " +
                       (vectors[i].defined() ? to_string(vectors[i].shape()) : "of nothing") + ", its input " +
                       to_string(inputs[i].shape()));
}

Variable without_past(const Variable& y, bool recorded) { return recorded ? y : y.detach(); }

// Row by row, with unit vectors for v.
Variables jacobian_of(const Variable& y, const Variables& xs, bool create_graph) {
  std::vector<Variables> rows(xs.size());
  for (std::size_t k = 0; k < y.size(); ++k) {
    Array unit = Array::full(y.shape(), 0, y.dtype());
    visit_floating("jacobian", y.dtype(), [&]<class T>(T) { unit.mutable_data<T>()[k] = 1; });
    Variables row = pull_back(y, xs, Variable(std::move(unit)), create_graph, true);
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

ValueAndGrad value_and_grad_for(const char* name, const Callable& f, const std::vector<Variable>& xs) {
  Inputs inputs(name, xs);
  Variable y = evaluate(f, inputs);
  require_one_element(name, y);
  Variables gradients = pull_back(y, inputs.floating, ones_like(y), inputs.recorded, false);
  return {without_past(y, inputs.recorded), inputs.spread(gradients)};
}

}  // namespace

std::vector<Variable> grad(const Callable& f, const std::vector<Variable>& inputs) {
  return value_and_grad_for("grad", f, inputs).grads;
}
ValueAndGrad value_and_grad(const Callable& f, const std::vector<Variable>& inputs) {
  return value_and_grad_for("value_and_grad", f, inputs);
}

ValueAndGrad vjp(const Callable& f, const std::vector<Variable>& xs, const Variable& v) {
  Inputs inputs("vjp", xs);
  Variable y = evaluate(f, inputs);
  require_like("vjp", {v}, {y});
  bool recorded = inputs.recorded || (v.requires_grad() && grad_enabled());
  return {without_past(y, inputs.recorded), inputs.spread(pull_back(y, inputs.floating, v, recorded, false))};
}

ValueAndTangent jvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& tangents) {
  Inputs inputs("jvp", xs);
  require_like("jvp", tangents, xs);
  Variables directions;
  bool recorded = inputs.recorded;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!is_floating(xs[i].dtype())) continue;
    directions.push_back(tangents[i]);
    recorded = recorded || (tangents[i].requires_grad() && grad_enabled());
  }
  Variable y = evaluate(f, inputs);
  Variable u = zeros_like(y).requires_grad_();
  Variable tangent;
  {
    EnableGrad recording;
    Variables pulled = pull_back(y, inputs.floating, u, true, true);
    tangent = zeros_like(y);
    // Each on its own: some of them may not depend on u.
    for (std::size_t i = 0; i < pulled.size(); ++i)
      tangent = tangent + pull_back(pulled[i], {u}, directions[i], recorded, true)[0];
  }
  return {without_past(y, inputs.recorded), without_past(tangent, recorded)};
}

std::vector<Variable> jacobian(const Callable& f, const std::vector<Variable>& xs) {
  Inputs inputs("jacobian", xs);
  Variable y = evaluate(f, inputs);
  return inputs.spread(jacobian_of(y, inputs.floating, inputs.recorded));
}

std::vector<std::vector<Variable>> hessian(const Callable& f, const std::vector<Variable>& xs) {
  Inputs inputs("hessian", xs);
  Variable y = evaluate(f, inputs);
  require_one_element("hessian", y);
  Variables gradients = pull_back(y, inputs.floating, ones_like(y), true, true);
  std::vector<Variables> result;
  for (const Variable& gradient : inputs.spread(gradients))
    result.push_back(gradient.defined() ? inputs.spread(jacobian_of(gradient, inputs.floating, inputs.recorded))
                                        : Variables(xs.size()));
  return result;
}

ValueAndGrad hvp(const Callable& f, const std::vector<Variable>& xs, const std::vector<Variable>& vectors) {
  Inputs inputs("hvp", xs);
  require_like("hvp", vectors, xs);
  Variable y = evaluate(f, inputs);
  require_one_element("hvp", y);
  Variables gradients = pull_back(y, inputs.floating, ones_like(y), true, true);
  // The gradient of v' (gradient of f), which is v' H.
  Variable projected = zeros({}, y.dtype());
  std::size_t next = 0;
  {
    EnableGrad recording;
    for (std::size_t i = 0; i < xs.size(); ++i)
      if (is_floating(xs[i].dtype())) projected = projected + sum(gradients[next++] * vectors[i]);
  }
  Variables products = pull_back(projected, inputs.floating, ones_like(projected), inputs.recorded, false);
  return {without_past(y, inputs.recorded), inputs.spread(products)};
}

}  // namespace xtape
