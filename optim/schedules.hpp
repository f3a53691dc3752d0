// Learning-rate schedules that multiply the rate by a factor, step by step.
#pragma once

#include <functional>

#include <optim/schedule.hpp>

namespace xtape::optim {

struct StepLROptions {
  std::int64_t step_size = 1;
  double gamma = 0.1;
};

/// base gamma^floor(t / step_size)
class StepLR : public RateSchedule {
 public:
  /// @throws ValueError unless step_size >= 1 and gamma is finite and 0 or more.
  explicit StepLR(Optimizer& optimizer, const StepLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  StepLROptions options_;
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones = {};  ///< one that is named twice counts twice
  double gamma = 0.1;
};

/// base gamma^(the number of milestones that are t or less)
class MultiStepLR : public RateSchedule {
 public:
  /// @throws ValueError unless the milestones are 1 or more, and gamma is finite and 0 or more.
  MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  MultiStepLROptions options_;
};

struct ExponentialLROptions {
  double gamma = 0.95;
};

/// base gamma^t
class ExponentialLR : public RateSchedule {
 public:
  /// @throws ValueError unless gamma is finite and 0 or more.
  ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  ExponentialLROptions options_;
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;
  double end_factor = 1;
  std::int64_t total_iters = 5;
};

/// base (start_factor + (end_factor - start_factor) min(t / total_iters, 1))
class LinearLR : public RateSchedule {
 public:
  /// @throws ValueError unless 0 < start_factor <= 1, 0 <= end_factor <= 1 and total_iters >= 1.
  explicit LinearLR(Optimizer& optimizer, const LinearLROptions& options = {});

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  LinearLROptions options_;
};

struct ConstantLROptions {
  double factor = 1.0 / 3;
  std::int64_t total_iters = 5;
};

/// base factor while t < total_iters, then base
class ConstantLR : public RateSchedule {
 public:
  /// @throws ValueError unless 0 < factor <= 1 and total_iters >= 1.
  explicit ConstantLR(Optimizer& optimizer, const ConstantLROptions& options = {});

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  ConstantLROptions options_;
};

struct WarmUpLROptions {
  std::int64_t steps = 5;
};

/// base min((t + 1) / steps, 1): gradual warm-up (Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1
/// hour, arXiv:1706.02677, section 2.2). Another schedule may go on at the same time, by ChainedScheduler, or
/// afterwards, by SequentialLR.
class WarmUpLR : public RateSchedule {
 public:
  /// @throws ValueError unless steps >= 1.
  explicit WarmUpLR(Optimizer& optimizer, const WarmUpLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  WarmUpLROptions options_;
};

struct PolynomialLROptions {
  std::int64_t total_iters = 5;
  double power = 1;
};

/// base (1 - min(t / total_iters, 1))^power
class PolynomialLR : public RateSchedule {
 public:
  /// @throws ValueError unless total_iters >= 1 and power is finite and 0 or more.
  explicit PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options = {});

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  PolynomialLROptions options_;
};

/// base f(t), with any function, or with one for each group.
class LambdaLR : public RateSchedule {
 public:
  using Function = std::function<double(std::int64_t t)>;

  /// @throws ValueError for a function that is empty, or gives a rate that the optimizer does not take.
  LambdaLR(Optimizer& optimizer, Function function);
  /// @throws ValueError unless there is one function for each group.
  LambdaLR(Optimizer& optimizer, std::vector<Function> functions);

 protected:
  double rate(const At& at) const override;

 private:
  std::vector<Function> functions_;
};

/// base f(1) f(2) ... f(t), with any function, or with one for each group: each step multiplies the rate by f(t).
class MultiplicativeLR : public RateSchedule {
 public:
  using Function = std::function<double(std::int64_t t)>;

  /// @throws ValueError for a function that is empty.
  MultiplicativeLR(Optimizer& optimizer, Function function);
  /// @throws ValueError unless there is one function for each group.
  MultiplicativeLR(Optimizer& optimizer, std::vector<Function> functions);

 protected:
  double rate(const At& at) const override;

 private:
  std::vector<Function> functions_;
};

}  // namespace xtape::optim
