#include <optim/lbfgs_pairs.hpp>

#include <autograd/autograd.hpp>

namespace xtape::optim {

void LBFGSPairs::remember(Variable s_new, Variable y_new, double ys, std::size_t limit) {
  while (rho.size() >= limit) {
    s.erase(s.begin());
    y.erase(y.begin());
    rho.erase(rho.begin());
  }
  scale = ys / dot(y_new, y_new).item();
  s.push_back(std::move(s_new));
  y.push_back(std::move(y_new));
  rho.push_back(1 / ys);
}

Variable LBFGSPairs::direction(const Variable& gradient) const {
  Variable q = -gradient;
  std::vector<double> alpha(rho.size());
  for (std::size_t i = rho.size(); i-- > 0;) {
    alpha[i] = rho[i] * dot(s[i], q).item();
    q -= alpha[i] * y[i];
  }
  q *= scale;
  for (std::size_t i = 0; i < rho.size(); ++i) {
    double beta = rho[i] * dot(y[i], q).item();
    q += (alpha[i] - beta) * s[i];
  }
  return q;
}

}  // namespace xtape::optim
