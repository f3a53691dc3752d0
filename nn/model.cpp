#include <nn/model.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include <autograd/clip_grad.hpp>
#include <autograd/communicator.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <nn/checks.hpp>
#include <nn/interrupt.hpp>

namespace xtape::nn {
namespace {

const std::string loss_name = "loss", rate_name = "lr", validation_prefix = "val_";

void require_batches(const char* operation, const Batches& data) {
  if (data.size() == 0u) throw ValueError(std::string(operation) + ": the data has no batches, needs one or more");
}

// The number of samples of a batch.
std::size_t samples_of(const char* operation, const Variable& x, const Variable& y) {
  if (!x.defined() || !y.defined())
    throw ValueError(std::string(operation) + ": a batch of x " + describe(x) + " and y " + describe(y) +
                     ", needs both");
  if (x.rank() == 0 || x.shape(0) == 0)
    throw ShapeError(std::string(operation) + ": a batch of x " + describe(x) + ", needs samples along its first axis");
  return x.shape(0);
}

double loss_of(const char* operation, const Variable& loss) {
  if (!loss.defined() || loss.size() != 1)
    throw ValueError(std::string(operation) + ": the loss is " + describe(loss) + ", needs one number");
  return loss.item();
}

struct LossIsNaN : ValueError {
  using ValueError::ValueError;
};

void refuse_nan(double loss, const Training& training) {
  if (!std::isnan(loss)) return;
  std::string batch = std::to_string(training.batch + 1);
  if (training.batches > 0) batch += " of " + std::to_string(training.batches);
  std::string before = training.batch > 0 ? ", and a mean of " + detail::text(training.running[loss_name]) + " before it"
                                          : "";
  throw LossIsNaN("Model::fit: the loss is NaN in epoch " + std::to_string(training.epoch) + ", batch " + batch +
                  ", with a learning rate of " + detail::text(training.lr) + before +
                  "; a lower rate or clip_norm may help, DetectAnomaly finds the operation, allow_nan goes on");
}

// Whether the batch at hand has no example for this process, which got one of another's.
bool lacks_examples(Communicator* shard) { return shard && shard->share().mine == 0; }

Variable own_rows(Communicator* shard, const Variable& rows) {
  return lacks_examples(shard) ? rows[range(0, 0)] : rows;
}

// The rows of all processes that share the batches.
Variable of_all(Communicator* shard, const Variable& rows) {
  return shard ? Variable(shard->all_gather(rows.value())) : rows;
}

}  // namespace

void Batches::require_two(std::size_t more) {
  if (more > 0)
    throw ValueError("Model: a batch of " + std::to_string(2 + more) + " arrays, needs x and y; MapDataset can join "
                     "what is more, or a loop of one's own use it");
}

std::vector<double> History::operator[](const std::string& name) const {
  std::vector<double> values;
  for (const Scores& scores : epochs_) values.push_back(scores[name]);
  return values;
}

// The modes of all modules, which come back at the end of the scope.
class Model::ModeScope {
 public:
  ModeScope(Module& network, bool training) {
    network.apply([this](Module& module) { modes_.emplace_back(&module, module.training()); });
    network.train(training);
  }
  ~ModeScope() {
    for (auto [module, training] : modes_) module->set_training(training);
  }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  std::vector<std::pair<Module*, bool>> modes_;
};

// The loss and the metrics over the batches of an epoch.
class Model::Tally {
 public:
  /// Over the batches of this process, or of those that share them.
  Tally(const char* operation, const std::vector<Metric>& metrics, Communicator* shard)
      : operation_(operation), metrics_(metrics), shard_(shard), sums_(metrics.size(), 0) {}

  void add(const Variable& output, const Variable& target, double loss, std::size_t samples) {
    ++batches_;
    const bool keep = std::ranges::any_of(metrics_, [](const Metric& metric) { return !metric.by_batch; });
    if (keep) {
      outputs_.push_back(own_rows(shard_, output.detach()));
      targets_.push_back(own_rows(shard_, target));
    }
    if (lacks_examples(shard_)) return;
    auto weight = static_cast<double>(samples);
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (metrics_[i].by_batch) sums_[i] += weight * metrics_[i].function(output.detach(), target);
    loss_sum_ += weight * loss;
    samples_ += samples;
  }

  Communicator* shard() const { return shard_; }
  std::size_t batches() const { return batches_; }
  std::size_t samples() const { return samples_; }

  /// Of this process.
  Scores running() const {
    Scores scores;
    scores.add(loss_name, loss_sum_ / static_cast<double>(samples_));
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (metrics_[i].by_batch) scores.add(metrics_[i].name, sums_[i] / static_cast<double>(samples_));
    return scores;
  }

  /// Of all. @throws ValueError when there were no batches.
  Scores total() {
    if (batches_ == 0) throw ValueError(std::string(operation_) + ": the data has no batches, needs one or more");
    if (shard_) add_up();
    Variable output, target;
    if (!outputs_.empty()) {
      output = of_all(shard_, concatenate(outputs_));
      target = of_all(shard_, concatenate(targets_));
    }
    Scores running = this->running(), scores;
    scores.add(loss_name, running[loss_name]);
    for (const Metric& metric : metrics_)
      scores.add(metric.name, metric.by_batch ? running[metric.name] : metric.function(output, target));
    return scores;
  }

 private:
  void add_up() {
    loss_sum_ = shard_->sum(loss_sum_);
    samples_ = static_cast<std::size_t>(shard_->sum(static_cast<double>(samples_)));
    for (double& sum : sums_) sum = shard_->sum(sum);
  }

  const char* operation_;
  const std::vector<Metric>& metrics_;
  Communicator* shard_;
  double loss_sum_ = 0;
  std::size_t samples_ = 0, batches_ = 0;
  std::vector<double> sums_;
  std::vector<Variable> outputs_, targets_;
};

Model::Model(std::shared_ptr<Module> network, Loss loss, Optimizer optimizer, std::vector<Metric> metrics)
    : network_(std::move(network)),
      loss_(std::move(loss)),
      optimizer_(std::move(optimizer)),
      metrics_(std::move(metrics)) {
  if (!network_) throw ValueError("Model: the network is a null pointer");
  if (!loss_) throw ValueError("Model: the loss is empty");
  std::set<std::string> names{loss_name, rate_name};
  for (const Metric& metric : metrics_) {
    if (!metric.function) throw ValueError("Model: metric \"" + metric.name + "\" is empty");
    if (metric.name.empty() || metric.name.starts_with(validation_prefix) || !names.insert(metric.name).second)
      throw ValueError("Model: a metric is named \"" + metric.name +
                       "\", needs a name that is not taken, nor begins with " + validation_prefix);
  }
}

Scores Model::expected_scores(bool validation) const {
  Scores scores;
  for (const std::string& prefix :
       validation ? std::vector<std::string>{"", validation_prefix} : std::vector<std::string>{""}) {
    scores.add(prefix + loss_name, std::nan(""));
    for (const Metric& metric : metrics_) scores.add(prefix + metric.name, std::nan(""));
  }
  scores.add(rate_name, std::nan(""));
  return scores;
}

void Model::train_batch(const Variable& x, const Variable& y, const FitOptions& options, const Training& training,
                        Tally& tally) {
  Communicator* shard = tally.shard();
  std::size_t samples = samples_of("Model::fit", x, y);
  Variable output, first_loss;
  optimizer_.step([&] {
    EnableGrad recording;
    optimizer_.zero_grad();
    Variable y_hat = (*network_)(x), loss = loss_(y_hat, y);
    double value = loss_of("Model::fit", loss);
    // All processes refuse it, and search along a line by the same losses.
    if (shard) value = shard->sum(lacks_examples(shard) ? 0 : value * shard->share().weight());
    if (!first_loss.defined()) {
      if (!options.allow_nan) refuse_nan(value, training);
      first_loss = loss.detach(), output = y_hat.detach();
    }
    loss.backward();
    if (options.clip_norm > 0) clip_grad_norm(network_->parameters(), options.clip_norm);
    return shard ? full({}, value, loss.dtype()) : loss;
  });
  tally.add(output, y, first_loss.item(), samples);
}

History Model::fit(const Batches& data, const FitOptions& options) {
  return xtape::detail::naming("Model::fit", [&] { return fitted(data, options); });
}

History Model::fitted(const Batches& data, const FitOptions& options) {
  if (!(options.clip_norm >= 0))
    throw ValueError("Model::fit: clip_norm is " + Scalar(options.clip_norm).text() + ", needs 0 or more");
  require_batches("Model::fit", data);
  if (options.validation) require_batches("Model::fit: validation", *options.validation);
  Training training{.network = *network_, .epochs = options.epochs, .batches = data.size().value_or(0),
                    .epoch = options.epochs_done, .lr = optimizer_.lr(),
                    .scores = expected_scores(options.validation.has_value())};
  std::vector<CallbackHandle> callbacks = options.callbacks;
  if (Communicator* shard = data.shard(); shard && !shard->is_main())
    std::erase_if(callbacks, [](const CallbackHandle& callback) { return callback->on_main_process_only(); });
  std::stable_partition(callbacks.begin(), callbacks.end(), [](const CallbackHandle& c) { return c->comes_first(); });
  auto call = [&](void (Callback::*event)(Training&)) {
    for (CallbackHandle& callback : callbacks) ((*callback.operator->()).*event)(training);
  };
  History history;
  ModeScope scope(*network_, true);
  detail::InterruptScope interrupt(options.stop_on_interrupt);
  call(&Callback::on_fit_begin);
  while (training.epoch < options.epochs && !training.stop && !interrupt.interrupted()) {
    network_->train();
    Tally tally("Model::fit", metrics_, data.shard());
    ++training.epoch;
    training.batch = training.samples = 0;
    training.lr = optimizer_.lr();
    call(&Callback::on_epoch_begin);
    try {
      data.for_each([&](const Variable& x, const Variable& y) {
        train_batch(x, y, options, training, tally);
        training.batch = tally.batches();
        training.samples = tally.samples();
        training.running = tally.running();
        training.lr = optimizer_.lr();
        call(&Callback::on_batch_end);
        return !training.stop && !interrupt.interrupted();
      });
    } catch (const LossIsNaN&) {
      call(&Callback::on_fit_end);
      throw;
    }
    if (interrupt.interrupted()) break;
    training.scores = tally.total();
    if (!training.stop) training.batches = training.batch;
    if (options.validation)
      for (const auto& [name, value] : evaluated("Model::fit: validation", *options.validation, &interrupt))
        training.scores.add(validation_prefix + name, value);
    if (interrupt.interrupted()) break;
    training.scores.add(rate_name, training.lr);
    history.add(training.scores);
    call(&Callback::on_epoch_end);
  }
  training.interrupted = interrupt.interrupted();
  if (training.interrupted) history.set_interrupted();
  call(&Callback::on_fit_end);
  return history;
}

Scores Model::evaluate(const Batches& data) { return evaluated("Model::evaluate", data); }

Scores Model::evaluated(const char* operation, const Batches& data, const detail::InterruptScope* interrupt) try {
  NoGrad guard;
  ModeScope scope(*network_, false);
  Tally tally(operation, metrics_, data.shard());
  data.for_each([&](const Variable& x, const Variable& y) {
    std::size_t samples = samples_of(operation, x, y);
    Variable output = (*network_)(x);
    tally.add(output, y, loss_of(operation, loss_(output, y)), samples);
    return !interrupt || !interrupt->interrupted();
  });
  return tally.total();
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory(operation, "the scores");
}

Variable Model::predict(const Batches& data) try {
  NoGrad guard;
  ModeScope scope(*network_, false);
  std::vector<Variable> outputs;
  data.for_each([&](const Variable& x, const Variable&) {
    Variable output = (*network_)(x);
    outputs.push_back(of_all(data.shard(), own_rows(data.shard(), output)));
    return true;
  });
  if (outputs.empty()) throw ValueError("Model::predict: the data has no batches, needs one or more");
  return concatenate(outputs);
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("Model::predict", "the outputs");
}

Variable Model::predict(const Variable& x) try {
  NoGrad guard;
  ModeScope scope(*network_, false);
  return (*network_)(x);
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("Model::predict", "the outputs");
}

}  // namespace xtape::nn
