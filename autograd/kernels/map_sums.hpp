// The elementwise kernel of several results, of which some are sums.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <autograd/array.hpp>
#include <autograd/kernels/layout.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::kernels {

namespace detail {

/// One of the operands of a row: registers of consecutive elements, or of one element again and again.
template <class T>
struct RowInput {
  static constexpr std::size_t lanes = Batch<T>::size;
  const T* at;
  bool repeated;
  Batch<T> first;

  RowInput(const T* data, std::ptrdiff_t step) : at(data), repeated(step == 0), first(*data) {}
  Batch<T> next() {
    if (repeated) return first;
    return Batch<T>::load_unaligned(std::exchange(at, at + lanes));
  }
  /// The last n elements, and then the first of them again: lanes that compute on a value that is there.
  Batch<T> rest(std::size_t n) const {
    if (repeated) return first;
    alignas(64) std::array<T, lanes> padded;
    std::fill(std::copy_n(at, n, padded.begin()), padded.end(), *at);
    return Batch<T>::load_unaligned(padded.data());
  }
};

/// One of the results of a row: written, added to what is there, or added up to one element.
template <class T>
class RowResult {
  static constexpr std::size_t lanes = Batch<T>::size;
  static constexpr std::size_t block = 32;  // registers that are added up in the elements' precision

 public:
  RowResult(T* data, std::ptrdiff_t step, bool summed) : at_(data), sum_(summed && step == 0), add_(summed) {}

  void next(const Batch<T>& value) {
    if (!at_) return;
    if (sum_) {
      partial_ += value;
      if (++count_ == block) close_block();
      return;
    }
    (add_ ? Batch<T>::load_unaligned(at_) + value : value).store_unaligned(at_);
    at_ += lanes;
  }
  void rest(const Batch<T>& value, std::size_t n) {
    if (!at_) return;
    alignas(64) std::array<T, lanes> values;
    value.store_unaligned(values.data());
    for (std::size_t i = 0; i < n; ++i) {
      if (sum_) total_ += static_cast<double>(values[i]);
      else at_[i] = add_ ? at_[i] + values[i] : values[i];
    }
  }
  void close() {
    if (!at_ || !sum_) return;
    close_block();
    *at_ += static_cast<T>(total_);
  }

 private:
  void close_block() {
    alignas(64) std::array<T, lanes> sums;
    partial_.store_unaligned(sums.data());
    for (T sum : sums) total_ += static_cast<double>(sum);
    partial_ = Batch<T>(T(0));
    count_ = 0;
  }

  T* at_;
  bool sum_, add_;
  std::size_t count_ = 0;
  Batch<T> partial_ = Batch<T>(T(0));
  double total_ = 0;
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
template <class T, std::size_t N, std::size_t M, class F>
void map_sums(const F& f, const Shape& common, std::span<const Array> inputs, const std::array<Part, N>& input_parts,
              std::span<Array> results, const std::array<Part, M>& result_parts) {
  std::array<Strides, N + M> strides;
  std::array<const T*, N> in;
  std::array<T*, M> out{};
  std::array<bool, M> summed{};
  for (std::size_t k = 0; k < N; ++k) {
    const Array& x = inputs[input_parts[k].array];
    detail::BlockView view(x.shape(), input_parts[k], common);
    strides[k] = std::move(view.strides);
    in[k] = x.data<T>() + view.offset;
  }
  for (std::size_t j = 0; j < M; ++j) {
    Array& y = results[result_parts[j].array];
    if (!y.defined()) {
      strides[N + j] = Strides(common.size(), 0);
      continue;
    }
    detail::BlockView view(y.shape(), result_parts[j], common);
    strides[N + j] = std::move(view.strides);
    summed[j] = view.repeated;
    if (summed[j] && result_parts[j].block == 0) std::fill_n(y.mutable_data<T>(), y.size(), T(0));
    out[j] = y.mutable_data<T>() + view.offset;
  }
  Loops<N + M> loops(common, strides);
  // Blocks of one column are far apart: their rows are single elements.
  for (std::ptrdiff_t step : loops.inner().step)
    if (step != 0 && step != 1) {
      loops.loops.push_back({1, {}});
      break;
    }
  const auto& [extent, step] = loops.inner();
  loops.for_each_row([&](const std::array<std::ptrdiff_t, N + M>& offset) {
    [&]<std::size_t... K, std::size_t... J>(std::index_sequence<K...>, std::index_sequence<J...>) {
      std::tuple from{detail::RowInput<T>(in[K] + offset[K], step[K])...};
      std::tuple to{detail::RowResult<T>(out[J] ? out[J] + offset[N + J] : nullptr, step[N + J], summed[J])...};
      std::size_t n = extent;
      for (; n >= Batch<T>::size; n -= Batch<T>::size) {
        std::array<Batch<T>, M> y = f(std::get<K>(from).next()...);
        (std::get<J>(to).next(y[J]), ...);
      }
      if (n > 0) {
        std::array<Batch<T>, M> y = f(std::get<K>(from).rest(n)...);
        (std::get<J>(to).rest(y[J], n), ...);
      }
      (std::get<J>(to).close(), ...);
    }(std::make_index_sequence<N>(), std::make_index_sequence<M>());
  });
}

}  // namespace xtape::kernels
