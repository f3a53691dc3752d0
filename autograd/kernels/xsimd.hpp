// The one place that includes xsimd, with what it gets wrong on aarch64 put right.
#pragma once

#include <xsimd/xsimd.hpp>

// In float, xsimd 8 divides and takes roots there as 32-bit processors have to, by an estimate and two steps of Newton's:
// the reciprocal of a small number is then infinite, and the root of infinity NaN.
#if defined(__aarch64__) && defined(XSIMD_VERSION_MAJOR) && XSIMD_VERSION_MAJOR < 9
namespace xsimd {

template <>
inline batch<float, neon64>& batch<float, neon64>::operator/=(const batch& other) noexcept {
  return *this = vdivq_f32(*this, other);
}
template <>
inline batch<float, neon64> sqrt(const batch<float, neon64>& x) noexcept {
  return vsqrtq_f32(x);
}

}  // namespace xsimd
#endif
