// The tape of scalars: one statement for each operation on a BasicReal, with its partial derivatives.
//
// A statement is a number of arguments; an argument is the statement whose result it was, and the partial derivative by
// it: in float64, an operation of two operands takes 2 * (8 + 4) + 1 = 25 bytes (Sagebaum, Albring and Gauger,
// High-performance derivative computations using CoDiPack, 2019). They lie in blocks, one behind the other, that are
// kept for the next use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <autograd/error.hpp>

namespace xtape::scalar {

class Program;

namespace detail {
void note_inner_section(Program& program);
}

template <class T>
class Tape {
 public:
  using Index = std::uint32_t;  // of a statement; 0: none, of a number that depends on no input

  /// The tape on which this thread records at present; null while it does not.
  static inline constinit thread_local Tape* active = nullptr;

  /// Whether the arguments of the last statement can be added to, as `index` is it.
  bool is_last(Index index) const { return index == index_ && index >= first_; }
  bool can_grow() const { return counts_[-1] < most_arguments; }
  /// Whether the last two statements, of these indices, can be made one: the last may have the other for an argument.
  bool can_join(Index before, Index last) const {
    if (last != index_ || before + 1 != last || before < first_) return false;
    if (counts_[-1] + counts_[-2] > most_arguments) return false;
    for (const Index* operand = operands_ - counts_[-1]; operand != operands_; ++operand)
      if (*operand == before) return false;
    return true;
  }

  /// Makes room for a statement of three arguments, or three further arguments. A statement has one at least.
  void need_room() {
    if (partials_ > last_partial_) [[unlikely]] next_block();
  }
  /// Adds a statement without arguments.
  Index add_input() {
    if (counts_ >= last_count_) [[unlikely]] next_block();
    return add_statement(0);
  }
  /// Adds an argument to the statement that comes next, or, for `grow`, to the last one. There has to be room.
  void add_argument(const T& partial, Index operand) {
    *partials_++ = partial;
    *operands_++ = operand;
  }
  Index add_statement(std::size_t arguments) {
    *counts_++ = static_cast<std::uint8_t>(arguments);
    return ++index_;
  }
  /// The last statement has so many arguments more.
  Index grow(std::size_t arguments) {
    counts_[-1] = static_cast<std::uint8_t>(counts_[-1] + arguments);
    return index_;
  }
  /// Multiplies the partials of the last statement, or of the one before it.
  template <bool before = false>
  void scale(const T& factor) {
    T* p = before ? partials_ - counts_[-1] : partials_;
    // Most have one or two. As a loop, it would be made ready for many.
    std::size_t count = counts_[before ? -2 : -1];
    if (count & 1) --p, *p = *p * factor;
    for (count /= 2; count != 0; --count) {
      p -= 2;
      p[0] = p[0] * factor;
      p[1] = p[1] * factor;
    }
  }
  /// Makes one of the last two.
  Index join() {
    --counts_;
    counts_[-1] = static_cast<std::uint8_t>(counts_[-1] + counts_[0]);
    return --index_;
  }

  /// Memory for the adjoints of a sweep, which is kept for the next one.
  std::vector<T> adjoints;

  /// Where operations are written down instead of their partials, see program.hpp; null otherwise.
  Program* program = nullptr;

  /// What is recorded from its making to its end, on the tape of this thread. Sections nest; what an inner one has
  /// recorded goes with it, and what it takes from the outer one is constant in it.
  class Section {
   public:
    Section() : tape_(mine()), outer_(active), outer_program_(tape_.program) {
      if (outer_program_) detail::note_inner_section(*outer_program_);
      if (!outer_) tape_.begin();
      block_ = tape_.used_ - 1;
      place_ = tape_.place();
      start_ = tape_.index_;
      tape_.first_ = start_ + 1;
      tape_.program = nullptr;
      active = &tape_;
    }
    ~Section() {
      active = outer_;
      tape_.program = outer_program_;
      if (outer_) tape_.go_back(block_, place_, start_);
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    Index add_input() const { return tape_.add_input(); }
    /// The first index of this section, and how many there are.
    Index first() const { return start_ + 1; }
    std::size_t size() const { return tape_.index_ - start_; }
    Tape& tape() const { return tape_; }

    /// From `adjoints` of the results, by statement of this section, those of all. V is T, or several of them.
    template <class V>
    void sweep_back(std::vector<V>& adjoints) const;
    /// From the tangents of the inputs, those of all.
    template <class V>
    void sweep_forward(std::vector<V>& tangents) const;

    /// Statements that lie one behind the other, with their arguments: of a block, which has 2^15 arguments at most.
    struct Part {
      const T* partials;
      const Index* operands;
      const std::uint8_t* counts;
      std::size_t statements;
    };
    /// All statements, for walks of other kinds.
    std::vector<Part> parts() const {
      std::vector<Part> result;
      for_each_block<false>([&](const Block& block, const Place& begin, const Place& end) {
        result.push_back({block.partials.get() + begin.arguments, block.operands.get() + begin.arguments,
                          block.counts.get() + begin.statements, end.statements - begin.statements});
      });
      return result;
    }

   private:
    friend class Tape;
    struct Place {
      std::size_t arguments, statements;
    };

    // f(block, where the section begins in it, where it ends).
    template <bool backwards, class F>
    void for_each_block(F f) const {
      const std::size_t count = tape_.used_ - block_;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t b = block_ + (backwards ? count - 1 - k : k);
        const Block& block = tape_.blocks_[b];
        f(block, b == block_ ? place_ : Place{}, b + 1 == tape_.used_ ? tape_.place() : block.end);
      }
    }

    Tape& tape_;
    Tape* outer_;
    Program* outer_program_;
    std::size_t block_;
    Place place_;
    Index start_;
  };

  /// Frees the memory that this thread keeps for tapes of this type. Not while it records.
  static void release() {
    if (active) return;
    mine().blocks_ = std::vector<Block>();  // indices go on: what is left of before stays a constant
    mine().adjoints = std::vector<T>();
  }
  /// Bytes that are kept so.
  static std::size_t bytes_kept() {
    return mine().blocks_.size() * (sizeof(Block) + Block::bytes) + mine().adjoints.capacity() * sizeof(T);
  }

 private:
  static constexpr std::size_t most_arguments = 250;

  struct Block {
    // Inputs have no arguments: there are no more of them than `arguments` in a block, so that, with as many statements
    // of one argument, there is room for all.
    static constexpr std::size_t arguments = 1 << 15, statements = 2 * arguments;
    static constexpr std::size_t bytes = statements + arguments * (sizeof(T) + sizeof(Index));
    std::unique_ptr<T[]> partials = std::make_unique_for_overwrite<T[]>(arguments);
    std::unique_ptr<Index[]> operands = std::make_unique_for_overwrite<Index[]>(arguments);
    std::unique_ptr<std::uint8_t[]> counts = std::make_unique_for_overwrite<std::uint8_t[]>(statements);
    typename Section::Place end = {};  // once the next one has begun
  };

  static Tape& mine() {
    thread_local Tape tape;
    return tape;
  }

  typename Section::Place place() const {
    const Block& block = blocks_[used_ - 1];
    return {static_cast<std::size_t>(partials_ - block.partials.get()),
            static_cast<std::size_t>(counts_ - block.counts.get())};
  }
  void open(std::size_t block, const typename Section::Place& at) {
    Block& b = blocks_[block];
    partials_ = b.partials.get() + at.arguments;
    operands_ = b.operands.get() + at.arguments;
    counts_ = b.counts.get() + at.statements;
    last_partial_ = b.partials.get() + Block::arguments - 3;
    last_count_ = b.counts.get() + Block::arguments;
    used_ = block + 1;
  }
  // Indices go on: a number that was left from before is a constant.
  void begin() {
    if (index_ > std::numeric_limits<Index>::max() / 2) index_ = 0;
    if (blocks_.empty()) blocks_.emplace_back();
    open(0, {});
  }
  [[gnu::noinline]] void next_block() {
    if (index_ > std::numeric_limits<Index>::max() - 2 * Block::statements)
      throw Error("Real: more than 2^32 operations are recorded");
    if (used_ == blocks_.size()) blocks_.emplace_back();
    blocks_[used_ - 1].end = place();
    open(used_, {});
    first_ = index_ + 1;
  }
  void go_back(std::size_t block, const typename Section::Place& at, Index index) {
    open(block, at);
    index_ = index;
    first_ = index + 1;
  }

  T *partials_ = nullptr, *last_partial_ = nullptr;  // the next one; the last one with room behind it for three
  Index* operands_ = nullptr;
  std::uint8_t *counts_ = nullptr, *last_count_ = nullptr;  // from which on there are no inputs
  Index index_ = 0, first_ = 1;  // of the last statement; of the first one that can be added to
  std::vector<Block> blocks_;
  std::size_t used_ = 0;
};

/// Whether x is zero, and for numbers that know a derivative: whether it is whatever the inputs.
inline bool is_constant_zero(double x) { return x == 0; }

// adjoint(operand) += partial * adjoint(statement), from the last statement to the first. A statement without adjoint
// is left out: it may be one of a branch whose partials are infinite. What is older than the section wraps around to
// far beyond it.
template <class T>
template <class V>
void Tape<T>::Section::sweep_back(std::vector<V>& adjoints) const {
  V* const of = adjoints.data();
  const auto count = static_cast<Index>(adjoints.size());
  Index i = count;
  for_each_block<true>([&](const Block& block, const Place& begin, const Place& end) {
    const T* partial = block.partials.get() + end.arguments;
    const Index* operand = block.operands.get() + end.arguments;
    const std::uint8_t* const first_count = block.counts.get() + begin.statements;
    for (const std::uint8_t* arguments = block.counts.get() + end.statements; arguments-- != first_count;) {
      const std::size_t n = *arguments;
      const V adjoint = of[--i];
      partial -= n, operand -= n;
      if (is_constant_zero(adjoint)) continue;
      for (std::size_t k = 0; k < n; ++k)
        if (const Index at = operand[k] - first(); at < count) of[at] += partial[k] * adjoint;
    }
  });
}

// tangent(statement) = sum of partial * tangent(operand).
template <class T>
template <class V>
void Tape<T>::Section::sweep_forward(std::vector<V>& tangents) const {
  V* const of = tangents.data();
  const auto count = static_cast<Index>(tangents.size());
  Index i = 0;
  for_each_block<false>([&](const Block& block, const Place& begin, const Place& end) {
    const T* partial = block.partials.get() + begin.arguments;
    const Index* operand = block.operands.get() + begin.arguments;
    const std::uint8_t* const last_count = block.counts.get() + end.statements;
    for (const std::uint8_t* arguments = block.counts.get() + begin.statements; arguments != last_count; ++arguments, ++i)
      for (std::size_t k = 0; k < *arguments; ++k, ++partial, ++operand)
        if (const Index at = *operand - first(); at < count) of[i] += *partial * of[at];
  });
}

}  // namespace xtape::scalar
