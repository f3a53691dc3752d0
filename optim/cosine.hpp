// Learning-rate schedules that follow a cosine.
#pragma once

#include <optim/schedule.hpp>

namespace xtape::optim {

struct CosineAnnealingLROptions {
  std::int64_t T_max = 0;  ///< half a period; has to be given
  double eta_min = 0;
};

/// eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2; after T_max steps it rises again (Loshchilov and Hutter,
/// SGDR: stochastic gradient descent with warm restarts, ICLR 2017, equation 5, without the restarts).
class CosineAnnealingLR : public RateSchedule {
 public:
  /// @throws ValueError unless T_max >= 1 and eta_min is finite and 0 or more.
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  CosineAnnealingLROptions options_;
};

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t T_0 = 0;  ///< steps before the first restart; has to be given
  std::int64_t T_mult = 1;
  double eta_min = 0;
};

/// eta_min + (base - eta_min) (1 + cos(pi t_i / T_i)) / 2, where t_i is the number of steps since the last restart and
/// T_i that between two restarts: T_0, T_0 T_mult, T_0 T_mult^2, ... (Loshchilov and Hutter, SGDR, ICLR 2017,
/// equation 5). For rates between epochs, make a step after each batch, with T_0 in batches.
class CosineAnnealingWarmRestarts : public RateSchedule {
 public:
  /// @throws ValueError unless T_0 >= 1, T_mult >= 1 and eta_min is finite and 0 or more.
  CosineAnnealingWarmRestarts(Optimizer& optimizer, const CosineAnnealingWarmRestartsOptions& options);

 protected:
  double rate(const At& at) const override;
  std::vector<Entry> options() override;

 private:
  CosineAnnealingWarmRestartsOptions options_;
};

using CosineAnnealing = CosineAnnealingLR;

}  // namespace xtape::optim
