// Deterministic damage to the bytes of a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xtape::testing {

/// Random numbers by SplitMix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Below n; 0 for n = 0.
  std::size_t below(std::size_t n) { return n > 0 ? static_cast<std::size_t>(next() % n) : 0; }

 private:
  std::uint64_t state_;
};

/// One of the files, with one to three changes: bits flipped, the end cut off or something put behind it, parts taken
/// out, repeated or replaced by parts of any file, numbers (binary or decimal) replaced by ones that attack lengths.
std::string mutate(const std::vector<std::string>& files, Random& random);

}  // namespace xtape::testing
