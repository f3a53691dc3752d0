#include <nn/callbacks/best.hpp>

#include <cmath>
#include <optional>

#include <autograd/atomic_file.hpp>
#include <nn/callbacks/numbers.hpp>

namespace xtape::nn {

Monitor::Monitor(std::string callback, std::string score, bool maximize, double min_delta)
    : callback_(std::move(callback)), score_(std::move(score)), maximize_(maximize), min_delta_(min_delta) {
  if (score_.empty()) throw ValueError(callback_ + ": monitor is empty, needs the name of a score");
  if (!(min_delta >= 0) || std::isinf(min_delta))
    throw ValueError(callback_ + ": min_delta is " + Scalar(min_delta).text() + ", needs 0 or more");
}

void Monitor::require(const Training& training) const {
  if (!training.scores.contains(score_))
    throw ValueError(callback_ + ": no score is named \"" + score_ + "\"; there are " + training.scores.names());
}

bool Monitor::improves(const Training& training) {
  double score = training.scores[score_];
  if (std::isnan(score)) return false;
  if (any_ && !(maximize_ ? score > best_ + min_delta_ : score < best_ - min_delta_)) return false;
  begin_at(score);
  return true;
}

void Monitor::begin_at(double best) {
  any_ = true;
  best_ = best;
}

void Monitor::reset() {
  any_ = false;
  best_ = std::nan("");
}

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : options_(options), monitor_("EarlyStopping", options.monitor, options.maximize, options.min_delta) {
  if (options.patience == 0) throw ValueError("EarlyStopping: patience is 0, needs 1 or more");
}

void EarlyStopping::on_fit_begin(Training& training) {
  monitor_.require(training);
  bool goes_on = 0 < best_epoch_ && best_epoch_ <= training.epoch;
  if (goes_on) return;
  monitor_.reset();
  best_epoch_ = waited_ = 0;
  best_state_.clear();
}

void EarlyStopping::on_epoch_end(Training& training) {
  if (monitor_.improves(training)) {
    best_epoch_ = training.epoch;
    waited_ = 0;
    if (options_.restore_best) best_state_ = training.network.state_dict();
  } else if (++waited_ >= options_.patience) {
    training.stop = true;
  }
}

void EarlyStopping::on_fit_end(Training& training) {
  if (options_.restore_best && best_epoch_ > 0) training.network.load_state_dict(best_state_);
}

BestCheckpoint::BestCheckpoint(std::filesystem::path file, const BestCheckpointOptions& options)
    : file_(std::move(file)), parts_(options.parts), monitor_("BestCheckpoint", options.monitor, options.maximize) {}

void BestCheckpoint::on_fit_begin(Training& training) {
  monitor_.require(training);
  monitor_.reset();
  checkpoint_of(training);
  AtomicFile probe(file_);  // whether it can be written; nothing is
  std::error_code missing;
  if (training.epoch > 0 && std::filesystem::exists(file_, missing)) monitor_.begin_at(saved_score());
}

double BestCheckpoint::saved_score() const {
  Checkpoint saved = Checkpoint::load(file_);
  auto text = saved.texts.find(monitor_.score());
  std::optional<double> score;
  if (text != saved.texts.end()) score = detail::number_of(text->second);
  if (!score)
    throw FileError("BestCheckpoint: " + file_.string() + " holds no score \"" + monitor_.score() +
                    "\", which a training that goes on needs to know what is better");
  return *score;
}

Checkpoint BestCheckpoint::checkpoint_of(Training& training) const {
  return Checkpoint(parts_.empty() ? std::vector<CheckpointPart>{{"model", training.network}} : parts_,
                    static_cast<std::int64_t>(training.epoch));
}

void BestCheckpoint::on_epoch_end(Training& training) {
  if (!monitor_.improves(training)) return;
  Checkpoint checkpoint = checkpoint_of(training);
  for (const auto& [name, value] : training.scores) checkpoint.texts.emplace(name, detail::shortest(value));
  checkpoint.save(file_);
}

}  // namespace xtape::nn
