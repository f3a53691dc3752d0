// The elementwise kernel of several results, of which some are sums.
#pragma once

#include <algorithm>
#include <array>
#include <span>

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

/// `results = f(inputs)` for every element of the `common` shape, to which the inputs broadcast. f takes N batches of T
/// and returns an array of M. A result of a smaller shape, which broadcasts as well, is summed over what that repeats;
/// an undefined one is left out.
template <class T, std::size_t N, std::size_t M, class F>
void map_sums(const F& f, const Shape& common, std::span<const Array> inputs, std::span<Array> results) {
  std::array<Strides, N + M> strides;
  std::array<const T*, N> in;
  std::array<T*, M> out{};
  std::array<bool, M> summed{};
  for (std::size_t k = 0; k < N; ++k) {
    strides[k] = broadcast_strides(inputs[k].shape(), common);
    in[k] = inputs[k].data<T>();
  }
  for (std::size_t j = 0; j < M; ++j) {
    if (!results[j].defined()) {
      strides[N + j] = Strides(common.size(), 0);
      continue;
    }
    strides[N + j] = broadcast_strides(results[j].shape(), common);
    out[j] = results[j].mutable_data<T>();
    summed[j] = results[j].shape() != common;
    if (summed[j]) std::fill_n(out[j], results[j].size(), T(0));
  }
  Loops<N + M> loops(common, strides);
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
