#include <nn/dropout.hpp>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/neural.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

Dropout::Dropout(double p, Generator& generator) : p_(p), generator_(generator) {
  detail::require_between("Dropout", "the probability", p, 0, 1);
}

Variable Dropout::forward(const Variable& x) { return dropout(x, training() ? p_ : 0, generator_); }
std::string Dropout::description() const { return detail::text(p_); }

Dropout2D::Dropout2D(double p, Generator& generator) : p_(p), generator_(generator) {
  detail::require_between("Dropout2D", "the probability", p, 0, 1);
}

Variable Dropout2D::forward(const Variable& x) {
  detail::require_rank("Dropout2D", x, 4, "(batch, channels, height, width)");
  if (!training()) return dropout(x, 0, generator_);
  return x * dropout(ones({x.shape()[0], x.shape()[1], 1, 1}, x.dtype()), p_, generator_);
}

std::string Dropout2D::description() const { return detail::text(p_); }

}  // namespace xtape::nn
