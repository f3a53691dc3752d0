// L-BFGS.
#pragma once

#include <memory>

#include <optim/lbfgs_pairs.hpp>
#include <optim/method.hpp>

namespace xtape::optim {

struct LBFGSOptions {
  double lr = 1;
  std::int64_t max_iter = 20;       ///< iterations in a step
  std::int64_t max_eval = 0;        ///< calls of the closure in a step; 0 for max_iter * 5 / 4
  double tolerance_grad = 1e-7;     ///< a step ends where no element of the gradient is greater
  double tolerance_change = 1e-9;   ///< and where the loss or the parameters change by less
  std::int64_t history_size = 100;  ///< pairs of changes of parameters and gradients to remember
  bool strong_wolfe = false;        ///< searches along each direction instead of going lr times it
};

/// Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical programming 45, 1989,
/// Algorithm 2.1 and, for the scale of the first matrix, M3; the line search is strong_wolfe's. It minimizes over all
/// parameters as one vector, so there is one group, of one dtype, and `step` needs the closure:
///
///     optim::LBFGS lbfgs(net.parameters(), {.strong_wolfe = true});
///     lbfgs.step([&] {
///       lbfgs.zero_grad();
///       Variable loss = nn::mse_loss(net(x), y);
///       loss.backward();
///       return loss;
///     });
///
/// A parameter without a gradient counts as one whose gradient is 0. An exception from the closure leaves parameters
/// and state as they were before the step.
class LBFGS : public Method<LBFGS, LBFGSOptions> {
 public:
  /// @throws ValueError for options that are out of range, DTypeError for parameters of several dtypes; see Optimizer.
  explicit LBFGS(std::vector<Variable> parameters, const LBFGSOptions& options = {});
  static const Description<LBFGSOptions>& description();
  void add_param_group(const Group&) = delete;

  /// The number of calls of closures so far.
  std::int64_t evaluations() const { return state_->evaluations; }

 protected:
  /// @throws ValueError: there has to be a closure.
  void take_step() override;
  Variable take_step(const std::function<Variable()>& closure) override;
  void update(const LBFGSOptions&, std::size_t, Array&, const Array&) override {}  // take_step does it all

  void save_more(StateDict& state) const override;
  void expect_more(StateDict& expected, const StateDict& state) const override;
  std::string problems_of_more(const StateDict& state) const override;
  void load_more(const StateDict& state) override;
  std::function<void()> undo_more() override {
    return [this, state = state_] { state_ = state; };
  }

 private:
  struct State {
    std::int64_t iterations = 0, evaluations = 0;
    double step_length = 0;         // of the last iteration, as a multiple of the direction
    Variable direction, gradient;   // of the last iteration
    LBFGSPairs pairs;
  };
  Variable evaluate(const std::function<Variable()>& closure);
  /// From where the closure was called once, and its loss was `first_loss`.
  void minimize(const std::function<Variable()>& closure, double first_loss);
  void remember(const Variable& gradient);
  Variable flat_parameters() const;
  Variable flat_gradient() const;
  void set_parameters(const Variable& flat) const;
  std::size_t size() const;
  void convert_state();

  std::shared_ptr<State> state_ = std::make_shared<State>();  // a step changes a copy, so that others can keep it
};

}  // namespace xtape::optim
