// Normalization of channels by the mean and the variance of their elements.
#pragma once

#include <vector>

#include <autograd/array.hpp>

namespace xtape::kernels {

/// The mean and the variance (of the elements at hand) of each channel of an array (outer, channels, inner).
struct Moments {
  std::vector<double> mean, variance;
};
Moments channel_moments(const Array& x);

/// (x - mean) / sqrt(variance + epsilon) weight + bias for each channel; weight and bias (channels) may be undefined.
Array normalize(const Array& x, const Moments& moments, const Array& weight, const Array& bias, double epsilon);

/// The gradients of x, weight and bias in `normalize(x, channel_moments(x), weight, bias, epsilon)` for that of the
/// result, g. That of x is left out unless wanted.
struct NormalizeGradients {
  Array x, weight, bias;
};
NormalizeGradients normalize_gradients(const Array& g, const Array& x, const Moments& moments, const Array& weight,
                                       double epsilon, bool x_wanted);

}  // namespace xtape::kernels
