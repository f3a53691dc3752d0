#include <nn/gradcheck.hpp>

#include <autograd/grad_mode.hpp>
#include <nn/functional_call.hpp>

namespace xtape::nn {

GradcheckResult gradcheck_module(const Module& module, const Variable& x, const GradcheckOptions& options) {
  if (!module.materialized()) {
    NoGrad guard;
    module(x);
  }
  auto parameters = module.named_parameters();
  std::vector<Variable> inputs;
  bool constant = x.defined() && !is_floating(x.dtype());
  if (!constant) inputs.push_back(x);
  std::size_t first = inputs.size();
  for (const auto& [name, parameter] : parameters) inputs.push_back(parameter);
  GradcheckResult result = gradcheck([&](const std::vector<Variable>& xs) {
    return functional_call(module, std::vector<Variable>(xs.begin() + static_cast<std::ptrdiff_t>(first), xs.end()),
                           constant ? x : xs[0]);
  }, inputs, options);
  if (result) return result;
  result.message += constant ? "; " : "; input 0 is x";
  for (std::size_t i = 0; i < parameters.size(); ++i)
    result.message += (i + first == 0 ? "" : ", ") + std::to_string(first + i) + " is " + parameters[i].first;
  return result;
}

}  // namespace xtape::nn
