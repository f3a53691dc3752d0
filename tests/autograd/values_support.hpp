// What the suites of values share.
#pragma once

#include <limits>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

namespace xtape::testing {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline Variable doubles(std::initializer_list<Nested> values) { return Variable(values, float64); }
inline Variable integers(std::initializer_list<Nested> values) { return Variable(values, int64); }

}  // namespace xtape::testing
