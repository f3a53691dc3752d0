#include <autograd/kernels/target.hpp>

#include <cstdlib>
#include <string>

#include <autograd/error.hpp>

#ifdef XTAPE_SEVERAL_TARGETS
#include <cpuid.h>
#endif

namespace xtape::kernels {
namespace {

#ifdef XTAPE_SEVERAL_TARGETS
// What not all compilers have a name for: a bit of the third register that the processor describes itself in.
bool has(unsigned leaf, unsigned bit) {
  unsigned a, b, c, d;
  return __get_cpuid(leaf, &a, &b, &c, &d) && (c >> bit & 1);
}
#endif

Target best() {
#ifdef XTAPE_SEVERAL_TARGETS
  const bool movbe = has(1, 22), f16c = has(1, 29), lzcnt = has(0x80000001, 5);
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
            __builtin_cpu_supports("bmi2") && movbe && f16c && lzcnt;
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  return v4 ? Target::x86_64_v4 : v3 ? Target::x86_64_v3 : Target::x86_64_v2;
#else
  return Target::any;
#endif
}

Target chosen() {
  const char* text = std::getenv("XTAPE_TARGET");
  if (!text || !*text || best() == Target::any) return best();
  const std::string name = text;
  for (auto level : {Target::x86_64_v2, Target::x86_64_v3, Target::x86_64_v4}) {
    if (name != "x86-64-v" + std::to_string(static_cast<int>(level) + 1)) continue;
    if (level > best()) throw ValueError("XTAPE_TARGET is \"" + name + "\", which this processor cannot do");
    return level;
  }
  throw ValueError("XTAPE_TARGET is \"" + name + "\", needs x86-64-v2, x86-64-v3 or x86-64-v4");
}

}  // namespace

Target target() {
  static const Target of_process = chosen();
  return of_process;
}

}  // namespace xtape::kernels
