// Convolution, pooling and resizing: windows, strides, paddings and dilations of any kind.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

PerAxis per_axis(Input& input, std::size_t space) {
  if (input.flag()) return input.between(0, 3);
  std::vector<std::ptrdiff_t> values(input.below(8) ? space : input.below(4));
  for (std::ptrdiff_t& value : values) value = input.byte() % 16 == 0 ? input.number() : input.between(0, 3);
  return values;
}

Padding padding(Input& input, std::size_t space) {
  Padding result = 0;
  if (input.below(4)) result = per_axis(input, space);
  else allowed([&] { result = input.word({"same", "valid"}).c_str(); });
  return result;
}

// Mostly (batch, channels, space...), with extents up to 6.
Shape image_shape(Input& input, std::size_t space, std::size_t channels) {
  if (input.below(16) == 0) return input.shape(5, 4);
  Shape shape{1 + input.below(2), channels};
  for (std::size_t i = 0; i < space; ++i) shape.push_back(input.byte() % 16 == 15 ? 0 : 1 + input.below(6));
  if (input.below(8) == 0) shape.erase(shape.begin());
  return shape;
}

// Element by element, from the definition in convolution.hpp, for what one number says of all axes.
void check_conv1d(const Variable& x, const Variable& w, const ConvOptions& options, const Variable& y) {
  if (x.rank() != 3 || options.padding.same()) return;
  std::size_t stride = options.stride.of("conv1d", "stride", 1)[0], dilation = options.dilation.of("conv1d",
      "dilation", 1)[0];
  auto pad = static_cast<std::ptrdiff_t>(options.padding.numbers().of("conv1d", "padding", 1)[0]);
  std::size_t in = w.shape()[1], out = w.shape()[0], length = x.shape()[2], per_group = out / options.groups;
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::vector<std::size_t> place = unravel(i, y.shape());
    double sum = 0;
    for (std::size_t c = 0; c < in; ++c)
      for (std::size_t k = 0; k < w.shape()[2]; ++k) {
        auto p = static_cast<std::ptrdiff_t>(place[2] * stride + k * dilation) - pad;
        if (p < 0 || p >= static_cast<std::ptrdiff_t>(length)) continue;
        sum += at(w, ravel_position({place[1], c, k}, w.shape())) *
               at(x, ravel_position({place[0], place[1] / per_group * in + c, static_cast<std::size_t>(p)}, x.shape()));
      }
    require(at(y, i) == (options.relu ? std::max(sum, 0.0) : sum), "another sum");
  }
}

}  // namespace

void windows(Input& input) {
  std::size_t space = 1 + input.below(3), groups = input.below(16) ? 1 + input.below(2) : input.count();
  std::size_t channels = 1 + input.below(4);
  DType dtype = input.below(16) ? float64 : input.dtype();
  Variable x = input.integers(image_shape(input, space, channels), dtype);
  bool transposed = input.flag();
  Shape kernel{1 + input.below(4), channels};
  if (groups > 0 && groups < 5 && !transposed) kernel[1] = channels / groups;
  if (groups > 0 && groups < 5 && transposed) kernel = {channels, kernel[0]};
  for (std::size_t i = 0; i < space; ++i) kernel.push_back(input.byte() % 16 == 15 ? 0 : 1 + input.below(3));
  if (input.below(32) == 31) kernel = input.shape(5, 3);
  Variable w = input.integers(kernel, dtype), bias;
  if (input.flag()) bias = input.integers({transposed && groups < 5 ? kernel[1] * groups : kernel[0]}, dtype);
  if (!transposed) {
    ConvOptions options{.stride = per_axis(input, space), .padding = padding(input, space),
                        .dilation = per_axis(input, space), .groups = groups, .relu = input.flag()};
    auto conv = [&](const Variable& v, const Variable& k, const Variable& b) {
      return space == 1 ? conv1d(v, k, b, options) : space == 2 ? conv2d(v, k, b, options) : conv3d(v, k, b, options);
    };
    allowed([&] {
      Variable y = conv(x, w, Variable());
      if (space == 1) check_conv1d(x, w, options, y);
    });
    allowed([&] { conv(x, w, bias); });
    differentiate(input, x, [&](const Variable& v) { return conv(v, w, Variable()); }, !options.relu);
    differentiate(input, w, [&](const Variable& v) { return conv(x, v, bias); });
  } else {
    ConvTransposeOptions options{.stride = per_axis(input, space), .padding = per_axis(input, space),
                                 .output_padding = input.flag() ? PerAxis(0) : per_axis(input, space),
                                 .dilation = per_axis(input, space), .groups = groups};
    auto conv = [&](const Variable& v, const Variable& k, const Variable& b) {
      return space == 1   ? conv_transpose1d(v, k, b, options)
             : space == 2 ? conv_transpose2d(v, k, b, options)
                          : conv_transpose3d(v, k, b, options);
    };
    allowed([&] { conv(x, w, bias); });
    differentiate(input, x, [&](const Variable& v) { return conv(v, w, Variable()); }, true);
    differentiate(input, w, [&](const Variable& v) { return conv(x, v, bias); });
  }
}

void images(Input& input) {
  std::size_t space = 1 + input.below(3);
  Variable x = input.integers(image_shape(input, space, 1 + input.below(4)), input.below(16) ? float64 : input.dtype());
  PerAxis window = per_axis(input, space);
  switch (input.below(9)) {
    case 0: {
      PoolOptions options{.stride = per_axis(input, space), .padding = per_axis(input, space),
                          .dilation = per_axis(input, space), .ceil_mode = input.flag()};
      auto pool = [&](const Variable& v) {
        return space == 1   ? max_pool1d_with_indices(v, window, options)
               : space == 2 ? max_pool2d_with_indices(v, window, options)
                            : max_pool3d_with_indices(v, window, options);
      };
      allowed([&] {
        auto [values, indices] = pool(x);
        std::size_t plane = 1;
        for (std::size_t i = x.rank() - space; i < x.rank(); ++i) plane *= x.shape()[i];
        std::size_t per_plane = 1;
        for (std::size_t i = values.rank() - space; i < values.rank(); ++i) per_plane *= values.shape()[i];
        for (std::size_t i = 0; i < values.size(); ++i)
          require(at(values, i) == at(x, i / per_plane * plane + static_cast<std::size_t>(at(indices, i))),
              "another place");
      });
      differentiate(input, x, [&](const Variable& v) { return pool(v).values; }, true);
      break;
    }
    case 1: {
      AvgPoolOptions options{.stride = per_axis(input, space), .padding = per_axis(input, space),
          .ceil_mode = input.flag(),
                             .count_include_pad = input.flag()};
      if (input.flag()) options.divisor_override = input.number();
      differentiate(input, x, [&](const Variable& v) {
        return space == 1   ? avg_pool1d(v, window, options)
               : space == 2 ? avg_pool2d(v, window, options)
                            : avg_pool3d(v, window, options);
      });
      break;
    }
    case 2:
      differentiate(input, x, [&](const Variable& v) {
        return space == 1   ? adaptive_max_pool1d(v, window)
               : space == 2 ? adaptive_max_pool2d(v, window)
                            : adaptive_max_pool3d(v, window);
      }, true);
      break;
    case 3:
      differentiate(input, x, [&](const Variable& v) {
        return space == 1   ? adaptive_avg_pool1d(v, window)
               : space == 2 ? adaptive_avg_pool2d(v, window)
                            : adaptive_avg_pool3d(v, window);
      });
      break;
    case 4:
    case 5: {
      InterpolateOptions options;
      if (input.flag()) options.size = per_axis(input, space);
      if (input.flag())
        for (std::size_t n = input.below(4); n > 0; --n)
          options.scale_factor.push_back(input.below(8) ? input.below(40) / 8.0 : input.real());
      options.mode = static_cast<Interpolation>(input.below(7));
      options.align_corners = input.flag();
      options.recompute_scale_factor = input.flag();
      differentiate(input, x, [&](const Variable& v) { return interpolate(v, options); });
      break;
    }
    case 6: {
      UnfoldOptions options{.stride = per_axis(input, 2), .padding = per_axis(input, 2), .dilation = per_axis(input, 2)};
      PerAxis extents = per_axis(input, 2);
      differentiate(input, x, [&](const Variable& v) { return unfold(v, window, options); }, true);
      differentiate(input, x, [&](const Variable& v) { return fold(v, extents, window, options); }, true);
      if (x.rank() > 2)
        allowed([&] { fold(unfold(x, window, options), std::vector(x.shape().begin() + 2, x.shape().end()), window,
            options); });
      break;
    }
    case 7: {
      GridSampleOptions options{.nearest = input.flag(),
                                .padding = input.pick({GridPadding::zeros, GridPadding::border, GridPadding::reflection}),
                                .align_corners = input.flag()};
      Shape shape = input.shape(5, 3);
      if (input.below(8) && x.rank() > 2) {
        shape = x.shape();
        for (std::size_t i = 1; i + 1 < shape.size(); ++i) shape[i] = 1 + input.below(3);
        shape.back() = x.rank() - 2;
      }
      Variable places = input.reals(shape, x.dtype());
      differentiate(input, x, [&](const Variable& v) { return grid_sample(v, places, options); });
      differentiate(input, places, [&](const Variable& v) { return grid_sample(x, v, options); });
      break;
    }
    default: {
      std::vector<std::ptrdiff_t> shape = input.numbers(5);
      differentiate(input, x, [&](const Variable& v) { return affine_grid(v, shape, true); });
      std::size_t size = input.count();
      differentiate(input, x, [&](const Variable& v) { return local_response_norm(v, size, input.real(), 0.75, 2); });
      differentiate(input, x, [&](const Variable& v) { return group_norm(v, size); });
      differentiate(input, x, [&](const Variable& v) { return layer_norm(v, size); });
    }
  }
}

}  // namespace xtape::fuzz
