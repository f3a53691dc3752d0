// Reads the IDX format of the MNIST data sets (and Fashion-MNIST, KMNIST, EMNIST), plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <autograd/variable.hpp>
#include <autograd/xtensor.hpp>
#include <nn/data/images.hpp>

namespace xtape::nn {

/// The elements of an IDX file of unsigned bytes, as images have them, of `rank` axes where it is given.
///
/// The format (Y. LeCun, "The MNIST database of handwritten digits"): two zero bytes, the element type (08: unsigned
/// byte, 09: signed byte, 0b: two bytes, 0c: four, 0d: float, 0e: double), the number of axes, the extent of each as a
/// 32-bit number, then the elements in row-major order, all big-endian. Memory is taken only once the file is known to
/// hold what it declares.
/// @throws FileError naming the file, what it has and what it needs, when it cannot be opened, is not of that
/// format and rank, is cut short, or goes on after the last element.
xt::xarray<std::uint8_t> load_idx_bytes(const std::filesystem::path& file, std::optional<std::size_t> rank = {});

/// The elements of an IDX file of any type: float gives float32, double float64, and integers int64. QMNIST's labels
/// are such a file, of integers of four bytes. @throws FileError as `load_idx_bytes`, and for elements of a compressed file
/// that would take more memory than 80 MB and 100 times the file.
Variable load_idx(const std::filesystem::path& file);

/// The images of one IDX file with the labels of another.
/// @throws FileError as `load_idx_bytes` does, for counts that differ, and for a label that is not below `classes`.
LabeledImages load_labeled_images(const std::filesystem::path& images, const std::filesystem::path& labels,
                                  std::size_t classes);

}  // namespace xtape::nn
