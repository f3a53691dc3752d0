// Images of one byte for each color of each pixel, and the class of each image.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <autograd/xtensor.hpp>
#include <nn/data/dataset.hpp>

namespace xtape::nn {

/// Images, and the class of each.
struct LabeledImages {
  xt::xarray<std::uint8_t> images;  ///< grey: (N, height, width); in color: (N, channels, height, width)
  xt::xarray<std::uint8_t> labels;  ///< (N,), each below the number of classes

  std::size_t size() const { return labels.size(); }
};

struct ImageOptions {
  /// What is subtracted from levels between 0 and 1, and then divides them: one number for each channel, or for all.
  std::vector<double> mean = {0}, std = {1};
  bool flatten = false;  ///< gives each image as one row
  DType dtype = default_dtype();
};

/// Images as a data set: x is (N, channels, height, width), or (N, channels * height * width) when flattened, of
/// (level / 255 - mean) / std; y is (N,), int64. The bytes are kept as they are, and converted batch by batch.
class ImageDataset : public Dataset {
 public:
  /// @throws ShapeError for images of other axes, or not as many labels; ValueError for options that do not fit.
  explicit ImageDataset(LabeledImages images, const ImageOptions& options = {});
  std::size_t size() const override { return images_->size(); }
  Batch get(std::size_t i) const override;
  Batch gather(Positions positions) const override;

 private:
  std::shared_ptr<const LabeledImages> images_;
  ImageOptions options_;
  Shape shape_;  // of one image
  std::size_t channels_;
};

}  // namespace xtape::nn
