// A .zip file: members (a local header and the content), the directory of the members, and the directory's place at
// the end. Sizes and places that need 64 bits stand in extra fields, and in a second record of the end.
#include <nn/data/zip.hpp>

#include <algorithm>
#include <set>
#include <string_view>

#include <zlib.h>

#include <autograd/error.hpp>
#include <nn/data/inflate.hpp>

namespace xtape::nn {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t wide_end_mark = 0x06064b50, wide_locator_mark = 0x07064b50;
constexpr std::size_t local_bytes = 30, entry_bytes = 46, end_bytes = 22, wide_end_bytes = 56, locator_bytes = 20;
constexpr std::uint64_t see_64_bits = 0xffffffff;
constexpr std::uint16_t encrypted = 1, wide_field = 1;

// Little-endian numbers at places of a record, which has been checked to be long enough.
class Record {
 public:
  explicit Record(std::string_view bytes) : bytes_(bytes) {}
  std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t u64(std::size_t at) const { return number(at, 8); }

 private:
  std::uint64_t number(std::size_t at, std::size_t count) const {
    std::uint64_t result = 0;
    for (std::size_t i = count; i-- > 0;) result = result << 8 | static_cast<unsigned char>(bytes_.at(at + i));
    return result;
  }
  std::string_view bytes_;
};

std::string read_at(InputFile& file, std::uint64_t position, std::uint64_t bytes) {
  file.seek(position);
  if (bytes > file.left()) file.fail("is cut short, or no .zip file");
  std::string text(bytes, '\0');
  file.read(text.data(), text.size());
  return text;
}

struct Directory {
  std::uint64_t entries, bytes, position;
};

// The end stands last, but for a comment of up to 65,535 bytes.
Directory find_directory(InputFile& file) {
  if (file.size() < end_bytes) file.fail("is no .zip file: " + std::to_string(file.size()) + " bytes");
  std::uint64_t tail_bytes = std::min<std::uint64_t>(file.size(), end_bytes + 0xffff);
  std::string tail = read_at(file, file.size() - tail_bytes, tail_bytes);
  std::size_t at = tail.size() - end_bytes + 1;
  bool found = false;
  while (!found && at-- > 0) {
    Record record(std::string_view(tail).substr(at));
    found = record.u32(0) == end_mark && record.u16(20) == tail.size() - at - end_bytes;
  }
  if (!found) file.fail("is no .zip file, or is cut short: it has no end of the directory");
  Record end(std::string_view(tail).substr(at));
  std::uint64_t end_position = file.size() - tail_bytes + at;
  Directory directory{end.u16(10), end.u32(12), end.u32(16)};
  if (directory.entries == 0xffff || directory.bytes == see_64_bits || directory.position == see_64_bits) {
    if (end_position < locator_bytes) file.fail("is damaged: it lacks the directory's 64-bit place");
    std::string locator = read_at(file, end_position - locator_bytes, locator_bytes);
    if (Record(locator).u32(0) != wide_locator_mark) file.fail("is damaged: it lacks the directory's 64-bit place");
    end_position = Record(locator).u64(8);
    std::string wide = read_at(file, std::min(end_position, file.size()), wide_end_bytes);
    if (Record(wide).u32(0) != wide_end_mark) file.fail("is damaged: it lacks the directory's 64-bit end");
    directory = {Record(wide).u64(32), Record(wide).u64(40), Record(wide).u64(48)};
  }
  if (directory.position > end_position || directory.bytes != end_position - directory.position)
    file.fail("is damaged: its directory is said to have " + std::to_string(directory.bytes) + " bytes from " +
              std::to_string(directory.position) + " on, but it ends at " + std::to_string(end_position));
  return directory;
}

// The 64-bit values stand in the order of the fields that refer to them.
void read_wide_fields(const InputFile& file, std::string_view extra, ZipMember& member) {
  while (extra.size() >= 4) {
    std::uint16_t id = Record(extra).u16(0), bytes = Record(extra).u16(2);
    if (bytes > extra.size() - 4) break;
    std::string_view field = extra.substr(4, bytes);
    extra.remove_prefix(4u + bytes);
    if (id != wide_field) continue;
    for (std::uint64_t* value : {&member.size, &member.stored, &member.header}) {
      if (*value != see_64_bits) continue;
      if (field.size() < 8) file.fail("is damaged: \"" + member.name + "\" lacks a 64-bit size");
      *value = Record(field).u64(0);
      field.remove_prefix(8);
    }
    return;
  }
}

ZipMember read_entry(const InputFile& file, std::string_view& rest) {
  auto damaged = [&] { file.fail("is damaged: its directory does not hold what it declares"); };
  if (rest.size() < entry_bytes) damaged();
  Record entry(rest);
  std::size_t name = entry.u16(28), extra = entry.u16(30), comment = entry.u16(32);
  if (entry.u32(0) != entry_mark || rest.size() - entry_bytes < name + extra + comment) damaged();
  ZipMember member{.name = std::string(rest.substr(entry_bytes, name)),
                   .deflated = entry.u16(10) == 8,
                   .crc = entry.u32(16),
                   .stored = entry.u32(20),
                   .size = entry.u32(24),
                   .header = entry.u32(42)};
  read_wide_fields(file, rest.substr(entry_bytes + name, extra), member);
  if (entry.u16(8) & encrypted) file.fail("\"" + member.name + "\" is encrypted");
  if (entry.u16(10) != 0 && entry.u16(10) != 8)
    file.fail("\"" + member.name + "\" is compressed by method " + std::to_string(entry.u16(10)) +
              ", needs 0 (stored) or 8 (deflated)");
  if (!member.deflated && member.stored != member.size) damaged();
  rest.remove_prefix(entry_bytes + name + extra + comment);
  return member;
}

void require_within_limit(const InputFile& file, const std::vector<ZipMember>& members) {
  std::uint64_t left = inflate_limit(file.size());
  for (const ZipMember& member : members) {
    if (member.size > left)
      file.fail("declares content of more than 16 MiB and 100 times the file's " + std::to_string(file.size()) +
                " bytes; decompress it before, if that is meant");
    left -= member.size;
  }
}

void require_apart(const InputFile& file, std::vector<ZipMember> members, std::uint64_t directory) {
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.header < b.header; });
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::uint64_t end = i + 1 < members.size() ? members[i + 1].header : directory;
    std::uint64_t room = end < members[i].header ? 0 : end - members[i].header;
    if (room < local_bytes + members[i].name.size() || room - local_bytes - members[i].name.size() < members[i].stored)
      file.fail("is damaged: \"" + members[i].name + "\" reaches into what follows it");
  }
  std::set<std::string_view> names;
  for (const ZipMember& member : members)
    if (!names.insert(member.name).second) file.fail("has \"" + member.name + "\" twice");
}

// Where the content begins, behind a header that agrees with the directory.
std::uint64_t content_position(InputFile& file, const ZipMember& member) {
  std::string bytes = read_at(file, member.header, local_bytes + member.name.size());
  Record local(bytes);
  if (local.u32(0) != local_mark || local.u16(8) != (member.deflated ? 8 : 0) || local.u16(26) != member.name.size() ||
      !bytes.ends_with(member.name))
    file.fail("is damaged: the header of \"" + member.name + "\" does not agree with the directory");
  return member.header + bytes.size() + local.u16(28);
}

}  // namespace

std::vector<ZipMember> zip_members(InputFile& file) {
  Directory directory = find_directory(file);
  std::string bytes = read_at(file, directory.position, directory.bytes);
  std::string_view rest = bytes;
  std::vector<ZipMember> members;
  while (!rest.empty()) members.push_back(read_entry(file, rest));
  if (members.size() != directory.entries)
    file.fail("is damaged: its directory has " + std::to_string(members.size()) + " entries, and is said to have " +
              std::to_string(directory.entries));
  require_apart(file, members, directory.position);
  require_within_limit(file, members);
  return members;
}

ZipContent::ZipContent(InputFile& file, const ZipMember& member)
    : file_(file), member_(member), name_(file.name() + ": \"" + member.name + "\""), left_(member.stored),
      crc_(static_cast<std::uint32_t>(::crc32(0, nullptr, 0))) {
  file_.seek(content_position(file, member));
  if (left_ > file_.left()) file_.fail("\"" + member.name + "\" is cut short");
  if (!member.deflated) return;
  inflate_ = std::make_unique<Inflate>(
      [this](std::span<char> out) {
        std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
        file_.read(out.data(), count);
        left_ -= count;
        return count;
      },
      Inflate::Wrapper::none, name_);
}

ZipContent::~ZipContent() = default;

void ZipContent::read(void* out, std::size_t bytes) {
  auto* first = static_cast<std::uint8_t*>(out);
  if (inflate_) {
    if (inflate_->read({first, bytes}) != bytes) throw FileError(name_ + " is cut short");
  } else {
    if (bytes > left_) throw FileError(name_ + " is cut short");
    file_.read(out, bytes);
    left_ -= bytes;
  }
  crc_ = static_cast<std::uint32_t>(::crc32_z(crc_, first, bytes));
}

void ZipContent::finish() {
  std::uint8_t more;
  if (inflate_ ? inflate_->read({&more, 1}) != 0 || left_ > 0 : left_ > 0)
    throw FileError(name_ + " goes on after the " + std::to_string(member_.size) + " bytes that are declared");
  if (crc_ != member_.crc) throw FileError(name_ + " is damaged: its checksum does not match");
}

void verify_zip_member(InputFile& file, const ZipMember& member) {
  if (!member.deflated) return;
  ZipContent content(file, member);
  std::vector<char> chunk(std::min<std::uint64_t>(member.size, 64 << 10));
  for (std::uint64_t left = member.size; left > 0;) {
    std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk.size()));
    content.read(chunk.data(), count);
    left -= count;
  }
  content.finish();
}

}  // namespace xtape::nn
