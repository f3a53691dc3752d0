// How well a network tells the test images apart.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <vector>

#include <nn/data/idx.hpp>
#include <nn/module.hpp>

namespace mnist {

constexpr std::size_t classes = 10;

/// What the network answered to each image.
struct Evaluation {
  std::vector<std::size_t> predicted;
  std::vector<float> confidence;  ///< the probability that it gave its answer
  std::vector<float> likelihood;  ///< the probability that it gave the label
  std::vector<std::size_t> mistakes;  ///< the images whose label it did not give
  double accuracy = 0;
  /// How many images of each class (row) were taken for each (column).
  std::array<std::array<std::size_t, classes>, classes> confusion{};

  /// Up to `count` mistakes, those first to whose label the network gave the least probability.
  std::vector<std::size_t> worst_mistakes(std::size_t count) const;
};

/// The images at these positions as rows of numbers in [0, 1].
xtape::Variable pixels(const xtape::nn::LabeledImages& set, const std::int64_t* positions, std::size_t count);
/// The labels at these positions.
xtape::Variable labels(const xtape::nn::LabeledImages& set, const std::int64_t* positions, std::size_t count);

Evaluation evaluate(xtape::nn::Module& network, const xtape::nn::LabeledImages& set);

/// The confusion matrix as a table.
std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation);

}  // namespace mnist
