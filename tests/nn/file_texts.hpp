// Files as texts, for the tests that damage them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include <autograd/atomic_file.hpp>
#include <nn/data/zip.hpp>
#include <tests/nn/support.hpp>

namespace xtape::testing {

/// What streams, zlib and the readers take for their buffers: not more for larger files.
inline constexpr std::size_t buffers = 512 << 10;

inline std::string bytes(std::initializer_list<int> values) { return std::string(values.begin(), values.end()); }

/// A safetensors file.
inline std::string file_of(const std::string& header, const std::string& elements) {
  std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header + elements;
}

/// A .zip file of one member, x.npy, with this content, whose checksums are right.
inline std::string zipped(const std::string& text, bool deflate) {
  TemporaryDirectory directory;
  AtomicFile file(directory / "x");
  nn::ZipWriter zip(file);
  std::array pieces{std::as_bytes(std::span(text))};
  zip.add("x.npy", pieces, deflate);
  zip.finish();
  file.commit();
  return content(directory / "x");
}

}  // namespace xtape::testing
