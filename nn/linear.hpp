// Dense and bilinear layers.
#pragma once

#include <functional>

#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct DenseOptions {
  Initializer weight_init = xavier_uniform();
  Initializer bias_init = zeros();
  bool bias = true;
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializers take their random numbers from
};

/// y = x W' + b, for x of shape (..., in), W of shape (out, in), b of shape (out).
class Dense : public Module {
 public:
  /// @throws ValueError unless both widths are 1 or more, or for options that do not fit.
  Dense(std::size_t in, std::size_t out, const DenseOptions& options = {});
  /// The input width is found at the first call, which then draws the weight: until then, it has shape (out, 0). The
  /// generator has to live as long.
  explicit Dense(std::size_t out, const DenseOptions& options = {});
  /// @throws ShapeError for another input width, DTypeError for another dtype.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Parameter weight, bias;  ///< the bias is undefined without one

 private:
  Initializer weight_init_;
  std::reference_wrapper<Generator> generator_;
};

/// y_k = a W_k b' + bias_k, for a of shape (..., in1), b of shape (..., in2) and W of shape (out, in1, in2); leading
/// axes broadcast.
class Bilinear : public Module {
 public:
  /// @throws ValueError unless all widths are 1 or more, or for options that do not fit.
  Bilinear(std::size_t in1, std::size_t in2, std::size_t out, const DenseOptions& options = {});
  /// @throws ShapeError for other input widths, DTypeError for other dtypes.
  Variable forward(const Variable& a, const Variable& b);
  Variable operator()(const Variable& a, const Variable& b) const { return const_cast<Bilinear*>(this)->forward(a, b); }
  std::string description() const override;

  Parameter weight, bias;  ///< the bias is undefined without one

 private:
  using Module::forward;  // with one input only, it says that there is none
};

}  // namespace xtape::nn
