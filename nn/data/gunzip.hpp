// Reads data that may be compressed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <string>

namespace xtape::nn {

class Inflate;

/// The content of a stream: inflated when it begins as gzip data does (RFC 1952, one or more members), else as it is.
class Gunzip {
 public:
  /// `source` is read from where it stands and must outlive this; errors begin with `name`.
  Gunzip(std::istream& source, std::string name);
  ~Gunzip();

  /// Fills `out` and returns how many bytes that were: fewer than asked for at the end only.
  /// @throws FileError when the compressed data is cut short or damaged, the source cannot be read, or more comes out
  /// than 16 MiB and 100 times what went in.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  std::istream& source_;
  std::string name_;
  std::unique_ptr<Inflate> inflate_;  // null: the content is not compressed
};

}  // namespace xtape::nn
