#include <nn/data/sampler.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/error.hpp>
#include <autograd/ops/sampling.hpp>

namespace xtape::nn {

WeightedRandomSampler::WeightedRandomSampler(std::vector<double> weights, std::size_t num_samples,
                                             const WeightedRandomSamplerOptions& options)
    : weights_(std::move(weights)), num_samples_(num_samples), replacement_(options.replacement) {
  const std::string name = "WeightedRandomSampler: ";
  for (std::size_t i = 0; i < weights_.size(); ++i)
    if (!(weights_[i] >= 0) || std::isinf(weights_[i]))
      throw ValueError(name + "weight " + std::to_string(i) + " is " + std::to_string(weights_[i]) +
                       ", needs 0 or more, and finite");
  auto possible = static_cast<std::size_t>(std::ranges::count_if(weights_, [](double w) { return w > 0; }));
  if (possible == 0) throw ValueError(name + "none of " + std::to_string(weights_.size()) + " weights is above 0");
  auto samples = static_cast<std::ptrdiff_t>(num_samples);  // one that was negative has become a great number
  if (samples <= 0) throw ValueError(name + "num_samples is " + std::to_string(samples) + ", needs 1 or more");
  if (!replacement_ && num_samples > possible)
    throw ValueError(name + std::to_string(num_samples) + " samples without replacement of " +
                     std::to_string(possible) + " weights above 0");
}

std::vector<std::int64_t> WeightedRandomSampler::sample(Generator& generator) const {
  Array weights({weights_.size()}, float64);
  std::copy(weights_.begin(), weights_.end(), weights.mutable_data<double>());
  Variable drawn = multinomial(Variable(std::move(weights)), num_samples_, replacement_, generator);
  return {drawn.data<std::int64_t>(), drawn.data<std::int64_t>() + drawn.size()};
}

}  // namespace xtape::nn
