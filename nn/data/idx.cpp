#include <nn/data/idx.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

#include <autograd/error.hpp>
#include <autograd/shape.hpp>
#include <nn/data/elements.hpp>
#include <nn/data/gunzip.hpp>
#include <nn/data/input_file.hpp>
#include <nn/data/memory_limit.hpp>

namespace xtape::nn {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;

std::optional<ElementType> element_type(std::uint8_t code) {
  using Kind = ElementType::Kind;
  switch (code) {
    case unsigned_byte: return ElementType{Kind::unsigned_integer, 1};
    case 0x09: return ElementType{Kind::signed_integer, 1};
    case 0x0b: return ElementType{Kind::signed_integer, 2, true};
    case 0x0c: return ElementType{Kind::signed_integer, 4, true};
    case 0x0d: return ElementType{Kind::floating, 4, true};
    case 0x0e: return ElementType{Kind::floating, 8, true};
    default: return {};
  }
}

/// What a reader takes.
struct Needs {
  bool unsigned_bytes = false;           ///< no other elements
  std::optional<std::size_t> rank = {};  ///< of those; any, where it is not given

  std::string text() const {
    if (!unsigned_bytes) return "00 00, one of 08, 09, 0b, 0c, 0d and 0e, and the number of axes (IDX)";
    if (!rank) return "00 00 08 and the number of axes (IDX, unsigned bytes)";
    return "00 00 08 " + hex(static_cast<std::uint8_t>(*rank)) + " (IDX, unsigned bytes, " + std::to_string(*rank) +
           (*rank == 1 ? " axis)" : " axes)");
  }

  static std::string hex(std::uint8_t byte) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", byte);
    return text;
  }
};

struct Header {
  std::uint8_t code;  // of the elements' type
  Shape shape;
  bool operator==(const Header&) const = default;
  ElementType type() const { return *element_type(code); }
};

/// One pass over an IDX file: its header first, then its elements.
class IdxFile {
 public:
  IdxFile(const char* operation, const std::filesystem::path& path)
      : file_(operation, path), name_(file_.name()), content_(file_.stream(), name_) {}

  const std::string& name() const { return name_; }

  Header header(const Needs& needs) {
    std::array<std::uint8_t, 4> magic{};
    read_header(magic);
    auto [zero, also_zero, code, rank] = magic;
    if (zero != 0 || also_zero != 0 || !element_type(code) || (needs.unsigned_bytes && code != unsigned_byte) ||
        rank != needs.rank.value_or(rank))
      throw FileError(name_ + ": begins with " + Needs::hex(zero) + " " + Needs::hex(also_zero) + " " +
                      Needs::hex(code) + " " + Needs::hex(rank) + ", needs " + needs.text());
    Shape shape(rank);
    for (std::size_t& extent : shape) extent = read_extent();
    require_addressable(shape);
    return {code, shape};
  }

  /// Checks that exactly `count` bytes follow, and keeps none.
  void require_elements(std::size_t count) {
    std::array<std::uint8_t, 64 << 10> chunk;
    std::size_t found = 0, read;
    while (found <= count && (read = content_.read(chunk)) > 0) found += read;
    if (found < count)
      throw FileError(name_ + ": is cut short: " + std::to_string(found) + " bytes follow the header, which declares " +
                      std::to_string(count));
    if (found > count)
      throw FileError(name_ + ": goes on after the " + std::to_string(count) + " bytes that its header declares");
  }

  /// Bytes that are inflated may become numbers that take eight times as much.
  void require_memory(std::uint64_t bytes) const { MemoryLimit(name_, file_.size(), 100).take(bytes, "elements"); }

  void read(void* out, std::size_t bytes) {
    if (content_.read({static_cast<std::uint8_t*>(out), bytes}) != bytes) fail_changed();
  }
  [[noreturn]] void fail_changed() const { throw FileError(name_ + ": changed while it was read"); }

 private:
  void read_header(std::span<std::uint8_t> out) {
    std::size_t found = content_.read(out);
    header_ += found;
    if (found < out.size())
      throw FileError(name_ + ": is cut short: ends within the header, after " + std::to_string(header_) + " bytes");
  }

  std::size_t read_extent() {
    std::array<std::uint8_t, 4> b{};
    read_header(b);
    return std::size_t{b[0]} << 24 | std::size_t{b[1]} << 16 | std::size_t{b[2]} << 8 | b[3];
  }

  void require_addressable(const Shape& shape) const {
    try {
      Shape longest = shape;  // without elements, the steps from one to the next need to be addressable, too
      for (std::size_t& extent : longest) extent = std::max<std::size_t>(extent, 1);
      element_count(longest);
    } catch (const ShapeError&) {
      throw FileError(name_ + ": declares the shape " + to_string(shape) + ", more elements than memory can address");
    }
  }

  InputFile file_;
  std::string name_;
  Gunzip content_;
  std::size_t header_ = 0;
};

/// Calls `take` with the header and with the file, which stands at its elements, once these are known to be there.
template <class Take>
auto read_checked(const char* operation, const std::filesystem::path& path, const Needs& needs, Take take) {
  IdxFile check(operation, path);
  Header header = check.header(needs);
  check.require_elements(element_count(header.shape) * header.type().bytes);
  IdxFile idx(operation, path);
  if (idx.header(needs) != header) idx.fail_changed();
  return take(header, idx);
}

}  // namespace

xt::xarray<std::uint8_t> load_idx_bytes(const std::filesystem::path& file, std::optional<std::size_t> rank) {
  return read_checked("load_idx_bytes", file, {.unsigned_bytes = true, .rank = rank}, [](const Header& header, IdxFile& idx) {
    auto result = xt::xarray<std::uint8_t>::from_shape(header.shape);
    idx.read(result.data(), result.size());
    return result;
  });
}

Variable load_idx(const std::filesystem::path& file) {
  return read_checked("load_idx", file, {}, [](const Header& header, IdxFile& idx) {
    idx.require_memory(element_count(header.shape) * item_size(dtype_of(header.type())));
    Array result(header.shape, dtype_of(header.type()));
    read_elements(idx.name(), header.type(), result, [&](void* out, std::size_t bytes) { idx.read(out, bytes); });
    return Variable(std::move(result));
  });
}

LabeledImages load_labeled_images(const std::filesystem::path& images, const std::filesystem::path& labels,
                                  std::size_t classes) {
  LabeledImages result{.images = load_idx_bytes(images, 3), .labels = load_idx_bytes(labels, 1)};
  if (result.images.shape(0) != result.labels.shape(0))
    throw FileError("load_labeled_images: " + images.string() + ": " + std::to_string(result.images.shape(0)) +
                    " images, but " + labels.string() + ": " + std::to_string(result.labels.shape(0)) +
                    " labels; needs as many");
  auto wrong = std::find_if(result.labels.begin(), result.labels.end(), [&](auto label) { return label >= classes; });
  if (wrong != result.labels.end())
    throw FileError("load_labeled_images: " + labels.string() + ": label " + std::to_string(*wrong) + " at position " +
                    std::to_string(wrong - result.labels.begin()) + ", needs labels from 0 to " +
                    std::to_string(classes - 1));
  return result;
}

}  // namespace xtape::nn
