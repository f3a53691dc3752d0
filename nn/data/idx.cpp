#include <nn/data/idx.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>

#include <autograd/error.hpp>
#include <autograd/shape.hpp>
#include <nn/data/gunzip.hpp>
#include <nn/data/input_file.hpp>

namespace xtape::nn {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;

/// One pass over an IDX file: its header first, then its elements.
class IdxFile {
 public:
  explicit IdxFile(const std::filesystem::path& path)
      : file_("read_idx", path), name_(file_.name()), content_(file_.stream(), name_) {}

  /// The shape that the header declares.
  Shape shape(std::size_t rank) {
    std::array<std::uint8_t, 4> magic{};
    read_header(magic);
    if (magic[0] != 0 || magic[1] != 0 || magic[2] != unsigned_byte || magic[3] != rank)
      throw FileError(name_ + ": begins with " + hex(magic) + ", needs " +
                      hex({0, 0, unsigned_byte, static_cast<std::uint8_t>(rank)}) + " (IDX, unsigned bytes, " +
                      std::to_string(rank) + (rank == 1 ? " axis)" : " axes)"));
    Shape shape(rank);
    for (std::size_t& extent : shape) extent = read_extent();
    require_addressable(shape);
    return shape;
  }

  /// Checks that exactly `count` elements follow, and keeps none.
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

  void read_elements(std::span<std::uint8_t> out) {
    if (content_.read(out) != out.size()) throw FileError(name_ + ": changed while it was read");
  }

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
      element_count(shape);
    } catch (const ShapeError&) {
      throw FileError(name_ + ": declares the shape " + to_string(shape) + ", more elements than memory can address");
    }
  }

  static std::string hex(const std::array<std::uint8_t, 4>& bytes) {
    char text[12];
    std::snprintf(text, sizeof text, "%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
    return text;
  }

  InputFile file_;
  std::string name_;
  Gunzip content_;
  std::size_t header_ = 0;
};

}  // namespace

xt::xarray<std::uint8_t> read_idx(const std::filesystem::path& file, std::size_t rank) {
  IdxFile check(file);
  Shape shape = check.shape(rank);
  check.require_elements(element_count(shape));

  IdxFile idx(file);
  if (idx.shape(rank) != shape) throw FileError("read_idx: " + file.string() + ": changed while it was read");
  auto result = xt::xarray<std::uint8_t>::from_shape(shape);
  idx.read_elements({result.data(), result.size()});
  return result;
}

LabeledImages read_labeled_images(const std::filesystem::path& images, const std::filesystem::path& labels,
                                  std::size_t classes) {
  LabeledImages result{.images = read_idx(images, 3), .labels = read_idx(labels, 1)};
  if (result.images.shape(0) != result.labels.shape(0))
    throw FileError("read_labeled_images: " + images.string() + ": " + std::to_string(result.images.shape(0)) +
                    " images, but " + labels.string() + ": " + std::to_string(result.labels.shape(0)) +
                    " labels; needs as many");
  auto wrong = std::find_if(result.labels.begin(), result.labels.end(), [&](auto label) { return label >= classes; });
  if (wrong != result.labels.end())
    throw FileError("read_labeled_images: " + labels.string() + ": label " + std::to_string(*wrong) + " at position " +
                    std::to_string(wrong - result.labels.begin()) + ", needs labels from 0 to " +
                    std::to_string(classes - 1));
  return result;
}

}  // namespace xtape::nn
