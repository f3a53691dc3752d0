#include <nn/shaping.hpp>

#include <algorithm>

#include <autograd/ops/manipulation.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

Variable Flatten::forward(const Variable& x) {
  if (!x.defined()) detail::refuse_input("Flatten", x, "an array");
  return flatten(x, start_, end_);
}

std::string Flatten::description() const {
  return start_ == 1 && end_ == -1 ? "" : std::to_string(start_) + ", " + std::to_string(end_);
}

Reshape::Reshape(const Dims& shape) : shape_(shape.extents()) {
  if (std::any_of(shape_.begin(), shape_.end(), [](std::ptrdiff_t extent) { return extent < -1; }) ||
      std::count(shape_.begin(), shape_.end(), -1) > 1)
    throw ShapeError("Reshape(" + description() + "): needs extents of 0 or more, and at most one of -1");
}

Variable Reshape::forward(const Variable& x) {
  std::string name = "Reshape(" + description() + ")";
  if (!x.defined() || x.rank() == 0) detail::refuse_input(name, x, "a batch of samples");
  std::size_t size = element_count(Shape(x.shape().begin() + 1, x.shape().end()));
  std::string called = name + ": input " + describe(x);
  Shape sample = Dims(shape_).shape(called.c_str(), size), shape{x.shape(0)};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return reshape(x, shape);
}

std::string Reshape::description() const {
  std::string result;
  for (std::ptrdiff_t extent : shape_) result += (result.empty() ? "" : ", ") + std::to_string(extent);
  return result;
}

Upsample::Upsample(const UpsampleOptions& options)
    : size_(options.size.of("Upsample", "size", 2)), scale_(options.scale_factor.of("Upsample", "scale_factor", 2)),
      mode_(options.mode) {
  detail::require_not_negative("Upsample", "size", size_);
  detail::require_not_negative("Upsample", "scale_factor", scale_);
  auto zeros = [](const auto& values) { return std::count(values.begin(), values.end(), 0u); };
  if (zeros(size_) + zeros(scale_) != 2 || zeros(size_) == 1)
    throw ValueError("Upsample: a size of " + detail::text(size_) + " and a scale factor of " + detail::text(scale_) +
                     ", needs one of them, of 1 or more");
  if (mode_ == Interpolation::linear || mode_ == Interpolation::trilinear)
    throw ValueError("Upsample: " + to_string(mode_) + ", needs a mode for height and width");
}

Upsample::Upsample(std::size_t scale_factor, Interpolation mode)
    : Upsample(UpsampleOptions{.scale_factor = scale_factor, .mode = mode}) {}

Variable Upsample::forward(const Variable& x) {
  if (!x.defined() || x.rank() != 4)
    detail::refuse_input("Upsample(" + description() + ")", x, "(batch, channels, height, width)");
  auto extent = [&](std::size_t i) { return size_[i] > 0 ? size_[i] : x.shape()[i + 2] * scale_[i]; };
  return interpolate(x, extent(0), extent(1), mode_);
}

std::string Upsample::description() const {
  return (size_[0] > 0 ? "to " + detail::text(size_) : "by " + detail::text(scale_)) +
         (mode_ == Interpolation::nearest ? "" : ", " + to_string(mode_));
}

PixelShuffle::PixelShuffle(std::size_t upscale_factor) : factor_(upscale_factor) {
  detail::require_widths("PixelShuffle", {upscale_factor});
}

Variable PixelShuffle::forward(const Variable& x) { return pixel_shuffle(x, factor_); }
std::string PixelShuffle::description() const { return std::to_string(factor_); }

}  // namespace xtape::nn
