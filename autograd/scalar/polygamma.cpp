#include <autograd/scalar/polygamma.hpp>

#include <autograd/fused/special.hpp>

namespace xtape::scalar {

double polygamma(int n, double x) { return fused::Polygamma::derivative(n, x); }

}  // namespace xtape::scalar
