// Positional encodings: how a network without an order of its own learns where in a sequence an element stands.
#pragma once

#include <functional>
#include <string>

#include <autograd/random.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct PositionalOptions {
  double dropout = 0;        ///< in training, of the sum
  bool batch_first = false;  ///< (batch, steps, width) instead of (steps, batch, width)
  DType dtype = default_dtype();     ///< of the parameters
  std::reference_wrapper<Generator> generator = default_generator();  ///< of the initial weights and dropout
};

/// Sines and cosines of the positions 0 to steps - 1, as an array (steps, width):
///
///     P[t, 2 i] = sin(t / 10000^(2 i / width))   P[t, 2 i + 1] = cos(t / 10000^(2 i / width))
///
/// Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5.
Variable sinusoidal_encoding(std::size_t steps, std::size_t width, DType dtype = default_dtype());

/// x + sinusoidal_encoding: no parameters, and no limit to the steps.
class SinusoidalEncoding : public Module {
 public:
  /// @throws ValueError for a width of 0, or a dropout outside of [0, 1].
  explicit SinusoidalEncoding(std::size_t width, const PositionalOptions& options = {});
  /// For (steps, batch, width), or (batch, steps, width) with `batch_first`. @throws ShapeError for other shapes.
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::size_t width_;
  PositionalOptions options_;
};

/// x + weight[t]: a learned vector for each position, (max_steps, width), which begins normal with deviation 0.02
/// (Radford et al. 2018; Devlin et al. 2018, https://arxiv.org/abs/1810.04805).
class LearnedEncoding : public Module {
 public:
  /// @throws ValueError for extents of 0, or a dropout outside of [0, 1].
  LearnedEncoding(std::size_t max_steps, std::size_t width, const PositionalOptions& options = {});
  /// For (steps, batch, width), or (batch, steps, width) with `batch_first`.
  /// @throws ShapeError for other shapes or more than max_steps.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight;

 private:
  PositionalOptions options_;
};

/// The pairs (x[..., i], x[..., i + width / 2]) of x (..., steps, width), each turned by t / base^(2 i / width) at
/// step t. Products of turned queries and keys depend on their distance only. Su et al. 2021,
/// https://arxiv.org/abs/2104.09864, with the pairs as in GPT-NeoX and Llama.
/// @throws ShapeError unless there are two axes or more and the width is even, ValueError unless the base is positive.
Variable rotary_encoding(const Variable& x, double base = 10000);

}  // namespace xtape::nn
