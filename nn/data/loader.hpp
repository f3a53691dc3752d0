// DataLoader: a data set in batches, an epoch at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include <nn/data/dataset.hpp>
#include <nn/data/sampler.hpp>

namespace xtape {
class Communicator;
}

namespace xtape::nn {

/// A change of a whole batch. What is random in it takes its numbers from the generator, which is seeded for each
/// batch: so they are the same whichever thread calls it.
using Transform = std::function<Batch(Batch batch, Generator& generator)>;

struct DataLoaderOptions {
  std::size_t batch_size = 1;
  bool shuffle = false;     ///< a new order in each epoch
  SamplerHandle sampler = {};  ///< chooses the examples of each epoch, and their order; without `shuffle`
  bool drop_last = false;   ///< leaves out the last batch when it is smaller than the others
  std::vector<Transform> transforms = {};  ///< applied to each batch, one after the other
  std::size_t num_workers = 0;      ///< threads that prepare batches ahead; 0: the caller's thread does, when asked
  std::size_t prefetch_factor = 2;  ///< how many batches each of them prepares ahead
  /// Seeds a generator of the loader's own; left out, the loader draws from `generator`.
  std::optional<std::uint64_t> seed = {};
  std::reference_wrapper<Generator> generator = default_generator();
  /// Several processes read the same epochs, those of rank 0's generator, and each gets its part of every batch, so that
  /// `batch_size` is that of all together. The parts differ by one example at most; where a last batch has none for a
  /// process, that gets one of another, which counts for nothing. All of them begin each pass together. The share of a
  /// batch is known while the pass is at it. Without, each process reads all of the data, in an order of its own: what a
  /// validation may do, and a training on data of which each process holds its own piece. See optim::DataParallel, and
  /// Communicator::share.
  Communicator* shard = nullptr;
};

class BatchIterator;

/// Reads a data set in batches:
///
///     DataLoader loader(TensorDataset(x, y), {.batch_size = 128, .shuffle = true, .num_workers = 1});
///     for (auto& [x, y] : loader) ...
///
/// Each pass over it is an epoch, which draws one number from the generator; the order of the examples and the
/// generators of the transforms follow from that number alone, whatever the number of workers. Nothing is recorded
/// while a batch is made. An exception that comes up in a worker is thrown where its batch is asked for. The workers
/// end with the pass, also with one that is left early.
class DataLoader {
 public:
  /// @throws ValueError for a batch size or prefetch factor of 0, more than 256 workers, a null generator, an empty
  /// transform, an empty data set or sampler, one too small for a single batch when the last is dropped, or a sampler
  /// with `shuffle`.
  DataLoader(DatasetHandle dataset, const DataLoaderOptions& options = {});

  /// The number of batches in an epoch.
  std::size_t size() const;
  const Dataset& dataset() const { return *dataset_; }
  const DataLoaderOptions& options() const { return options_; }
  /// The processes that share its batches; null: it is this one's alone.
  Communicator* shard() const { return options_.shard; }
  /// Where the epochs draw from: its state, saved before an epoch, gives the same epoch again.
  Generator& generator() { return own_ ? *own_ : options_.generator.get(); }

  /// Begins an epoch, at its batch number `first`: a training that was interrupted goes on there.
  /// @throws ValueError when there are not so many, or the sampler gives another number of positions than it says or
  /// one that the data set does not have.
  BatchIterator begin(std::size_t first = 0);
  std::default_sentinel_t end() const { return {}; }

  /// An epoch from batch number `first` on: `for (auto& [x, y] : loader.from(step))`.
  struct Rest;
  Rest from(std::size_t first);

 private:
  std::size_t examples() const;
  Array order_of(std::uint64_t seed) const;

  DatasetHandle dataset_;
  DataLoaderOptions options_;
  std::shared_ptr<Generator> own_;  // null: that of the options
};

/// Where a pass over a DataLoader stands. It cannot be copied, as there is one pass only.
class BatchIterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  BatchIterator(BatchIterator&&) noexcept;
  BatchIterator& operator=(BatchIterator&&) noexcept;
  ~BatchIterator();

  /// The batch, which is the caller's to change.
  Batch& operator*() const;
  Batch* operator->() const { return &**this; }
  /// Goes on to the next batch. @throws what the data set or a transform throws.
  BatchIterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const;

 private:
  friend class DataLoader;
  class Epoch;  // keeps <thread> out of what users compile
  explicit BatchIterator(std::unique_ptr<Epoch> epoch);
  std::unique_ptr<Epoch> epoch_;
};

struct DataLoader::Rest {
  DataLoader loader;
  std::size_t first;
  BatchIterator begin() { return loader.begin(first); }
  std::default_sentinel_t end() const { return {}; }
};

inline DataLoader::Rest DataLoader::from(std::size_t first) { return {*this, first}; }

}  // namespace xtape::nn
