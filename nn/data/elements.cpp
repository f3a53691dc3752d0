#include <nn/data/elements.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace xtape::nn {
namespace {

using Kind = ElementType::Kind;

static_assert(std::endian::native == std::endian::little, "elements are read and written as they lie in memory");

constexpr std::size_t chunk_bytes = 64 << 10;

/// IEEE 754's binary16 in the lower bits.
struct Half {
  std::uint16_t bits;
  operator float() const {
    std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16, rest = (bits & 0x7fffu) << 13;
    // The exponent's bias is 15 here, 127 there; the product makes normal numbers of subnormal ones, too.
    if (rest < 0x0f800000) rest = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) * 0x1p112f);
    else rest |= 0x7f800000;  // infinite, or no number
    return std::bit_cast<float>(sign | rest);
  }
};

/// The upper half of a float32.
struct BrainFloat {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

bool as_in_memory(const ElementType& type) {
  bool wide = type.kind == Kind::floating ? type.bytes >= 4 : type.kind == Kind::signed_integer && type.bytes == 8;
  return (wide && !type.big_endian) || type.kind == Kind::boolean;
}

void require_bools(const std::string& name, const Array& out, std::size_t first) {
  const auto* begin = reinterpret_cast<const unsigned char*>(bytes_of(out));
  const auto* wrong = std::find_if(begin, begin + out.size(), [](unsigned char b) { return b > 1; });
  if (wrong != begin + out.size())
    throw FileError(name + ": element " + std::to_string(first + static_cast<std::size_t>(wrong - begin)) + " is " +
                    std::to_string(int{*wrong}) + ", needs 0 or 1 for a bool");
}

template <class From>
void convert(const std::string& name, bool big_endian, Array& out, const ReadBytes& read, std::size_t first) {
  using To = std::conditional_t<std::is_integral_v<From>, std::int64_t,
                                std::conditional_t<std::is_same_v<From, double>, double, float>>;
  To* to = out.mutable_data<To>();
  std::array<char, chunk_bytes> chunk;
  for (std::size_t done = 0; done < out.size();) {
    std::size_t count = std::min(chunk_bytes / sizeof(From), out.size() - done);
    read(chunk.data(), count * sizeof(From));
    for (std::size_t i = 0; i < count; ++i, ++done) {
      From value;
      char* bytes = chunk.data() + i * sizeof(From);
      if (big_endian) std::reverse(bytes, bytes + sizeof(From));
      std::memcpy(&value, bytes, sizeof(From));
      if constexpr (std::is_same_v<From, std::uint64_t>)
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
          throw FileError(name + ": element " + std::to_string(first + done) + " is " + std::to_string(value) +
                          ", more than an int64 holds");
      to[done] = static_cast<To>(value);
    }
  }
}

// Calls f with the type that the file holds.
template <class F>
void visit_stored(const ElementType& type, F&& f) {
  bool with_sign = type.kind == Kind::signed_integer;
  if (type.kind == Kind::brain_floating) return f(BrainFloat{});
  if (type.kind == Kind::floating) return type.bytes == 2 ? f(Half{}) : type.bytes == 4 ? f(float{}) : f(double{});
  switch (type.bytes) {
    case 1: return with_sign ? f(std::int8_t{}) : f(std::uint8_t{});
    case 2: return with_sign ? f(std::int16_t{}) : f(std::uint16_t{});
    case 4: return with_sign ? f(std::int32_t{}) : f(std::uint32_t{});
    default: return with_sign ? f(std::int64_t{}) : f(std::uint64_t{});
  }
}

}  // namespace

DType dtype_of(const ElementType& type) {
  switch (type.kind) {
    case Kind::boolean: return boolean;
    case Kind::floating: return type.bytes == 8 ? float64 : float32;
    case Kind::brain_floating: return float32;
    default: return int64;
  }
}

void read_elements(const std::string& name, const ElementType& type, Array& out, const ReadBytes& read,
                   std::size_t first) {
  if (as_in_memory(type)) {
    visit(out.dtype(), [&]<class T>(T) { read(out.mutable_data<T>(), out.bytes()); });
    if (type.kind == Kind::boolean) require_bools(name, out, first);
    return;
  }
  visit_stored(type, [&]<class From>(From) { convert<From>(name, type.big_endian, out, read, first); });
}

const std::byte* bytes_of(const Array& array) {
  return visit(array.dtype(), [&]<class T>(T) { return reinterpret_cast<const std::byte*>(array.data<T>()); });
}

std::byte* bytes_of(Array& array) {
  return visit(array.dtype(), [&]<class T>(T) { return reinterpret_cast<std::byte*>(array.mutable_data<T>()); });
}

}  // namespace xtape::nn
