// What reading a file may take in memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace xtape::nn {

/// Counts the bytes of what arises from a file, which may be many times the file's own: 80 MB, and some times the file's
/// bytes, are allowed.
class MemoryLimit {
 public:
  /// Errors begin with `name`.
  MemoryLimit(std::string name, std::uint64_t file_bytes, std::uint64_t times)
      : name_(std::move(name)), times_(times), most_(80'000'000 + times * file_bytes) {}

  /// @throws FileError when all of these together are more than is allowed; `what` says what they are.
  void take(std::uint64_t bytes, const char* what) {
    if (bytes > most_ - taken_) fail(what);
    taken_ += bytes;
  }

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string name_;
  std::uint64_t times_, most_, taken_ = 0;
};

}  // namespace xtape::nn
