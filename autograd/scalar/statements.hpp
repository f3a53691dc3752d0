// The statements of a section of a tape by their places, for walks that leave some out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include <autograd/scalar/tape.hpp>

namespace xtape::scalar::detail {

class Statements {
 public:
  using Section = Tape<double>::Section;
  using Index = Tape<double>::Index;

  struct Arguments {
    const double* partials;
    const Index* operands;
    std::size_t count;
  };

  struct Part : Section::Part {
    std::size_t begin;  // the place of its first statement
  };

  Statements() = default;
  explicit Statements(const Section& section) { read(section); }

  /// Those of a section, as long as nothing else is recorded.
  void read(const Section& section) {
    first_ = section.first();
    parts_.clear();
    offsets_.resize(section.size());
    std::size_t place = 0;
    for (const Section::Part& part : section.parts()) {
      parts_.push_back({part, place});
      std::size_t offset = 0;
      for (std::size_t i = 0; i < part.statements; ++i) {
        offsets_[place++] = static_cast<std::uint16_t>(offset);
        offset += part.counts[i];
      }
    }
  }

  std::size_t size() const { return offsets_.size(); }
  const std::vector<Part>& parts() const { return parts_; }
  /// In which part a statement lies.
  const Part& part_of(std::size_t place) const {
    return *std::prev(std::ranges::upper_bound(parts_, place, {}, &Part::begin));
  }
  Arguments arguments(const Part& part, std::size_t place) const {
    const std::size_t offset = offsets_[place];
    return {part.partials + offset, part.operands + offset, part.counts[place - part.begin]};
  }
  /// Asks the memory for the arguments of some statements, which are wanted soon.
  void prefetch(std::size_t first, std::size_t last) const {
    if (first > last || last >= size()) return;
    const Part& part = part_of(last);
    if (first < part.begin) return;
    constexpr std::size_t most = 512, line = 64;
    const std::size_t begin = offsets_[first], end = std::min<std::size_t>(offsets_[last] + 4, begin + most);
    for (std::size_t k = begin; k < end; k += line / sizeof(double)) __builtin_prefetch(part.partials + k);
    for (std::size_t k = begin; k < end; k += line / sizeof(Index)) __builtin_prefetch(part.operands + k);
  }
  /// The place of an operand; beyond all for one that is older than the section, a constant in it.
  std::size_t place(Index operand) const { return static_cast<Index>(operand - first_); }

 private:
  Index first_ = 0;
  std::vector<Part> parts_;
  std::vector<std::uint16_t> offsets_;  // of a statement's arguments in its part
};

}  // namespace xtape::scalar::detail
