// Layers that arrange the same elements otherwise, or repeat them.
#pragma once

#include <vector>

#include <autograd/ops/convolution.hpp>
#include <autograd/ops/interpolation.hpp>
#include <autograd/ops/neural.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// The axes from `start` to `end`, both included, made one: all but the batch's between convolutions and dense layers.
class Flatten : public Module {
 public:
  explicit Flatten(std::ptrdiff_t start = 1, std::ptrdiff_t end = -1) : start_(start), end_(end) {}
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::ptrdiff_t start_, end_;
};

/// Each sample of a batch under another shape, of which one extent may be -1: `Reshape({128, 7, 7})` makes (batch, 128,
/// 7, 7), as in Keras.
class Reshape : public Module {
 public:
  /// @throws ShapeError for extents less than -1, or several of -1.
  explicit Reshape(const Dims& shape);
  /// @throws ShapeError when a sample does not have as many elements.
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::vector<std::ptrdiff_t> shape_;
};

struct UpsampleOptions {
  PerAxis size = 0;          ///< the result's height and width, or
  PerAxis scale_factor = 0;  ///< how many times those of x they are
  Interpolation mode = Interpolation::nearest;
};

/// interpolate: x (batch, channels, height, width) at another size.
class Upsample : public Module {
 public:
  /// @throws ValueError unless exactly one of size and scale_factor is given, and positive, or for a mode of one or
  /// three axes of space (linear, trilinear).
  explicit Upsample(const UpsampleOptions& options);
  /// By this factor. @throws ValueError as above.
  explicit Upsample(std::size_t scale_factor, Interpolation mode = Interpolation::nearest);
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::vector<std::size_t> size_, scale_;  // one of them is zeros
  Interpolation mode_;
};

/// pixel_shuffle: (batch, channels r^2, height, width) as (batch, channels, height r, width r) (Shi et al. 2016).
class PixelShuffle : public Module {
 public:
  /// @throws ValueError for a factor of 0.
  explicit PixelShuffle(std::size_t upscale_factor);
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  std::size_t factor_;
};

}  // namespace xtape::nn
