#include <autograd/error.hpp>

namespace xtape {
namespace {

[[gnu::tls_model("initial-exec")]] constinit thread_local const char* called = nullptr;

std::string in_its_name(const std::string& message) {
  if (!called || message.starts_with(std::string(called) + ":")) return message;
  return std::string(called) + ": " + message;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(in_its_name(message)) {}

detail::Calling::Calling(const char* operation) : outermost_(called == nullptr) {
  if (outermost_) called = operation;
}
detail::Calling::~Calling() {
  if (outermost_) called = nullptr;
}

}  // namespace xtape
