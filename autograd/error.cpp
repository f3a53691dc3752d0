#include <autograd/error.hpp>

#include <cstdio>

#include <autograd/memory_error.hpp>

namespace xtape {
namespace {

[[gnu::tls_model("initial-exec")]] constinit thread_local const char* called = nullptr;

std::string in_its_name(const std::string& message) {
  if (!called || message.starts_with(std::string(called) + ":")) return message;
  return std::string(called) + ": " + message;
}

// What others are copies of: to copy a standard exception needs no memory.
const MemoryError no_memory("no memory");

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(in_its_name(message)) {}

detail::Calling::Calling(const char* operation) : outermost_(called == nullptr) {
  if (outermost_) called = operation;
}
detail::Calling::~Calling() {
  if (outermost_) called = nullptr;
}

namespace {

// Numbers of characters, as printf takes them.
int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

detail::OutOfMemory::OutOfMemory(std::string_view operation, std::string_view what) noexcept : MemoryError(no_memory) {
  if (called) operation = called;
  std::snprintf(text_, sizeof text_, "%.*s: no memory for %.*s", length(operation), operation.data(), length(what),
                what.data());
}

detail::OutOfMemory::OutOfMemory(std::string_view operation, std::size_t bytes, std::string_view what) noexcept
    : MemoryError(no_memory) {
  if (called) operation = called;
  std::snprintf(text_, sizeof text_, "%.*s: no memory for the %zu bytes of %.*s", length(operation), operation.data(),
                bytes, length(what), what.data());
}

}  // namespace xtape
