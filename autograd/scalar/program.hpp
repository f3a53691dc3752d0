// A function of Reals that is written down: its operations one after the other, rather than their partial derivatives.
// So it can be evaluated again, with other inputs, and with numbers that know derivatives themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/scalar/dual.hpp>
#include <autograd/scalar/real.hpp>

namespace xtape::scalar {

namespace detail {

/// What a function returned, a number or a container of numbers, as a list.
template <class Y>
std::vector<Real> list_of(const Y& y) {
  if constexpr (std::is_convertible_v<Y, Real>) return {y};
  else return {std::begin(y), std::end(y)};
}

/// m rows of n elements, that stand one behind the other.
template <class T>
std::vector<std::vector<T>> rows(const std::vector<T>& elements, std::size_t m, std::size_t n) {
  std::vector<std::vector<T>> result(m);
  for (std::size_t i = 0; i < m; ++i) result[i].assign(elements.data() + i * n, elements.data() + (i + 1) * n);
  return result;
}

}  // namespace detail

/// The operations of a function from n numbers to m, in the order of their evaluation.
///
/// `evaluate` follows the branches that the function took when it was written down. Where a comparison, or a conversion
/// to a plain number, comes out otherwise, it throws a GraphError that says which: then write the function down again.
class Program {
 public:
  using Index = std::uint32_t;

  /// Calls f, once, with x as Reals; f returns the Reals of its results.
  template <class F>
  static Program of(F&& f, std::span<const double> x) {
    Program program;
    Tape<double>::Section section;
    program.first_ = section.first();
    std::vector<Real> inputs;
    inputs.reserve(x.size());
    section.tape().write_down(program);
    for (double v : x) inputs.push_back(program.add_input(v));
    program.inputs_ = x.size();
    program.at_.assign(x.begin(), x.end());
    const std::vector<Real> results = f(inputs);
    for (const Real& y : results) program.add_result(y);
    return program;
  }

  std::size_t inputs() const { return inputs_; }
  std::size_t results() const { return results_.size(); }
  /// Of operations, inputs and constants.
  std::size_t size() const { return lines_.size(); }
  /// Which operations these are, by their places among scalar::Rules.
  std::vector<std::size_t> rules() const;

  /// The values of all lines, for inputs of double, Dual<double, 8>, or Real.
  template <class T>
  std::vector<T> evaluate(std::span<const T> x) const;
  /// The adjoints of the inputs, from those of the results and the values.
  template <class T>
  std::vector<T> sweep_back(const std::vector<T>& values, std::span<const T> adjoints) const;
  /// Among the values.
  Index result(std::size_t k) const { return results_[k]; }

  /// Used by Real and its tape.
  void note_inner_section() { has_inner_section_ = true; }
  Index last_index() const { return first_ + static_cast<Index>(lines_.size()) - 1; }
  Index write(std::size_t rule, std::initializer_list<detail::Written> operands);
  void write(Relation relation, bool holds, const detail::Written& a, const detail::Written& b);

 private:
  struct Line {
    std::uint16_t what;  // a rule, or one of those below
    bool holds;
    Index operands[3];
  };
  static constexpr std::uint16_t input = Rules::size, constant = input + 1, question = constant + 1;

  Real add_input(double value);
  void add_result(const Real& y);
  Index line_of(const detail::Written& operand);
  Index add(const Line& line);
  void require_same(const Line& line, double a, double b) const;

  std::vector<Line> lines_;
  std::vector<char> varies_;  // by line: no constant
  std::vector<double> constants_, at_;  // at_: the inputs of the call
  bool has_inner_section_ = false;
  std::vector<Index> results_;
  std::size_t inputs_ = 0;
  Index first_ = 1;  // of the Reals while it is written
};

/// A function of Reals that is called once, and then evaluated and differentiated again and again without a call: where
/// its operations cost less than its own control flow. It follows the branches that it took in the call.
///
///     RecordedFunction f([](const std::vector<Real>& x) { return x[0] * exp(-x[1]); }, {1.0, 2.0});
///     std::vector<double> y = f({3.0, 4.0});
///
/// All throw a GraphError where a comparison, or a conversion to a plain number, comes out otherwise than in the call,
/// and name the numbers: then make a new one. Values that the function takes from elsewhere stay what they were.
class RecordedFunction {
 public:
  /// Calls f with x; f returns a Real, or a container of Reals.
  template <class F>
  RecordedFunction(F&& f, const std::vector<double>& x)
      : program_(Program::of([&](const std::vector<Real>& inputs) { return detail::list_of(f(inputs)); }, x)) {}

  /// The results at x.
  std::vector<double> operator()(const std::vector<double>& x) const;
  /// The gradient at x of the result. @throws ShapeError unless there is one.
  std::vector<double> gradient(const std::vector<double>& x) const;
  /// Row i is the gradient of result i.
  std::vector<std::vector<double>> jacobian(const std::vector<double>& x) const;
  /// The second derivatives of the result. @throws ShapeError unless there is one.
  std::vector<std::vector<double>> hessian(const std::vector<double>& x) const;
  /// Its elements, one row behind the other.
  std::vector<double> hessian_elements(const std::vector<double>& x) const;

  const Program& program() const { return program_; }

 private:
  Program program_;
};

}  // namespace xtape::scalar

namespace xtape {

using scalar::RecordedFunction;

}  // namespace xtape
