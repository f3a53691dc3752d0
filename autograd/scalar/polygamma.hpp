// The derivatives of the logarithm of the gamma function, without what else special functions include.
#pragma once

namespace xtape::scalar {

/// The n-th derivative of digamma at x; digamma itself for n = 0.
double polygamma(int n, double x);

}  // namespace xtape::scalar
