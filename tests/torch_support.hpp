// What the comparisons with libtorch share.
#pragma once

#include <cmath>
#include <vector>

#include <torch/torch.h>

#include <autograd/autograd.hpp>

namespace xtape::testing {

/// A copy of a float64 or int64 Variable.
inline torch::Tensor to_torch(const Variable& x) {
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  auto type = x.dtype() == float64 ? torch::kFloat64 : torch::kInt64;
  const void* data = x.dtype() == float64 ? static_cast<const void*>(x.data<double>()) : x.data<std::int64_t>();
  return torch::from_blob(const_cast<void*>(data), shape, type).clone();
}

/// The greatest difference, in relation to the greatest element; infinite when the shapes differ.
inline double difference(const Variable& x, const torch::Tensor& t) {
  if (!x.defined() && !t.defined()) return 0;
  if (!x.defined()) return t.numel() ? t.abs().max().item<double>() : 0;  // undefined stands for zeros
  if (!t.defined()) return x.size() ? max(abs(x)).item() : 0;
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  if (t.sizes() != torch::IntArrayRef(shape)) return HUGE_VAL;
  if (x.size() == 0) return 0;
  torch::Tensor own = to_torch(x.to(float64)), other = t.detach().to(torch::kFloat64);
  if (!own.isnan().equal(other.isnan())) return HUGE_VAL;
  torch::Tensor equal = own == other;  // infinities, too
  double scale = std::max(1.0, other.nan_to_num(0, 0, 0).abs().max().item<double>());
  return torch::where(equal | own.isnan(), torch::zeros_like(own), (own - other).abs()).max().item<double>() / scale;
}

}  // namespace xtape::testing
