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

// See program.hpp.
void note_inner_section(Program& program);
std::uint32_t last_index(const Program& program);

/// The next statement's place on a tape, which every operation asks for: it is small, a thread's own, and there is
/// nothing to check but whether it is full. It counts as full where nothing is recorded, too.
///
/// Its numbers have types that nothing else here has: what is stored on the tape cannot change them, as a compiler sees,
/// so that they stay in registers.
template <class T>
class Writer {
 public:
  using Index = std::uint32_t;  // of a statement; 0: none, of a number that depends on no input
  enum class Count : std::uint8_t {};

  static constexpr std::size_t most_arguments = 240;
  /// Beyond so many partials, a statement more costs less than to multiply them.
  static constexpr std::size_t most_scaled = 8;
  template <bool passes>
  static constexpr std::size_t most = passes ? most_arguments : most_scaled;

  struct Block {
    // Inputs have no arguments: there are no more of them than `arguments` in a block, so that, with as many statements
    // of one argument, there is room for all.
    static constexpr std::size_t arguments = 1 << 15, statements = 2 * arguments;
    Index operands[arguments];
    T partials[arguments];
    Count counts[statements];
  };
  struct Place {
    std::size_t arguments = 0, statements = 0;
  };

  /// Whether a new statement needs a new block, or there is none. Behind it, there is room for the last one to grow.
  bool is_full() const { return place_.arguments >= limit_; }
  bool is_full_of_inputs() const { return place_.statements >= Block::arguments; }
  const Place& place() const { return place_; }

  /// The index of the last statement.
  Index last() const { return static_cast<Index>(before_ + place_.statements); }
  /// Whether the arguments of the last statement can be added to, as `index` is it.
  bool is_last(Index index) const { return index == last(); }
  /// How many arguments the last statement has, or the one before it.
  template <bool before = false>
  std::size_t count() const {
    return static_cast<std::size_t>(block_->counts[place_.statements - (before ? 2 : 1)]);
  }
  /// Whether the last two statements, of these indices, can be made one: the last may have the other for an argument.
  [[gnu::always_inline]] bool can_join(Index before, Index last) const {
    if (!is_last(last) || before + 1 != last || count() > most_scaled) return false;
    const Index* const end = block_->operands + place_.arguments;
    for (const Index* operand = end - count(); operand != end; ++operand)
      if (*operand == before) return false;
    return true;
  }

  /// Adds an argument to the statement that comes next, or, for `grow`, to the last one.
  void add_argument(const T& partial, Index operand) {
    block_->partials[place_.arguments] = partial;
    block_->operands[place_.arguments] = operand;
    ++place_.arguments;
  }
  Index add_statement(std::size_t arguments) {
    block_->counts[place_.statements] = static_cast<Count>(arguments);
    ++place_.statements;
    return last();
  }
  /// The last statement has one argument more.
  [[gnu::always_inline]] void grow(const T& partial, Index operand) {
    add_argument(partial, operand);
    Count& count = block_->counts[place_.statements - 1];
    count = static_cast<Count>(static_cast<std::uint8_t>(count) + 1);
  }
  /// Multiplies the partials of the last statement, or of the one before it.
  template <bool before = false>
  [[gnu::always_inline]] void scale(const T& factor) {
    T* const end = block_->partials + place_.arguments - (before ? count() : 0);
    for (T* p = end - count<before>(); p != end; ++p) {
      *p = *p * factor;
      asm volatile("");  // one by one: read two at once, what was stored one by one has first to arrive in the cache
    }
  }
  /// Makes one of the last two.
  Index join() {
    --place_.statements;
    Count* const last = block_->counts + place_.statements;
    last[-1] = static_cast<Count>(static_cast<std::uint8_t>(last[-1]) + static_cast<std::uint8_t>(last[0]));
    return this->last();
  }

  /// Goes on at a place of a block, where `last` is the index of what comes before.
  void open(Block& block, const Place& place, Index last) {
    block_ = &block, place_ = place;
    before_ = std::size_t{last} - place.statements;
    limit_ = Block::arguments - 2 * most_arguments;
  }
  /// Nothing can be added. The next index will be the one after `last`.
  void close(Index last) {
    before_ = std::size_t{last} - place_.statements;
    limit_ = 0;
  }

 private:
  Block* block_ = nullptr;
  Place place_;
  std::size_t limit_ = 0, before_ = 1;  // before_: the index of what comes before the block
};

}  // namespace detail

template <class T>
class Tape {
 public:
  using Writer = detail::Writer<T>;
  using Index = typename Writer::Index;
  using Block = typename Writer::Block;
  using Place = typename Writer::Place;

  /// The tape on which this thread records at present; null while it does not.
  static inline constinit thread_local Tape* active = nullptr;
  /// Where on it.
  static inline constinit thread_local Writer writer;

  /// Adds a statement without arguments.
  Index add_input() {
    if (writer.is_full_of_inputs()) [[unlikely]] next_block();
    return writer.add_statement(0);
  }
  /// Makes room for an operation.
  void make_room() {
    if (!writer.is_full()) return;
    next_block();
    writer.add_statement(0);  // so that the last one before, in its block, is no longer the last
  }

  /// Memory for the adjoints of a sweep, which is kept for the next one.
  std::vector<T> adjoints;

  /// Where operations are written down instead of their partials, see program.hpp; null otherwise.
  Program* program() const { return program_; }
  void write_down(Program& program) {
    program_ = &program;
    writer.close(writer.last());
  }

  /// What is recorded from its making to its end, on the tape of this thread. Sections nest; what an inner one has
  /// recorded goes with it, and what it takes from the outer one is constant in it.
  class Section {
   public:
    Section() : tape_(mine()), outer_(active), outer_program_(tape_.program_) {
      if (outer_program_) detail::note_inner_section(*outer_program_);
      if (!outer_) tape_.begin();
      block_ = tape_.used_ - 1;
      place_ = writer.place();
      last_ = writer.last();
      start_ = tape_.last_index() + 1;  // one is left out, so that what comes before is not the last one
      tape_.program_ = nullptr;
      active = &tape_;
      tape_.open(block_, place_, start_);
    }
    ~Section() {
      const Index last = outer_ ? last_ : tape_.last_index() + 1;
      active = outer_;
      tape_.program_ = outer_program_;
      if (outer_) tape_.open(block_, place_, last);
      if (!outer_ || outer_program_) writer.close(last);
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    Index add_input() const { return tape_.add_input(); }
    /// The first index of this section, and how many there are.
    Index first() const { return start_ + 1; }
    std::size_t size() const { return writer.last() - start_; }
    Tape& tape() const { return tape_; }

    /// From adjoints of the results, by statement of this section, those of all. V is T, or several of them.
    template <class V>
    void sweep_back(std::vector<V>& of_statements) const;
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
        result.push_back({block.partials + begin.arguments, block.operands + begin.arguments,
                          counts(block) + begin.statements, end.statements - begin.statements});
      });
      return result;
    }

   private:
    static const std::uint8_t* counts(const Block& block) { return reinterpret_cast<const std::uint8_t*>(block.counts); }

    // f(block, where the section begins in it, where it ends).
    template <bool backwards, class F>
    void for_each_block(F f) const {
      const std::size_t count = tape_.used_ - block_;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t b = block_ + (backwards ? count - 1 - k : k);
        const Used& block = tape_.blocks_[b];
        f(*block.block, b == block_ ? place_ : Place{}, b + 1 == tape_.used_ ? writer.place() : block.end);
      }
    }

    Tape& tape_;
    Tape* outer_;
    Program* outer_program_;
    std::size_t block_;
    Place place_;
    Index last_, start_;
  };

  /// Frees the memory that this thread keeps for tapes of this type. Not while it records.
  static void release() {
    if (active) return;
    mine().blocks_ = std::vector<Used>();  // indices go on: what is left of before stays a constant
    mine().adjoints = std::vector<T>();
  }
  /// Bytes that are kept so.
  static std::size_t bytes_kept() {
    return mine().blocks_.size() * (sizeof(Used) + sizeof(Block)) + mine().adjoints.capacity() * sizeof(T);
  }

 private:
  struct Used {
    std::unique_ptr<Block> block = std::make_unique_for_overwrite<Block>();
    Place end = {};  // once the next one has begun
  };

  static Tape& mine() {
    thread_local Tape tape;
    return tape;
  }

  // Of a statement, or of a line of a program.
  Index last_index() const { return program_ ? detail::last_index(*program_) : writer.last(); }
  void open(std::size_t block, const Place& at, Index last) {
    writer.open(*blocks_[block].block, at, last);
    used_ = block + 1;
  }
  // Indices go on: a number that was left from before is a constant.
  void begin() {
    const Index last = writer.last();
    if (blocks_.empty()) blocks_.emplace_back();
    open(0, {}, last > std::numeric_limits<Index>::max() / 2 ? 1 : last);
  }
  [[gnu::noinline]] void next_block() {
    if (writer.last() > std::numeric_limits<Index>::max() - 2 * Block::statements)
      throw Error("Real: more than 2^32 operations are recorded");
    if (used_ == blocks_.size()) blocks_.emplace_back();
    blocks_[used_ - 1].end = writer.place();
    open(used_, {}, writer.last());
  }

  Program* program_ = nullptr;
  std::vector<Used> blocks_;
  std::size_t used_ = 0;
};

/// Whether x is zero, and for numbers that know a derivative: whether it is whatever the inputs.
inline bool is_constant_zero(double x) { return x == 0; }

// adjoint(operand) += partial * adjoint(statement), from the last statement to the first. A statement without adjoint
// is left out: it may be one of a branch whose partials are infinite. What is older than the section wraps around to
// far beyond it.
template <class T>
template <class V>
void Tape<T>::Section::sweep_back(std::vector<V>& of_statements) const {
  V* const of = of_statements.data();
  const auto count = static_cast<Index>(of_statements.size());
  Index i = count;
  for_each_block<true>([&](const Block& block, const Place& begin, const Place& end) {
    const T* partial = block.partials + end.arguments;
    const Index* operand = block.operands + end.arguments;
    const std::uint8_t* const first_count = counts(block) + begin.statements;
    for (const std::uint8_t* arguments = counts(block) + end.statements; arguments-- != first_count;) {
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
    const T* partial = block.partials + begin.arguments;
    const Index* operand = block.operands + begin.arguments;
    const std::uint8_t* const last_count = counts(block) + end.statements;
    for (const std::uint8_t* arguments = counts(block) + begin.statements; arguments != last_count; ++arguments, ++i)
      for (std::size_t k = 0; k < *arguments; ++k, ++partial, ++operand)
        if (const Index at = *operand - first(); at < count) of[i] += *partial * of[at];
  });
}

}  // namespace xtape::scalar
