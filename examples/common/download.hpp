// Fetches files, with curl.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace example {

struct RemoteFile {
  std::string name;               ///< that it gets here
  std::string sha256;             ///< of its content, inflated where it is gzip data
  std::vector<std::string> urls;  ///< where it may be had; they are tried in this order
};

/// The folder of this name in the user's cache: $XDG_CACHE_HOME/xtape/NAME, or ~/.cache/xtape/NAME.
/// @throws xtape::FileError where there is no such place.
std::filesystem::path cache_folder(const std::string& name);

/// Puts the file, as it comes, into `folder` once its content is known to be right.
/// @throws xtape::FileError saying what the last address lacked, xtape::Error where there is no curl.
void download(const RemoteFile& file, const std::filesystem::path& folder);

/// The SHA-256 of a file's content (inflated where it is gzip data), as sha256sum prints it.
/// @throws xtape::FileError for damaged gzip data, or where there is no sha256sum.
std::string sha256_of_content(const std::string& bytes, const std::string& name);

}  // namespace example
