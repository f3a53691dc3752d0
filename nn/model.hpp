// Model: a network with all that its training takes, for those who do not write the loop.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nn/callbacks/callback.hpp>
#include <nn/module.hpp>

namespace xtape {
class Communicator;
}

namespace xtape::nn {

/// A function of a network's output and the target, with its options: `nn::mse_loss`, a lambda, or
/// `{nn::softmax_cross_entropy, {.label_smoothing = 0.1}}`.
template <class Result>
class OfOutput {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, OfOutput> &&
             std::is_invocable_r_v<Result, F&, const Variable&, const Variable&>)
  OfOutput(F f) : f_(std::move(f)) {}
  template <class Options>
    requires std::is_class_v<std::remove_cvref_t<Options>>
  OfOutput(Result (*f)(const Variable&, const Variable&, Options)) : OfOutput(f, {}) {}
  template <class Options>
  OfOutput(Result (*f)(const Variable&, const Variable&, Options),
           const std::type_identity_t<std::remove_cvref_t<Options>>& options)
      : f_([f, options](const Variable& output, const Variable& target) { return f(output, target, options); }) {}

  Result operator()(const Variable& output, const Variable& target) const { return f_(output, target); }
  explicit operator bool() const { return static_cast<bool>(f_); }

 private:
  std::function<Result(const Variable&, const Variable&)> f_;
};

using Loss = OfOutput<Variable>;

/// A number that says how good a network is: `{"accuracy", nn::accuracy}`, `{"top 3", {nn::top_k_accuracy, 3}}`.
struct Metric {
  std::string name;
  OfOutput<double> function;
  /// The mean of the batches, weighted by their samples. It is shown while an epoch runs, and no outputs are kept; but
  /// only for means over samples is it the same as of all outputs at once.
  bool by_batch = false;
};

namespace detail {

class InterruptScope;

template <class Range>
concept BatchRange = requires(Range& range) {
  range.begin();
  range.end();
};

}  // namespace detail

/// Whatever gives batches: a DataLoader, or any range of elements that are pairs of Variables, structures with members
/// x and y, or, to predict from, Variables alone. It is referred to, or kept here when it is a temporary, and each
/// pass over it is an epoch. Passes throw ValueError for a Batch of more than two arrays, which a Model has no use for.
class Batches {
 public:
  using Visit = std::function<bool(const Variable& x, const Variable& y)>;

  template <class Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, Batches> && detail::BatchRange<std::remove_reference_t<Range>>)
  Batches(Range&& range) {
    auto source = held(std::forward<Range>(range));
    if constexpr (requires { source->shard(); }) shard_ = [source] { return source->shard(); };
    if constexpr (requires { source->size(); }) size_ = [source] { return static_cast<std::size_t>(source->size()); };
    for_each_ = [source](const Visit& visit) {
      for (auto&& batch : *source)
        if (!visit_one(visit, batch)) return;
    };
  }

  /// Calls `visit` for each batch until it returns false.
  void for_each(const Visit& visit) const { for_each_(visit); }
  /// The number of batches, where the range knows it.
  std::optional<std::size_t> size() const { return size_ ? std::optional(size_()) : std::nullopt; }
  /// The processes that share the batches, as a DataLoader says; null: they are this one's alone.
  Communicator* shard() const { return shard_ ? shard_() : nullptr; }

 private:
  template <class Range>
  static auto held(Range&& range) {
    if constexpr (std::is_lvalue_reference_v<Range>) return std::addressof(range);
    else return std::make_shared<Range>(std::forward<Range>(range));
  }
  template <class Batch>
  static bool visit_one(const Visit& visit, const Batch& batch) {
    if constexpr (std::convertible_to<const Batch&, Variable>) return visit(batch, Variable());
    else if constexpr (requires { batch.x; batch.y; }) {
      if constexpr (requires { batch.more.size(); }) require_two(batch.more.size());
      return visit(batch.x, batch.y);
    }
    else return visit(std::get<0>(batch), std::get<1>(batch));
  }
  static void require_two(std::size_t more);

  std::function<void(const Visit&)> for_each_;
  std::function<std::size_t()> size_;
  std::function<Communicator*()> shard_;
};

/// What a Model needs of an optimizer: those of optim have it, and one of one's own can. One that has `step(closure)`
/// gets its gradients from there.
template <class O>
concept Optimizing = requires(O& optimizer) {
  optimizer.zero_grad();
  { optimizer.lr() } -> std::convertible_to<double>;
} && (requires(O& optimizer) { optimizer.step(); } ||
      requires(O& optimizer, const std::function<Variable()>& closure) { optimizer.step(closure); });

struct FitOptions {
  std::size_t epochs = 1;
  std::optional<Batches> validation = {};  ///< evaluated after each epoch
  std::vector<CallbackHandle> callbacks = {};  ///< called in this order, learning-rate schedules first
  double clip_norm = 0;  ///< the greatest norm of all gradients together; 0: any. See clip_grad_norm
  std::size_t epochs_done = 0;  ///< where a training goes on that was interrupted; `epochs` counts these, too
  bool allow_nan = false;  ///< goes on when a loss is NaN
  /// The first Ctrl-C ends the training after the batch at hand, as a callback can. A second one ends the program, as
  /// does the first where the program has a handler of SIGINT that does so: that stays in place.
  bool stop_on_interrupt = true;
};

/// The scores of each epoch of a training. One that was interrupted has none.
class History {
 public:
  void add(Scores scores) { epochs_.push_back(std::move(scores)); }
  std::size_t size() const { return epochs_.size(); }
  const std::vector<Scores>& epochs() const { return epochs_; }
  /// Whether Ctrl-C ended the training.
  bool interrupted() const { return interrupted_; }
  void set_interrupted() { interrupted_ = true; }
  /// One score in the course of the training. @throws ValueError for a name that is not there.
  std::vector<double> operator[](const std::string& name) const;

 private:
  std::vector<Scores> epochs_;
  bool interrupted_ = false;
};

/// A network, its loss, and what makes that smaller:
///
///     nn::Model model(net, nn::softmax_cross_entropy, adam, {{"accuracy", nn::accuracy}});
///     model.fit(train, {.epochs = 20, .validation = test, .callbacks = {nn::ProgressBar(), nn::CSVLog("log.csv")}});
///     double accuracy = model.evaluate(test)["accuracy"];
///
/// The first axis of inputs, outputs and targets is the batch: batches are joined and counted along it. Recurrent
/// layers, which have the time first, need `.batch_first = true`. Of metrics that are not by_batch, all outputs and
/// targets of an epoch are kept in memory until its end.
///
/// With a DataLoader whose batches several processes share, scores and predictions are those of all of them together, and
/// callbacks that print or write files act in the process of rank 0 alone; see optim::DataParallel.
///
/// Nothing here is needed to train a network: it is the loop that one would write, with what goes with it.
class Model {
 public:
  /// The network is a handle; the optimizer must outlive the model. @throws ValueError for a null network, an empty
  /// loss or metric, or metrics without a name of their own.
  template <std::derived_from<Module> M, Optimizing O>
  Model(const M& network, Loss loss, O& optimizer, std::vector<Metric> metrics = {})
      : Model(std::make_shared<M>(network), std::move(loss), optimizer, std::move(metrics)) {}
  template <std::derived_from<Module> M, Optimizing O>
  Model(std::shared_ptr<M> network, Loss loss, O& optimizer, std::vector<Metric> metrics = {})
      : Model(std::shared_ptr<Module>(std::move(network)), std::move(loss), calls_of(optimizer), std::move(metrics)) {}

  /// Trains for some epochs, in train mode. Scores of the training data are those of the outputs while it ran. The
  /// modes of all modules are as before, afterwards.
  ///
  /// When Ctrl-C ends it, or a loss is NaN, the callbacks' on_fit_end is called all the same, so that files are whole
  /// and EarlyStopping goes back to the best epoch; the epoch at hand does not count.
  /// @throws ValueError for options that do not fit, data without batches or targets, a loss that is not one number, or
  /// one that is NaN: then, with its epoch and batch, before that has changed anything.
  History fit(const Batches& data, const FitOptions& options = {});

  /// "loss" and the metrics, in eval mode. The loss is the mean of the batches, weighted by their samples.
  /// @throws ValueError as fit.
  Scores evaluate(const Batches& data);

  /// The outputs for all batches, one behind the other, in eval mode. Targets are not looked at.
  /// @throws ValueError for data without batches.
  Variable predict(const Batches& data);
  /// The output for one batch.
  Variable predict(const Variable& x);

  Module& network() { return *network_; }

 private:
  struct Optimizer {
    std::function<void()> zero_grad;
    std::function<void(const std::function<Variable()>&)> step;
    std::function<double()> lr;
  };
  template <Optimizing O>
  static Optimizer calls_of(O& optimizer) {
    auto step = [&optimizer](const std::function<Variable()>& closure) {
      if constexpr (requires { optimizer.step(closure); }) {
        optimizer.step(closure);
      } else {
        closure();
        optimizer.step();
      }
    };
    return {[&optimizer] { optimizer.zero_grad(); }, step,
            [&optimizer] { return static_cast<double>(optimizer.lr()); }};
  }
  class Tally;
  class ModeScope;

  Model(std::shared_ptr<Module> network, Loss loss, Optimizer optimizer, std::vector<Metric> metrics);
  Scores expected_scores(bool validation) const;
  void train_batch(const Variable& x, const Variable& y, const FitOptions& options, const Training& training,
                   Tally& tally);
  History fitted(const Batches& data, const FitOptions& options);
  Scores evaluated(const char* operation, const Batches& data, const detail::InterruptScope* interrupt = nullptr);

  std::shared_ptr<Module> network_;
  Loss loss_;
  Optimizer optimizer_;
  std::vector<Metric> metrics_;
};

}  // namespace xtape::nn
