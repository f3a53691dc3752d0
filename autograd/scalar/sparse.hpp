// Jacobian and Hessian matrices of functions of scalars, most of whose elements are 0 whatever the inputs are.
//
//     auto f = []<class T>(const std::vector<T>& x) {
//       std::vector<T> y;
//       for (std::size_t i = 0; i + 1 < x.size(); ++i) y.push_back(x[i + 1] - x[i] * x[i]);
//       return y;
//     };
//     SparseMatrix j = scalar::sparse_jacobian(f, std::vector<double>(100'000, 0.5));  // of 199,998 elements
//
// Which elements these are is found from the tape.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/scalar/derivatives.hpp>

namespace xtape::scalar {

/// The elements of a matrix that may be other than 0, as a list of coordinates: element k stands in row rows[k], column
/// columns[k]. They are in order, by rows and in each row by columns, and none is there twice.
struct SparseMatrix {
  std::size_t row_count = 0, column_count = 0;
  std::vector<std::int64_t> rows, columns;
  std::vector<double> values;

  /// All elements, row by row. @throws MemoryError where there is no memory for them.
  std::vector<std::vector<double>> dense() const;
  /// The product with a vector of `column_count` elements. @throws ShapeError for another one.
  std::vector<double> times(const std::vector<double>& v) const;
  /// The product of the transposed matrix with a vector of `row_count` elements. @throws ShapeError for another one.
  std::vector<double> transposed_times(const std::vector<double>& v) const;
};

/// How a sparse matrix is computed.
///
/// `none`: row by row, each by a sweep over that part of the tape that its result depends on. That is the fastest where
/// results have little in common: of residuals, of finite elements, of sums of functions of few inputs.
/// `columns`, `rows`: those that share no row, or no column, have one color, and eight colors are computed by one sweep
/// over all of the tape. That is faster where most results depend on the same long computation.
/// `automatic`: by rows, unless these have to visit a multiple of what sweeps by colors do.
enum class Compression { automatic, none, columns, rows };

struct SparseOptions {
  [[no_unique_address]] xtape::detail::ByName by_name = {};
  Compression compression = Compression::automatic;
};

namespace detail {

template <class C>
concept Doubles = std::same_as<number_t<C>, double>;

/// The derivatives of results by inputs, from the tape. It keeps its memory, and how it computed the last ones.
class SparseDerivatives {
 public:
  explicit SparseDerivatives(const SparseOptions& options);
  ~SparseDerivatives();
  SparseDerivatives(SparseDerivatives&&) noexcept;
  SparseDerivatives& operator=(SparseDerivatives&&) noexcept;

  /// Of the results at these places of a section, by its first statements.
  void compute(const Tape<double>::Section& section, const std::vector<std::size_t>& places, std::size_t inputs);
  /// The same of a gradient, in the same order as the inputs: of the lower triangle, and its mirror image.
  void compute_symmetric(const Tape<double>::Section& section, const std::vector<std::size_t>& places);
  SparseMatrix& matrix();
  const SparseMatrix& matrix() const;
  bool pattern_changed() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

/// The values of results, and their places in a section.
struct Results {
  std::vector<double> values;
  std::vector<std::size_t> places;

  template <class Y>
  void take(const Tape<double>::Section& section, const Y& y) {
    values.clear(), places.clear();
    values.reserve(y.size()), places.reserve(y.size());
    for (const Real& result : y) values.push_back(result.value()), places.push_back(place_in(section, result));
  }
};

}  // namespace detail

/// The Jacobian matrices of a function at one point after the other.
///
///     scalar::SparseJacobian jacobian(f);
///     const SparseMatrix& j = jacobian(x);
///
/// Each call calls f, which may take any branches: the pattern is that of the point, and `pattern_changed` says where it
/// is another one than at the last point. Memory is kept from call to call, and so are colors while f does the same
/// operations.
template <class F>
class SparseJacobian {
 public:
  explicit SparseJacobian(F f, const SparseOptions& options = {}) : f_(std::forward<F>(f)), derivatives_(options) {}

  /// Row i has the derivatives of result i, column j those by input j: containers count in the order of their elements.
  /// f returns a container of Reals, or one. The matrix is valid until the next call.
  template <detail::Doubles C>
  const SparseMatrix& operator()(const C& x) {
    Tape<double>::Section section;
    const auto inputs = detail::recorded(x, section);
    const auto y = f_(inputs);
    if constexpr (std::is_convertible_v<decltype(y), Real>) results_.take(section, std::array<Real, 1>{y});
    else results_.take(section, y);
    derivatives_.compute(section, results_.places, inputs.size());
    return derivatives_.matrix();
  }

  /// Of the last call: f(x).
  const std::vector<double>& results() const { return results_.values; }
  /// The matrix, which may be moved from.
  SparseMatrix& matrix() { return derivatives_.matrix(); }
  /// Whether the last two calls found different patterns; true after a first one.
  bool pattern_changed() const { return derivatives_.pattern_changed(); }

 private:
  F f_;
  detail::SparseDerivatives derivatives_;
  detail::Results results_;
};

/// The Hessian matrices of a function that returns a number, at one point after the other; see SparseJacobian.
///
/// They are the Jacobian matrices of the gradient, which is recorded as f's walk back is. Both triangles are there, and
/// are the same.
template <class F>
class SparseHessian {
 public:
  explicit SparseHessian(F f, const SparseOptions& options = {}) : f_(std::forward<F>(f)), derivatives_(options) {}

  /// The second derivatives at x, by inputs in the order of its elements. The matrix is valid until the next call.
  template <detail::Doubles C>
  const SparseMatrix& operator()(const C& x) {
    const std::vector<double> at(std::begin(x), std::end(x));
    auto f = [&](const std::vector<Real>& numbers) -> std::vector<Real> {
      auto inputs = Container<C>::template like<Real>(x);
      std::copy(numbers.begin(), numbers.end(), std::begin(inputs));
      return {f_(std::as_const(inputs))};
    };
    const Program program = Program::of(f, at);
    Tape<double>::Section section;
    const std::vector<Real> inputs = detail::recorded(at, section), seed{1.0};
    const std::vector<Real> values = program.evaluate<Real>(inputs);
    const std::vector<Real> gradient = program.sweep_back<Real>(values, seed);
    value_ = values[program.result(0)].value();
    gradient_.take(section, gradient);
    derivatives_.compute_symmetric(section, gradient_.places);
    return derivatives_.matrix();
  }

  /// Of the last call: f(x), its gradient, and the matrix, which may be moved from.
  double value() const { return value_; }
  const std::vector<double>& gradient() const { return gradient_.values; }
  SparseMatrix& matrix() { return derivatives_.matrix(); }
  /// Whether the last two calls found different patterns; true after a first one.
  bool pattern_changed() const { return derivatives_.pattern_changed(); }

 private:
  F f_;
  detail::SparseDerivatives derivatives_;
  double value_ = 0;
  detail::Results gradient_;
};

/// The derivatives of each result of f by each input that it depends on. f is called once, with a container of Reals like
/// x, which is one of doubles, and returns a container of Reals, or one.
template <class F, detail::Doubles C>
SparseMatrix sparse_jacobian(F&& f, const C& x, const SparseOptions& options = {}) {
  SparseJacobian<F&> jacobian(f, options);
  jacobian(x);
  return std::move(jacobian.matrix());
}

/// The second derivatives of f, which returns a Real, by all pairs of inputs on which they depend; both triangles.
template <class F, detail::Doubles C>
SparseMatrix sparse_hessian(F&& f, const C& x, const SparseOptions& options = {}) {
  SparseHessian<F&> hessian(f, options);
  hessian(x);
  return std::move(hessian.matrix());
}

}  // namespace xtape::scalar

namespace xtape {

using scalar::SparseMatrix;

}  // namespace xtape
