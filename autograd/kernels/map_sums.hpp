// The elementwise kernel of several results, of which some are sums.
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/layout.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

namespace detail {

/// One of the operands of a row: registers of consecutive elements, or of one element again and again.
// This and what follows is named after its registers: programs that are compiled for several processors, and linked
// into one, must not take one for another.
template <class V>
struct RowInput {
  using T = typename V::value_type;
  static constexpr std::size_t lanes = V::size;
  const T* at;
  bool repeated;
  V first;

  RowInput(const T* data, std::ptrdiff_t step) : at(data), repeated(step == 0), first(*data) {}
  V next() {
    if (repeated) return first;
    return V::load_unaligned(std::exchange(at, at + lanes));
  }
  /// The last n elements, and then the first of them again: lanes that compute on a value that is there.
  V rest(std::size_t n) const {
    if (repeated) return first;
    alignas(64) std::array<T, lanes> padded;
    std::fill(std::copy_n(at, n, padded.begin()), padded.end(), *at);
    return V::load_unaligned(padded.data());
  }
};

/// One of the results of a row: written, or added, in double, to what `sums` has of it: element by element, or all to
/// one.
template <class V>
class RowResult {
  using T = typename V::value_type;
  static constexpr std::size_t lanes = V::size;
  static constexpr std::size_t block = 32;  // registers that are added up in the elements' precision

 public:
  RowResult(T* data, double* sums, std::ptrdiff_t step) : at_(data), sums_(sums), single_(sums && step == 0) {}

  void next(const V& value) {
    if (single_) {
      partial_ += value;
      if (++count_ == block) close_block();
    } else if (sums_) {
      add(value, lanes);
    } else if (at_) {
      value.store_unaligned(at_);
      at_ += lanes;
    }
  }
  void rest(const V& value, std::size_t n) {
    if (sums_) return add(value, n);
    if (!at_) return;
    alignas(64) std::array<T, lanes> values;
    value.store_unaligned(values.data());
    std::copy_n(values.begin(), n, at_);
  }
  void close() {
    if (single_) close_block();
  }

 private:
  void add(const V& value, std::size_t n) {
    alignas(64) std::array<T, lanes> values;
    value.store_unaligned(values.data());
    if (single_) *sums_ = std::accumulate(values.begin(), values.begin() + n, *sums_);
    else
      for (std::size_t i = 0; i < n; ++i) *sums_++ += static_cast<double>(values[i]);
  }
  void close_block() {
    add(partial_, lanes);
    partial_ = V(T(0));
    count_ = 0;
  }

  T* at_;
  double* sums_;
  bool single_;
  std::size_t count_ = 0;
  V partial_ = V(T(0));
};

}  // namespace detail

/// Which array a number comes from or goes to, and which of its blocks: equal parts along the last axis.
struct Part {
  std::size_t array, block, blocks;
};

namespace detail {

/// How a block of an array is read along the common shape that it broadcasts to.
struct BlockView {
  Strides strides;
  std::ptrdiff_t offset = 0;
  bool repeated;

  // A 0-d array, which stands for zeros, has no blocks.
  BlockView(Shape shape, const Part& part, const Shape& common) {
    if (shape.size() > 0) {
      shape.back() /= part.blocks;
      offset = static_cast<std::ptrdiff_t>(part.block * shape.back());
    }
    repeated = shape != common;
    strides = broadcast_strides(shape, common);
    for (std::size_t axis = 0; axis + 1 < strides.size(); ++axis)
      strides[axis] *= static_cast<std::ptrdiff_t>(part.blocks);
  }
};

}  // namespace detail

/// `results = f(inputs)` for every element of the `common` shape, to which the inputs broadcast. f takes N batches of T
/// and returns an array of M; the parts say where each stands. A result of a smaller shape, which broadcasts as well,
/// is summed over what that repeats; an undefined one is left out.
template <class T, std::size_t N, std::size_t M, class F, class V = Batch<T>>
void map_sums(const F& f, const Shape& common, std::span<const Array> inputs, const std::array<Part, N>& input_parts,
              std::span<Array> results, const std::array<Part, M>& result_parts) {
  std::array<Strides, N + M> strides;
  std::array<const T*, N> in;
  std::array<T*, M> out{};
  std::array<double*, M> sums{};
  std::vector<std::vector<double>> sums_of(results.size());  // of those that are summed
  for (std::size_t k = 0; k < N; ++k) {
    const Array& x = inputs[input_parts[k].array];
    detail::BlockView view(x.shape(), input_parts[k], common);
    strides[k] = std::move(view.strides);
    in[k] = x.data<T>() + view.offset;
  }
  for (std::size_t j = 0; j < M; ++j) {
    std::size_t array = result_parts[j].array;
    Array& y = results[array];
    if (!y.defined()) {
      strides[N + j] = Strides(common.size(), 0);
      continue;
    }
    detail::BlockView view(y.shape(), result_parts[j], common);
    strides[N + j] = std::move(view.strides);
    if (view.repeated) sums_of[array].resize(y.size());
    if (view.repeated) sums[j] = sums_of[array].data() + view.offset;
    else out[j] = y.mutable_data<T>() + view.offset;
  }
  Loops<N + M> loops(common, strides);
  // Blocks of one column are far apart: their rows are single elements.
  for (std::ptrdiff_t step : loops.inner().step)
    if (step != 0 && step != 1) {
      loops.loops.push_back({1, {}});
      break;
    }
  const auto& [extent, step] = loops.inner();
  auto moved = [](auto* at, std::ptrdiff_t offset) { return at ? at + offset : nullptr; };
  loops.for_each_row([&](const std::array<std::ptrdiff_t, N + M>& offset) {
    [&]<std::size_t... K, std::size_t... J>(std::index_sequence<K...>, std::index_sequence<J...>) {
      std::tuple from{detail::RowInput<V>(in[K] + offset[K], step[K])...};
      std::tuple to{
          detail::RowResult<V>(moved(out[J], offset[N + J]), moved(sums[J], offset[N + J]), step[N + J])...};
      std::size_t n = extent;
      for (; n >= V::size; n -= V::size) {
        std::array<V, M> y = f(std::get<K>(from).next()...);
        (std::get<J>(to).next(y[J]), ...);
      }
      if (n > 0) {
        std::array<V, M> y = f(std::get<K>(from).rest(n)...);
        (std::get<J>(to).rest(y[J], n), ...);
      }
      (std::get<J>(to).close(), ...);
    }(std::make_index_sequence<N>(), std::make_index_sequence<M>());
  });
  for (std::size_t array = 0; array < results.size(); ++array)
    if (const auto& total = sums_of[array]; !total.empty())
      std::transform(total.begin(), total.end(), results[array].mutable_data<T>(),
                     [](double sum) { return static_cast<T>(sum); });
}

}  // namespace xtape::kernels
