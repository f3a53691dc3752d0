// Checks derivatives against finite differences, for tests of one's own operations and layers.
#pragma once

#include <string>
#include <vector>

#include <autograd/callable.hpp>
#include <autograd/variable.hpp>

namespace xtape {

struct GradcheckOptions {
  int order = 1;          ///< also check the derivatives of the gradients, up to this order
  double epsilon = 1e-5;  ///< the step of the central differences, relative to elements beyond 1
  double atol = 1e-7;     ///< what may differ absolutely
  double rtol = 1e-6;     ///< and relative to the numerical value, on top
};

/// What `gradcheck` found: true when all derivatives agree.
struct GradcheckResult {
  bool ok = true;
  std::string message;  ///< the first disagreement: the order, the input, the element and both values

  explicit operator bool() const { return ok; }
};

/// Compares the derivatives of `f` at `inputs` with central differences: BOOST_TEST(gradcheck(f, {x}).ok).
///
/// One random projection of the output is differentiated, with respect to each element of each input; at higher
/// orders, projections of the gradients are, with respect to the inputs and to the weights of the projections. Inputs
/// are float64, others are passed on as they are. They are left unchanged.
/// @throws DTypeError for a float32 input, whose differences would be mostly rounding.
GradcheckResult gradcheck(const Callable& f, const std::vector<Variable>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace xtape
