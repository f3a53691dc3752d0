#include <nn/data/loader.hpp>

#include <algorithm>
#include <string>

#include <autograd/communicator.hpp>
#include <autograd/error.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/creation.hpp>
#include <nn/checks.hpp>
#include <nn/data/prefetch.hpp>

namespace xtape::nn {
namespace {

constexpr std::size_t most_workers = 256;  // a negative number would ask for more

// The generator of one batch's transforms: SplitMix64 (Steele et al., "Fast Splittable Pseudorandom Number
// Generators", 2014) makes unrelated seeds of neighbouring numbers.
std::uint64_t seed_of_batch(std::uint64_t epoch_seed, std::size_t k) {
  std::uint64_t z = epoch_seed + (k + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// All that determines an epoch.
struct Plan {
  DatasetHandle dataset;
  std::vector<Transform> transforms;
  std::uint64_t seed;
  Array order;
  std::size_t batch_size, batches;
  Communicator* shard;

  std::size_t first_of(std::size_t k) const { return k * batch_size; }
  std::size_t size_of(std::size_t k) const { return std::min(batch_size, order.size() - first_of(k)); }
  // How many of the examples are this process's.
  std::size_t own_of(std::size_t k) const {
    auto [begin, end] = part_of(k);
    return end - begin;
  }

  Batch load(std::size_t k) const {
    NoGrad guard;
    auto [begin, end] = part_of(k);
    // The last one of a batch that has none for this process.
    if (begin == end) begin -= begin == size_of(k), end = begin + 1;
    Batch batch = dataset->gather({order.data<std::int64_t>() + first_of(k) + begin, end - begin});
    if (transforms.empty()) return batch;
    Generator generator(shard ? seed_of_batch(seed_of_batch(seed, k), shard->rank()) : seed_of_batch(seed, k));
    for (const Transform& transform : transforms) batch = transform(std::move(batch), generator);
    return batch;
  }

 private:
  std::pair<std::size_t, std::size_t> part_of(std::size_t k) const {
    return shard ? shard->part_of(size_of(k)) : std::pair(std::size_t{0}, size_of(k));
  }
};

std::uint64_t draw_seed(Generator& generator) {
  return static_cast<std::uint64_t>(generator.uniform({}, 0, 0x1p53, float64).at(0));
}

}  // namespace

class BatchIterator::Epoch {
 public:
  Epoch(Plan plan, std::size_t first, const DataLoaderOptions& options)
      : plan_(std::make_shared<const Plan>(std::move(plan))),
        batches_([plan = plan_](std::size_t k) { return plan->load(k); }, {first, plan_->batches},
                 {options.num_workers, options.prefetch_factor}),
        next_(first) {
    advance();
  }
  ~Epoch() {
    if (plan_->shard) plan_->shard->set_share({}, this);
  }

  bool done() const { return done_; }
  Batch& batch() { return batch_; }
  void advance() {
    done_ = next_ == plan_->batches;
    batch_ = done_ ? Batch() : batches_.take(next_);
    if (plan_->shard) note_share();
    ++next_;
  }

 private:
  void note_share() {
    std::optional<Communicator::Share> share;
    if (!done_)
      share = {static_cast<double>(plan_->own_of(next_)), static_cast<double>(plan_->size_of(next_))};
    plan_->shard->set_share(share, this);
  }

  std::shared_ptr<const Plan> plan_;
  Prefetch batches_;
  std::size_t next_;
  Batch batch_;
  bool done_ = false;
};

BatchIterator::BatchIterator(std::unique_ptr<Epoch> epoch) : epoch_(std::move(epoch)) {}
BatchIterator::BatchIterator(BatchIterator&&) noexcept = default;
BatchIterator& BatchIterator::operator=(BatchIterator&&) noexcept = default;
BatchIterator::~BatchIterator() = default;
Batch& BatchIterator::operator*() const { return epoch_->batch(); }
bool BatchIterator::operator==(std::default_sentinel_t) const { return epoch_->done(); }
BatchIterator& BatchIterator::operator++() {
  xtape::detail::naming("DataLoader", [this] { epoch_->advance(); });
  return *this;
}

DataLoader::DataLoader(DatasetHandle dataset, const DataLoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options) {
  detail::require_some("DataLoader", "batch_size", options.batch_size);
  detail::require_some("DataLoader", "prefetch_factor", options.prefetch_factor);
  if (options.num_workers > most_workers)
    throw ValueError("DataLoader: num_workers is " + detail::text(options.num_workers) + ", needs 0 to " +
                     std::to_string(most_workers));
  for (const Transform& transform : options.transforms)
    if (!transform) throw ValueError("DataLoader: one of the transforms is an empty function");
  if (dataset_->size() == 0) throw ValueError("DataLoader: the data set is empty, needs 1 example or more");
  if (options.sampler && options.shuffle)
    throw ValueError("DataLoader: shuffle with a sampler, which says the order itself");
  if (examples() == 0) throw ValueError("DataLoader: the sampler gives no examples, needs 1 or more");
  if (size() == 0)
    throw ValueError("DataLoader: an epoch has " + std::to_string(examples()) + " examples, and drop_last "
                     "leaves no batch of " + std::to_string(options.batch_size));
  if (options.seed) own_ = std::make_shared<Generator>(*options.seed);
}

std::size_t DataLoader::size() const {
  std::size_t count = examples(), whole = count / options_.batch_size;
  return whole + (!options_.drop_last && count % options_.batch_size != 0 ? 1 : 0);
}

std::size_t DataLoader::examples() const { return options_.sampler ? options_.sampler->size() : dataset_->size(); }

Array DataLoader::order_of(std::uint64_t seed) const {
  std::size_t count = dataset_->size();
  Generator generator(seed);
  if (options_.shuffle) return generator.permutation(count);
  if (!options_.sampler) return arange(0, static_cast<double>(count), 1, int64).value();
  std::vector<std::int64_t> positions = options_.sampler->sample(generator);
  if (positions.size() != examples())
    throw ValueError("DataLoader: the sampler gave " + std::to_string(positions.size()) + " positions and says " +
                     std::to_string(examples()));
  for (std::int64_t i : positions)
    if (i < 0 || static_cast<std::size_t>(i) >= count)
      throw ValueError("DataLoader: the sampler gave position " + std::to_string(i) + " of a data set of " +
                       std::to_string(count) + " examples");
  Array order({positions.size()}, int64);
  std::copy(positions.begin(), positions.end(), order.mutable_data<std::int64_t>());
  return order;
}

BatchIterator DataLoader::begin(std::size_t first) {
  if (first > size())
    throw ValueError("DataLoader: begin at batch " + std::to_string(first) + " of " + std::to_string(size()));
  return xtape::detail::naming("DataLoader", [&] {
    std::uint64_t seed = draw_seed(generator());
    if (options_.shard) seed = options_.shard->broadcast(seed, "a pass over a DataLoader begins");
    Plan plan{dataset_, options_.transforms, seed, order_of(seed), options_.batch_size, size(), options_.shard};
    return BatchIterator(std::make_unique<BatchIterator::Epoch>(std::move(plan), first, options_));
  });
}

}  // namespace xtape::nn
