// One pass over several arrays, for the update of a parameter and its moments.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>

#include <autograd/array.hpp>
#include <autograd/kernels/simd.hpp>

namespace xtape::optim {

/// The same with pointers to n elements of T.
template <class T, class F, class... Ts>
void fused(const F& f, std::size_t n, Ts*... arrays) {
  using kernels::Batch;
  constexpr std::size_t lanes = Batch<T>::size;
  auto run = [&f](auto*... at) {
    std::tuple batches{Batch<T>::load_unaligned(at)...};
    std::apply(f, batches);
    auto store = [](auto* to, const Batch<T>& batch) {
      if constexpr (!std::is_const_v<std::remove_pointer_t<decltype(to)>>) batch.store_unaligned(to);
    };
    std::apply([&](const auto&... batch) { (store(at, batch), ...); }, batches);
  };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) run(arrays + i...);
  if (i == n) return;
  // The last elements go through a whole batch as well, so that no element depends on where it stands.
  std::tuple rest{[&](const T* from) {
    std::array<T, lanes> padded{};
    std::copy(from + i, from + n, padded.begin());
    return padded;
  }(arrays)...};
  std::apply([&](auto&... padded) {
    run(padded.data()...);
    auto put_back = [&](auto* to, const auto& padded) {
      if constexpr (!std::is_const_v<std::remove_pointer_t<decltype(to)>>)
        std::copy_n(padded.begin(), n - i, to + i);
    };
    (put_back(arrays, padded), ...);
  }, rest);
}

/// For each batch of elements calls `f` with a batch of every array, and stores what `f` made of those that are not
/// const: `fused([=](auto& p, auto& m, auto& g) { m = ...; p -= ...; }, parameter, moment, gradient)`. The arrays have
/// one size and one floating-point dtype. Numbers in `f` are double, and rounded to that dtype where they meet a batch.
template <class F, class First, class... Arrays>
void fused(const F& f, First& first, Arrays&... arrays) {
  visit_floating("fused", first.dtype(), [&]<class T>(T) {
    auto elements = [](auto& array) {
      if constexpr (std::is_const_v<std::remove_reference_t<decltype(array)>>) return array.template data<T>();
      else return array.template mutable_data<T>();
    };
    fused<T>(f, first.size(), elements(first), elements(arrays)...);
  });
}

}  // namespace xtape::optim
