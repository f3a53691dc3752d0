// Reads the IDX format of the MNIST data sets (and Fashion-MNIST, KMNIST, EMNIST), plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>

#include <autograd/xtensor.hpp>
#include <nn/data/images.hpp>

namespace xtape::nn {

/// The bytes of an IDX file as an array of `rank` axes.
///
/// The format (Y. LeCun, "The MNIST database of handwritten digits"): two zero bytes, the element type (8: unsigned
/// byte, the only one read here), the number of axes, the extent of each as a big-endian 32-bit number, then the
/// elements in row-major order. Memory is taken only once the file is known to hold what it declares.
/// @throws FileError naming the file, what it has and what it needs, when it cannot be opened, is not of that
/// format and rank, is cut short, or goes on after the last element.
xt::xarray<std::uint8_t> read_idx(const std::filesystem::path& file, std::size_t rank);

/// The images of one IDX file with the labels of another.
/// @throws FileError as `read_idx` does, for counts that differ, and for a label that is not below `classes`.
LabeledImages read_labeled_images(const std::filesystem::path& images, const std::filesystem::path& labels,
                                  std::size_t classes);

}  // namespace xtape::nn
