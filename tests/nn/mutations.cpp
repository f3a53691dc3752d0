#include <tests/nn/mutations.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace xtape::testing {
namespace {

std::string part_of(const std::string& text, Random& random) {
  std::size_t first = random.below(text.size());
  return text.substr(first, random.below(std::min<std::size_t>(text.size() - first, 64) + 1));
}

void flip_bits(std::string& text, Random& random) {
  if (text.empty()) return;
  for (std::size_t n = 1 + random.below(8); n > 0; --n) {
    char& byte = text[random.below(text.size())];
    byte = static_cast<char>(byte ^ 1 << random.below(8));
  }
}

void set_length(std::string& text, Random& random) {
  std::uint64_t size = text.size();
  const std::array<std::uint64_t, 16> values{
      0,    1,    2,      size,   size + 1,   size - 1,   size / 2,   size * 2,
      0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, ~0ull >> 1, ~0ull};
  std::uint64_t value = random.below(8) == 0 ? random.next() : values[random.below(values.size())];
  std::size_t bytes = std::size_t{1} << random.below(4);
  if (text.size() < bytes) return;
  // Lengths stand near the beginning or the end in most formats.
  std::size_t near = std::min<std::size_t>(text.size() - bytes + 1, random.below(2) ? 64 : text.size());
  std::size_t at = random.below(near);
  if (random.below(3) == 0) at = text.size() - bytes - at;
  bool big_endian = random.below(2) == 0;
  for (std::size_t i = 0; i < bytes; ++i)
    text[at + (big_endian ? bytes - 1 - i : i)] = static_cast<char>(value >> 8 * i & 0xff);
}

void set_decimal(std::string& text, Random& random) {
  std::size_t start = random.below(text.size());
  auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  auto first = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(start), text.end(), digit);
  auto last = std::find_if_not(first, text.end(), digit);
  const std::array<const char*, 12> values{"0", "1", "-1", "65536", "4294967295", "4294967296", "9223372036854775807",
                                           "18446744073709551615", "18446744073709551616", "1e999", "1.5", ""};
  text.replace(first, last, values[random.below(values.size())]);
}

void change(std::string& text, const std::vector<std::string>& files, Random& random) {
  std::size_t at = random.below(text.size() + 1);
  switch (random.below(9)) {
    case 0: case 1: return flip_bits(text, random);
    case 2: return text.resize(at);
    case 3: case 4: return set_length(text, random);
    case 5: return set_decimal(text, random);
    case 6: text.erase(at, random.below(64)); return;
    case 7: text.insert(at, part_of(text, random)); return;
    default: {
      std::string part = part_of(files[random.below(files.size())], random);
      text.replace(at, std::min(part.size(), text.size() - at), part);
    }
  }
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string mutate(const std::vector<std::string>& files, Random& random) {
  std::string text = files[random.below(files.size())];
  for (std::size_t n = 1 + random.below(3); n > 0; --n) change(text, files, random);
  return text;
}

}  // namespace xtape::testing
