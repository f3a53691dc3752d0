#include "evaluation.hpp"

#include <algorithm>
#include <iomanip>
#include <numeric>
#include <ostream>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/reductions.hpp>

using xtape::Array;
using xtape::Variable;

namespace mnist {

Variable pixels(const xtape::nn::LabeledImages& set, const std::int64_t* positions, std::size_t count) {
  std::size_t size = set.images.size() / set.size();
  Array result({count, size}, xtape::float32);
  float* out = result.mutable_data<float>();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* image = set.images.data() + static_cast<std::size_t>(positions[i]) * size;
    out = std::transform(image, image + size, out, [](std::uint8_t level) { return level * (1 / 255.0f); });
  }
  return Variable(std::move(result));
}

Variable labels(const xtape::nn::LabeledImages& set, const std::int64_t* positions, std::size_t count) {
  Array result({count}, xtape::int64);
  std::transform(positions, positions + count, result.mutable_data<std::int64_t>(),
                 [&](std::int64_t position) { return set.labels.data()[position]; });
  return Variable(std::move(result));
}

Evaluation evaluate(xtape::nn::Module& network, const xtape::nn::LabeledImages& set) {
  constexpr std::size_t batch = 500;
  xtape::NoGrad no_grad;
  network.eval();
  Evaluation result;
  std::vector<std::int64_t> all(set.size());
  std::iota(all.begin(), all.end(), 0);
  for (std::size_t first = 0; first < all.size(); first += batch) {
    std::size_t count = std::min(batch, all.size() - first);
    Variable probabilities = softmax(network(pixels(set, &all[first], count)));
    for (std::size_t i = 0; i < count; ++i) {
      const float* row = probabilities.data<float>() + i * classes;
      auto answer = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
      std::size_t label = set.labels.data()[first + i];
      result.predicted.push_back(answer);
      result.confidence.push_back(row[answer]);
      result.likelihood.push_back(row[label]);
      ++result.confusion[label][answer];
      if (answer != label) result.mistakes.push_back(first + i);
    }
  }
  result.accuracy = static_cast<double>(set.size() - result.mistakes.size()) / static_cast<double>(set.size());
  return result;
}

std::vector<std::size_t> Evaluation::worst_mistakes(std::size_t count) const {
  std::vector<std::size_t> worst = mistakes;
  std::stable_sort(worst.begin(), worst.end(),
                   [&](std::size_t a, std::size_t b) { return likelihood[a] < likelihood[b]; });
  worst.resize(std::min(count, worst.size()));
  return worst;
}

std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation) {
  out << "digit | taken for\n      |";
  for (std::size_t j = 0; j < classes; ++j) out << std::setw(6) << j;
  out << "   right\n------+" << std::string(6 * classes + 8, '-') << '\n';
  for (std::size_t i = 0; i < classes; ++i) {
    const auto& row = evaluation.confusion[i];
    std::size_t total = std::accumulate(row.begin(), row.end(), std::size_t{0});
    out << std::setw(5) << i << " |";
    for (std::size_t count : row) count > 0 ? out << std::setw(6) << count : out << std::setw(6) << '.';
    double right = total > 0 ? 100.0 * static_cast<double>(row[i]) / static_cast<double>(total) : 0;
    out << std::setw(7) << std::fixed << std::setprecision(1) << right << "%\n";
  }
  return out;
}

}  // namespace mnist
