// DataParallel: training over several processes, each with a part of every batch.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <autograd/communicator.hpp>
#include <autograd/variable.hpp>

namespace xtape::optim {

struct DataParallelOptions {
  /// Losses are means over the examples, and so is the loss of the whole batch. Without, they are sums.
  bool average = true;
  /// Gradients are summed up over the processes in buckets of so many bytes; larger ones alone.
  std::size_t bucket_bytes = std::size_t{1} << 20;
  /// float32 gradients travel as bfloat16: half the bytes, and 8 bits of each number.
  bool bfloat16 = false;
  /// Rank 0's default generator is left as it is; those of other ranks are seeded from it, each in its own way. Without,
  /// they are left alone.
  bool seed_ranks = true;
  std::reference_wrapper<Communicator> processes = Communicator::world();
};

/// Trains a network on several processes at once, as one process would on the whole batch:
///
///     optim::DataParallel parallel(net);  // the parameters and buffers of rank 0 for all
///     nn::DataLoader train(data, {.batch_size = 128, .shuffle = true, .shard = parallel.shard()});
///     ...
///     loss.backward();                    // gradients are summed up over the processes while the walk goes on
///     adam.step();                        // the same step everywhere
///
/// `mpirun -n 4 program` starts four processes; a program that is started without is one process, for which nothing
/// changes. Each process walks back through its own loss; the loss of the whole batch is the mean of these, weighed by
/// their examples, and its gradient is what parameters get everywhere. A parameter that no process's loss depends on gets
/// none. A DataLoader without `shard` is not divided: each process then goes through all of the data in an epoch, with
/// batches of the full size, as if `batch_size` and the number of epochs were so many times as large; nothing says so, as
/// it is right for processes that hold data of their own. After each walk, floating-point buffers, such as the running
/// statistics of batch norm, are the mean of the processes', weighed the same way. Every process has to call `backward` as
/// often as the others.
///
/// Make it after the network has its parameters and its dtype, and after a checkpoint is restored: layers, and values, that
/// come later are not sent to other processes. It refers to the parameters until it goes; a walk that is under way then
/// still sums up. Hooks on a parameter see the gradient of this process. A closure for LBFGS returns the loss of all, `Variable(parallel.mean(loss.item()))`. Several
/// DataParallels may be part of one loss, as in adversarial training; one thread at a time walks back.
///
/// See Li et al., PyTorch Distributed, VLDB 2020, for buckets and overlap.
class DataParallel {
 public:
  /// @throws ValueError, in all processes, when their parameters or buffers differ in number, name, shape or dtype, naming
  /// the first that does; when there are none, or a layer has not found its width yet; GraphError when the parameters are
  /// in another DataParallel.
  template <class Module>
    requires requires(const Module& net) { net.named_parameters(); net.named_buffers(); }
  explicit DataParallel(const Module& net, const DataParallelOptions& options = {})
      : DataParallel(list_of(net.named_parameters()), list_of(net.named_buffers()), options) {}
  using Named = std::vector<std::pair<std::string, Variable>>;
  DataParallel(const Named& parameters, const Named& buffers, const DataParallelOptions& options = {});
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  std::size_t rank() const { return processes_.rank(); }
  std::size_t size() const { return processes_.size(); }
  /// Whether this is the process that prints, and writes files.
  bool is_main() const { return processes_.is_main(); }
  Communicator& processes() const { return processes_; }
  /// For DataLoaderOptions: each process gets its part of every batch.
  Communicator* shard() const { return &processes_; }

  /// Until it goes, walks add to the gradients of this process alone; the first walk after sums them up together with its
  /// own: `{ auto guard = parallel.no_sync(); loss(first).backward(); } loss(second).backward();`
  class [[nodiscard]] NoSync {
   public:
    NoSync(NoSync&&) = default;
    NoSync& operator=(NoSync&&) = delete;
    ~NoSync() { if (depth_) --*depth_; }

   private:
    friend class DataParallel;
    explicit NoSync(std::shared_ptr<int> depth) : depth_(std::move(depth)) { ++*depth_; }
    std::shared_ptr<int> depth_;
  };
  NoSync no_sync() { return NoSync(no_sync_depth_); }

  /// Over the processes: the sum, and the mean weighed by the examples of the batch at hand, as of a loss.
  double sum(double x) const { return processes_.sum(x); }
  double mean(double x) const {
    const double weight = processes_.share().weight();
    return processes_.sum(weight == 0 ? 0 : x * weight);
  }

 private:
  class Exchange;

  template <class List>
  static Named list_of(const List& list) {
    return Named(list.begin(), list.end());
  }

  Communicator& processes_;
  std::shared_ptr<int> no_sync_depth_ = std::make_shared<int>(0);
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace xtape::optim
