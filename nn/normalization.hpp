// Layers that normalize what passes: (x - mean) / sqrt(var + epsilon), times a weight, plus a bias. The definitions and
// the defaults are PyTorch's.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <nn/module.hpp>

namespace xtape {
class Communicator;
}

namespace xtape::nn {

struct BatchNormOptions {
  double epsilon = 1e-5;
  std::optional<double> momentum = 0.1;  ///< the weight of a batch in the running statistics; none: their plain mean
  bool affine = true;                    ///< with a weight and a bias
  bool track_running_stats = true;       ///< without, evaluation goes by the batch as well
  DType dtype = default_dtype();
};

namespace detail {

/// What the norms with running statistics share. Those are the means over training of the batches' means, and of their
/// variances of the unbiased kind.
class RunningNorm : public Module {
 public:
  std::string description() const override;

  /// Whether the mean and the variance are those of the input itself.
  bool by_input() const { return training() || !running_mean.defined(); }
  /// What it multiplies each channel by, and then adds, where it goes by the running statistics.
  std::pair<Variable, Variable> scale_and_shift() const;

  Parameter weight, bias;               ///< (channels); undefined unless affine
  Parameter running_mean, running_var;  ///< (channels); undefined unless tracked
  Parameter num_batches_tracked;        ///< int64, 0-d; undefined unless tracked

 protected:
  RunningNorm(const char* name, std::size_t channels, const BatchNormOptions& options);
  /// @throws ShapeError unless x has these channels, and a number of axes in [low, high].
  void check(const Variable& x, std::size_t low, std::size_t high) const;
  /// @throws ValueError when the channels of x have one element each, whose variance is 0, or in training none at all.
  void require_several(const Variable& x, std::size_t of_channel) const;
  /// Takes a batch into the running statistics. `count` elements had this variance, of the biased kind.
  void track(const Variable& mean, const Variable& variance, double count, double momentum);

  std::string name_;
  std::size_t channels_;
  BatchNormOptions options_;
};

/// The processes that a module synchronizes with, which its copies share, as its parameters, and clones do not.
struct ProcessesOfModule {
  ProcessesOfModule() = default;
  ProcessesOfModule(const ProcessesOfModule& other);
  ProcessesOfModule& operator=(const ProcessesOfModule&) = default;
  ~ProcessesOfModule() = default;

  std::shared_ptr<Communicator*> of_all_copies = std::make_shared<Communicator*>(nullptr);
};

class BatchNorm : public RunningNorm {
 public:
  /// An empty batch gives an empty result, has the gradient 0, and counts nothing in the running statistics (PyTorch adds
  /// it to num_batches_tracked).
  /// @throws ShapeError for other channels or axes, ValueError for one element a channel, which has no variance, in
  /// training and where there are no running statistics.
  Variable forward(const Variable& x) override;

  /// The processes whose batches the statistics are of, in training, for all copies of this module; null: this one alone.
  /// They have to live as long. A clone begins with the same ones.
  void synchronize(Communicator* processes) { *processes_.of_all_copies = processes; }

 protected:
  BatchNorm(const char* name, std::size_t channels, const BatchNormOptions& options, std::size_t low, std::size_t high)
      : RunningNorm(name, channels, options), low_(low), high_(high) {}

 private:
  Variable synchronized(const Variable& x, Communicator& processes);
  void take_note(const Variable& mean, const Variable& variance, double count);

  std::size_t low_, high_;
  ProcessesOfModule processes_;
};

}  // namespace detail

/// Normalizes each channel of (batch, channels) or (batch, channels, length): in training by the batch's mean and
/// variance, which go into running means; in evaluation by those (Ioffe, Szegedy 2015).
class BatchNorm1D : public detail::BatchNorm {
 public:
  /// @throws ValueError for 0 channels, an epsilon that is not positive, or a momentum outside of [0, 1].
  explicit BatchNorm1D(std::size_t channels, const BatchNormOptions& options = {})
      : BatchNorm("BatchNorm1D", channels, options, 2, 3) {}
};

/// The same for (batch, channels, height, width).
class BatchNorm2D : public detail::BatchNorm {
 public:
  /// @throws as BatchNorm1D.
  explicit BatchNorm2D(std::size_t channels, const BatchNormOptions& options = {})
      : BatchNorm("BatchNorm2D", channels, options, 4, 4) {}
};

/// The same for (batch, channels, depth, height, width).
class BatchNorm3D : public detail::BatchNorm {
 public:
  /// @throws as BatchNorm1D.
  explicit BatchNorm3D(std::size_t channels, const BatchNormOptions& options = {})
      : BatchNorm("BatchNorm3D", channels, options, 5, 5) {}
};

/// Batch norm of (batch, channels, space...) whose statistics in training are those of all processes' parts of the batch
/// together: it gives what one process with the whole batch would get. As PyTorch's.
class SyncBatchNorm : public detail::BatchNorm {
 public:
  /// Over Communicator::world() unless other processes are given. @throws as BatchNorm1D.
  explicit SyncBatchNorm(std::size_t channels, const BatchNormOptions& options = {}, Communicator* processes = nullptr);
};

/// Makes every batch norm in a network synchronize its statistics over Communicator::world(), or over these processes.
void convert_sync_batchnorm(Module& net, Communicator* processes = nullptr);

struct InstanceNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;             ///< the weight of a batch in the running statistics
  bool affine = false;               ///< with a weight and a bias
  bool track_running_stats = false;  ///< with, evaluation goes by running statistics
  DType dtype = default_dtype();
};

/// Normalizes each channel of each sample of (batch, channels, space...) (Ulyanov, Vedaldi, Lempitsky 2016).
class InstanceNorm : public detail::RunningNorm {
 public:
  /// @throws as BatchNorm1D.
  explicit InstanceNorm(std::size_t channels, const InstanceNormOptions& options = {});
  /// @throws as BatchNorm1D, by the elements of a channel of one sample.
  Variable forward(const Variable& x) override;
};

struct LayerNormOptions {
  double epsilon = 1e-5;
  bool affine = true;  ///< with a weight, and
  bool bias = true;    ///< a bias
  DType dtype = default_dtype();
};

/// Normalizes over the last axes, of this shape (Ba, Kiros, Hinton 2016).
class LayerNorm : public Module {
 public:
  /// @throws ValueError for an extent of 0, no extents, or an epsilon that is not positive.
  explicit LayerNorm(const Shape& shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::size_t width, const LayerNormOptions& options = {}) : LayerNorm(Shape{width}, options) {}
  /// @throws ShapeError for other last extents.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight, bias;  ///< undefined where the options leave them out

 private:
  Shape shape_;
  double epsilon_;
};

struct RMSNormOptions {
  std::optional<double> epsilon = std::nullopt;  ///< none: that of the input's dtype
  bool affine = true;                            ///< with a weight
  DType dtype = default_dtype();
};

/// x / sqrt(mean(x^2) + epsilon) over the last axes, of this shape, times a weight (Zhang, Sennrich 2019).
class RMSNorm : public Module {
 public:
  /// @throws as LayerNorm.
  explicit RMSNorm(const Shape& shape, const RMSNormOptions& options = {});
  explicit RMSNorm(std::size_t width, const RMSNormOptions& options = {}) : RMSNorm(Shape{width}, options) {}
  /// @throws ShapeError for other last extents.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight;  ///< undefined unless affine

 private:
  Shape shape_;
  std::optional<double> epsilon_;
};

struct GroupNormOptions {
  double epsilon = 1e-5;
  bool affine = true;  ///< with a weight and a bias (channels)
  DType dtype = default_dtype();
};

/// Normalizes groups of the channels of (batch, channels, space...) and all that follows (Wu, He 2018).
class GroupNorm : public Module {
 public:
  /// @throws ValueError unless the groups divide the channels, or for an epsilon that is not positive.
  GroupNorm(std::size_t groups, std::size_t channels, const GroupNormOptions& options = {});
  /// @throws ShapeError for other channels.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight, bias;  ///< undefined unless affine

 private:
  std::size_t groups_, channels_;
  double epsilon_;
};

}  // namespace xtape::nn
