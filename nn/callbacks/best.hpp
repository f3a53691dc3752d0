// Callbacks that look for the best epoch.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <nn/callbacks/callback.hpp>
#include <nn/checkpoint.hpp>

namespace xtape::nn {

/// Which score says how good an epoch is, and when it is better than the best so far.
class Monitor {
 public:
  /// @throws ValueError naming `callback` when the name is empty, or min_delta negative or not finite.
  Monitor(std::string callback, std::string score, bool maximize, double min_delta = 0);
  /// @throws ValueError naming the scores that there are unless this one is among them.
  void require(const Training& training) const;
  /// Takes note of an epoch: whether it is better. NaN never is.
  bool improves(const Training& training);
  double best() const { return best_; }
  const std::string& score() const { return score_; }
  void reset();
  /// As if the best so far had this score.
  void begin_at(double best);

 private:
  std::string callback_, score_;
  bool maximize_;
  double min_delta_, best_ = 0;
  bool any_ = false;
};

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  bool maximize = false;      ///< a greater score is better
  std::size_t patience = 3;   ///< after so many epochs in a row without improvement, 1 or more, the training ends
  double min_delta = 0;       ///< an improvement is more than this
  bool restore_best = false;  ///< at the end of the training, the network goes back to its best epoch
};

/// Ends a training that no longer improves. Prechelt, Early stopping - but when?, 1998. In a training
/// that goes on behind the best epoch that it knows of, it goes on, too; otherwise it begins anew.
class EarlyStopping : public Callback {
 public:
  /// @throws ValueError for options that do not fit; at the beginning of the training when the score is not there.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});
  void on_fit_begin(Training& training) override;
  void on_epoch_end(Training& training) override;
  void on_fit_end(Training& training) override;
  /// The best epoch of the last training, from 1, and its score.
  std::size_t best_epoch() const { return best_epoch_; }
  double best_score() const { return monitor_.best(); }

 private:
  EarlyStoppingOptions options_;
  Monitor monitor_;
  std::size_t best_epoch_ = 0, waited_ = 0;
  StateDict best_state_;
};

struct BestCheckpointOptions {
  std::string monitor = "val_loss";
  bool maximize = false;  ///< a greater score is better
  /// What is saved, such as the network, the optimizer and the schedule; if left out, the network, as "model".
  std::vector<CheckpointPart> parts = {};
};

/// Saves a Checkpoint after each epoch that is better than those before, with the epoch as its step and the scores as
/// texts. The file is always whole: `Checkpoint::load(file).restore({{"model", net}})`. One that was there is
/// replaced; by a training that goes on at a later epoch only when a score is better than that in the file.
class BestCheckpoint : public Callback {
 public:
  /// @throws ValueError for options that do not fit; at the beginning of the training when the score is not there or
  /// parts are not named as Checkpoint needs it, and FileError when the file cannot be written, or
  /// a training goes on and the file is no checkpoint with that score.
  explicit BestCheckpoint(std::filesystem::path file, const BestCheckpointOptions& options = {});
  bool on_main_process_only() const override { return true; }
  void on_fit_begin(Training& training) override;
  void on_epoch_end(Training& training) override;

 private:
  Checkpoint checkpoint_of(Training& training) const;
  double saved_score() const;

  std::filesystem::path file_;
  std::vector<CheckpointPart> parts_;
  Monitor monitor_;
};

}  // namespace xtape::nn
