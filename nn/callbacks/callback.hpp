// Callbacks: what Model::fit calls on the way.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nn/module.hpp>

namespace xtape::nn {

/// Numbers by name, in order: "loss", then the metrics.
class Scores {
 public:
  Scores() = default;
  explicit Scores(std::vector<std::pair<std::string, double>> entries) : entries_(std::move(entries)) {}

  void add(const std::string& name, double value) { entries_.emplace_back(name, value); }
  bool contains(const std::string& name) const;
  /// @throws ValueError naming the scores that there are when this one is not.
  double operator[](const std::string& name) const;
  std::size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  /// "loss, accuracy"
  std::string names() const;

 private:
  std::vector<std::pair<std::string, double>> entries_;
};

/// Where a training stands, as callbacks see it.
struct Training {
  Module& network;
  std::size_t epochs;       ///< the number of the last one
  std::size_t batches = 0;  ///< in an epoch; 0 while that is not known
  std::size_t epoch = 0;    ///< the number of this one, from 1; before the first, how many were done earlier
  std::size_t batch = 0;    ///< batches done in this epoch
  std::size_t samples = 0;  ///< samples in those
  double lr = 0;            ///< the optimizer's rate in the last batch
  Scores running = {};      ///< the mean of this epoch so far of "loss" and of the metrics by batch
  /// Of the last epoch that is done: "loss", the metrics, the same of the validation data as "val_loss" and so on, and
  /// "lr". Before the first, the names are there, and the values NaN.
  Scores scores = {};
  bool stop = false;  ///< a callback sets it to end the training after this batch
  bool interrupted = false;  ///< at the end of the training: whether Ctrl-C ended it
};

/// Base of callbacks. One of one's own overrides what it needs. An exception that one throws ends the training.
class Callback {
 public:
  virtual ~Callback() = default;
  /// Whether it is called before the others of the list, wherever it stands there: one that goes on with what the
  /// others save.
  virtual bool comes_first() const { return false; }
  /// Of several processes that train together, whether it is called in that of rank 0 alone: one that prints, or writes
  /// files.
  virtual bool on_main_process_only() const { return false; }
  /// Before anything is changed: the place to refuse what cannot work.
  virtual void on_fit_begin(Training&) {}
  virtual void on_epoch_begin(Training&) {}
  virtual void on_batch_end(Training&) {}
  virtual void on_epoch_end(Training&) {}
  virtual void on_fit_end(Training&) {}
};

/// A callback in a list: an object, which is moved there, or a pointer to one that outlives the training.
class CallbackHandle {
 public:
  template <std::derived_from<Callback> C>
  CallbackHandle(C&& callback) : callback_(std::make_shared<C>(std::forward<C>(callback))) {}
  /// @throws ValueError for a null pointer, as the others that take one.
  CallbackHandle(Callback* callback) : CallbackHandle(std::shared_ptr<Callback>(callback, [](Callback*) {})) {}
  CallbackHandle(std::shared_ptr<Callback> callback);
  template <std::derived_from<Callback> C>
  CallbackHandle(std::shared_ptr<C> callback) : CallbackHandle(std::shared_ptr<Callback>(std::move(callback))) {}

  Callback* operator->() const { return callback_.get(); }

 private:
  std::shared_ptr<Callback> callback_;
};

}  // namespace xtape::nn
