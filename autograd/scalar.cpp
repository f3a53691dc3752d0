#include <autograd/scalar.hpp>

#include <charconv>

#include <autograd/error.hpp>

namespace xtape {

DType Scalar::dtype() const {
  if (std::holds_alternative<bool>(number_)) return DType::boolean;
  return std::holds_alternative<double>(number_) ? DType::float64 : DType::int64;
}

bool Scalar::exact(DType dtype) const {
  switch (dtype) {
    case DType::float32: return exact<float>();
    case DType::float64: return exact<double>();
    case DType::int64: return exact<std::int64_t>();
    default: return exact<bool>();
  }
}

std::string Scalar::text() const {
  auto digits = [](auto v) -> std::string {
    if constexpr (std::is_same_v<decltype(v), bool>) {
      return v ? "true" : "false";
    } else {
      char buffer[32];
      return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
    }
  };
  return std::visit(digits, number_);
}

void Scalar::does_not_fit(const char* operation, const std::string& type) const {
  throw ValueError(std::string(operation) + ": " + text() + " does not fit " + type);
}

}  // namespace xtape
