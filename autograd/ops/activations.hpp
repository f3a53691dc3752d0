// Activation functions, elementwise, with PyTorch's names, defaults and derivatives at their kinks. At NaN the value is
// NaN, and the gradient passes as it does for large x, which is what PyTorch does with a single number; that of
// leaky_relu is the one for negative x.
#pragma once

#include <limits>

#include <autograd/variable.hpp>

namespace xtape {

/// 1 / (1 + exp(-x))
Variable sigmoid(const Variable& x);
/// log(sigmoid(x)), exact for large negative x, too
Variable logsigmoid(const Variable& x);
/// max(x, 0). The derivative at 0 is 0.
Variable relu(const Variable& x);
/// min(max(x, 0), 6)
Variable relu6(const Variable& x);
/// x, or slope * x where x <= 0. The slope may be a Variable, which makes this PReLU.
Variable leaky_relu(const Variable& x, const Variable& slope = 0.01);
/// x, or alpha * (exp(x) - 1) where x <= 0
Variable elu(const Variable& x, const Variable& alpha = 1);
/// Self-normalizing ELU (Klambauer et al. 2017, https://arxiv.org/abs/1706.02515)
Variable selu(const Variable& x);
/// x, or alpha * (exp(x / alpha) - 1) where x <= 0 (Barron 2017, https://arxiv.org/abs/1704.07483)
Variable celu(const Variable& x, const Variable& alpha = 1);
/// x * P(Z <= x) for a standard normal Z (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)
Variable gelu(const Variable& x);
/// Its approximation by tanh, from the same paper
Variable gelu_tanh(const Variable& x);
/// x * sigmoid(x)
Variable silu(const Variable& x);
/// x * tanh(softplus(x)) (Misra 2019, https://arxiv.org/abs/1908.08681)
Variable mish(const Variable& x);
/// log(1 + exp(beta * x)) / beta, or x where beta * x exceeds a threshold: none by default, for the formula does not
/// overflow. PyTorch's is 20, which costs digits in float64.
Variable softplus(const Variable& x, double beta = 1, double threshold = std::numeric_limits<double>::infinity());
/// x / (1 + |x|)
Variable softsign(const Variable& x);
/// x limited to [low, high]. The derivative at the bounds is 0.
Variable hardtanh(const Variable& x, double low = -1, double high = 1);
/// relu6(x + 3) / 6
Variable hardsigmoid(const Variable& x);
/// x * relu6(x + 3) / 6
Variable hardswish(const Variable& x);
/// x less lambda in magnitude, 0 within
Variable softshrink(const Variable& x, double lambda = 0.5);
/// x, but 0 where |x| <= lambda
Variable hardshrink(const Variable& x, double lambda = 0.5);
/// x, or `value` where x <= `least`
Variable threshold(const Variable& x, const Scalar& least, const Scalar& value);
/// x - tanh(x)
Variable tanhshrink(const Variable& x);
/// a * sigmoid(b) for the halves a and b of x along an axis (Dauphin et al. 2016, https://arxiv.org/abs/1612.08083)
Variable glu(const Variable& x, std::ptrdiff_t axis = -1);

}  // namespace xtape
