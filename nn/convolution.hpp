// Layers of convolutional networks. Arrays are (batch, channels, space...), as in PyTorch.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <autograd/ops/convolution.hpp>
#include <autograd/ops/padding.hpp>
#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

using xtape::Padding;

struct ConvOptions {
  [[no_unique_address]] xtape::detail::ByName by_name = {};
  PerAxis stride = 1;
  Padding padding = 0;  ///< "same" needs a stride of 1; what is uneven of it goes to the end
  PerAxis dilation = 1;
  std::size_t groups = 1;  ///< the channels are divided into so many parts that do not mix
  Initializer weight_init = he_uniform();
  Initializer bias_init = zeros();
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< what the padding is of: zeros, or the input mirrored or repeated
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializers take their random numbers from
};

struct ConvTransposeOptions {
  [[no_unique_address]] xtape::detail::ByName by_name = {};
  PerAxis stride = 1;
  Padding padding = 0;         ///< what is cut off on both sides; what is uneven of "same" at the end
  PerAxis output_padding = 0;  ///< what is added at the end of each axis; less than the stride or the dilation
  PerAxis dilation = 1;
  std::size_t groups = 1;
  Initializer weight_init = he_uniform();
  Initializer bias_init = zeros();
  bool bias = true;
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();
};

namespace detail {

/// What convolutions and transposed ones share: a kernel, a bias, and the input channels found at the first call.
class KernelLayer : public Module {
 public:
  std::string description() const override;

  Parameter weight, bias;  ///< the bias is undefined without one

 protected:
  /// `in` is 0 where it is to be found.
  template <class Options>
  KernelLayer(const char* name, std::size_t axes, bool transposed, std::size_t in, std::size_t out,
              const PerAxis& window, const Options& options);
  /// @throws ValueError for 0 input channels.
  static std::size_t require_input(const char* name, std::size_t in);
  /// Draws the weight when this is the first call.
  void prepare(const Variable& x);
  void materialize_for(const Variable& x);

  std::size_t axes_;
  bool transposed_;
  std::size_t groups_;
  std::vector<std::size_t> stride_, padding_, dilation_;
  std::vector<std::size_t> least_;  ///< the least extents of an input
  bool same_;
  Initializer weight_init_;
  std::reference_wrapper<Generator> generator_;
};

class Convolution : public KernelLayer {
 public:
  Convolution(const Convolution&) = default;  // moving is copying
  Convolution& operator=(const Convolution&) = default;
  /// @throws ShapeError for other channels or extents that are too small.
  Variable forward(const Variable& x) override;
  std::string description() const override;

  /// The same times `scale`, plus `shift`, each (out), or undefined; and relu of it.
  Variable forward_with(const Variable& x, const Variable& scale, const Variable& shift, bool relu);

 protected:
  using Operation = Variable (*)(const Variable&, const Variable&, const Variable&, const xtape::ConvOptions&);
  Convolution(const char* name, Operation operation, std::size_t axes, std::size_t in, std::size_t out,
              const PerAxis& window, const ConvOptions& options);

 private:
  Operation operation_;
  xtape::ConvOptions options_;
  PadMode padding_mode_;
  std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> around_;  // padding that is not of zeros, else empty
};

class ConvolutionTranspose : public KernelLayer {
 public:
  ConvolutionTranspose(const ConvolutionTranspose&) = default;  // moving is copying
  ConvolutionTranspose& operator=(const ConvolutionTranspose&) = default;
  /// @throws ShapeError for other channels or extents that are too small.
  Variable forward(const Variable& x) override;

 protected:
  using Operation = Variable (*)(const Variable&, const Variable&, const Variable&, const xtape::ConvTransposeOptions&);
  ConvolutionTranspose(const char* name, Operation operation, std::size_t axes, std::size_t in, std::size_t out,
                       const PerAxis& window, const ConvTransposeOptions& options);

 private:
  Operation operation_;
  xtape::ConvTransposeOptions options_;
};

}  // namespace detail

/// conv1d with a weight (out, in / groups, length) and a bias (out). All of these classes take the kernel's extents as
/// `window`. The number of input channels may be left out: it is found at the first call, which then draws the weight.
/// Until then the weight has 0 input channels, and the generator has to live.
class Conv1D : public detail::Convolution {
 public:
  /// @throws ValueError, like all of these, unless all are 1 or more, the groups divide the channels, and options fit.
  template <class = void>  // a template, so that in `(32, 5, {.stride = 2})` the braces are the options of the last
  Conv1D(std::size_t in, std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv1D", conv1d, 1, require_input("Conv1D", in), out, window, options) {}
  Conv1D(std::size_t in, std::size_t out, const PerAxis& window, std::size_t stride, const Padding& padding = 0)
      : Conv1D(in, out, window, {.stride = stride, .padding = padding}) {}
  Conv1D(std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv1D", conv1d, 1, 0, out, window, options) {}
  Conv1D(std::size_t out, std::size_t window, const ConvOptions& options)
      : Conv1D(out, PerAxis(window), options) {}
};

/// conv2d with a weight (out, in / groups, height, width) and a bias (out).
class Conv2D : public detail::Convolution {
 public:
  template <class = void>
  Conv2D(std::size_t in, std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv2D", conv2d, 2, require_input("Conv2D", in), out, window, options) {}
  Conv2D(std::size_t in, std::size_t out, const PerAxis& window, std::size_t stride, const Padding& padding = 0)
      : Conv2D(in, out, window, {.stride = stride, .padding = padding}) {}
  Conv2D(std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv2D", conv2d, 2, 0, out, window, options) {}
  Conv2D(std::size_t out, std::size_t window, const ConvOptions& options)
      : Conv2D(out, PerAxis(window), options) {}
};

/// conv3d with a weight (out, in / groups, depth, height, width) and a bias (out).
class Conv3D : public detail::Convolution {
 public:
  template <class = void>
  Conv3D(std::size_t in, std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv3D", conv3d, 3, require_input("Conv3D", in), out, window, options) {}
  Conv3D(std::size_t in, std::size_t out, const PerAxis& window, std::size_t stride, const Padding& padding = 0)
      : Conv3D(in, out, window, {.stride = stride, .padding = padding}) {}
  Conv3D(std::size_t out, const PerAxis& window, const ConvOptions& options = {})
      : Convolution("Conv3D", conv3d, 3, 0, out, window, options) {}
  Conv3D(std::size_t out, std::size_t window, const ConvOptions& options)
      : Conv3D(out, PerAxis(window), options) {}
};

/// conv_transpose1d with a weight (in, out / groups, length) and a bias (out).
class ConvTranspose1D : public detail::ConvolutionTranspose {
 public:
  template <class = void>
  ConvTranspose1D(std::size_t in, std::size_t out, const PerAxis& window,
                  const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose1D", conv_transpose1d, 1, require_input("ConvTranspose1D", in), out,
                             window, options) {}
  ConvTranspose1D(std::size_t in, std::size_t out, const PerAxis& window,
                  std::size_t stride, const Padding& padding = 0)
      : ConvTranspose1D(in, out, window, {.stride = stride, .padding = padding}) {}
  ConvTranspose1D(std::size_t out, const PerAxis& window, const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose1D", conv_transpose1d, 1, 0, out, window, options) {}
  ConvTranspose1D(std::size_t out, std::size_t window, const ConvTransposeOptions& options)
      : ConvTranspose1D(out, PerAxis(window), options) {}
};

/// conv_transpose2d with a weight (in, out / groups, height, width) and a bias (out).
class ConvTranspose2D : public detail::ConvolutionTranspose {
 public:
  template <class = void>
  ConvTranspose2D(std::size_t in, std::size_t out, const PerAxis& window,
                  const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose2D", conv_transpose2d, 2, require_input("ConvTranspose2D", in), out,
                             window, options) {}
  ConvTranspose2D(std::size_t in, std::size_t out, const PerAxis& window,
                  std::size_t stride, const Padding& padding = 0)
      : ConvTranspose2D(in, out, window, {.stride = stride, .padding = padding}) {}
  ConvTranspose2D(std::size_t out, const PerAxis& window, const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose2D", conv_transpose2d, 2, 0, out, window, options) {}
  ConvTranspose2D(std::size_t out, std::size_t window, const ConvTransposeOptions& options)
      : ConvTranspose2D(out, PerAxis(window), options) {}
};

/// conv_transpose3d with a weight (in, out / groups, depth, height, width) and a bias (out).
class ConvTranspose3D : public detail::ConvolutionTranspose {
 public:
  template <class = void>
  ConvTranspose3D(std::size_t in, std::size_t out, const PerAxis& window,
                  const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose3D", conv_transpose3d, 3, require_input("ConvTranspose3D", in), out,
                             window, options) {}
  ConvTranspose3D(std::size_t in, std::size_t out, const PerAxis& window,
                  std::size_t stride, const Padding& padding = 0)
      : ConvTranspose3D(in, out, window, {.stride = stride, .padding = padding}) {}
  ConvTranspose3D(std::size_t out, const PerAxis& window, const ConvTransposeOptions& options = {})
      : ConvolutionTranspose("ConvTranspose3D", conv_transpose3d, 3, 0, out, window, options) {}
  ConvTranspose3D(std::size_t out, std::size_t window, const ConvTransposeOptions& options)
      : ConvTranspose3D(out, PerAxis(window), options) {}
};

}  // namespace xtape::nn
