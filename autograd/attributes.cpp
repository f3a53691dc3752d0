#include <autograd/attributes.hpp>

#include <autograd/scalar.hpp>

namespace xtape {
namespace {

std::string text(const std::string& value) { return '"' + value + '"'; }
std::string text(const std::vector<std::int64_t>& values) { return detail::tuple_text(values); }
std::string text(const Scalar& value) { return value.text(); }

std::vector<std::int64_t> axes_of(const std::vector<bool>& mask) {
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

}  // namespace

Attribute::Attribute(std::string key, const std::vector<bool>& mask) : Attribute(std::move(key), axes_of(mask)) {}

std::string to_string(const Attributes& attributes) {
  std::string result;
  for (const Attribute& attribute : attributes) {
    if (!result.empty()) result += ", ";
    result += attribute.name + "=" + std::visit([](const auto& value) { return text(value); }, attribute.value);
  }
  return result;
}

}  // namespace xtape
