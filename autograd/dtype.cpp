#include <autograd/dtype.hpp>

#include <ostream>
#include <string>
#include <utility>

#include <autograd/error.hpp>

namespace xtape {
namespace {

thread_local DType unless_named = DType::float32;

}  // namespace

const char* to_string(DType dtype) {
  switch (dtype) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::int64: return "int64";
    default: return "bool";
  }
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << to_string(dtype); }

DType default_dtype() { return unless_named; }

DefaultDType::DefaultDType(DType dtype) {
  if (!is_floating(dtype))
    throw DTypeError(std::string("DefaultDType: ") + to_string(dtype) + ", needs float32 or float64");
  before_ = std::exchange(unless_named, dtype);
}
DefaultDType::~DefaultDType() { unless_named = before_; }

}  // namespace xtape
