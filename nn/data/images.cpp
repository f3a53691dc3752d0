#include <nn/data/images.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/error.hpp>

namespace xtape::nn {

ImageDataset::ImageDataset(LabeledImages images, const ImageOptions& options)
    : images_(std::make_shared<const LabeledImages>(std::move(images))), options_(options) {
  Shape all(images_->images.shape().begin(), images_->images.shape().end());
  if ((all.size() != 3 && all.size() != 4) || all[0] != images_->size() || images_->labels.dimension() != 1)
    throw ShapeError("ImageDataset: images of shape " + to_string(all) + " and " + std::to_string(images_->size()) +
                     " labels: needs (N, height, width) or (N, channels, height, width), and N labels");
  channels_ = all.size() == 4 ? all[1] : 1;
  shape_ = Shape{channels_, all[all.size() - 2], all[all.size() - 1]};
  if (options.flatten) shape_ = Shape{element_count(shape_)};

  if (!is_floating(options.dtype))
    throw DTypeError(std::string("ImageDataset: dtype ") + to_string(options.dtype) + ", needs float32 or float64");
  auto fits = [&](const std::vector<double>& values) {
    return (values.size() == 1 || values.size() == channels_) &&
           std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  };
  bool spread = std::all_of(options.std.begin(), options.std.end(), [](double v) { return v > 0; });
  if (!fits(options.mean) || !fits(options.std) || !spread)
    throw ValueError("ImageDataset: " + std::to_string(options.mean.size()) + " means and " +
                     std::to_string(options.std.size()) + " standard deviations for " + std::to_string(channels_) +
                     " channels: needs one for all or for each, finite, and the deviations positive");
}

Batch ImageDataset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  Batch batch = gather({&position, 1});
  return {Variable(batch.x.value().reshaped(shape_)), Variable(batch.y.value().reshaped({}))};
}

Batch ImageDataset::gather(Positions positions) const {
  require_positions("ImageDataset", positions);
  Shape shape(shape_.size() + 1);
  shape[0] = positions.size();
  std::copy(shape_.begin(), shape_.end(), shape.begin() + 1);
  Array x(shape, options_.dtype), y({positions.size()}, int64);
  std::size_t size = element_count(shape_), plane = channels_ > 0 ? size / channels_ : 0;
  visit_floating("ImageDataset", options_.dtype, [&]<class T>(T) {
    T* out = x.mutable_data<T>();
    for (std::int64_t i : positions) {
      const std::uint8_t* levels = images_->images.data() + static_cast<std::size_t>(i) * size;
      for (std::size_t c = 0; c < channels_; ++c, levels += plane) {
        double mean = options_.mean[options_.mean.size() == 1 ? 0 : c];
        double std = options_.std[options_.std.size() == 1 ? 0 : c];
        T scale = static_cast<T>(1 / (255 * std)), shift = static_cast<T>(-mean / std);
        out = std::transform(levels, levels + plane, out,
                             [=](std::uint8_t level) { return static_cast<T>(level) * scale + shift; });
      }
    }
  });
  std::transform(positions.begin(), positions.end(), y.mutable_data<std::int64_t>(),
                 [&](std::int64_t i) { return images_->labels.data()[i]; });
  return {Variable(std::move(x)), Variable(std::move(y))};
}

}  // namespace xtape::nn
