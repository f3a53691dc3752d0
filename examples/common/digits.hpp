// Where the images come from: a folder, the cache of what was downloaded before, the net, or the program's own pen.
#pragma once

#include <filesystem>
#include <string>

#include <autograd/variable.hpp>
#include <examples/common/program.hpp>
#include <nn/data/idx.hpp>

namespace example {

struct DataSet {
  xtape::nn::LabeledImages train, test;
  std::string source = {};  ///< for the user to read

  /// A checksum of all images and labels.
  std::uint32_t checksum() const;
};

/// MNIST's four files, under their usual names, plain or gzip.
/// @throws xtape::FileError naming the files that are missing, or what is wrong with one.
DataSet load_folder(const std::filesystem::path& folder);

/// MNIST from the user's cache folder, downloaded first when it is not there.
/// @throws xtape::FileError when it is not there and cannot be downloaded.
DataSet load_mnist();

/// Digits drawn by the program, see synthetic_digits.hpp.
DataSet draw_digits(std::size_t train, std::size_t test, std::uint64_t seed);

/// Images as rows (n, 784) of float32 from 0 to 1, and their labels (n).
struct Digits {
  explicit Digits(const xtape::nn::LabeledImages& set);

  std::size_t size() const { return labels.size(); }
  xtape::Variable images, labels;
};

/// MNIST from the folder, or, where that is empty, as load_mnist has it; where there is none, and with --quick, digits that
/// the program draws itself. It prints which.
DataSet digits_for(const Program& program, const std::filesystem::path& folder);

}  // namespace example
