#include <optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <autograd/grad_mode.hpp>

namespace xtape::optim {
namespace {

std::string describe(const Variable& x) {
  return x.defined() ? std::string(to_string(x.dtype())) + to_string(x.shape()) : "an undefined Variable";
}

}  // namespace

Optimizer::Optimizer(std::string name, std::vector<Variable> parameters, double lr, std::vector<std::string> moments)
    : name_(std::move(name)), parameters_(std::move(parameters)), steps_(parameters_.size(), 0) {
  if (parameters_.empty()) throw ValueError(name_ + ": the list of parameters is empty");
  std::map<const VariableImpl*, std::size_t> seen;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Variable& x = parameters_[i];
    std::string which = name_ + ": parameter " + std::to_string(i);
    if (!x.defined()) throw ValueError(which + " is undefined");
    if (!is_floating(x.dtype())) throw DTypeError(which + " is " + describe(x) + ", needs float32 or float64");
    if (!x.is_leaf()) throw GraphError(which + " is the result of a recorded operation, needs a leaf");
    auto [place, is_new] = seen.try_emplace(x.impl(), i);
    if (!is_new) throw ValueError(which + " is listed before, as parameter " + std::to_string(place->second));
  }
  set_lr(lr);
  for (std::string& moment : moments) moments_.push_back({std::move(moment), std::vector<Array>(parameters_.size())});
}

void Optimizer::require_option(const char* option, double value, double low, double high_excluded) const {
  if (value >= low && value < high_excluded && std::isfinite(value)) return;
  std::string range = std::to_string(low) + " or more" +
                      (std::isfinite(high_excluded) ? ", below " + std::to_string(high_excluded) : "");
  throw ValueError(name_ + ": " + option + " is " + std::to_string(value) + ", needs " + range);
}

void Optimizer::set_lr(double lr) {
  require_option("lr", lr, 0, INFINITY);
  lr_ = lr;
}

void Optimizer::zero_grad() {
  for (const Variable& x : parameters_) x.zero_grad();
}

void Optimizer::step() {
  NoGrad guard;
  std::vector<Variable> gradients;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Variable gradient = parameters_[i].grad();
    const Variable& x = parameters_[i];
    if (gradient.defined() && (gradient.dtype() != x.dtype() || gradient.shape() != x.shape()))
      throw DTypeError(name_ + ": step: the gradient of parameter " + std::to_string(i) + " is " + describe(gradient) +
                       ", the parameter " + describe(x) + ": call zero_grad() after converting");
    gradients.push_back(std::move(gradient));
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    ++steps_[i];
    update(i, parameters_[i].mutable_value(), gradients[i].value());
  }
}

Array& Optimizer::moment(std::size_t which, std::size_t i) {
  Array& value = moments_[which].values[i];
  const Array& parameter = parameters_[i].value();
  if (!value.defined()) value = Array::full(parameter.shape(), 0, parameter.dtype());
  if (value.dtype() != parameter.dtype()) value = value.to(parameter.dtype());  // the model was converted meanwhile
  return value;
}

StateDict Optimizer::state_dict() const {
  StateDict state;
  Array steps({steps_.size()}, int64);
  std::copy(steps_.begin(), steps_.end(), steps.mutable_data<std::int64_t>());
  state.emplace("step", Variable(std::move(steps)));
  state.emplace("lr", Variable(Array::scalar(lr_, float64)));
  for (const Moment& moment : moments_)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (const Array& value = moment.values[i]; value.defined())
        state.emplace(moment.name + "." + std::to_string(i), Variable(value.to(parameters_[i].dtype()).copy()));
  return state;
}

// What a state needs to hold, by shapes and dtypes, when each parameter has made these numbers of steps.
StateDict Optimizer::expected_state(const std::vector<std::int64_t>& steps) const {
  StateDict expected;
  expected.emplace("step", Variable(Array({parameters_.size()}, int64)));
  expected.emplace("lr", Variable(Array::scalar(0, float64)));
  for (const Moment& moment : moments_)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (steps[i] > 0) expected.emplace(moment.name + "." + std::to_string(i), parameters_[i]);
  return expected;
}

void Optimizer::load_state_dict(const StateDict& state) {
  auto refuse = [&](const std::string& what) {
    throw ValueError(name_ + ": load_state_dict: the state does not fit this optimizer" + what);
  };
  std::vector<std::int64_t> steps(parameters_.size(), 0);
  auto counts = state.find("step");
  if (counts != state.end() && describe(counts->second) == "int64" + to_string(Shape{steps.size()}))
    std::copy_n(counts->second.data<std::int64_t>(), steps.size(), steps.begin());

  StateDict expected = expected_state(steps);
  std::string misfits;
  for (const auto& [name, x] : expected) {
    auto found = state.find(name);
    if (found == state.end()) misfits += "\n  missing: " + name + ", " + describe(x);
    else if (describe(found->second) != describe(x))
      misfits += "\n  " + name + ": got " + describe(found->second) + ", needs " + describe(x);
  }
  for (const auto& [name, x] : state)
    if (!expected.contains(name)) misfits += "\n  unexpected: " + name + ", " + describe(x);
  if (!misfits.empty()) refuse(misfits);
  for (std::int64_t count : steps)
    if (count < 0) refuse("\n  step: got " + std::to_string(count) + ", needs 0 or more");

  std::vector<Moment> moments = moments_;
  for (Moment& moment : moments)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      moment.values[i] = steps[i] > 0 ? state.at(moment.name + "." + std::to_string(i)).value().copy() : Array();
  set_lr(state.at("lr").item());
  steps_ = std::move(steps);
  moments_ = std::move(moments);
}

}  // namespace xtape::optim
