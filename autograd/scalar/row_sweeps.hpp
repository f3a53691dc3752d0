// Gradients of single results, by sweeps over no more of a tape than they depend on.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include <autograd/scalar/statements.hpp>

namespace xtape::scalar::detail {

/// Numbers of which the greatest comes out first. They are bits; for each 64 words of them a word above has bits for
/// those that are not 0, and so on: gaps cost nothing.
class Waiting {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// For numbers below `size`.
  void resize(std::size_t size);
  void insert(std::size_t number) {
    at_ = std::max(at_, number / 64);
    std::uint64_t& word = words_[number / 64];
    if (word == 0) announce(number / 64);
    word |= std::uint64_t{1} << number % 64;
  }
  std::size_t pop() {
    if (words_[at_] == 0 && !go_on()) return none;
    std::uint64_t& word = words_[at_];
    const auto bit = static_cast<unsigned>(63 - std::countl_zero(word));
    word &= ~(std::uint64_t{1} << bit);
    return at_ * 64 + bit;
  }

 private:
  void announce(std::size_t word);
  bool go_on();

  std::vector<std::uint64_t> words_;
  std::vector<std::vector<std::uint64_t>> above_;
  std::size_t at_ = 0;  // no word behind it is other than 0
};

/// Sweeps back from two results at once. Their cost is what they visit (by what Griewank and Walther, Evaluating
/// derivatives, 2008, section 7.1, call the sparse reverse mode).
class RowSweeps {
 public:
  /// For a tape whose first statements are the inputs.
  void prepare(const Statements& statements, std::size_t inputs);
  /// From the results at these places; one that is beyond all is a constant. Returns how many statements were visited.
  std::size_t sweep(const Statements& statements, std::size_t first, std::size_t second);

  /// Of a row, 0 or 1, of the last sweep: the inputs that it depends on, in order, and the derivatives by them.
  std::span<const std::int64_t> columns(std::size_t row) const { return rest(rows_[row].columns, rows_[row].begin); }
  std::span<const double> values(std::size_t row) const { return rest(rows_[row].values, rows_[row].begin); }

 private:
  // Of both rows.
  using Adjoint [[gnu::vector_size(16)]] = double;
  // A statement: its adjoints, and which of the rows it waits for, the first being 1, the second 2. Zeros between sweeps.
  struct State {
    Adjoint adjoint;
    unsigned rows;
  };
  struct Free {
    void operator()(State* p) const { std::free(p); }
  };
  // Filled from the end.
  struct Row {
    std::vector<std::int64_t> columns;
    std::vector<double> values;
    std::size_t begin = 0;
  };
  static constexpr std::size_t near_size = 512;

  template <class T>
  static std::span<const T> rest(const std::vector<T>& all, std::size_t begin) {
    return std::span(all).subspan(begin);
  }
  void emit(std::size_t input, const State& state);

  // Of a function of many results, nearly all statements that one depends on are among the last before it. These stay in
  // the cache, and the pages of most of the others are never touched.
  std::array<State, near_size> near_{};
  std::unique_ptr<State[], Free> far_;
  Waiting far_waiting_;
  std::size_t size_ = 0;
  std::array<Row, 2> rows_;
  std::size_t inputs_ = 0;
};

}  // namespace xtape::scalar::detail
