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
#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/rows.hpp>

namespace xtape::kernels {

namespace detail {

/// One of the results of a row: written, or added, in double, to what `sums` has of it: element by element, or all to
/// one.
// Named after its registers, as map_row.
template <class V>
class RowResult {
  using T = typename V::value_type;
  static constexpr std::size_t lanes = V::size;
  static constexpr std::size_t block = 32;  // registers that are added up in the elements' precision

 public:
  RowResult(T* data, double* sums, std::ptrdiff_t step)
      : row_(data), written_(data), sums_(sums), single_(sums && step == 0) {}

  [[gnu::always_inline]] void operator()(const V& value) {
    if (single_) {
      partial_ += value;
      if (++count_ == block) close();
    } else if (sums_) {
      add(value, lanes);
    } else if (written_) {
      row_(value);
    }
  }
  [[gnu::always_inline]] void rest(V value, std::size_t n) {
    if (sums_) add(value, n);
    else if (written_) row_.rest(value, n);
  }
  [[gnu::always_inline]] void close() {
    if (!single_) return;
    add(partial_, lanes);
    partial_ = V(T(0));
    count_ = 0;
  }

 private:
  [[gnu::always_inline]] void add(const V& value, std::size_t n) {
    alignas(64) std::array<T, lanes> values;
    value.store_unaligned(values.data());
    if (single_) *sums_ = std::accumulate(values.begin(), values.begin() + n, *sums_);
    else
      for (std::size_t i = 0; i < n; ++i) *sums_++ += static_cast<double>(values[i]);
  }

  StoreRow<V> row_;
  bool written_;
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
  Loops loops(common, strides);
  // Blocks of one column are far apart: their rows are single elements.
  for (std::ptrdiff_t step : loops.inner().step)
    if (step != 0 && step != 1) {
      loops.loops.push_back({1, Strides(N + M, 0)});
      break;
    }
  auto moved = [](auto* at, std::ptrdiff_t offset) { return at ? at + offset : nullptr; };
  loops.for_each_row([&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
    [&]<std::size_t... K, std::size_t... J>(std::index_sequence<K...>, std::index_sequence<J...>) {
      std::array<const T*, N> from{in[K] + offset[K]...};
      map_row<V>(f, from, step, n, StoreEach(detail::RowResult<V>(
          moved(out[J], offset[N + J]), moved(sums[J], offset[N + J]), step[N + J])...),
                 std::index_sequence<K...>());
    }(std::make_index_sequence<N>(), std::make_index_sequence<M>());
  });
  for (std::size_t array = 0; array < results.size(); ++array)
    if (const auto& total = sums_of[array]; !total.empty())
      std::transform(total.begin(), total.end(), results[array].mutable_data<T>(),
                     [](double sum) { return static_cast<T>(sum); });
}

}  // namespace xtape::kernels
