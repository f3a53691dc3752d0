#include <autograd/kernels/scans.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include <autograd/kernels/functions.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/targets/scans.hpp>

namespace xtape::kernels {
namespace {

// How far apart neighbours along an axis are.
std::size_t step_along(const Shape& shape, std::size_t axis) {
  return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(), std::size_t{1},
                         std::multiplies());
}

// Calls `step(state, at, i)` for each element along an axis, where it stands `at` in the array and `i` along the axis;
// `State` belongs to its column. Neighbouring columns go side by side.
template <class State, class Step>
void scan_columns(const Shape& shape, std::size_t axis, State start, Step step) {
  const std::size_t n = shape[axis], inner = step_along(shape, axis);
  if (n == 0) return;
  const std::size_t columns = element_count(shape) / n;
  auto along = [&](std::size_t first, std::size_t count, auto* states) {
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < count; ++j) step(states[j], first + i * inner + j, i);
  };
  parallel_for(columns, worth_a_thread_of(n), [&](std::size_t begin, std::size_t end) {
    std::vector<State> states;
    for (std::size_t column = begin, count; column < end; column += count) {
      count = std::min(inner - column % inner, end - column);
      std::size_t first = column / inner * n * inner + column % inner;
      if (count == 1) {
        State state = start;  // in a register
        along(first, 1, &state);
      } else {
        states.assign(count, start);
        along(first, count, states.data());
      }
    }
  });
}

// Where the best element so far stands; `better(a, b)` is false for NaN.
template <class Better>
Array running_indices(const Array& x, std::size_t axis, Better better) {
  Array result(x.shape(), DType::int64);
  auto* out = result.mutable_data<std::int64_t>();
  visit_floating("running_indices", x.dtype(), [&]<class T>(T) {
    struct Best {
      T value;
      std::int64_t index;
    };
    const T* in = x.data<T>();
    scan_columns(x.shape(), axis, Best{}, [=](Best& best, std::size_t at, std::size_t i) {
      T value = in[at];
      if (i == 0 || better(value, best.value) || value != value) best = {value, static_cast<std::int64_t>(i)};
      out[at] = best.index;
    });
  });
  return result;
}

// Scans columns in parts, for several threads: those within a row, or, along the last axis, of several rows.
template <class Rule>
Array scan(const char* name, const Array& a, const Array& b, std::size_t axis, bool backwards) {
  Array result = Array::like(b);
  const std::size_t n = b.shape()[axis], inner = step_along(b.shape(), axis);
  if (b.size() == 0) return result;
  auto of_type = [&]<class T>(T) {
    const auto run = with_target([]<Target target>() { return &scan_on<target, Rule, T>; });
    const T *factors = a.data<T>(), *terms = b.data<T>();
    T* out = result.mutable_data<T>();
    const auto step = static_cast<std::ptrdiff_t>(backwards ? -inner : inner);
    const std::ptrdiff_t start = backwards ? static_cast<std::ptrdiff_t>((n - 1) * inner) : 0;
    parallel_for(b.size() / n, worth_a_thread_of(n), [&](std::size_t begin, std::size_t end) {
      for (std::size_t column = begin, count; column < end; column += count) {
        count = inner == 1 ? end - begin : std::min(inner - column % inner, end - column);
        const auto between = static_cast<std::ptrdiff_t>(inner == 1 ? n : 1);
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(column / inner * n * inner + column % inner) + start;
        // Backwards, the link between two neighbours belongs to the one that was there before.
        run({n, step, count, between}, factors + at, backwards ? -step : 0, terms + at, out + at);
      }
    });
  };
  if (b.dtype() == DType::int64) of_type(std::int64_t{});
  else visit_floating(name, b.dtype(), of_type);
  return result;
}

// log(sum(exp(x))) of a column up to each of its elements: of these the greatest, and the sum of exp(x - greatest).
class RunningLogSumExp {
 public:
  static constexpr std::size_t block = 256;

  /// The results of the next n elements, a block or less, which are `step` apart.
  template <class T>
  void next(const T* x, std::size_t step, std::size_t n, T* y) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double before = greatest_;
    Numbers terms, shifts, last_shifts, factors;
    for (std::size_t i = 0; i < n; ++i) {
      terms[i] = static_cast<double>(x[i * step]);
      const double last = greatest_;
      greatest_ = terms[i] > last ? terms[i] : last;
      shifts[i] = shift_of(greatest_);
      last_shifts[i] = last == -infinity ? shifts[i] : shift_of(last);  // nothing is added up so far
    }
    exp_of_difference(terms, shifts, n, terms);
    // Most blocks have no new greatest element.
    if (greatest_ == before) factors.fill(1);
    else exp_of_difference(last_shifts, shifts, n, factors);
    for (std::size_t i = 0; i < n; ++i) terms[i] = sum_ = sum_ * factors[i] + terms[i];
    static const auto log_row = map_row_of<double, Log, 1>();
    const double* sums = terms.data();
    log_row(&sums, step_one, n, terms.data());
    for (std::size_t i = 0; i < n; ++i) y[i * step] = static_cast<T>(shifts[i] + terms[i]);
  }

 private:
  using Numbers = std::array<double, block>;

  // An infinite one would make NaN of differences.
  static double shift_of(double greatest) { return std::isinf(greatest) ? 0 : greatest; }
  static void exp_of_difference(const Numbers& a, const Numbers& b, std::size_t n, Numbers& result) {
    static const auto row = map_row_of<double, ExpOfDifference, 2>();
    const double* operands[]{a.data(), b.data()};
    row(operands, step_one, n, result.data());
  }

  double greatest_ = -std::numeric_limits<double>::infinity(), sum_ = 0;
};

}  // namespace

Array logcumsumexp(const Array& x, std::size_t axis) {
  Array result(x.shape(), x.dtype());
  const std::size_t n = x.shape()[axis], inner = step_along(x.shape(), axis);
  if (x.size() == 0) return result;
  constexpr std::size_t together = 16;
  visit_floating("logcumsumexp", x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    parallel_for(x.size() / n, worth_a_thread_of(16 * n), [&](std::size_t begin, std::size_t end) {
      for (std::size_t column = begin, count; column < end; column += count) {
        // Neighbours, which share lines of the cache, go block by block.
        count = std::min({together, inner - column % inner, end - column});
        std::array<RunningLogSumExp, together> columns;
        for (std::size_t i = 0; i < n; i += RunningLogSumExp::block)
          for (std::size_t j = 0; j < count; ++j) {
            const std::size_t at = (column / inner * n + i) * inner + column % inner + j;
            columns[j].next(from + at, inner, std::min(RunningLogSumExp::block, n - i), to + at);
          }
      }
    });
  });
  return result;
}
Array cumsum(const Array& x, std::size_t axis, bool backwards) {
  return scan<RunningSum>("cumsum", x, x, axis, backwards);
}
Array cumprod(const Array& x, std::size_t axis) { return scan<RunningProduct>("cumprod", x, x, axis, false); }
Array linear_scan(const Array& a, const Array& b, std::size_t axis, bool backwards) {
  return scan<LinearScan>("linear_scan", a, b, axis, backwards);
}

Array cummax_indices(const Array& x, std::size_t axis) {
  return running_indices(x, axis, [](auto a, auto best) { return a >= best; });
}
Array cummin_indices(const Array& x, std::size_t axis) {
  return running_indices(x, axis, [](auto a, auto best) { return a <= best; });
}

}  // namespace xtape::kernels
