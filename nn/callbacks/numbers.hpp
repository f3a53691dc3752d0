// Numbers as text. Not for users.
#pragma once

#include <charconv>
#include <string>

namespace xtape::nn::detail {

/// The shortest text that reads back as the same number, whatever the locale.
inline std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace xtape::nn::detail
