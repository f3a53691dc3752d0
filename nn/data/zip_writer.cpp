#include <nn/data/zip.hpp>

#include <algorithm>
#include <limits>
#include <new>

#include <zlib.h>

#include <autograd/error.hpp>

namespace xtape::nn {
namespace {

constexpr std::uint16_t version = 20, wide_version = 45, utf8_names = 1 << 11;
constexpr std::uint16_t date = 0x21;  // the first day that the format knows: the same content gives the same file

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

std::string u16(std::uint64_t value) { return number(value, 2); }
std::string u32(std::uint64_t value) { return number(value, 4); }
std::string u64(std::uint64_t value) { return number(value, 8); }

// The fields that both headers of a member have.
std::string common_fields(const ZipMember& member, bool wide, std::size_t extra_bytes) {
  std::uint64_t hidden = 0xffffffff;
  return u16(utf8_names) + u16(member.deflated ? 8 : 0) + u16(0) + u16(date) + u32(member.crc) +
         u32(wide ? hidden : member.stored) + u32(wide ? hidden : member.size) + u16(member.name.size()) +
         u16(extra_bytes);
}

std::string deflated(std::span<const std::span<const std::byte>> pieces, std::uint64_t size) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw MemoryError("save_npz: no memory to compress " + std::to_string(size) + " bytes");
  std::unique_ptr<z_stream, void (*)(z_stream*)> end(&stream, [](z_stream* s) { deflateEnd(s); });
  std::string out;
  std::vector<char> chunk(64 << 10);
  auto run = [&](std::span<const std::byte> in, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
      stream.avail_out = static_cast<uInt>(chunk.size());
      ::deflate(&stream, flush);
      out.append(chunk.data(), chunk.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  out.reserve(size / 2);
  constexpr std::size_t most = 1 << 30;  // zlib counts with 32 bits
  for (std::span<const std::byte> piece : pieces)
    for (std::size_t first = 0; first < piece.size(); first += most)
      run(piece.subspan(first, std::min(most, piece.size() - first)), Z_NO_FLUSH);
  run({}, Z_FINISH);
  return out;
}

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::span<const std::byte>> pieces, bool deflate) {
  ZipMember member{.name = name, .deflated = deflate, .header = position_};
  uLong crc = ::crc32(0, nullptr, 0);
  for (std::span<const std::byte> piece : pieces) {
    crc = ::crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    member.size += piece.size();
  }
  member.crc = static_cast<std::uint32_t>(crc);
  std::string content = deflate ? deflated(pieces, member.size) : std::string();
  member.stored = deflate ? content.size() : member.size;

  bool wide = std::max(member.size, member.stored) >= wide_from_;
  std::string extra = wide ? u16(1) + u16(16) + u64(member.size) + u64(member.stored) : std::string();
  write(u32(0x04034b50) + u16(wide ? wide_version : version) + common_fields(member, wide, extra.size()));
  write(name + extra);
  if (deflate) {
    write(content);
  } else {
    for (std::span<const std::byte> piece : pieces) file_.write(piece.data(), piece.size());
    position_ += member.size;
  }
  members_.push_back(std::move(member));
}

void ZipWriter::finish() {
  std::uint64_t directory = position_;
  for (const ZipMember& member : members_) {
    bool wide = std::max({member.size, member.stored, member.header}) >= wide_from_;
    std::string extra =
        wide ? u16(1) + u16(24) + u64(member.size) + u64(member.stored) + u64(member.header) : std::string();
    write(u32(0x02014b50) + u16(wide ? wide_version : version) + u16(wide ? wide_version : version) +
          common_fields(member, wide, extra.size()) + u16(0) + u16(0) + u16(0) + u32(0) +
          u32(wide ? 0xffffffff : member.header) + member.name + extra);
  }
  std::uint64_t bytes = position_ - directory, count = members_.size();
  bool wide = std::max({bytes, directory, count >= 0xffff ? wide_from_ : 0}) >= wide_from_;
  if (wide) {
    std::uint64_t end = position_;
    write(u32(0x06064b50) + u64(44) + u16(wide_version) + u16(wide_version) + u32(0) + u32(0) + u64(count) +
          u64(count) + u64(bytes) + u64(directory));
    write(u32(0x07064b50) + u32(0) + u64(end) + u32(1));
  }
  write(u32(0x06054b50) + u16(0) + u16(0) + u16(wide ? 0xffff : count) + u16(wide ? 0xffff : count) +
        u32(wide ? 0xffffffff : bytes) + u32(wide ? 0xffffffff : directory) + u16(0));
}

}  // namespace xtape::nn
