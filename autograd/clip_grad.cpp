#include <autograd/clip_grad.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/grad_mode.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape {
namespace {

void require_bound(const char* operation, double bound) {
  if (!(bound >= 0)) throw ValueError(std::string(operation) + ": a bound of " + Scalar(bound).text() + ", needs 0 or more");
}

// All of them, or none where one fails.
template <class F>
void replace_gradients(const std::vector<Variable>& parameters, F&& f) {
  std::vector<Variable> before;
  for (const Variable& x : parameters) before.push_back(x.grad());
  try {
    for (const Variable& x : parameters)
      if (x.grad().defined()) x.set_grad(f(x.grad()));
  } catch (...) {
    for (std::size_t i = 0; i < before.size(); ++i) parameters[i].impl()->grad = std::move(before[i]);
    throw;
  }
}

}  // namespace

double clip_grad_norm(const std::vector<Variable>& parameters, double max_norm, double p) try {
  require_bound("clip_grad_norm", max_norm);
  if (!(p > 0)) throw ValueError("clip_grad_norm: a norm of order " + Scalar(p).text() + ", needs more than 0");
  NoGrad guard;
  std::vector<double> norms;
  for (const Variable& x : parameters)
    if (x.grad().defined()) norms.push_back(norm(x.grad(), p).item());
  Array all_norms({norms.size()}, float64);
  std::copy(norms.begin(), norms.end(), all_norms.mutable_data<double>());
  double total = norms.empty() ? 0 : norm(Variable(all_norms), p).item();
  if (!std::isfinite(total))
    throw ValueError("clip_grad_norm: the gradients' norm is " + Scalar(total).text() + ", needs a finite one");
  double factor = max_norm / (total + 1e-6);
  if (factor < 1) replace_gradients(parameters, [&](const Variable& gradient) { return gradient * factor; });
  return total;
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("clip_grad_norm", "the norms");
}

void clip_grad_value(const std::vector<Variable>& parameters, double bound) try {
  require_bound("clip_grad_value", bound);
  NoGrad guard;
  replace_gradients(parameters, [&](const Variable& gradient) { return clip(gradient, -bound, bound); });
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("clip_grad_value", "the gradients");
}

}  // namespace xtape
