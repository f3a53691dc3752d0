// The .zip container (PKWARE's APPNOTE 6.3), as far as .npz files use it: stored and deflated members, with the fields
// of 64 bits where they are needed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <autograd/atomic_file.hpp>
#include <nn/data/input_file.hpp>

namespace xtape::nn {

class Inflate;

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t stored = 0;  ///< its bytes in the file
  std::uint64_t size = 0;    ///< its bytes once inflated
  std::uint64_t header = 0;  ///< where its local header begins
};

/// The members of a .zip file.
/// @throws FileError for a file that is damaged or encrypted, or has members that overlap, share a name, or declare
/// more content than `inflate_limit` of the whole file.
std::vector<ZipMember> zip_members(InputFile& file);

/// Reads the content of one member from front to back.
class ZipContent {
 public:
  ZipContent(InputFile& file, const ZipMember& member);
  ~ZipContent();
  /// @throws FileError when the content is damaged, or there is less.
  void read(void* out, std::size_t bytes);
  /// To be called at the end: @throws FileError when there is more, or the checksum does not match.
  void finish();

 private:
  InputFile& file_;
  const ZipMember& member_;
  std::string name_;
  std::unique_ptr<Inflate> inflate_;  // null: stored
  std::uint64_t left_;                // of the bytes in the file
  std::uint32_t crc_;
};

/// Reads the content of a deflated member and keeps nothing, to see that it holds what it declares before memory is
/// taken for it; a stored one cannot declare more than the file has.
/// @throws FileError as ZipContent does.
void verify_zip_member(InputFile& file, const ZipMember& member);

/// Writes a .zip file, member by member.
class ZipWriter {
 public:
  /// Sizes and offsets from `wide_from` on are written as fields of 64 bits; the format needs that from 2^32 - 1 on.
  explicit ZipWriter(AtomicFile& file, std::uint64_t wide_from = 0xffffffff) : file_(file), wide_from_(wide_from) {}

  /// A member whose content is these pieces, one after the other.
  void add(const std::string& name, std::span<const std::span<const std::byte>> pieces, bool deflate);
  /// Writes the directory. To be called once, last.
  void finish();

 private:
  void write(const std::string& bytes);
  AtomicFile& file_;
  std::uint64_t wide_from_;
  std::uint64_t position_ = 0;
  std::vector<ZipMember> members_;
};

}  // namespace xtape::nn
