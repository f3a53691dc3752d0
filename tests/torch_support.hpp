// What the comparisons with libtorch share.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <torch/torch.h>

#include <autograd/autograd.hpp>

namespace xtape::testing {

/// A copy of a Variable of any dtype but float32.
inline torch::Tensor to_torch(const Variable& x) {
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  auto copied = [&](const void* data, torch::ScalarType type) {
    return torch::from_blob(const_cast<void*>(data), shape, type).clone();
  };
  if (x.dtype() == boolean) return copied(x.data<bool>(), torch::kBool);
  if (x.dtype() == int64) return copied(x.data<std::int64_t>(), torch::kInt64);
  return copied(x.data<double>(), torch::kFloat64);
}

/// The greatest difference, in relation to the greatest element or to `least_scale`, if that is more; infinite when the
/// shapes differ.
inline double difference(const Variable& x, const torch::Tensor& t, double least_scale = 1) {
  if (!x.defined() && !t.defined()) return 0;
  if (!x.defined()) return t.numel() ? t.abs().max().item<double>() : 0;  // undefined stands for zeros
  if (!t.defined()) return x.size() ? max(abs(x)).item() : 0;
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  if (t.sizes() != torch::IntArrayRef(shape)) return HUGE_VAL;
  if (x.size() == 0) return 0;
  torch::Tensor own = to_torch(x.to(float64)), other = t.detach().to(torch::kFloat64);
  if (!own.isnan().equal(other.isnan())) return HUGE_VAL;
  torch::Tensor equal = own == other;  // infinities, too
  double scale = std::max(least_scale, other.nan_to_num(0, 0, 0).abs().max().item<double>());
  double apart = torch::where(equal | own.isnan(), torch::zeros_like(own), (own - other).abs()).max().item<double>();
  return apart == 0 ? 0 : apart / scale;
}

}  // namespace xtape::testing
