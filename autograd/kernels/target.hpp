// The instruction sets that kernels are compiled for. One of them is chosen when the program runs.
#pragma once

namespace xtape::kernels {

/// `any` is what the whole library is compiled for, where the build asks for one processor, or has another than x86-64.
/// The others are levels of x86-64: v2 has SSE 4.2, v3 AVX2 and FMA, v4 AVX-512.
enum class Target { any, x86_64_v2, x86_64_v3, x86_64_v4 };

/// The best that this processor can do, or what XTAPE_TARGET names, such as "x86-64-v3".
/// @throws ValueError for an XTAPE_TARGET that is no such name, or that the processor cannot do.
Target target();

/// Calls `f.template operator()<t>()` for the target t of this process.
template <class F>
decltype(auto) with_target(F&& f) {
#ifdef XTAPE_SEVERAL_TARGETS
  switch (target()) {
    case Target::x86_64_v4: return f.template operator()<Target::x86_64_v4>();
    case Target::x86_64_v3: return f.template operator()<Target::x86_64_v3>();
    default: return f.template operator()<Target::x86_64_v2>();
  }
#else
  return f.template operator()<Target::any>();
#endif
}

}  // namespace xtape::kernels
