// Learning-rate schedules that go up and down, and the momentum with them.
#pragma once

#include <optim/schedule.hpp>

namespace xtape::optim {

enum class CyclicMode {
  triangular,   ///< every cycle alike
  triangular2,  ///< each half as high as the one before
  exp_range,    ///< the height falls by a factor of gamma in each step
};

struct CyclicLROptions {
  PerGroup base_lr = {};  ///< the lowest rate; has to be given
  PerGroup max_lr = {};   ///< the highest of the first cycle; has to be given
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;  ///< 0 for as many as up
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;
  bool cycle_momentum = true;  ///< the momentum, or beta1, is lowest where the rate is highest
  PerGroup base_momentum = 0.8;
  PerGroup max_momentum = 0.9;
};

/// base_lr + (max_lr - base_lr) x s, where x goes from 0 to 1 and back in each cycle, and s is 1, 1 / 2^(cycle - 1) or
/// gamma^t by the mode (Smith, Cyclical learning rates for training neural networks, WACV 2017). The lowest rate is
/// base_lr always; after another schedule of the same optimizer, PyTorch's is the optimizer's initial_lr instead.
class CyclicLR : public RateSchedule {
 public:
  /// @throws ValueError for options out of range, or an optimizer without a momentum to cycle.
  CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::optional<double> momentum(std::size_t group, std::int64_t t) const override;
  std::vector<Entry> options() override;

 private:
  double height(std::int64_t t) const;

  CyclicLROptions options_;
};

enum class Anneal { cos, linear };

struct OneCycleLROptions {
  PerGroup max_lr = {};               ///< has to be given
  std::int64_t total_steps = 0;  ///< has to be given: epochs times batches
  double pct_start = 0.3;        ///< the part of the steps that the rate rises in
  Anneal anneal_strategy = Anneal::cos;
  bool cycle_momentum = true;    ///< the momentum, or beta1, is lowest where the rate is highest
  PerGroup base_momentum = 0.85;
  PerGroup max_momentum = 0.95;
  double div_factor = 25;        ///< the first rate is max_lr / div_factor
  double final_div_factor = 1e4; ///< the last one is the first / final_div_factor
  bool three_phase = false;      ///< falls to the first rate as fast as it rose, and only then to the last one
};

/// From max_lr / div_factor to max_lr and down to max_lr / div_factor / final_div_factor, once (Smith and Topin,
/// Super-convergence: very fast training of neural networks using large learning rates, arXiv:1708.07120).
class OneCycleLR : public RateSchedule {
 public:
  /// @throws ValueError for options out of range, or an optimizer without a momentum to cycle.
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);

 protected:
  std::vector<Entry> options() override;
  /// @throws ValueError for a t above total_steps.
  double rate(const At& at) const override;
  std::optional<double> momentum(std::size_t group, std::int64_t t) const override;

 private:
  struct Phase {
    double begin, end;           // steps
    double start_lr, end_lr;     // as parts of max_lr
    double start_low, end_low;   // how much of base_momentum there is in the momentum, from 0 to 1
  };
  std::vector<Phase> phases() const;
  Phase phase_at(double t) const;
  double anneal(double start, double end, const Phase& phase, double t) const;

  OneCycleLROptions options_;
};

using Cyclic = CyclicLR;
using OneCycle = OneCycleLR;

}  // namespace xtape::optim
