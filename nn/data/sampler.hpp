// Samplers: in which order a loader takes the examples of a data set, and which.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <typeinfo>
#include <vector>

#include <autograd/random.hpp>

namespace xtape::nn {

/// Base of all samplers. One of one's own says which examples make an epoch, by their positions: in `sample`, which is
/// called at the beginning of each. What is random takes its numbers from the generator, which is seeded anew.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// The number of examples in an epoch.
  virtual std::size_t size() const = 0;
  /// As many positions.
  virtual std::vector<std::int64_t> sample(Generator& generator) const = 0;
};

struct WeightedRandomSamplerOptions {
  bool replacement = true;  ///< an example may come several times
};

/// Examples at random, each with a chance in proportion to its weight: classes come equally often when an example
/// weighs one over the size of its class. Without replacement, each draw is from those that are left. PyTorch's; see
/// multinomial.
class WeightedRandomSampler : public Sampler {
 public:
  /// One weight for each example. @throws ValueError for a weight that is negative or not finite, weights that are all
  /// 0, no samples, or, without replacement, more than there are weights above 0.
  WeightedRandomSampler(std::vector<double> weights, std::size_t num_samples,
                        const WeightedRandomSamplerOptions& options = {});
  std::size_t size() const override { return num_samples_; }
  std::vector<std::int64_t> sample(Generator& generator) const override;

 private:
  std::vector<double> weights_;
  std::size_t num_samples_;
  bool replacement_;
};

/// A sampler that is kept: a copy of one of any class, a pointer to it, or none.
class SamplerHandle {
 public:
  SamplerHandle() = default;
  template <std::derived_from<Sampler> S>
    requires std::copy_constructible<S>
  SamplerHandle(const S& sampler) : sampler_(std::make_shared<S>(sampler)) {}
  template <std::derived_from<Sampler> S>
  SamplerHandle(std::shared_ptr<S> sampler) : sampler_(std::move(sampler)) {}

  explicit operator bool() const { return sampler_ != nullptr; }
  const Sampler* operator->() const { return sampler_.get(); }

 private:
  std::shared_ptr<const Sampler> sampler_;
};

}  // namespace xtape::nn
