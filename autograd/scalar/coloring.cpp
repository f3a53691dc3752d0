#include <autograd/scalar/coloring.hpp>

#include <algorithm>
#include <array>
#include <numeric>

namespace xtape::scalar::detail {
namespace {

using Index = std::uint32_t;

// Sets of inputs by numbers: 0 is the empty one, i + 1 has input i alone, and behind those come unions.
class InputSets {
 public:
  InputSets(std::size_t inputs, std::size_t most) : inputs_(inputs), most_(most), numbers_(inputs) {
    std::iota(numbers_.begin(), numbers_.end(), Index{0});
  }

  std::span<const Index> operator[](Index set) const {
    if (set <= inputs_) return set == 0 ? std::span<const Index>() : std::span(numbers_).subspan(set - 1, 1);
    const std::size_t k = set - inputs_ - 1;
    return {elements_.data() + ends_[k], elements_.data() + ends_[k + 1]};
  }

  Index unite(Index a, Index b) {
    if (a == b || b == 0) return a;
    if (a == 0) return b;
    Known& known = known_[(a * 0x9E3779B1u ^ b * 0x85EBCA77u) >> 20];
    if (known.a != a || known.b != b) known = {a, b, united(a, b)};
    return known.both;
  }
  bool too_large() const { return elements_.size() > most_; }

 private:
  struct Known {
    Index a = 0, b = 0, both = 0;
  };

  Index united(Index a, Index b) {
    const std::size_t before = elements_.size();
    elements_.resize(before + (*this)[a].size() + (*this)[b].size());
    const std::span<const Index> of_a = (*this)[a], of_b = (*this)[b];
    const auto end = std::set_union(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), elements_.data() + before);
    const auto count = static_cast<std::size_t>(end - elements_.data()) - before;
    const bool is_a = count == of_a.size(), is_b = count == of_b.size();
    elements_.resize(is_a || is_b ? before : before + count);
    if (is_a || is_b) return is_a ? a : b;
    ends_.push_back(elements_.size());
    return static_cast<Index>(inputs_ + ends_.size() - 1);
  }

  std::size_t inputs_, most_;
  std::vector<Index> numbers_, elements_;
  std::vector<std::size_t> ends_{0};
  std::array<Known, 4096> known_;  // the last unions, which rows that depend on the same inputs ask for again
};

}  // namespace

Pattern Pattern::transposed() const {
  Pattern result(rows());
  result.elements_.resize(size());
  result.ends_.resize(columns_ + 1);
  for (std::uint32_t column : elements_) ++result.ends_[column + 1];
  std::partial_sum(result.ends_.begin(), result.ends_.end(), result.ends_.begin());
  std::vector<std::size_t> next(result.ends_.begin(), result.ends_.end() - 1);
  for (std::size_t row = 0; row < rows(); ++row)
    for (std::uint32_t column : (*this)[row]) result.elements_[next[column]++] = static_cast<std::uint32_t>(row);
  return result;
}

std::size_t Pattern::longest() const {
  std::size_t result = 0;
  for (std::size_t row = 0; row < rows(); ++row) result = std::max(result, (*this)[row].size());
  return result;
}

std::optional<Pattern> pattern_of(const Statements& statements, const std::vector<std::size_t>& places,
                                  std::size_t inputs, std::size_t most) {
  InputSets sets(inputs, most);
  std::vector<Index> set_of(statements.size());
  std::iota(set_of.begin(), set_of.begin() + static_cast<std::ptrdiff_t>(inputs), Index{1});
  for (const Statements::Part& part : statements.parts())
    for (std::size_t i = std::max(inputs, part.begin); i < part.begin + part.statements; ++i) {
      const Statements::Arguments arguments = statements.arguments(part, i);
      Index set = 0;
      for (std::size_t k = 0; k < arguments.count; ++k)
        if (const std::size_t at = statements.place(arguments.operands[k]); at < i) set = sets.unite(set, set_of[at]);
      set_of[i] = set;
      if (sets.too_large()) return {};
    }
  Pattern result(inputs);
  for (std::size_t place : places) {
    result.add(sets[place < statements.size() ? set_of[place] : 0]);
    if (result.size() > most) return {};
  }
  return result;
}

Coloring color_columns(const Pattern& pattern, const Pattern& transposed) {
  constexpr std::uint32_t none = 0xFFFFFFFF;
  std::vector<std::uint32_t> order(pattern.columns()), last(pattern.longest() + 1, none);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater(), [&](std::uint32_t column) { return transposed[column].size(); });
  Coloring result{std::vector<std::uint32_t>(order.size(), none), 0};
  for (std::uint32_t column : order) {
    for (std::uint32_t row : transposed[column])
      for (std::uint32_t other : pattern[row])
        if (const std::uint32_t color = result.colors[other]; color != none) last[color] = column;
    std::size_t color = 0;
    while (last[color] == column) ++color;
    result.colors[column] = static_cast<std::uint32_t>(color);
    result.count = std::max(result.count, color + 1);
    if (result.count == last.size()) last.push_back(none);
  }
  return result;
}

}  // namespace xtape::scalar::detail
