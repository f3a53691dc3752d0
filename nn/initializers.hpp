// How parameters begin.
#pragma once

#include <functional>

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape::nn {

/// Makes the first value of a parameter of the given shape and dtype. Any function of one's own will do.
using Initializer = std::function<Array(const Shape& shape, DType dtype, Generator& generator)>;

/// Normal numbers. @throws ValueError, like all of these, for options that are not finite or a negative spread.
Initializer normal(double mean = 0, double stddev = 1);
/// Normal numbers less than two standard deviations from the mean.
Initializer truncated_normal(double mean = 0, double stddev = 1);
/// Numbers in [low, high).
Initializer uniform(double low = 0, double high = 1);
Initializer constant(double value);
Initializer zeros();
Initializer ones();

/// Uniform in [-a, a), a = gain sqrt(6 / (fan_in + fan_out)).
/// Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
Initializer xavier_uniform(double gain = 1);
/// Normal of mean 0 and variance gain^2 2 / (fan_in + fan_out). Glorot and Bengio 2010.
Initializer xavier_normal(double gain = 1);
/// Uniform in [-a, a), a = gain sqrt(3 / fan_in), the gain for ReLU being sqrt(2).
/// He et al., Delving deep into rectifiers, ICCV 2015.
Initializer he_uniform(double gain = 1.4142135623730951);
/// Normal of mean 0 and variance gain^2 / fan_in, the gain for ReLU being sqrt(2). He et al. 2015.
Initializer he_normal(double gain = 1.4142135623730951);

/// How many inputs each output of a layer depends on, and how many outputs each input has a part in.
struct Fans {
  double in, out;
};
/// The fans of a weight of shape (in, out), or (out, in, k...) as a convolution's.
/// @throws ShapeError for fewer than two axes.
Fans fans(const Shape& shape);

/// A parameter that begins as `initializer` says; errors name it `name`.
/// @throws ValueError when the initializer is empty, ShapeError when it gives another shape or dtype than asked for.
Variable initialized(const std::string& name, const Initializer& initializer, const Shape& shape, DType dtype,
                     Generator& generator);

}  // namespace xtape::nn
