#include <autograd/kernels/targets/compare.hpp>

#include <cstdint>
#include <functional>
#include <tuple>

#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {

template <Target target, class F, class T>
void compare_row_on(const T* a, std::ptrdiff_t a_step, const T* b, std::ptrdiff_t b_step, std::size_t n, bool* out) {
  // The compiler vectorizes loops of known steps.
  if (a_step == 1 && b_step == 1) for (std::size_t i = 0; i < n; ++i) out[i] = F()(a[i], b[i]);
  else if (a_step == 1) for (std::size_t i = 0; i < n; ++i) out[i] = F()(a[i], *b);
  else if (b_step == 1) for (std::size_t i = 0; i < n; ++i) out[i] = F()(*a, b[i]);
  else for (std::size_t i = 0; i < n; ++i) out[i] = F()(*a, *b);
}

template <Target target, class F>
struct CompiledComparison {
  static constexpr auto rows = std::tuple(&compare_row_on<target, F, float>, &compare_row_on<target, F, double>,
                                          &compare_row_on<target, F, std::int64_t>, &compare_row_on<target, F, bool>);
};
template struct CompiledComparison<here, std::equal_to<>>;
template struct CompiledComparison<here, std::not_equal_to<>>;
template struct CompiledComparison<here, std::less<>>;
template struct CompiledComparison<here, std::less_equal<>>;
template struct CompiledComparison<here, std::greater<>>;
template struct CompiledComparison<here, std::greater_equal<>>;
template struct CompiledComparison<here, std::logical_and<>>;
template struct CompiledComparison<here, std::logical_or<>>;

}  // namespace xtape::kernels
