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

/// Statements that wait, each for the first of two rows, the second, or both. The last one comes out first. They are
/// bits; for each 64 words of them a word above has bits for those that are not 0, and so on: gaps cost nothing.
class Waiting {
 public:
  void resize(std::size_t statements);
  /// One before the last that came out, or where there is none.
  void insert(std::size_t place, unsigned rows) {
    at_ = std::max(at_, place / 64);
    Word& word = words_[place / 64];
    if ((word[0] | word[1]) == 0) announce(place / 64);
    const std::uint64_t bit = std::uint64_t{1} << place % 64;
    word[0] |= bit & -std::uint64_t{rows & 1};
    word[1] |= bit & -std::uint64_t{rows >> 1};
  }
  struct Statement {
    std::size_t place;
    unsigned rows;  // the first is 1, the second 2
    explicit operator bool() const { return rows != 0; }
  };
  /// The last one; without rows where there is none.
  Statement pop() {
    if ((words_[at_][0] | words_[at_][1]) == 0 && !go_on()) return {0, 0};
    Word& word = words_[at_];
    const auto k = static_cast<unsigned>(63 - std::countl_zero(word[0] | word[1]));
    const std::uint64_t bit = std::uint64_t{1} << k;
    const unsigned rows = ((word[0] & bit) != 0) | ((word[1] & bit) != 0) << 1;
    word[0] &= ~bit, word[1] &= ~bit;
    return {at_ * 64 + k, rows};
  }

 private:
  using Word = std::array<std::uint64_t, 2>;

  void announce(std::size_t word);
  bool go_on();

  std::vector<Word> words_;
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
  struct Free {
    void operator()(Adjoint* p) const { std::free(p); }
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
  // Of a statement that is waiting.
  struct Near {
    Adjoint adjoint{};
    unsigned rows = 0;
  };

  void emit(std::size_t input, unsigned rows, Adjoint adjoint);

  // Adjoints are zeros between sweeps. Of a function of many results, nearly all statements that a result depends on are
  // among the last before it. These stay in the cache, and the pages of most of the others are never touched.
  std::array<Near, near_size> near_;
  Waiting far_;
  std::unique_ptr<Adjoint[], Free> far_adjoints_;
  std::size_t size_ = 0;
  std::array<Row, 2> rows_;
  std::size_t inputs_ = 0;
};

}  // namespace xtape::scalar::detail
