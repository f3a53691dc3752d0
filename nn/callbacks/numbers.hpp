// Numbers as text. Not for users.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <system_error>

namespace xtape::nn::detail {

/// The shortest text that reads back as the same number, whatever the locale.
inline std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The number that the text is, wholly.
inline std::optional<double> number_of(const std::string& text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace xtape::nn::detail
