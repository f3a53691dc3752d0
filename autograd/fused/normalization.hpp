// The rules of normalization. The first is also what a sum with a product is among Numbers.
#pragma once

#include <autograd/fused/rule.hpp>

namespace xtape::fused {

inline constexpr auto scale_and_shift_rule = elementwise(
    "scale_and_shift", [](auto x, auto weight, auto bias) { return x * weight + bias; },
    with<B>([](auto weight, auto g) { return g * weight; }), with<A>([](auto x, auto g) { return g * x; }), pass);

inline constexpr auto batch_norm_rule = elementwise(
    "batch_norm", [](auto x, auto mean, auto scale, auto bias) { return (x - mean) * scale + bias; },
    with<C>([](auto scale, auto g) { return g * scale; }), with<C>([](auto scale, auto g) { return -g * scale; }),
    with<A, B>([](auto x, auto mean, auto g) { return g * (x - mean); }), pass);

}  // namespace xtape::fused
