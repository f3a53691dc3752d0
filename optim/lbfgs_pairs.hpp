// What L-BFGS remembers of the way that it came.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

namespace xtape::optim {

/// The approximate inverse of the Hessian matrix: the last changes of the parameters and of the gradient, the oldest
/// first, in the names of Nocedal and Wright, Numerical optimization, 2nd edition, 2006, section 7.2. All are vectors.
struct LBFGSPairs {
  std::vector<Variable> s, y;  ///< changes of the parameters, and of the gradient
  std::vector<double> rho;     ///< 1 / (y s)
  double scale = 1;            ///< of the first matrix (equation 7.20)

  bool empty() const { return rho.empty(); }
  /// Adds a pair whose y s, `ys`, is positive; forgets the oldest beyond `limit`.
  void remember(Variable s_new, Variable y_new, double ys, std::size_t limit);
  /// Minus the matrix times the gradient (Algorithm 7.4).
  Variable direction(const Variable& gradient) const;
};

}  // namespace xtape::optim
