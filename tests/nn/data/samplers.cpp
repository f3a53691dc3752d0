// Samplers, and batches of any number of arrays.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nn/data/loader.hpp>
#include <nn/data/transforms.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::Batch;
using nn::DataLoader;
using nn::WeightedRandomSampler;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

// Example i is (i, -i, i / 2, whether i is above 2).
nn::TensorDataset four_arrays(std::size_t count) {
  Variable i = arange(0, static_cast<double>(count), 1, int64);
  return nn::TensorDataset(i, i * -1, i.to(float64) / 2.0, i > 2);
}

void consists(const Batch& batch) {
  auto [a, b, c, d] = batch.arrays<4>();
  close(b, a * -1);
  close(c, a.to(float64) / 2.0);
  close(d, a > 2);
}

std::vector<std::int64_t> positions_of(const nn::Sampler& sampler, std::uint64_t seed) {
  Generator generator(seed);
  return sampler.sample(generator);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(samplers)

BOOST_AUTO_TEST_CASE(batches_of_four_arrays) {
  nn::TensorDataset data = four_arrays(10);
  BOOST_TEST(data.get(3).size() == 4);
  BOOST_TEST(data.get(3)[2].item() == 1.5);
  for (std::size_t workers : {0, 2}) {
    DataLoader loader(nn::random_split(data, {7, 3})[0], {.batch_size = 3, .shuffle = true, .num_workers = workers});
    std::size_t examples = 0;
    for (auto& batch : loader) {
      BOOST_TEST(batch.size() == 4);
      consists(batch);
      examples += batch[0].size();
    }
    BOOST_TEST(examples == 7);
  }
  // One by one, changed, and one after the other.
  nn::FunctionDataset computed(5, [&](std::size_t i) { return four_arrays(5).get(i); });
  nn::MapDataset mapped(computed, [](Batch batch) { return batch; });
  nn::ConcatDataset all({data, mapped});
  std::vector<std::int64_t> positions{12, 3, 14, 0};
  Batch batch = all.gather(positions);
  consists(batch);
  close(batch.x, Variable({2, 3, 4, 0}, int64));
  batch[2] *= 2;
  close(batch.more[0], batch.x.to(float64));
  auto [x, y] = all.get(11);
  close(x, full({}, 1, int64));
  close(y, full({}, -1, int64));
}

BOOST_AUTO_TEST_CASE(transforms_leave_other_arrays_alone) {
  DataLoader loader(nn::TensorDataset(ones({4, 1, 2, 2}), zeros({4}), ones({4, 3})),
                    {.batch_size = 2, .transforms = {nn::normalize({1}, {1}), nn::random_crop(1)}});
  for (auto& batch : loader) {
    auto [image, label, rest] = batch.arrays<3>();
    close(image, zeros({2, 1, 2, 2}));
    close(rest, ones({2, 3}));
  }
}

BOOST_AUTO_TEST_CASE(batches_refuse_what_does_not_fit) {
  Batch batch{ones({2}), ones({3}), {ones({4})}};
  throws<ValueError>([&] { batch.arrays<2>(); }, {"batch", "3 arrays", "2 are asked for"});
  throws<ValueError>([&] { batch[3]; }, {"array 3 of 3"});
  BOOST_TEST((Batch{ones({2}), {}}.size()) == 1);
  throws<ShapeError>([] { nn::TensorDataset(ones({2}), ones({2}), ones({3})); }, {"array 2 is float32(3,)"});
  throws<ValueError>([] { nn::TensorDataset(ones({2}), Variable(), ones({2})); }, {"y is an undefined Variable"});
  throws<ValueError>([] { nn::TensorDataset(ones({2}), ones({2}), Variable()); }, {"array 2 is an undefined"});
  throws<ValueError>([] { nn::TensorDataset(std::vector<Variable>()); }, {"no arrays"});
  nn::FunctionDataset uneven(3, [](std::size_t i) {
    return i == 0 ? Batch{ones({1}), ones({1})} : Batch{ones({1}), ones({1}), {ones({1})}};
  });
  throws<ShapeError>([&] { uneven.gather(std::vector<std::int64_t>{0, 1}); }, {"2 arrays and 3"});
  nn::ConcatDataset joined({nn::TensorDataset(ones({2})), nn::TensorDataset(ones({2}), ones({2}), ones({2}))});
  throws<ShapeError>([&] { joined.gather(std::vector<std::int64_t>{0, 3}); }, {"1 arrays and 3"});
}

// Frequencies within four standard deviations of a binomial distribution.
BOOST_AUTO_TEST_CASE(weighted_with_replacement) {
  std::vector<double> weights{0, 1, 2, 0, 5, 0};
  constexpr std::size_t samples = 80000;
  WeightedRandomSampler sampler(weights, samples);
  BOOST_TEST(sampler.size() == samples);
  std::vector<std::int64_t> positions = positions_of(sampler, 1);
  std::map<std::int64_t, double> count;
  for (std::int64_t i : positions) ++count[i];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double p = weights[i] / 8, deviation = std::sqrt(samples * p * (1 - p));
    BOOST_TEST(std::abs(count[static_cast<std::int64_t>(i)] - samples * p) <= 4 * deviation);
  }
  BOOST_TEST((positions_of(sampler, 1) == positions));
  BOOST_TEST((positions_of(sampler, 2) != positions));
  // Weights whose sum overflows count as others do.
  for (std::int64_t i : positions_of(WeightedRandomSampler({1e308, 1e308, 1e308, 0}, 100), 3)) BOOST_TEST(i < 3);
}

// The chance of an order is the product of those of draws from what is left: of weights 1, 2, 5, first 5 and then 2
// with 5/8 * 2/3.
BOOST_AUTO_TEST_CASE(weighted_without_replacement) {
  WeightedRandomSampler sampler({1, 0, 2, 5}, 2, {.replacement = false});
  std::map<std::vector<std::int64_t>, double> count;
  constexpr int draws = 40000;
  Generator generator(4);
  for (int k = 0; k < draws; ++k) ++count[sampler.sample(generator)];
  auto expect = [&](std::vector<std::int64_t> order, double p) {
    BOOST_TEST(std::abs(count[order] - draws * p) <= 4 * std::sqrt(draws * p * (1 - p)));
  };
  expect({3, 2}, 5.0 / 8 * 2 / 3);
  expect({3, 0}, 5.0 / 8 * 1 / 3);
  expect({2, 3}, 2.0 / 8 * 5 / 6);
  expect({2, 0}, 2.0 / 8 * 1 / 6);
  expect({0, 3}, 1.0 / 8 * 5 / 7);
  expect({0, 2}, 1.0 / 8 * 2 / 7);
  BOOST_TEST(count.size() == 6);
}

BOOST_AUTO_TEST_CASE(loaders_follow_samplers) {
  struct EverySecond : nn::Sampler {
    std::size_t size() const override { return 5; }
    std::vector<std::int64_t> sample(Generator&) const override { return {8, 6, 4, 2, 0}; }
  };
  std::vector<Variable> xs;
  for (auto& batch : DataLoader(four_arrays(10), {.batch_size = 2, .sampler = EverySecond()})) xs.push_back(batch.x);
  close(concatenate(xs), Variable({8, 6, 4, 2, 0}, int64));
  DataLoader dropping(four_arrays(10), {.batch_size = 2, .sampler = std::make_shared<EverySecond>(), .drop_last = true});
  BOOST_TEST(dropping.size() == 2);

  auto epochs = [](std::size_t workers) {
    DataLoader loader(four_arrays(4), {.batch_size = 8, .sampler = WeightedRandomSampler({1, 0, 1, 2}, 60),
                                       .num_workers = workers, .seed = 5});
    BOOST_TEST(loader.size() == 8);
    std::vector<std::vector<std::int64_t>> result(2);
    for (auto& epoch : result)
      for (auto& batch : loader) {
        consists(batch);
        epoch.insert(epoch.end(), batch.x.data<std::int64_t>(), batch.x.data<std::int64_t>() + batch.x.size());
      }
    return result;
  };
  auto first = epochs(0);
  BOOST_TEST(first[0].size() == 60);
  BOOST_TEST((first[0] != first[1]));
  BOOST_TEST((epochs(3) == first));
  BOOST_TEST(std::ranges::count(first[0], 1) == 0);
}

BOOST_AUTO_TEST_CASE(samplers_refuse_what_does_not_fit) {
  throws<ValueError>([] { WeightedRandomSampler({1, -1}, 2); }, {"WeightedRandomSampler", "weight 1 is -1"});
  throws<ValueError>([] { WeightedRandomSampler({NAN}, 2); }, {"weight 0 is nan"});
  throws<ValueError>([] { WeightedRandomSampler({1, INFINITY}, 2); }, {"weight 1 is inf"});
  throws<ValueError>([] { WeightedRandomSampler({0, 0}, 2); }, {"none of 2 weights"});
  throws<ValueError>([] { WeightedRandomSampler({}, 2); }, {"none of 0 weights"});
  throws<ValueError>([] { WeightedRandomSampler({1}, 0); }, {"num_samples is 0"});
  throws<ValueError>([] { WeightedRandomSampler({1}, std::size_t(-3)); }, {"num_samples is -3"});
  throws<ValueError>([] { WeightedRandomSampler({1, 0, 1}, 3, {.replacement = false}); },
                     {"3 samples without replacement of 2 weights"});
  WeightedRandomSampler sampler({1, 2, 3}, 4);
  throws<ValueError>([&] { DataLoader(four_arrays(3), {.shuffle = true, .sampler = sampler}); },
                     {"DataLoader", "shuffle", "sampler"});
  throws<ValueError>([] { DataLoader(four_arrays(2), {.sampler = WeightedRandomSampler({0, 0, 1}, 4)}).begin(); },
                     {"position 2 of a data set of 2"});
  struct Short : nn::Sampler {
    std::size_t size() const override { return 2; }
    std::vector<std::int64_t> sample(Generator&) const override { return {0}; }
  };
  throws<ValueError>([] { DataLoader(four_arrays(2), {.sampler = Short()}).begin(); }, {"gave 1 positions and says 2"});
}

BOOST_AUTO_TEST_SUITE_END()
