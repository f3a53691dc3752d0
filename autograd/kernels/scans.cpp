#include <autograd/kernels/scans.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

// Calls `step(state, at, i)` for each element along an axis, where it stands `at` in the array and `i` along the axis;
// `State` belongs to its column. Neighbouring columns go side by side.
template <class State, class Step>
void scan_columns(const Shape& shape, std::size_t axis, bool backwards, State start, Step step) {
  std::size_t n = shape[axis], inner = 1, columns = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > axis) inner *= shape[i];
    if (i != axis) columns *= shape[i];
  }
  if (n == 0) return;
  auto along = [&](std::size_t first, std::size_t count, auto* states) {
    for (std::size_t k = 0; k < n; ++k) {
      std::size_t i = backwards ? n - 1 - k : k;
      for (std::size_t j = 0; j < count; ++j) step(states[j], first + i * inner + j, i);
    }
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
    scan_columns(x.shape(), axis, false, Best{}, [=](Best& best, std::size_t at, std::size_t i) {
      T value = in[at];
      if (i == 0 || better(value, best.value) || value != value) best = {value, static_cast<std::int64_t>(i)};
      out[at] = best.index;
    });
  });
  return result;
}

}  // namespace

Array cumprod(const Array& x, std::size_t axis) {
  Array result = Array::like(x);
  visit(x.dtype(), [&]<class T>(T) {
    using R = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;  // integers wrap around
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>();
    scan_columns(x.shape(), axis, false, R(1), [=](R& product, std::size_t at, std::size_t) {
      out[at] = static_cast<T>(product *= static_cast<R>(in[at]));
    });
  });
  return result;
}

Array linear_scan(const Array& a, const Array& b, std::size_t axis, bool backwards) {
  Array result = Array::like(b);
  visit_floating("linear_scan", b.dtype(), [&]<class T>(T) {
    const T *factors = a.data<T>(), *terms = b.data<T>();
    T* out = result.mutable_data<T>();
    struct State {
      double value, link;  // the last result, and going backwards the factor that leads from it
      bool first;
    };
    scan_columns(b.shape(), axis, backwards, State{0, 0, true}, [=](State& last, std::size_t at, std::size_t) {
      double link = backwards ? last.link : factors[at];
      double value = last.first ? terms[at] : link * last.value + terms[at];
      last = {value, factors[at], false};
      out[at] = static_cast<T>(value);
    });
  });
  return result;
}

Array cummax_indices(const Array& x, std::size_t axis) {
  return running_indices(x, axis, [](auto a, auto best) { return a >= best; });
}
Array cummin_indices(const Array& x, std::size_t axis) {
  return running_indices(x, axis, [](auto a, auto best) { return a <= best; });
}

}  // namespace xtape::kernels
