#include <nn/gradcheck.hpp>

#include <autograd/tape.hpp>

namespace xtape::nn {
namespace {

using Named = std::vector<std::pair<std::string, Variable>>;

// Until the end of the scope every parameter, in all its handles, has the value of another Variable and its place in
// the graph.
class Substitution {
 public:
  Substitution(const Named& parameters, const std::vector<Variable>& xs) : parameters_(parameters), xs_(xs) { swap(); }
  ~Substitution() { swap(); }
  Substitution(const Substitution&) = delete;
  Substitution& operator=(const Substitution&) = delete;

 private:
  void swap() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      VariableImpl& parameter = *parameters_[i].second.impl();
      VariableImpl& x = *xs_[i + 1].impl();
      std::swap(parameter.value, x.value);
      std::swap(parameter.node, x.node);
      std::swap(parameter.output, x.output);
    }
  }

  const Named& parameters_;
  const std::vector<Variable>& xs_;
};

}  // namespace

GradcheckResult gradcheck_module(const Module& module, const Variable& x, const GradcheckOptions& options) {
  Named parameters = module.named_parameters();
  std::vector<Variable> inputs{x};
  for (const auto& [name, parameter] : parameters) inputs.push_back(parameter);
  GradcheckResult result = gradcheck([&](const std::vector<Variable>& xs) {
    Substitution scope(parameters, xs);
    return module(xs[0]);
  }, inputs, options);
  if (result) return result;
  result.message += "; input 0 is x";
  for (std::size_t i = 0; i < parameters.size(); ++i)
    result.message += ", " + std::to_string(i + 1) + " is " + parameters[i].first;
  return result;
}

}  // namespace xtape::nn
