#include <nn/vision.hpp>

#include <autograd/autograd.hpp>

namespace xtape::nn {

Conv2d::Conv2d(std::size_t in, std::size_t out, const PerAxis& window, const Conv2dOptions& options)
    : options_{options.stride, options.padding, options.dilation, options.groups} {
  std::string name = "Conv2d(" + std::to_string(in) + ", " + std::to_string(out) + ")";
  auto extents = window.of("Conv2d", "window", 2);
  if (in == 0 || out == 0 || extents[0] == 0 || extents[1] == 0)
    throw ValueError(name + ": needs channels and a window of 1 or more");
  if (options.groups == 0 || in % options.groups != 0 || out % options.groups != 0)
    throw ValueError(name + ": " + std::to_string(options.groups) + " groups do not divide the channels");
  for (const PerAxis* option : {&options.stride, &options.dilation})
    for (std::size_t value : option->of("Conv2d", "stride and dilation", 2))
      if (value == 0) throw ValueError(name + ": a stride or dilation of 0, needs 1 or more");
  options.padding.of("Conv2d", "padding", 2);
  if (!options.generator) throw ValueError(name + ": the generator is null");
  weight = add("weight", initialized(name + ": weight", options.weight_init,
                                     {out, in / options.groups, extents[0], extents[1]}, options.dtype,
                                     *options.generator));
  if (options.bias)
    bias = add("bias", initialized(name + ": bias", options.bias_init, {out}, options.dtype, *options.generator));
}

Variable Conv2d::forward(const Variable& x) { return conv2d(x, weight, bias, options_); }

std::string Conv2d::description() const {
  return std::to_string(weight.shape(1) * options_.groups) + ", " + std::to_string(weight.shape(0)) + ", " +
         std::to_string(weight.shape(2)) + " x " + std::to_string(weight.shape(3)) + (bias.defined() ? "" : ", no bias");
}

Variable Flatten::forward(const Variable& x) { return flatten(x, 1); }

}  // namespace xtape::nn
