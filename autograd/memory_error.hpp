// Memory that runs out, said without any.
#pragma once

#include <cstddef>
#include <new>
#include <string_view>

#include <autograd/error.hpp>

namespace xtape::detail {

/// A MemoryError whose message needs no memory: it stands in the exception, and is cut where it is too long.
class OutOfMemory final : public MemoryError {
 public:
  /// "OPERATION: no memory for WHAT"; in the name of the operation that the user called, where there is one.
  OutOfMemory(std::string_view operation, std::string_view what) noexcept;
  /// "OPERATION: no memory for the BYTES bytes of WHAT".
  OutOfMemory(std::string_view operation, std::size_t bytes, std::string_view what) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[256];
};

/// Calls `f`. What fails there for want of memory is thrown as a MemoryError that names the operation.
template <class F>
decltype(auto) naming(const char* operation, F&& f) try {
  return f();
} catch (const std::bad_alloc&) {
  throw OutOfMemory(operation, "what it needs beside arrays");
}

}  // namespace xtape::detail
