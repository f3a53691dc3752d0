// A .npy file: the magic string, the version, the length of the header, the header as the text of a Python dictionary,
// padded with spaces to a multiple of 64 bytes, and the elements.
#include <nn/data/npy.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include <autograd/atomic_file.hpp>
#include <autograd/kernels/strided.hpp>
#include <nn/data/elements.hpp>
#include <nn/data/input_file.hpp>
#include <nn/data/memory_limit.hpp>

namespace xtape::nn {
namespace {

using Kind = ElementType::Kind;

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t prefix_bytes = 10;  // magic, version, length
constexpr std::size_t alignment = 64;

struct Header {
  ElementType type;
  bool fortran_order;
  Shape shape;
};

// Reads the dictionary's text: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
 public:
  HeaderParser(const std::string& name, std::string_view text) : name_(name), text_(text), rest_(text) {}

  Header parse() {
    std::optional<ElementType> type;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    expect('{');
    while (!accept('}')) {
      std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type) type = element_type();
      else if (key == "fortran_order" && !fortran_order) fortran_order = truth();
      else if (key == "shape" && !shape) shape = tuple();
      else fail();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty() || !type || !fortran_order || !shape) fail();
    return {*type, *fortran_order, *shape};
  }

 private:
  [[noreturn]] void fail() const {
    throw FileError(name_ + ": the header is " + quote(text_) +
                    ", needs a dictionary of descr, fortran_order and shape");
  }

  static std::string quote(std::string_view text) {
    constexpr std::size_t shown = 200;
    std::string result = "\"";
    for (char c : text.substr(0, shown)) result += c >= ' ' && c <= '~' ? c : '?';
    return result + (text.size() > shown ? "...\"" : "\"");
  }

  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size())); }
  bool accept(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool accept_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view quoted() {
    char mark = accept('\'') ? '\'' : '"';
    if (mark == '"') expect('"');
    std::size_t end = rest_.find(mark);
    if (end == std::string_view::npos) fail();
    std::string_view result = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return result;
  }

  bool truth() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) fail();
    return false;
  }

  Shape tuple() {
    std::vector<std::size_t> extents;
    expect('(');
    bool comma = true;
    while (!accept(')')) {
      if (!comma) fail();
      std::size_t extent = 0;
      auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc{} || extents.size() == most_axes) fail();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      accept_word("L");  // as Python 2 wrote long numbers
      extents.push_back(extent);
      comma = accept(',');
    }
    if (extents.size() == 1 && !comma) fail();  // "(3)" is no tuple
    return Shape(extents.begin(), extents.end());
  }

  ElementType element_type() {
    skip_spaces();
    if (rest_.starts_with('[')) throw FileError(name_ + ": holds records, needs one number for each element");
    std::string_view text = quoted();
    auto refuse = [&] {
      throw FileError(name_ + ": its elements are of dtype " + quote(text) +
                      ", needs f2, f4, f8, i1 to i8, u1 to u8 or b1");
    };
    if (text.size() != 3 || std::string_view("<>|=").find(text[0]) == std::string_view::npos) refuse();
    auto bytes = static_cast<std::uint8_t>(text[2] - '0');
    bool known = text[1] == 'b'   ? bytes == 1
                 : text[1] == 'f' ? bytes == 2 || bytes == 4 || bytes == 8
                                  : (text[1] == 'i' || text[1] == 'u') &&
                                        (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    if (!known) refuse();
    Kind kind = text[1] == 'b'   ? Kind::boolean
                : text[1] == 'f' ? Kind::floating
                : text[1] == 'i' ? Kind::signed_integer
                                 : Kind::unsigned_integer;
    return {kind, bytes, text[0] == '>' && bytes > 1};
  }

  const std::string& name_;
  std::string_view text_, rest_;
};

Header read_header(const std::string& name, std::uint64_t size, const ReadBytes& read, std::uint64_t& used) {
  auto need = [&](std::uint64_t bytes) {
    used += bytes;
    if (used > size)
      throw FileError(name + ": is cut short: has " + std::to_string(size) + " bytes, its header needs " +
                      std::to_string(used));
  };
  need(prefix_bytes);
  unsigned char prefix[prefix_bytes];
  read(prefix, sizeof prefix);
  if (std::memcmp(prefix, magic.data(), magic.size()) != 0) throw FileError(name + ": does not begin as a .npy file");
  unsigned version = prefix[6];
  if (version < 1 || version > 3 || prefix[7] != 0)
    throw FileError(name + ": is of version " + std::to_string(version) + "." + std::to_string(prefix[7]) +
                    " of the .npy format, needs 1.0, 2.0 or 3.0");
  std::uint64_t length = prefix[8] | prefix[9] << 8;
  if (version > 1) {
    need(2);
    unsigned char more[2];
    read(more, sizeof more);
    length |= std::uint64_t{more[0]} << 16 | std::uint64_t{more[1]} << 24;
  }
  need(length);
  std::string text(length, '\0');
  read(text.data(), text.size());
  return HeaderParser(name, text).parse();
}

// Reads elements in Fortran order, in which the first axis goes fastest. They are put in their places part by part: as
// a whole, they would take twice the memory.
class FortranReader {
 public:
  FortranReader(const std::string& name, const ElementType& type, const Shape& shape, const ReadBytes& read)
      : name_(name), type_(type), read_(read), result_(shape, dtype_of(type)), strides_(kernels::dense_strides(shape)) {}

  Array run() {
    if (result_.size() > 0) read_axes(result_.rank(), result_.size(), 0);
    return std::move(result_);
  }

 private:
  static constexpr std::size_t most = 64 << 10;  // elements of a part

  // The first `axes` axes, of `count` elements, at one place of those that follow.
  void read_axes(std::size_t axes, std::size_t count, std::ptrdiff_t offset) {
    if (axes == 0) return read_part({}, offset);
    std::size_t extent = result_.shape()[axes - 1], below = count / extent, step = std::max<std::size_t>(most / below, 1);
    std::ptrdiff_t stride = strides_[axes - 1];
    Shape part(result_.shape().begin(), result_.shape().begin() + static_cast<std::ptrdiff_t>(axes));
    for (std::size_t begin = 0; begin < extent; begin += step) {
      std::ptrdiff_t there = offset + static_cast<std::ptrdiff_t>(begin) * stride;
      part.back() = std::min(step, extent - begin);
      if (below > most) read_axes(axes - 1, below, there);
      else read_part(part, there);
    }
  }

  void read_part(const Shape& shape, std::ptrdiff_t offset) {
    Array elements(Shape(shape.rbegin(), shape.rend()), result_.dtype());
    read_elements(name_, type_, elements, read_, done_);
    done_ += elements.size();
    std::vector<std::size_t> reversed;
    for (std::size_t axis = shape.size(); axis-- > 0;) reversed.push_back(axis);
    kernels::Strides strides(strides_.begin(), strides_.begin() + static_cast<std::ptrdiff_t>(shape.size()));
    kernels::assign_part(result_, {shape, strides, offset}, kernels::transpose(elements, reversed));
  }

  const std::string& name_;
  const ElementType& type_;
  const ReadBytes& read_;
  Array result_;
  kernels::Strides strides_;
  std::size_t done_ = 0;
};

}  // namespace

Array detail::read_npy(const std::string& name, std::uint64_t size, const ReadBytes& read, MemoryLimit* limit) {
  std::uint64_t used = 0;
  Header header = read_header(name, size, read, used);
  std::uint64_t needed = 0;
  try {
    needed = used + element_count(header.shape) * header.type.bytes;
  } catch (const ShapeError& e) {
    throw FileError(name + ": " + e.what());
  }
  if (needed != size)
    throw FileError(name + ": has " + std::to_string(size) + " bytes, its header and elements of shape " +
                    to_string(header.shape) + " need " + std::to_string(needed));
  if (limit) limit->take(element_count(header.shape) * item_size(dtype_of(header.type)), "arrays");
  if (header.fortran_order) return FortranReader(name, header.type, header.shape, read).run();
  Array result(header.shape, dtype_of(header.type));
  read_elements(name, header.type, result, read);
  return result;
}

std::string detail::npy_header(const Array& x) {
  if (x.rank() > most_axes)
    throw ValueError("save_npy: an array of " + std::to_string(x.rank()) + " axes, needs at most " +
                     std::to_string(most_axes));
  const char* descr = x.dtype() == float32 ? "<f4" : x.dtype() == float64 ? "<f8" : x.dtype() == int64 ? "<i8" : "|b1";
  std::string text = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': " +
                     to_string(x.shape()) + ", }";
  std::size_t whole = (prefix_bytes + text.size() + alignment) / alignment * alignment;  // with room for the newline
  text.resize(whole - prefix_bytes - 1, ' ');
  text += '\n';
  std::string header(magic);
  header += {1, 0, static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

Variable load_npy(const std::filesystem::path& path) {
  InputFile file("load_npy", path);
  return Variable(detail::read_npy(file.name(), file.size(), [&](void* out, std::size_t n) { file.read(out, n); }));
}

void save_npy(const std::filesystem::path& path, const Variable& x) {
  if (!x.defined()) throw ValueError("save_npy: an undefined Variable");
  std::string header = detail::npy_header(x.value());
  AtomicFile file(path);
  file.write(header);
  file.write(bytes_of(x.value()), x.value().bytes());
  file.commit();
}

}  // namespace xtape::nn
