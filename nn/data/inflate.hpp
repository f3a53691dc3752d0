// Inflates deflated data (RFC 1951) piece by piece, through zlib.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

namespace xtape::nn {

/// What deflated data may grow to: 16 MiB, and 100 times the compressed bytes beyond that. Data sets and weights shrink
/// to a tenth at most; what grows by more is either zeros or made to fill the memory (deflate goes to 1,032 times).
constexpr std::uint64_t inflate_limit(std::uint64_t compressed) { return (16 << 20) + 100 * compressed; }

/// Reads a stream of deflated data.
class Inflate {
 public:
  enum class Wrapper { none, gzip };
  /// Fills the span, and returns how many bytes that were; 0 at the end.
  using Source = std::function<std::size_t(std::span<char>)>;

  /// Errors begin with `name`.
  Inflate(Source source, Wrapper wrapper, std::string name);

  /// Fills `out` and returns how many bytes that were: fewer than asked for at the end only. Several gzip members one
  /// after the other are one stream, and zeros behind a member are padding; without a wrapper, data behind the end is an error.
  /// @throws FileError when the data is cut short, damaged, or grows beyond `inflate_limit`.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  bool refill();
  void skip_zeros();
  void require_within_limit() const;

  Source source_;
  Wrapper wrapper_;
  std::string name_;
  std::vector<char> input_;
  std::unique_ptr<z_stream_s, void (*)(z_stream_s*)> stream_;
  bool member_ended_ = false;
  std::uint64_t taken_ = 0, given_ = 0;
};

}  // namespace xtape::nn
