// Optimizers: they change parameters so that a loss becomes smaller.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <autograd/state_dict.hpp>
#include <autograd/variable.hpp>
#include <optim/state.hpp>

namespace xtape::optim {

/// Base of all optimizers. It holds the parameters in groups, each with options of its own, and for each parameter the
/// number of its steps and the "moments", arrays of the parameter's shape that the method carries from step to step.
/// Methods derive from Method, in method.hpp.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// Those of all groups, one group after the other.
  const std::vector<Variable>& parameters() const { return parameters_; }
  /// The number of groups.
  std::size_t groups() const { return group_ends_.size(); }

  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Changes each parameter as its gradient says. Those without a gradient are left as they are. Nothing is recorded.
  /// A step that fails changes nothing, neither parameters nor what they carry along.
  /// @throws DTypeError for a gradient that is of another dtype or shape than its parameter; Error where the method needs
  /// a closure, or another thread is in a step of this optimizer; MemoryError.
  void step() { take_step(); }
  /// Calls `closure`, which forgets the gradients, computes the loss, calls backward and returns the loss; then steps.
  /// Some methods, LBFGS for one, call it several times. Returns the loss of the first call.
  Variable step(const std::function<Variable()>& closure);

  // Gradient clipping, between backward and step

  /// Scales the gradients of all parameters so that their common norm is at most `max_norm`; returns the norm that it
  /// was. See xtape::clip_grad_norm.
  double clip_grad_norm(double max_norm, double p = 2) const;
  /// Cuts every element of the gradients to [-bound, bound].
  void clip_grad_value(double bound) const;

  // Options, by the names of the options' members. All are numbers here; true is 1.

  double lr(std::size_t group = 0) const { return option("lr", group); }
  /// Of all groups. @throws ValueError, and changes nothing, for what the constructor would refuse.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr) { set_option("lr", group, lr); }
  bool has_option(const std::string& name) const;
  /// @throws ValueError for a name or a group that there is not.
  double option(const std::string& name, std::size_t group = 0) const;
  /// @throws ValueError, and changes nothing, for such a name, or for what the constructor would refuse.
  void set_option(const std::string& name, std::size_t group, double value);
  /// The learning rate that the group had when the first schedule was made for this optimizer: what schedules begin
  /// from. Until then it is the learning rate.
  double initial_lr(std::size_t group = 0) const;

  /// Copies of all that a run goes on from: the options by their names, one number for each group; "group_sizes";
  /// "step", the number of steps of each parameter; and the moments, "NAME.0", "NAME.1", ... by the parameters'
  /// positions.
  StateDict state_dict() const;
  /// Goes on from a saved state, options included. @throws ValueError listing everything that is missing, unexpected,
  /// of another shape or dtype than this optimizer's parameters, or out of range, and changes nothing then.
  void load_state_dict(const StateDict& state);
  /// What brings the present state back, options included; groups that are added later stay. To call it needs no memory,
  /// and does not fail.
  std::function<void()> undo_point();

 protected:
  struct OptionSpec {
    const char* name;
    detail::Range range;
  };

  /// `moments` and `numbers` name what each parameter carries along: arrays of its shape, and single numbers.
  /// @throws ValueError when there are no groups, one is empty, or a parameter is undefined or listed twice; GraphError
  /// for one that is the result of a recorded operation; DTypeError for one that is not floating-point.
  Optimizer(std::string name, const std::vector<std::vector<Variable>>& groups, std::vector<OptionSpec> options,
            const std::vector<const char*>& moments, const std::vector<const char*>& numbers);

  const std::string& name() const { return name_; }
  /// Calls `f`. Where there is no memory for what it does, that is a MemoryError in the method's name.
  void naming(const std::function<void()>& f) const;
  /// @throws as the constructor, and changes nothing then.
  void add_group(const std::vector<Variable>& parameters);
  /// Where the parameters of `group` begin and end.
  std::size_t group_begin(std::size_t group) const { return group == 0 ? 0 : group_ends_[group - 1]; }
  std::size_t group_end(std::size_t group) const { return group_ends_[group]; }

  // What a method is

  virtual void take_step();
  virtual Variable take_step(const std::function<Variable()>& closure);
  /// What can fail in the step of parameter `i`, which is in `group`: before that of any parameter.
  virtual void prepare_parameter(std::size_t group, std::size_t i, const Array& parameter, const Array& gradient) = 0;
  /// One step of parameter `i`, which is in `group`.
  virtual void update_parameter(std::size_t group, std::size_t i, Array& parameter, const Array& gradient) = 0;
  /// Whether a step needs no memory where a parameter's moments are there already, and cannot fail.
  virtual bool is_in_place(std::size_t) const { return false; }
  /// Whether `update_parameter` is to get minus the gradient in this group.
  virtual bool maximizes(std::size_t) const { return false; }

  // The options of a group as numbers, in the order of their specifications

  virtual std::vector<double> options_of(std::size_t group) const = 0;
  virtual void assign_options(std::size_t group, const std::vector<double>& values) = 0;
  /// What contradicts itself in options that are each within its range; empty if nothing does.
  virtual std::string contradiction(const std::vector<double>& values) const = 0;
  /// Whether a parameter that has made steps may lack the moment.
  virtual bool moment_is_optional(std::size_t which) const = 0;
  /// What is wrong with such numbers, for a message; empty if nothing is.
  std::string options_problem(const std::vector<double>& values) const;

  // State of the method's own, beside moments and numbers

  virtual void save_more(StateDict&) const {}
  /// Adds to `expected` what of it `state` needs to hold.
  virtual void expect_more(StateDict&, const StateDict&) const {}
  /// What is wrong with values of it, a line for each; they may be missing or of a wrong form.
  virtual std::string problems_of_more(const StateDict&) const { return ""; }
  virtual void load_more(const StateDict&) {}
  virtual std::function<void()> undo_more() { return [] {}; }

  // What parameters carry from step to step

  /// Moment number `which` of parameter `i`, in the parameter's dtype; at first every element is `initial`.
  Array& moment(std::size_t which, std::size_t i, double initial = 0);
  /// Whether `moment` was called for it before.
  bool has_moment(std::size_t which, std::size_t i) const { return moments_[which].values[i].defined(); }
  double& number(std::size_t which, std::size_t i) { return numbers_[which].values[i]; }
  /// The number of steps of parameter `i`; 1 in the first.
  std::int64_t steps(std::size_t i) const { return steps_[i]; }
  /// @throws DTypeError for a gradient that does not fit its parameter.
  void check_gradients() const;

 private:
  friend class Schedule;

  struct Moment {
    const char* name;
    std::vector<Array> values;  // undefined before the first step that asks for it
  };
  struct Number {
    const char* name;
    std::vector<double> values;
  };
  class Before;
  StateDict saved() const;
  void load(const StateDict& state);
  std::vector<Array> negative_gradients() const;
  void update_all(const std::vector<Array>& negatives);
  bool is_ready(std::size_t i) const;
  void check_parameters(const std::vector<Variable>& parameters) const;
  std::size_t option_index(const std::string& name, std::size_t group) const;
  double initial_lr_or(std::size_t group, double lr) const;
  void set_initial_lr(std::size_t group, double lr) { initial_lrs_[group] = lr; }
  std::vector<double> saved_options(const StateDict& state, std::size_t group) const;
  StateDict expected_state(const StateDict& state, const std::vector<std::int64_t>& steps) const;

  std::string name_;
  std::vector<Variable> parameters_;
  std::vector<std::size_t> group_ends_;
  std::vector<OptionSpec> options_;
  std::vector<double> initial_lrs_;  // NaN before there is a schedule
  std::vector<std::int64_t> steps_;
  std::vector<Moment> moments_;
  std::vector<Number> numbers_;
  std::atomic<bool> stepping_ = false;
  std::vector<bool> ready_;  // whose last step asked for all moments: since then, no option became 0 or ceased to be
};

}  // namespace xtape::optim
