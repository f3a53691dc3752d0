// What reading and writing safetensors files have in common.
//
// Such a file is: the length of the header as 8 bytes, the header as JSON padded with spaces to a multiple of 8, then
// the elements of all tensors, one after the other. Numbers are little-endian. The header says of each tensor its
// dtype, shape, and place among the elements; "__metadata__" holds texts. We put two checksums among these: one of the
// elements, and one of the header without it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nn/data/elements.hpp>

namespace xtape::nn::safetensors {

inline constexpr const char* metadata_key = "__metadata__";
inline constexpr const char* data_crc_key = "xtape.crc32.data";
inline constexpr const char* header_crc_key = "xtape.crc32.header";
inline constexpr std::size_t length_bytes = 8;
inline constexpr std::uint64_t longest_header = 100'000'000;  // as in the format's own library
inline constexpr std::size_t most_texts = 1'000'000;          // each takes far more memory than its bytes in the file

/// An element type, and the format's name of it. The first of each dtype is what we write.
struct Format {
  const char* name;
  ElementType type;
};

using Kind = ElementType::Kind;
inline constexpr std::array<Format, 13> formats{{{"F64", {Kind::floating, 8}},
                                                 {"F32", {Kind::floating, 4}},
                                                 {"F16", {Kind::floating, 2}},
                                                 {"BF16", {Kind::brain_floating, 2}},
                                                 {"I64", {Kind::signed_integer, 8}},
                                                 {"I32", {Kind::signed_integer, 4}},
                                                 {"I16", {Kind::signed_integer, 2}},
                                                 {"I8", {Kind::signed_integer, 1}},
                                                 {"U64", {Kind::unsigned_integer, 8}},
                                                 {"U32", {Kind::unsigned_integer, 4}},
                                                 {"U16", {Kind::unsigned_integer, 2}},
                                                 {"U8", {Kind::unsigned_integer, 1}},
                                                 {"BOOL", {Kind::boolean, 1}}}};

class Crc32 {
 public:
  void add(const void* data, std::size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string text() const;

 private:
  unsigned long value_ = 0;
};

using Metadata = std::map<std::string, std::string>;

/// What the header says of one tensor.
struct Entry {
  std::string name;
  const Format* format;
  Shape shape;
  std::uint64_t begin, end;  ///< its place among the elements
};

/// Gives the header piece by piece as we write it: without spaces, and with names in alphabetical order, in which
/// `entries` need to be.
/// @throws nlohmann::json::exception for a name or text that is no UTF-8.
void write_header(const Metadata& metadata, const std::vector<Entry>& entries,
                  const std::function<void(std::string_view)>& write);

/// The checksum of a header, without that checksum itself. Spaces and the order of names do not change it, so that it
/// survives other programs' writing.
std::string header_crc(Metadata metadata, const std::vector<Entry>& entries);

}  // namespace xtape::nn::safetensors
