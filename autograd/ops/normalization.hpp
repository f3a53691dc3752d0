// Normalization: (x - mean) / sqrt(var + epsilon), times a weight, plus a bias, either of which may be undefined. The
// variance is that of the elements at hand, not an estimate of a larger population's.
#pragma once

#include <autograd/variable.hpp>

namespace xtape {

/// Of x (batch, channels, ...), each channel over all else (Ioffe, Szegedy 2015); weight and bias (channels).
/// @throws ShapeError, like all of these, for shapes that do not fit, DTypeError for dtypes that differ. This and
/// instance_norm throw ShapeError where a channel has but one element, which is its own mean.
Variable batch_norm(const Variable& x, const Variable& weight = {}, const Variable& bias = {}, double epsilon = 1e-5);
/// The same with a mean and a variance (channels) from elsewhere, such as from training.
Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, const Variable& weight,
                    const Variable& bias, double epsilon = 1e-5);

/// What batch_norm made, and by which mean and variance (channels), as constants.
struct BatchNormalized {
  Variable result, mean, variance;
};
/// batch_norm for those who keep statistics: they are computed once.
BatchNormalized batch_norm_with_statistics(const Variable& x, const Variable& weight = {}, const Variable& bias = {},
                                           double epsilon = 1e-5);

/// Over the last axes, as many as `axes`, whose shape weight and bias have (Ba, Kiros, Hinton 2016).
Variable layer_norm(const Variable& x, std::size_t axes = 1, const Variable& weight = {}, const Variable& bias = {},
                    double epsilon = 1e-5);
/// x / sqrt(mean(x^2) + epsilon) over the last axes, times a weight (Zhang, Sennrich 2019).
Variable rms_norm(const Variable& x, std::size_t axes = 1, const Variable& weight = {}, double epsilon = 1e-5);
/// Of x (batch, channels, ...), over groups of channels and all that follows (Wu, He 2018); weight and bias (channels).
/// @throws ShapeError unless the groups divide the channels.
Variable group_norm(const Variable& x, std::size_t groups, const Variable& weight = {}, const Variable& bias = {},
                    double epsilon = 1e-5);
/// group_norm with each channel on its own (Ulyanov, Vedaldi, Lempitsky 2016).
Variable instance_norm(const Variable& x, const Variable& weight = {}, const Variable& bias = {},
                       double epsilon = 1e-5);

}  // namespace xtape
