#include <autograd/kernels/targets/scans.hpp>

#include <algorithm>
#include <tuple>

#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {
namespace {

// Columns side by side, each of which waits for its own last result alone. Those next to each other fill registers.
template <Target target, class Rule, std::size_t most, bool adjacent, class T>
void scan_block(const Columns& columns, std::size_t count, const T* factors, std::ptrdiff_t shift, const T* terms, T* out) {
  using R = Running<T>;
  const std::ptrdiff_t between = adjacent ? 1 : columns.between;
  R last[most];
  for (std::size_t j = 0; j < count; ++j) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(j) * between;
    last[j] = static_cast<R>(out[at] = terms[at]);
  }
  std::ptrdiff_t first = 0;
  for (std::size_t i = 1; i < columns.length; ++i) {
    first += columns.along;
    for (std::size_t j = 0; j < count; ++j) {
      const std::ptrdiff_t at = first + static_cast<std::ptrdiff_t>(j) * between;
      last[j] = Rule::template next<target>(last[j], static_cast<R>(factors[at + shift]), static_cast<R>(terms[at]));
      out[at] = static_cast<T>(last[j]);
    }
  }
}

template <Target target, class Rule, std::size_t most, bool adjacent, class T>
void scan_blocks(const Columns& columns, const T* factors, std::ptrdiff_t shift, const T* terms, T* out) {
  for (std::size_t begin = 0; begin < columns.count; begin += most) {
    const std::size_t count = std::min(most, columns.count - begin);
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(begin) * columns.between;
    // A count that the compiler knows keeps the results in registers.
    if (count == most) scan_block<target, Rule, most, adjacent>(columns, most, factors + at, shift, terms + at, out + at);
    else scan_block<target, Rule, most, adjacent>(columns, count, factors + at, shift, terms + at, out + at);
  }
}

}  // namespace

template <Target target, class Rule, class T>
void scan_on(const Columns& columns, const T* factors, std::ptrdiff_t shift, const T* terms, T* out) {
  if (columns.between == 1) scan_blocks<target, Rule, 64, true>(columns, factors, shift, terms, out);
  else scan_blocks<target, Rule, 8, false>(columns, factors, shift, terms, out);
}

template <Target target, class Rule>
struct CompiledScan {
  static constexpr auto of_types = std::tuple(&scan_on<target, Rule, float>, &scan_on<target, Rule, double>,
                                              &scan_on<target, Rule, std::int64_t>);
};
template struct CompiledScan<here, RunningSum>;
template struct CompiledScan<here, RunningProduct>;
template struct CompiledScan<here, LinearScan>;

}  // namespace xtape::kernels
