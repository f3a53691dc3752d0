// Changes of whole batches of images, for a DataLoader. x is (N, channels, height, width).
#pragma once

#include <vector>

#include <nn/data/loader.hpp>

namespace xtape::nn {

/// (x - mean) / std, of one number for each channel, or for all.
/// @throws ValueError, as the transform is made, unless there are as many of both, finite, and each std is positive.
Transform normalize(std::vector<double> mean, std::vector<double> std);
/// Each image mirrored left to right with probability p. @throws ValueError unless p is between 0 and 1.
Transform random_horizontal_flip(double p = 0.5);
/// Each image moved by up to `padding` pixels along both axes, zeros (that is, after `normalize`, the mean) coming in:
/// a crop of the image's own size out of the padded image.
Transform random_crop(std::size_t padding);

}  // namespace xtape::nn
