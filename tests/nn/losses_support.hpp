// What the tests of losses share.
#pragma once

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

namespace xtape::testing {

inline Variable numbers64(std::initializer_list<Nested> values) { return Variable(values, float64); }
inline Variable number64(double value) { return Variable(Array::scalar(value, float64)); }

/// First and second derivatives of a loss of these inputs.
inline void has_derivatives(const Callable& loss, const std::vector<Variable>& inputs) {
  auto result = gradcheck(loss, inputs, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

constexpr nn::Reduction all_reductions[] = {nn::Reduction::mean, nn::Reduction::sum, nn::Reduction::none,
                                            nn::Reduction::batchmean};

}  // namespace xtape::testing
