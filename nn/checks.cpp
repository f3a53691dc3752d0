#include <nn/checks.hpp>

#include <cmath>
#include <limits>
#include <sstream>

namespace xtape::nn::detail {

static constexpr std::size_t greatest = std::numeric_limits<std::ptrdiff_t>::max();

std::string text(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string text(std::size_t count) { return std::to_string(static_cast<std::ptrdiff_t>(count)); }

std::string text(const std::vector<std::size_t>& extents) {
  std::string result;
  for (std::size_t extent : extents) result += (result.empty() ? "" : " x ") + text(extent);
  return result;
}

void require_widths(const std::string& name, std::initializer_list<std::size_t> widths) {
  for (std::size_t width : widths)
    if (width == 0 || width > greatest) throw ValueError(name + ": needs widths of 1 or more");
}

void require_some(const std::string& name, const char* option, std::size_t value) {
  if (value == 0 || value > greatest)
    throw ValueError(name + ": " + option + " is " + text(value) + ", needs 1 or more");
}

void require_not_negative(const std::string& name, const char* option, const std::vector<std::size_t>& extents) {
  for (std::size_t extent : extents)
    if (extent > greatest)
      throw ValueError(name + ": " + option + " is " + text(extent) + ", needs 0 or more");
}

namespace {

[[noreturn]] void refuse(const std::string& name, const char* option, double value, const std::string& needs) {
  throw ValueError(name + ": " + option + " is " + text(value) + ", needs " + needs);
}

}  // namespace

void require_finite(const std::string& name, const char* option, double value) {
  if (!std::isfinite(value)) refuse(name, option, value, "a finite number");
}

void require_positive(const std::string& name, const char* option, double value) {
  if (!(value > 0 && std::isfinite(value))) refuse(name, option, value, "a positive number");
}

void require_zero_or_more(const std::string& name, const char* option, double value) {
  if (!(value >= 0 && std::isfinite(value))) refuse(name, option, value, "a finite number of 0 or more");
}

void require_between(const std::string& name, const char* option, double value, double low, double high) {
  if (!(value >= low && value <= high)) refuse(name, option, value, text(low) + " to " + text(high));
}

void require_floating(const std::string& name, DType dtype) {
  if (!is_floating(dtype))
    throw DTypeError(name + ": parameters of " + to_string(dtype) + ", needs float32 or float64");
}

void refuse_input(const std::string& name, const Variable& x, const std::string& needs) {
  throw ShapeError(name + ": input " + describe(x) + ", needs " + needs);
}

void require_rank(const std::string& name, const Variable& x, std::size_t rank, const std::string& needs) {
  if (!x.defined() || x.rank() != rank) refuse_input(name, x, needs);
}

void require_dtype(const std::string& name, const Variable& x, DType dtype) {
  if (x.dtype() != dtype)
    throw DTypeError(name + ": input " + describe(x) + ", needs " + to_string(dtype) + "; convert with .to(" +
                     to_string(dtype) + ")");
}

}  // namespace xtape::nn::detail
