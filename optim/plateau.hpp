// A learning-rate schedule that watches a metric.
#pragma once

#include <optim/schedule.hpp>

namespace xtape::optim {

enum class PlateauMode { min, max };
enum class ThresholdMode { rel, abs };

struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;  ///< whether the metric should fall or rise
  double factor = 0.1;
  std::int64_t patience = 10;           ///< this many steps without improvement in a row are put up with
  double threshold = 1e-4;              ///< less than this is no improvement
  /// Whether the threshold is a part of the best metric's magnitude. (PyTorch takes a part of the metric with its sign,
  /// so that a negative one improves by getting worse.)
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;            ///< steps after a reduction that are not counted
  PerGroup min_lr = 0;
  double epsilon = 1e-8;                ///< a rate that would change by less stays
};

/// Multiplies the rates by `factor` when a metric has stopped improving: `schedule.step(validation_loss)` after each
/// epoch. A NaN is no improvement.
class ReduceLROnPlateau : public Schedule {
 public:
  /// @throws ValueError for options out of range; factor is below 1.
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});

  double best() const { return best_; }
  bool needs_metric() const override { return true; }

 protected:
  void advance(std::optional<double> metric) override;
  std::vector<Entry> entries() override;
  std::vector<Entry> options() override;

 private:
  bool improves(double metric) const;
  void reduce();

  ReduceLROnPlateauOptions options_;
  double best_;
  std::int64_t bad_steps_ = 0, cooldown_ = 0;
};

using ReduceOnPlateau = ReduceLROnPlateau;

}  // namespace xtape::optim
