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
  Attribute(std::string name, B value) : name(std::move(name)), value(value) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Attribute(std::string name, I value) : name(std::move(name)), value(static_cast<std::int64_t>(value)) {}
  Attribute(std::string name, double value) : name(std::move(name)), value(value) {}
  Attribute(std::string name, std::string value) : name(std::move(name)), value(std::move(value)) {}
  Attribute(std::string name, const char* value) : Attribute(std::move(name), std::string(value)) {}
  Attribute(std::string name, DType value) : Attribute(std::move(name), std::string(to_string(value))) {}
  template <IntegerRange R>
  Attribute(std::string name, const R& values)
      : name(std::move(name)), value(std::vector<std::int64_t>(std::begin(values), std::end(values))) {}
  /// The axes of a mask, see axes_mask.
  Attribute(std::string name, const std::vector<bool>& mask);

  std::string name;
  Value value;
};

using Attributes = std::vector<Attribute>;

/// Written as the arguments of a call: `axes=(0, 2), keepdims=true`.
std::string to_string(const Attributes& attributes);

}  // namespace xtape
