// The exceptions that xtape throws.
#pragma once

#include <stdexcept>

namespace xtape {

/// Base of everything that xtape throws. The message names the operation, what it got and what it needs.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
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

/// A misuse of the tape: backward twice, a saved value that changed, a leaf modified in place.
struct GraphError : Error {
  using Error::Error;
};

/// A file that is missing, cut short, or not what it should be.
struct FileError : Error {
  using Error::Error;
};

}  // namespace xtape
