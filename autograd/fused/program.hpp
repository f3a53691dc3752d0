// What a function for `fuse` was written down as: operations on numbers, in order. Reverse mode makes another such program
// of it, and so on to any order.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <autograd/fused/number.hpp>
#include <autograd/variable.hpp>

namespace xtape {
namespace detail {
class Elementwise;
}

namespace fused {

/// Computes several results of several inputs, element by element over a common shape to which the inputs broadcast. A
/// result may be wanted in a smaller shape, which broadcasts to the common one as well: then it is the sum over what that
/// repeats. An input or result may be of several blocks, equal parts along its last axis: then each block is a number,
/// and broadcasts for itself.
///
/// A program has one line for each operation. In that of its gradient, partial derivatives are lines as well, which run by
/// the rows that the elementwise operation has for them; where that is derived in its turn, they are written down in full.
class Program {
 public:
  using Blocks = std::vector<std::size_t>;

  /// Inputs of so many blocks each.
  Program(DType dtype, Blocks input_blocks);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Blocks& input_blocks() const { return input_blocks_; }
  const Blocks& result_blocks() const { return result_blocks_; }

  // To write it down. Until the results are given, it is open: then its numbers end.

  /// The k-th number of the inputs.
  Number input(std::size_t k) { return Number(*this, static_cast<std::uint32_t>(k)); }
  /// Writes an operation down in the program of its operands; one of constants alone is computed.
  /// @throws ValueError for numbers of different programs, or of one that is no longer open in this thread.
  static Number write(const xtape::detail::Elementwise& operation, std::initializer_list<Number> operands);
  /// The operands of x, if it is the result of this operation on two.
  static std::optional<std::array<Number, 2>> operands_of(const Number& x, const xtape::detail::Elementwise& operation);
  /// The results, of so many blocks each.
  void give(std::span<const Number> numbers, Blocks result_blocks);

  // To use it, once it is written down.

  /// Fills the results, whose shapes say what is wanted; those that are undefined are not.
  void evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const;
  /// The program of this one's inputs x and of a weight h for each result, whose results are the derivatives of the
  /// weighted sum of the results by each x: the vector-Jacobian product.
  /// Results without a weight play no part.
  std::shared_ptr<const Program> gradient(const std::vector<bool>& weighted) const;
  /// The program of this one's inputs x and of a tangent for each input that has one, whose results are the tangents of the
  /// results: the Jacobian-vector product.
  std::shared_ptr<const Program> tangent(const std::vector<bool>& given) const;

  /// What the gradient reads and takes longer to compute than to read.
  struct Kept {
    std::vector<std::uint32_t> lines;    ///< those that are no results
    std::vector<std::uint32_t> results;  ///< which of the results
  };
  const Kept& kept() const;
  /// The program with a further result, if there are lines to keep, whose blocks these are.
  std::shared_ptr<const Program> keeping() const;
  /// The gradient as a program with further inputs after the weights: first that result of `keeping`, if there is one, then
  /// each result that is kept. It is for values alone: its own gradient would not know that they depend on the inputs.
  std::shared_ptr<const Program> gradient_from_kept(const std::vector<bool>& weighted) const;

  /// Whether it computes the same by the same lines.
  bool operator==(const Program& other) const;

  /// The greatest of the dtype of the program that is being written down.
  static double greatest_number();

 private:
  using Elementwise = xtape::detail::Elementwise;

  /// An input or a constant, where there is no operation; the result of an operation, or the gradient of one of its
  /// operands, from what its partial derivative is told and the gradient of the result.
  struct Line {
    static constexpr std::int8_t forward = -1;

    const Elementwise* operation = nullptr;
    std::int8_t partial = forward;
    std::uint8_t count = 0;
    std::array<std::uint32_t, 5> operands{};
    double constant = 0;

    bool operator==(const Line& other) const;
  };
  template <class T>
  struct Plan;
  struct PlanOfEither;

  friend class Number;

  static void require_open(const Number& x);
  void close();
  std::uint32_t line_of(const Number& x);
  Number append(const Elementwise& operation, std::int8_t partial, std::span<const Number> operands);
  Number times_partial(const Line& line, std::uint32_t at, std::size_t k, const Number& v);
  std::vector<bool> depends_on_inputs(std::size_t inputs) const;
  void walk_back(std::vector<std::optional<Number>>& gradients, std::size_t inputs);
  static constexpr std::uint32_t no_line = static_cast<std::uint32_t>(-1);
  struct Derived {
    std::shared_ptr<const Program> program;
    std::vector<std::uint32_t> copies;  // of this program's lines, no_line for constants
    std::uint32_t copied = 0;           // how many lines those are, with the inputs
  };
  std::vector<Number> copy_to(Program& other) const;
  const Derived& derived(const std::vector<bool>& weighted) const;
  Derived derive(const std::vector<bool>& weighted) const;
  void walk_forward(std::vector<std::optional<Number>>& tangents);
  std::shared_ptr<const Program> made_tangent(const std::vector<bool>& given) const;
  std::shared_ptr<const Program> rewritten(const Blocks& more_inputs, std::span<const std::uint32_t> given,
                                           const Blocks& more_results, std::span<const std::uint32_t> results) const;
  const PlanOfEither& plan(std::span<const Array> results) const;
  template <class T>
  Plan<T> made_plan(const std::vector<bool>& wanted) const;

  DType dtype_;
  Blocks input_blocks_, result_blocks_;
  std::size_t inputs_;         // how many numbers
  std::vector<Line> lines_;  // the inputs first
  std::vector<std::uint32_t> results_;
  Program* below_;        // that was open before
  std::uint32_t serial_;
  bool open_ = true;
  mutable std::recursive_mutex known_;
  mutable std::map<std::vector<bool>, Derived> gradients_;  // by which results have a weight
  mutable std::map<std::vector<bool>, std::shared_ptr<const Program>> gradients_from_kept_;
  mutable std::map<std::vector<bool>, std::shared_ptr<const Program>> tangents_;  // by which inputs have one
  mutable std::optional<Kept> kept_;
  mutable std::shared_ptr<const Program> keeping_;
  mutable std::map<std::vector<bool>, std::unique_ptr<const PlanOfEither>> plans_;  // by which results are wanted
};

using ProgramPtr = std::shared_ptr<const Program>;

/// The program that one call wrote down and the next usually writes again: then what is known of it serves again. Each
/// thread has its own, so that none waits for another, nor a forked process for a thread that it does not have.
class LastProgram {
 public:
  /// An equal one that was written before, or this.
  ProgramPtr instead_of(ProgramPtr written);

 private:
  ProgramPtr last_;
};

}  // namespace fused
}  // namespace xtape
