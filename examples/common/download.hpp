// Fetches the files of MNIST, with curl.
#pragma once

#include <array>
#include <filesystem>
#include <string>

namespace example {

struct RemoteFile {
  std::string name;    ///< of the IDX file; mirrors keep it with gzip, under this name with ".gz"
  std::string sha256;  ///< of the IDX file
};

/// Training images and labels, test images and labels.
const std::array<RemoteFile, 4>& mnist_files();

/// Puts the file, compressed, into `folder` once its content is known to be right.
/// @throws xtape::FileError saying what the last mirror lacked, xtape::Error where there is no curl.
void download(const RemoteFile& file, const std::filesystem::path& folder);

/// The SHA-256 of a file's content (inflated where it is gzip data), as sha256sum prints it.
/// @throws xtape::FileError for damaged gzip data, or where there is no sha256sum.
std::string sha256_of_content(const std::string& bytes, const std::string& name);

}  // namespace example
