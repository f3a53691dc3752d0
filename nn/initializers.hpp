// How parameters begin.
#pragma once

#include <functional>
#include <string>

#include <autograd/random.hpp>
#include <autograd/variable.hpp>

namespace xtape::nn {

/// Makes the first value of a parameter of the given shape and dtype. Any function of one's own will do.
using Initializer = std::function<Array(const Shape& shape, DType dtype, Generator& generator)>;

/// Normal numbers. @throws ValueError, like all of these, for options that are not finite or a negative spread.
Initializer normal(double mean = 0, double stddev = 1);
/// The normal distribution cut off at `low` and `high` standard deviations from its mean, drawn by its inverse
/// distribution function: for a symmetric cut, the mean stays, and the spread is less than `stddev`.
Initializer truncated_normal(double mean = 0, double stddev = 1, double low = -2, double high = 2);
/// Numbers in [low, high).
Initializer uniform(double low = 0, double high = 1);
Initializer constant(double value);
Initializer zeros();
Initializer ones();

/// What keeps the spread of numbers that pass a nonlinearity, as PyTorch recommends it: 1 for "linear", "sigmoid",
/// "conv2d", "conv_transpose2d" and so on, 5/3 for "tanh", sqrt(2) for "relu", sqrt(2 / (1 + slope^2)) for
/// "leaky_relu", 3/4 for "selu". @throws ValueError for another name, or a slope that is not finite.
double calculate_gain(const std::string& nonlinearity, double slope = 0.01);

/// Whether numbers are to keep their spread forwards, or gradients theirs backwards.
enum class Fan { in, out };

/// Uniform in [-a, a), a = gain sqrt(6 / (fan_in + fan_out)).
/// Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010.
Initializer xavier_uniform(double gain = 1);
/// Normal of mean 0 and variance gain^2 2 / (fan_in + fan_out). Glorot and Bengio 2010.
Initializer xavier_normal(double gain = 1);
/// Uniform in [-a, a), a = gain sqrt(3 / fan), the gain for ReLU being sqrt(2).
/// He et al., Delving deep into rectifiers, ICCV 2015.
Initializer he_uniform(double gain = 1.4142135623730951, Fan fan = Fan::in);
/// Normal of mean 0 and variance gain^2 / fan, the gain for ReLU being sqrt(2). He et al. 2015.
Initializer he_normal(double gain = 1.4142135623730951, Fan fan = Fan::in);
/// Uniform in [-a, a), a = sqrt(3 / fan_in). LeCun et al., Efficient BackProp, 1998.
Initializer lecun_uniform();
/// Normal of mean 0 and variance 1 / fan_in. LeCun et al. 1998; for SELU, Klambauer et al. 2017.
Initializer lecun_normal();

/// The first axis as rows, all others as columns, of a matrix whose rows, or columns if they are fewer, are orthogonal
/// and of length `gain`. It is uniformly random: the Q of a normal matrix's QR decomposition, with a positive diagonal
/// of R.
/// Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning, ICLR 2014.
/// @throws ShapeError, when called, for fewer than two axes.
Initializer orthogonal(double gain = 1);
/// Normal of mean 0, with the fraction `sparsity` of each column of a matrix set to 0 (rounded up), as PyTorch's: each
/// input of a dense layer has a part in few outputs. Martens, Deep learning via Hessian-free optimization, ICML 2010.
/// @throws ValueError unless 0 <= sparsity <= 1; ShapeError, when called, unless there are two axes.
Initializer sparse(double sparsity, double stddev = 0.01);

/// How many inputs each output of a layer depends on, and how many outputs each input has a part in.
struct Fans {
  double in, out;
};
/// The fans of a weight of shape (out, in), or (out, in, k...) as a convolution's.
/// @throws ShapeError for fewer than two axes.
Fans fans(const Shape& shape);

/// Initializes in place: x has the values that `initializer` makes for its shape and dtype, and stays what it is.
///
///     nn::init(layer.weight, nn::normal(0, 0.02));
///
/// @throws as `initialized`; Error when x is undefined, or has no elements yet as its layer finds them at the first call.
void init(const Variable& x, const Initializer& initializer, Generator& generator = default_generator());
/// A part of x: `nn::init(lstm.weight[range(0, n)], nn::orthogonal())`.
void init(Part&& part, const Initializer& initializer, Generator& generator = default_generator());

/// A parameter that begins as `initializer` says; errors name it `name`.
/// @throws ValueError when the initializer is empty, ShapeError when it gives another shape or dtype than asked for.
Variable initialized(const std::string& name, const Initializer& initializer, const Shape& shape, DType dtype,
                     Generator& generator);

}  // namespace xtape::nn
