// What data sets give.
#pragma once

#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::nn {

/// An example, or many of them along a first axis: any number of arrays. Most have two, the input and what is to be
/// made of it; one without a target has an undefined y.
///
///     for (auto& [x, y] : loader) ...
///     for (auto& batch : loader) { auto [image, mask, label] = batch.arrays<3>(); ... }
struct Batch {
  Variable x, y;
  std::vector<Variable> more = {};  ///< the third array and those after it

  /// The number of arrays. An undefined y that is the last does not count.
  std::size_t size() const { return more.empty() ? (y.defined() ? 2 : 1) : 2 + more.size(); }
  /// Array `i`; x and y are the first two. @throws ValueError when there are not so many.
  Variable& operator[](std::size_t i) { return const_cast<Variable&>(std::as_const(*this)[i]); }
  const Variable& operator[](std::size_t i) const;
  /// All of them, by number: @throws ValueError unless there are n.
  template <std::size_t n>
  std::array<Variable, n> arrays() const {
    require_size(n);
    return [this]<std::size_t... i>(std::index_sequence<i...>) {
      return std::array<Variable, n>{(*this)[i]...};
    }(std::make_index_sequence<n>());
  }

  // `auto [x, y]` are the first two.

  template <std::size_t i>
  Variable& get() & { return i == 0 ? x : y; }
  template <std::size_t i>
  const Variable& get() const& { return i == 0 ? x : y; }
  template <std::size_t i>
  Variable&& get() && { return std::move(i == 0 ? x : y); }

 private:
  void require_size(std::size_t n) const;
};

}  // namespace xtape::nn

template <>
struct std::tuple_size<xtape::nn::Batch> : std::integral_constant<std::size_t, 2> {};
template <std::size_t i>
struct std::tuple_element<i, xtape::nn::Batch> {
  using type = xtape::Variable;
};
