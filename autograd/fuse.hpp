// Elementwise functions of one's own, in one pass.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/fused/program.hpp>

namespace xtape {

/// The n equal parts of x along its last axis: n operands of `fuse` that are not copied out of x.
template <std::size_t n>
struct Blocks {
  static_assert(n > 0);
  Variable x;
};
template <std::size_t n>
Blocks<n> blocks(const Variable& x) {
  return {x};
}

namespace fused::detail {

/// The operands of a call of `fuse`, brought to one dtype.
class Fusion {
 public:
  Fusion(std::vector<Variable> operands, Program::Blocks blocks);

  DType dtype() const { return dtype_; }
  /// A program of such operands, to be written down.
  std::shared_ptr<Program> open() const { return std::make_shared<Program>(dtype_, blocks_); }
  /// Computes its results, of one block each, and records them as one node.
  std::vector<Variable> results(const ProgramPtr& program);

 private:
  std::vector<Variable> operands_;
  Program::Blocks blocks_;
  DType dtype_;
  Shape common_;
  bool scalars_;  // C++ scalars alone: so are the results
};

template <class X>
struct Operand {
  static_assert(std::convertible_to<const X&, Variable>, "fuse: an operand is a Variable, a scalar, or blocks of one");
  static constexpr std::size_t blocks = 1;
  static Variable variable(const X& x) { return Variable(x); }
};
template <std::size_t n>
struct Operand<Blocks<n>> {
  static constexpr std::size_t blocks = n;
  static const Variable& variable(const Blocks<n>& x) { return x.x; }
};

template <class... Xs>
inline constexpr std::make_index_sequence<(Operand<Xs>::blocks + ...)> numbers_of{};

template <class F, std::size_t... K>
auto call_with_inputs(const F& f, Program& program, std::index_sequence<K...>) {
  return f(program.input(K)...);
}

inline void give(Program& program, std::initializer_list<Number> results) {
  program.give(results, Program::Blocks(results.size(), 1));
}
template <class Y>
void give_result(Program& program, const Y& y) {
  static_assert(std::convertible_to<const Y&, Number>, "fuse: the function returns a number, or a std::tuple of numbers");
  give(program, {y});
}
template <class... Ys>
void give_result(Program& program, const std::tuple<Ys...>& ys) {
  std::apply([&](const Ys&... y) { give(program, {y...}); }, ys);
}

template <class F, class Numbers>
ProgramPtr write(const Fusion& call, const F& f, Numbers numbers) {
  const std::shared_ptr<Program> program = call.open();
  give_result(*program, call_with_inputs(f, *program, numbers));
  return program;
}

/// The results of a call whose function returns a Y, or a tuple.
template <class Y>
struct ResultsOf {
  static Variable of(std::vector<Variable> made) { return std::move(made[0]); }
};
template <class... Ys>
struct ResultsOf<std::tuple<Ys...>> {
  static std::array<Variable, sizeof...(Ys)> of(std::vector<Variable> made) {
    std::array<Variable, sizeof...(Ys)> result;
    std::move(made.begin(), made.end(), result.begin());
    return result;
  }
};
template <class F, class Numbers>
using ResultsOfCall =
    ResultsOf<decltype(call_with_inputs(std::declval<const F&>(), std::declval<Program&>(), std::declval<Numbers>()))>;

}  // namespace fused::detail

/// An elementwise function of one's own, computed in one pass over the operands, which broadcast:
///
///     Variable y = fuse([](auto x, auto s) { return tanh(x * s) + s; }, x, s);
///
/// `f` takes as many numbers, fused::Number, as there are operands. It computes with arithmetic, comparisons, `where`, and
/// all the functions of <autograd/ops/elementwise.hpp> and <autograd/ops/activations.hpp> but glu and allclose (the first
/// operand of gammainc and gammaincc is a C++ scalar); C++ scalars may be operands, captured, or written down, and are
/// rounded to the operands' dtype, in comparisons as well. It is called once, to be written down: it has no `if` on its
/// numbers, which end with the call. It may call functions and templates of numbers, and loop.
///
/// A function that returns a std::tuple has several results, which are an array of Variables; and an operand may be the
/// equal parts of a Variable along its last axis, each of which is a number:
///
///     auto [h, c] = fuse([](auto i, auto f, auto g, auto o, auto c) {
///       auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
///       return std::tuple(sigmoid(o) * tanh(next), next);
///     }, blocks<4>(gates), c);
///
/// The call is one node of the tape, and so are its derivatives of any order.
/// @throws ShapeError for operands that do not broadcast or do not divide into blocks, DTypeError unless they are of
/// one floating-point dtype.
template <class F, class... Xs>
  requires(sizeof...(Xs) > 0)
auto fuse(const F& f, const Xs&... xs) {
  using namespace fused::detail;
  static thread_local fused::LastProgram last;
  constexpr auto numbers = numbers_of<Xs...>;
  Fusion call({Operand<Xs>::variable(xs)...}, {Operand<Xs>::blocks...});
  return ResultsOfCall<F, decltype(numbers)>::of(call.results(last.instead_of(write(call, f, numbers))));
}

}  // namespace xtape
