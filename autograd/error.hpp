// The exceptions that xtape throws.
#pragma once

#include <stdexcept>
#include <string>

namespace xtape {

/// Base of everything that xtape throws. The message names the operation, what it got and what it needs.
struct Error : std::runtime_error {
  explicit Error(const std::string& message);
};

/// Shapes or axes that do not fit the operation.
struct ShapeError : Error {
  using Error::Error;
};

/// A dtype that the operation does not take, or operands of different dtypes.
struct DTypeError : Error {
  using Error::Error;
};

/// A scalar argument, option or index outside what is allowed.
struct ValueError : Error {
  using Error::Error;
};

/// A misuse of the tape: backward twice, a leaf modified in place.
struct GraphError : Error {
  using Error::Error;
};

/// Elements for which there is no memory.
struct MemoryError : Error {
  using Error::Error;
};

/// A file that is missing, cut short, or not what it should be.
struct FileError : Error {
  using Error::Error;
};

namespace detail {

/// While one lives, the messages of this thread's errors begin with the name of an operation: the one that the user
/// called, where that is made of others which complain in their own names. The outermost counts.
class Calling {
 public:
  explicit Calling(const char* operation);
  ~Calling();
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

 private:
  bool outermost_;
};

}  // namespace detail

}  // namespace xtape
