// Where the images come from: a folder, the cache of what was downloaded before, the net, or the program's own pen.
#pragma once

#include <filesystem>
#include <string>

#include <nn/data/idx.hpp>

namespace mnist {

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

/// Digits drawn by the program, see synthetic.hpp.
DataSet draw_digits(std::size_t train, std::size_t test, std::uint64_t seed);

}  // namespace mnist
