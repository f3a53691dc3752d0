// The arguments of an operation beside its operands, as they are printed, exported and replayed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <autograd/dtype.hpp>
#include <autograd/shape.hpp>

namespace xtape {

/// An argument of an operation: `axis`, `keepdims`, `stride`. Axes and shapes are lists, a dtype is its name.
struct Attribute {
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

  template <std::same_as<bool> B>
  Attribute(std::string key, B flag) : name(std::move(key)), value(flag) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Attribute(std::string key, I integer) : name(std::move(key)), value(static_cast<std::int64_t>(integer)) {}
  Attribute(std::string key, double number) : name(std::move(key)), value(number) {}
  Attribute(std::string key, std::string text) : name(std::move(key)), value(std::move(text)) {}
  Attribute(std::string key, const char* text) : Attribute(std::move(key), std::string(text)) {}
  Attribute(std::string key, DType dtype) : Attribute(std::move(key), std::string(to_string(dtype))) {}
  template <IntegerRange R>
  Attribute(std::string key, const R& values)
      : name(std::move(key)), value(std::vector<std::int64_t>(std::begin(values), std::end(values))) {}
  /// The axes of a mask, see axes_mask.
  Attribute(std::string key, const std::vector<bool>& mask);

  std::string name;
  Value value;
};

using Attributes = std::vector<Attribute>;

/// Written as the arguments of a call: `axes=(0, 2), keepdims=true`.
std::string to_string(const Attributes& attributes);

}  // namespace xtape
