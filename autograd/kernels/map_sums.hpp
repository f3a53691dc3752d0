// The elementwise kernel of several results, of which some are sums.
#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/rows.hpp>

namespace xtape::kernels {

/// Which array a number comes from or goes to, and which of its blocks: equal parts along the last axis.
struct Part {
  std::size_t array, block, blocks;
};

/// Where a number of a row is read or written: at `data`, or added to `sums`; null where it is left out.
struct Place {
  std::byte* data = nullptr;
  double* sums = nullptr;
};

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
  RowResult(const Place& place, std::ptrdiff_t step)
      : row_(reinterpret_cast<T*>(place.data)), written_(place.data), sums_(place.sums), single_(sums_ && step == 0) {}

  [[gnu::always_inline]] void operator()(const V& value) {
    if (single_) {
      partial_ += value;
      if (++count_ < block) return;
      *sums_ = sum_of(*sums_, partial_, lanes);
      partial_ = V(T(0));
      count_ = 0;
    } else if (sums_) {
      add(sums_, value, lanes);
      sums_ += lanes;
    } else if (written_) {
      row_(value);
    }
  }
  void rest(V value, std::size_t n) {
    if (single_) *sums_ = sum_of(*sums_, value, n);
    else if (sums_) add(sums_, value, n);
    else if (written_) row_.rest(value, n);
  }
  void close() {
    if (single_) *sums_ = sum_of(*sums_, partial_, lanes);
  }

 private:
  // Values, not references to this: what the loop counts with then stays in registers.
  static double sum_of(double sum, V value, std::size_t n) {
    alignas(64) std::array<T, lanes> values;
    value.store_aligned(values.data());
    return std::accumulate(values.begin(), values.begin() + n, sum);
  }
  static void add(double* sums, V value, std::size_t n) {
    alignas(64) std::array<T, lanes> values;
    value.store_aligned(values.data());
    for (std::size_t i = 0; i < n; ++i) sums[i] += static_cast<double>(values[i]);
  }

  StoreRow<V> row_;
  bool written_;
  double* sums_;
  bool single_;
  std::size_t count_ = 0;
  V partial_ = V(T(0));
};

}  // namespace detail

/// Results of functions of several inputs, for every element of a common shape, to which the inputs broadcast; the parts
/// say where each number of the function stands. A result of a smaller shape, which broadcasts as well, is summed over
/// what that repeats, in double; an undefined one is left out.
class LoopsWithSums {
 public:
  /// What is done with a row of n elements: `places` and `step` have one entry for each input part, and then one for each
  /// result part.
  using SumRow = FunctionRef<void(const Place* places, const std::ptrdiff_t* step, std::size_t n)>;

  LoopsWithSums(const Shape& common, std::span<const Array> inputs, std::span<const Part> input_parts,
                std::span<Array> results, std::span<const Part> result_parts);

  /// Calls `row` for all rows, and then rounds the sums to the results.
  void run(SumRow row);

 private:
  static constexpr std::ptrdiff_t none = -1;

  void add_up(std::size_t parts);

  const Shape& common_;
  std::span<Array> results_;
  std::size_t inputs_;   // how many parts
  std::ptrdiff_t item_;  // bytes of an element
  std::vector<std::byte*> data_;
  std::vector<std::ptrdiff_t> sum_;  // the number of the first of its sums, or none
  std::vector<Strides> strides_;
  std::vector<std::ptrdiff_t> first_sum_;  // of each result
  std::vector<double> sums_;               // those of all results, for each part of the work
  std::size_t count_ = 0;                  // of the sums of all results
};

/// What `run` does with a row, for a function of N registers that returns an array of M: each result is stored, added to
/// its sums, or left out.
template <class V, std::size_t N, std::size_t M, class F>
void map_sums_row(const F& f, const Place* places, const std::ptrdiff_t* step, std::size_t n) {
  using T = typename V::value_type;
  [&]<std::size_t... K, std::size_t... J>(std::index_sequence<K...>, std::index_sequence<J...>) {
    std::array<const T*, N> from{reinterpret_cast<const T*>(places[K].data)...};
    map_row<V>(f, from, step, n, StoreEach(detail::RowResult<V>(places[N + J], step[N + J])...),
               std::index_sequence<K...>());
  }(std::make_index_sequence<N>(), std::make_index_sequence<M>());
}

}  // namespace xtape::kernels
