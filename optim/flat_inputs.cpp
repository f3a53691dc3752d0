#include <optim/flat_inputs.hpp>

#include <autograd/autograd.hpp>

namespace xtape::optim::detail {

FlatInputs::FlatInputs(std::string who, const std::vector<Variable>& inputs) : who_(std::move(who)) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::string name = who_ + ": input " + std::to_string(i);
    if (!inputs[i].defined()) throw ValueError(name + " is undefined");
    inputs_.push_back(inputs[i].detach());
    if (!is_variable(i)) continue;
    if (!all(isfinite(inputs_[i])).item<bool>()) throw ValueError(name + " has elements that are not finite");
    size_ += inputs[i].size();
  }
  if (size_ == 0) throw ValueError(who_ + ": the inputs have no floating-point elements to minimize over");
}

bool FlatInputs::is_variable(std::size_t i) const {
  return is_floating(inputs_[i].dtype());
}

std::vector<Variable> FlatInputs::floating(const std::vector<Variable>& parts) const {
  std::vector<Variable> result;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (is_variable(i)) result.push_back(parts[i]);
  return result;
}

Variable FlatInputs::flat(const std::vector<Variable>& parts) const {
  std::vector<Variable> flat;
  for (const Variable& x : floating(parts)) flat.push_back(x.detach().to(float64).reshape({-1}));
  return concatenate(flat);
}

std::vector<Variable> FlatInputs::parts(const Variable& flat) const {
  std::vector<Variable> parts;
  std::ptrdiff_t begin = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Variable& x = inputs_[i];
    if (!is_variable(i)) {
      parts.push_back(x.detach());  // the function may write to it
      continue;
    }
    auto end = begin + static_cast<std::ptrdiff_t>(x.size());
    parts.push_back(flat[range(begin, end)].reshape(x.shape()).to(x.dtype()));
    begin = end;
  }
  return parts;
}

Variable FlatInputs::bounds(const char* option, const std::vector<Variable>& bounds, double none) const {
  if (bounds.empty()) return full({size_}, none, float64);
  if (bounds.size() != inputs_.size())
    throw ValueError(who_ + ": " + option + " has " + std::to_string(bounds.size()) + " bounds for " +
                     std::to_string(inputs_.size()) + " inputs");
  std::vector<Variable> parts;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    std::string name = who_ + ": " + option + " " + std::to_string(i);
    if (bounds[i].defined() && any(isnan(bounds[i].detach())).item<bool>()) throw ValueError(name + " has a NaN");
    DType dtype = is_variable(i) ? inputs_[i].dtype() : float64;
    Variable bound = (bounds[i].defined() ? bounds[i].detach() : full({}, none, float64)).to(dtype);
    try {
      parts.push_back(broadcast_to(bound, inputs_[i].shape()));
    } catch (const ShapeError&) {
      throw ShapeError(name + " has shape " + to_string(bound.shape()) + ", which does not broadcast to that of the "
                       "input, " + to_string(inputs_[i].shape()));
    }
  }
  return flat(parts);
}

double greatest(const Variable& x) { return x.size() == 0 ? 0 : max(abs(x)).item(); }

}  // namespace xtape::optim::detail
