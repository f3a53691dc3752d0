// Residuals and their Jacobian matrix, as functions of one vector.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include <autograd/callable.hpp>
#include <optim/flat_inputs.hpp>
#include <optim/least_squares.hpp>

namespace xtape::optim::detail {

/// Where residuals were evaluated. An infinite `value` stands for residuals that are not finite.
struct Fit {
  Variable x;          ///< rounded to the inputs' dtypes
  Variable residuals;  ///< as the function gave them
  Variable r;          ///< as a vector of float64
  double value = 0;    ///< the sum of squares
};

/// Residuals around a point: r + J p.
class Linear {
 public:
  virtual ~Linear() = default;
  virtual bool is_finite() const = 0;
  /// The norms of J's columns.
  virtual Variable norms() const = 0;
  /// J' r.
  virtual Variable gradient() const = 0;
  /// J p.
  virtual Variable times(const Variable& p) const = 0;
  /// The p of least |r + J p|^2 + mu |D p|^2, D being diagonal.
  virtual Variable solve(double mu, const Variable& D) const = 0;
};

/// The matrix with all elements, r being the residuals.
std::unique_ptr<Linear> dense_linear(Variable jacobian, const Variable& r);

class Columns;

/// The columns of a sparse matrix in groups that share no row, and where the elements stand.
class Sparsity {
 public:
  /// @throws as least_squares.
  Sparsity(const char* who, const JacobianStructure& structure, std::size_t rows, std::size_t columns);
  /// The matrix whose products with vectors `columns` gives. @throws ValueError for an element outside the structure.
  std::unique_ptr<Linear> linear(const Columns& columns, const Variable& r);

 private:
  Variable random_vector(std::size_t size);

  const char* who_;
  std::vector<std::int64_t> rows_, columns_;  // of the elements, by columns
  std::vector<std::size_t> group_;            // of each column; -1 where it has no element
  std::size_t groups_ = 0;
  std::mt19937_64 random_{1};
  Variable sizes_;  // the greatest so far of each row
};

/// The products of the Jacobian matrix at a point with vectors: one walk for each, by double reverse.
class Columns {
 public:
  Columns(const FlatInputs& inputs, const Callable& f, const Fit& at);
  Variable times(const Variable& v) const;
  /// v as `times` takes it: in the dtypes of the inputs.
  Variable rounded(const Variable& v) const;
  /// Of the products: that of the least precise dtype.
  double epsilon() const;

 private:
  const FlatInputs& inputs_;
  Variable u_;                    // pulled_ is J' u
  std::vector<Variable> pulled_;  // of the floating-point inputs
};

class Residuals {
 public:
  Residuals(const FlatInputs& inputs, const Callable& f) : inputs_(inputs), f_(f) {}

  Fit at(const Variable& x);
  /// With all elements, or those of `sparsity` where there is one.
  std::unique_ptr<Linear> linear(const Fit& at, Sparsity* sparsity);

  std::int64_t evaluations() const { return evaluations_; }
  std::int64_t jacobians() const { return jacobians_; }

 private:
  Variable jacobian(const Fit& at) const;

  const FlatInputs& inputs_;
  const Callable& f_;
  std::int64_t evaluations_ = 0, jacobians_ = 0;
  Shape shape_;  // of the residuals, the first time
};

}  // namespace xtape::optim::detail
