// The pattern of a Jacobian matrix, and colors of its columns: those of one color share no row, and are computed together
// (Curtis, Powell and Reid, On the estimation of sparse Jacobian matrices, Journal of the Institute of Mathematics and
// its Applications 13, 1974).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <autograd/scalar/statements.hpp>

namespace xtape::scalar::detail {

/// The columns of each row that may be other than 0, in order.
class Pattern {
 public:
  explicit Pattern(std::size_t columns) : columns_(columns) {}

  /// Adds a row behind the last one.
  template <class Columns>
  void add(const Columns& row) {
    elements_.insert(elements_.end(), row.begin(), row.end());
    ends_.push_back(elements_.size());
  }
  Pattern transposed() const;

  std::size_t rows() const { return ends_.size() - 1; }
  std::size_t columns() const { return columns_; }
  std::size_t size() const { return elements_.size(); }
  /// Of the first element of a row.
  std::size_t begin(std::size_t row) const { return ends_[row]; }
  std::span<const std::uint32_t> operator[](std::size_t row) const {
    return {elements_.data() + ends_[row], elements_.data() + ends_[row + 1]};
  }
  /// Of the longest row.
  std::size_t longest() const;

 private:
  std::size_t columns_;
  std::vector<std::size_t> ends_{0};
  std::vector<std::uint32_t> elements_;
};

/// Found from the tape: which inputs, its first statements, each statement depends on, from the first statement to the
/// last. Equal sets are shared where that is seen at once. None where that takes more than `most` elements.
std::optional<Pattern> pattern_of(const Statements& statements, const std::vector<std::size_t>& places,
                                  std::size_t inputs, std::size_t most);

struct Coloring {
  std::vector<std::uint32_t> colors;  // of each column
  std::size_t count = 0;
};

/// A color for each column, the first one that no column has with which it shares a row; columns of many elements come
/// first (Gebremedhin, Manne and Pothen, What color is your Jacobian?, SIAM Review 47, 2005: partial distance-2
/// coloring, algorithm 3.2, largest first).
Coloring color_columns(const Pattern& pattern, const Pattern& transposed);

}  // namespace xtape::scalar::detail
