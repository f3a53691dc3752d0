// What constructors and forwards of layers check, and how they write numbers. For nn's own use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::nn::detail {

/// A number as it is printed in descriptions: `0.5`, `1e-05`.
std::string text(double value);
/// A width or another count: one that was negative before it became a great number as it was.
std::string text(std::size_t count);
/// The extents of a window: `3 x 5`.
std::string text(const std::vector<std::size_t>& extents);

/// @throws ValueError beginning with `name` unless all widths are 1 or more; a negative one has become a great number.
void require_widths(const std::string& name, std::initializer_list<std::size_t> widths);
/// @throws ValueError saying so unless the option's value is 1 or more.
void require_some(const std::string& name, const char* option, std::size_t value);
/// @throws ValueError when an extent was negative before it became a great number.
void require_not_negative(const std::string& name, const char* option, const std::vector<std::size_t>& extents);
/// @throws ValueError beginning with `name` unless the option's value is finite, and more than 0, 0 or more, or in
/// [low, high].
void require_finite(const std::string& name, const char* option, double value);
void require_positive(const std::string& name, const char* option, double value);
void require_zero_or_more(const std::string& name, const char* option, double value);
void require_between(const std::string& name, const char* option, double value, double low, double high);
/// @throws DTypeError unless the dtype is floating-point.
void require_floating(const std::string& name, DType dtype);
/// @throws ShapeError saying that `name` got x, and what it needs.
[[noreturn]] void refuse_input(const std::string& name, const Variable& x, const std::string& needs);
/// refuse_input unless x is defined and floating-point of this rank.
void require_rank(const std::string& name, const Variable& x, std::size_t rank, const std::string& needs);
/// @throws DTypeError unless x has this dtype.
void require_dtype(const std::string& name, const Variable& x, DType dtype);

}  // namespace xtape::nn::detail
