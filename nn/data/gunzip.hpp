// Reads data that may be compressed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

namespace xtape::nn {

/// The content of a stream: inflated when it begins as gzip data does (RFC 1952, one or more members), else as it is.
class Gunzip {
 public:
  /// `source` is read from where it stands and must outlive this; errors name it `name`.
  Gunzip(std::istream& source, std::string name);

  /// Fills `out` and returns how many bytes that were: fewer than asked for at the end only.
  /// @throws FileError when the compressed data is cut short or damaged, or the source cannot be read.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  std::size_t copy(std::span<std::uint8_t> out);
  std::size_t inflate(std::span<std::uint8_t> out);
  bool refill();

  std::istream& source_;
  std::string name_;
  std::vector<char> input_;
  std::unique_ptr<z_stream_s, std::function<void(z_stream_s*)>> stream_;  // null: the content is not compressed
  bool between_members_ = false;
};

}  // namespace xtape::nn
