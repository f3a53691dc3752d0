#include <autograd/gradcheck.hpp>

#include <cmath>
#include <sstream>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;
using ScalarFunction = std::function<Variable(const Variables&)>;

Variables leaves(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs)
    result.push_back(is_floating(x.dtype()) ? Variable(x.value().copy()).requires_grad_() : x);
  return result;
}

// The gradients of L with respect to the floating-point inputs; zeros where it does not depend on one.
Variables gradients(const ScalarFunction& L, const Variables& xs, std::size_t count, bool create_graph) {
  Variables targets;
  for (std::size_t i = 0; i < count; ++i)
    if (is_floating(xs[i].dtype())) targets.push_back(xs[i]);
  Variables found = grad({L(xs)}, targets, {.create_graph = create_graph, .allow_unused = true});
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = zeros_like(targets[i]);
  return found;
}

double evaluate(const ScalarFunction& L, Variables xs, std::size_t input, std::size_t element, double shift) {
  xs = leaves(xs);
  xs[input].mutable_data<double>()[element] += shift;
  return L(xs).item();
}

// Compares the gradient of L at each element of the first `count` inputs.
GradcheckResult compare(const ScalarFunction& L, const Variables& inputs, std::size_t count, int order,
                        const GradcheckOptions& options) {
  Variables xs = leaves(inputs);
  Variables analytic = gradients(L, xs, count, false);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_floating(xs[i].dtype())) continue;
    const Variable& gradient = analytic[next++];
    if (gradient.shape() != xs[i].shape())
      return {false, "gradcheck: order " + std::to_string(order) + ", input " + std::to_string(i) + ": a gradient of " +
                         to_string(gradient.shape()) + " for " + to_string(xs[i].shape())};
    for (std::size_t k = 0; k < xs[i].size(); ++k) {
      double step = options.epsilon * std::max(1.0, std::abs(xs[i].value().at(k)));
      double numeric = (evaluate(L, xs, i, k, step) - evaluate(L, xs, i, k, -step)) / (2 * step);
      double found = gradient.value().at(k);
      if (std::abs(found - numeric) <= options.atol + options.rtol * std::abs(numeric)) continue;
      std::ostringstream text;
      text.precision(12);
      text << "gradcheck: order " << order << ", input " << i << ", element " << k << " of " << to_string(xs[i].shape())
           << " (value " << xs[i].value().at(k) << "): analytic " << found << ", numerical " << numeric;
      return {false, text.str()};
    }
  }
  return {};
}

Variable weights(const Shape& shape, Generator& generator) {
  // Away from 0, where a weight would hide an error.
  Array w = generator.uniform(shape, 0.5, 1.5, float64);
  Array signs = generator.uniform(shape, -1, 1, float64);
  for (std::size_t i = 0; i < w.size(); ++i)
    if (signs.at(i) < 0) w.mutable_data<double>()[i] *= -1;
  return Variable(std::move(w));
}

}  // namespace

GradcheckResult gradcheck(const Callable& f, const std::vector<Variable>& inputs, const GradcheckOptions& options) {
  EnableGrad recording;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined() || inputs[i].dtype() == DType::float32)
      throw DTypeError("gradcheck: input " + std::to_string(i) + " is " +
                       (inputs[i].defined() ? "float32" : "undefined") + ", needs float64; convert with .to(float64)");
  if (options.order < 1) throw ValueError("gradcheck: order " + std::to_string(options.order) + ", needs 1 or more");

  Generator generator(1);
  Variable y = f(leaves(inputs));
  if (!y.defined() || y.dtype() != float64) throw DTypeError("gradcheck: the function's result is not float64");
  Variables xs = inputs;
  std::size_t count = xs.size();  // how many of them to differentiate by: not the weights of the last projection
  xs.push_back(weights(y.shape(), generator));
  ScalarFunction L = [&f, count](const Variables& xs) {
    return sum(f({xs.begin(), xs.begin() + static_cast<std::ptrdiff_t>(count)}) * xs[count]);
  };
  for (int order = 1;; ++order) {
    GradcheckResult result = compare(L, xs, count, order, options);
    if (!result || order == options.order) return result;
    // The weights of this projection stand behind what there is by now; those of later ones will follow them.
    std::size_t before = xs.size();
    ScalarFunction project = [L, count, before](const Variables& xs) {
      Variables g = gradients(L, xs, count, true);
      Variable total = zeros({}, float64);
      std::size_t weight = before;
      for (const Variable& gradient : g) total = total + sum(gradient * xs[weight++]);
      return total;
    };
    for (std::size_t i = 0; i < count; ++i)
      if (is_floating(xs[i].dtype())) xs.push_back(weights(xs[i].shape(), generator));
    L = project;
    count = before;
  }
}

}  // namespace xtape
