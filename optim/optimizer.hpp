// Optimizers: they change parameters so that a loss becomes smaller.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <autograd/state_dict.hpp>
#include <autograd/variable.hpp>

namespace xtape::optim {

/// Base of all optimizers. It holds the parameters, and for each of them the number of its steps and the "moments",
/// arrays of the parameter's shape that the method carries from step to step.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  const std::vector<Variable>& parameters() const { return parameters_; }
  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Changes each parameter as its gradient says. Those without a gradient are left as they are. Nothing is recorded.
  /// @throws DTypeError, before anything has changed, for a gradient that is of another dtype than its parameter.
  void step();

  double lr() const { return lr_; }
  /// @throws ValueError unless finite and 0 or more.
  void set_lr(double lr);

  /// Copies of "lr", of "step", the number of steps of each parameter, and of the moments: "NAME.0", "NAME.1", ... by
  /// the parameters' positions.
  StateDict state_dict() const;
  /// @throws ValueError listing everything that is missing, unexpected, or of another shape or dtype than this
  /// optimizer's parameters, and changes nothing then.
  void load_state_dict(const StateDict& state);

 protected:
  /// @throws ValueError when there are no parameters, or one is undefined or listed twice; GraphError for one that is
  /// the result of a recorded operation; DTypeError for one that is not floating-point.
  Optimizer(std::string name, std::vector<Variable> parameters, double lr, std::vector<std::string> moments);

  /// @throws ValueError naming this optimizer and the option.
  void require_option(const char* option, double value, double low, double high_excluded) const;

  /// One step of parameter `i`: the method itself.
  virtual void update(std::size_t i, Array& parameter, const Array& gradient) = 0;

  /// Moment number `which` of parameter `i`, in the parameter's dtype; zeros at first.
  Array& moment(std::size_t which, std::size_t i);
  /// The number of steps of parameter `i`; 1 in the first.
  std::int64_t steps(std::size_t i) const { return steps_[i]; }

 private:
  struct Moment {
    std::string name;
    std::vector<Array> values;  // undefined before the parameter's first step
  };
  StateDict expected_state(const std::vector<std::int64_t>& steps) const;

  std::string name_;
  std::vector<Variable> parameters_;
  double lr_ = 0;
  std::vector<std::int64_t> steps_;
  std::vector<Moment> moments_;
};

}  // namespace xtape::optim
