#include "sample_families.hpp"

namespace samples {

using namespace xtape;

namespace {

// x, a kernel and a bias, the inputs of a convolution.
template <class Options>
Sample convolved(const char* text,
                 Variable (*f)(const Variable&, const Variable&, const Variable&, const std::type_identity_t<Options>&),
                 const Shape& x, const Shape& kernel, const Shape& bias, const Options& options) {
  return {text, {numbers(x), numbers(kernel), numbers(bias)},
          [f, options](auto& x) { return f(x[0], x[1], x[2], options); }};
}

}  // namespace

std::vector<Operation> convolutions() {
  using C = ConvOptions;
  using T = ConvTransposeOptions;
  auto pooled = []<class Options>(Variable (*f)(const Variable&, const PerAxis&, const Options&), const char* text,
                                  const Shape& shape, const PerAxis& window, const std::type_identity_t<Options>& options) {
    return Sample{text, {numbers(shape)}, [=](auto& x) { return square(f(x[0], window, options)); }};
  };
  auto adapted = [](auto f, const Shape& shape, const PerAxis& extents) {
    return Sample{to_string(shape), {numbers(shape)}, [=](auto& x) { return square(f(x[0], extents)); }};
  };
  return {
      general("conv1d",
              {convolved("plain", conv1d, {2, 2, 5}, {3, 2, 3}, {3}, C{}),
               convolved("all options", conv1d, {1, 4, 7}, {4, 2, 3}, {4},
                         C{.stride = 2, .padding = 2, .dilation = 2, .groups = 2}),
               convolved("no samples", conv1d, {0, 1, 3}, {1, 1, 2}, {1}, C{}),
               convolved("same padding", conv1d, {2, 4, 4}, {2, 2, 4}, {2},
                         C{.padding = "same", .dilation = 3, .groups = 2}),
               {"without a bias", {numbers({1, 1, 4}), numbers({1, 1, 1})}, [](auto& x) { return conv1d(x[0], x[1]); }}}),
      general("conv2d",
              {convolved("plain", conv2d, {2, 2, 4, 3}, {2, 2, 3, 2}, {2}, C{}),
               convolved("all options", conv2d, {1, 2, 5, 4}, {2, 1, 2, 3}, {2},
                         C{.stride = {1, 2}, .padding = {0, 1}, .dilation = {2, 1}, .groups = 2}),
               convolved("one image, windows that see only zeros", conv2d, {2, 3, 2}, {1, 2, 1, 2}, {1},
                         C{.stride = {2, 1}, .padding = {3, 2}}),
               convolved("same padding, uneven", conv2d, {2, 1, 3, 1}, {2, 1, 2, 2}, {2}, C{.padding = "same"}),
               convolved("one image, valid padding", conv2d, {1, 3, 3}, {2, 1, 2, 3}, {2}, C{.padding = "valid"}),
               convolved("many narrow lines", conv2d, {3, 1, 7, 9}, {2, 1, 3, 3}, {2}, C{.padding = 1})}),
      general("conv3d", {convolved("padded", conv3d, {1, 1, 2, 3, 2}, {2, 1, 2, 2, 1}, {2}, C{.padding = {1, 0, 0}}),
                         convolved("same padding", conv3d, {1, 1, 2, 1, 3}, {1, 1, 2, 3, 4}, {1}, C{.padding = "same"})}),
      general("conv_transpose1d",
              {convolved("plain", conv_transpose1d, {2, 2, 3}, {2, 3, 2}, {3}, T{}),
               convolved("all options", conv_transpose1d, {1, 4, 3}, {4, 1, 3}, {2},
                         T{.stride = 2, .padding = 1, .output_padding = 1, .dilation = 2, .groups = 2}),
               convolved("one image", conv_transpose1d, {2, 3}, {2, 1, 2}, {1}, T{})}),
      general("conv_transpose2d",
              {convolved("strided", conv_transpose2d, {1, 2, 2, 3}, {2, 1, 3, 2}, {1}, T{.stride = {2, 1}, .padding = {1, 0}})}),
      general("conv_transpose3d", {convolved("plain", conv_transpose3d, {1, 1, 2, 1, 2}, {1, 2, 2, 2, 1}, {2}, T{})}),
      general("unfold", {{"plain", {numbers({2, 2, 3, 4})}, [](auto& x) { return square(unfold(x[0], 2)); }},
                         {"all options", {numbers({1, 1, 5, 4})},
                          [](auto& x) {
                            return square(unfold(x[0], {2, 3}, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}));
                          }}}),
      general("fold", {{"plain", {numbers({2, 8, 6})}, [](auto& x) { return square(fold(x[0], {3, 4}, 2)); }},
                       {"all options", {numbers({1, 6, 8})},
                        [](auto& x) {
                          return square(fold(x[0], {5, 4}, {2, 3},
                                             {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}));
                        }}}),
      general("max_pool1d", {pooled(max_pool1d, "overlapping", {2, 1, 6}, 3, {.stride = 2, .padding = 1}),
                             pooled(max_pool1d, "one image", {2, 7}, 2, {.dilation = 3, .ceil_mode = true})}),
      general("max_pool2d", {pooled(max_pool2d, "plain", {1, 2, 4, 5}, 2, {}),
                             pooled(max_pool2d, "of two extents", {1, 1, 4, 5}, {1, 3}, {.stride = 1}),
                             pooled(max_pool2d, "all options", {1, 2, 5, 7}, {2, 3},
                                    {.stride = {2, 3}, .padding = {1, 0}, .dilation = {2, 1}, .ceil_mode = true}),
                             pooled(max_pool2d, "beyond the end", {1, 1, 3, 2}, 3, {.stride = 2, .ceil_mode = true}),
                             pooled(max_pool2d, "no samples", {0, 2, 3, 3}, 2, {})}),
      general("max_pool3d", {pooled(max_pool3d, "all options", {1, 2, 3, 5, 4}, {2, 3, 2},
                                    {.stride = {1, 3, 2}, .padding = {1, 0, 1}, .dilation = {2, 1, 1}, .ceil_mode = true})}),
      general("max_pool1d_with_indices",
              {{"one image", {numbers({2, 7})}, [](auto& x) { return square(max_pool1d_with_indices(x[0], 3, {.padding = 1}).values); }}}),
      general("max_pool2d_with_indices",
              {{"plain", {numbers({1, 2, 4, 5})}, [](auto& x) { return square(max_pool2d_with_indices(x[0], 2).values); }}}),
      general("max_pool3d_with_indices",
              {{"plain", {numbers({1, 2, 4, 3, 2})}, [](auto& x) { return square(max_pool3d_with_indices(x[0], 2).values); }}}),
      general("avg_pool1d", {pooled(avg_pool1d, "overlapping", {2, 1, 6}, 3, {.stride = 2, .padding = 1}),
                             pooled(avg_pool1d, "one image", {2, 6}, 4, {.divisor_override = -3})}),
      general("avg_pool2d", {pooled(avg_pool2d, "plain", {1, 2, 4, 5}, 2, {}),
                             pooled(avg_pool2d, "all options", {1, 2, 5, 6}, {3, 2},
                                    {.stride = {3, 1}, .padding = {1, 0}, .ceil_mode = true, .count_include_pad = false}),
                             pooled(avg_pool2d, "beyond the end", {2, 1, 5, 6}, 3, {.stride = 2, .padding = 1, .ceil_mode = true}),
                             pooled(avg_pool2d, "no samples", {0, 2, 3, 3}, 2, {})}),
      general("avg_pool3d", {pooled(avg_pool3d, "all options", {1, 2, 3, 5, 4}, {2, 3, 2},
                                    {.stride = {1, 3, 2}, .padding = {1, 0, 1}, .ceil_mode = true, .count_include_pad = false})}),
      general("adaptive_max_pool1d", {adapted(adaptive_max_pool1d, {2, 1, 5}, 3)}),
      general("adaptive_max_pool2d", {adapted(adaptive_max_pool2d, {1, 2, 4, 5}, {3, 2}), adapted(adaptive_max_pool2d, {0, 2, 2, 2}, 3)}),
      general("adaptive_max_pool3d", {adapted(adaptive_max_pool3d, {2, 3, 4, 2}, {2, 3, 1})}),
      general("adaptive_max_pool1d_with_indices",
              {{"small", {numbers({2, 5})}, [](auto& x) { return square(adaptive_max_pool1d_with_indices(x[0], 3).values); }}}),
      general("adaptive_max_pool2d_with_indices",
              {{"small", {numbers({1, 2, 4, 5})}, [](auto& x) { return square(adaptive_max_pool2d_with_indices(x[0], 2).values); }}}),
      general("adaptive_max_pool3d_with_indices",
              {{"small", {numbers({2, 2, 3, 2})}, [](auto& x) { return square(adaptive_max_pool3d_with_indices(x[0], 2).values); }}}),
      general("adaptive_avg_pool1d", {adapted(adaptive_avg_pool1d, {2, 1, 5}, 3), adapted(adaptive_avg_pool1d, {1, 1, 2}, 4)}),
      general("adaptive_avg_pool2d", {adapted(adaptive_avg_pool2d, {1, 2, 4, 5}, {3, 1})}),
      general("adaptive_avg_pool3d", {adapted(adaptive_avg_pool3d, {1, 2, 3, 4, 2}, {2, 3, 1})}),
  };
}

std::vector<Operation> neural() {
  Variable rows = Variable{2, 0, 2}.to(int64);
  return {
      general("linear",
              {{"a bias", {numbers({2, 1, 3}), numbers({4, 3}), numbers({4})}, [](auto& x) { return linear(x[0], x[1], x[2]); }},
               {"a vector", {numbers({3}), numbers({2, 3})}, [](auto& x) { return linear(x[0], x[1]); }}}),
      general("local_response_norm",
              {{"odd", {numbers({2, 4, 2})}, [](auto& x) { return local_response_norm(x[0], 3, 0.5); }},
               {"even", {numbers({2, 5})}, [](auto& x) { return local_response_norm(x[0], 2, 0.3, 0.6, 2); }}}),
      general("layer_norm",
              {{"plain", {numbers({3, 5})}, [](auto& x) { return layer_norm(x[0]); }},
               {"over two axes", {numbers({2, 3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return layer_norm(x[0], 2, x[1], x[2]); }}}),
      general("group_norm", {{"two groups", {numbers({2, 4, 3}), numbers({4}), numbers({4})},
                              [](auto& x) { return group_norm(x[0], 2, x[1], x[2]); }},
                             {"no samples", {numbers({0, 4, 3})}, [](auto& x) { return group_norm(x[0], 2); }}}),
      general("instance_norm", {{"plain", {numbers({2, 2, 5})}, [](auto& x) { return instance_norm(x[0]); }}}),
      general("batch_norm",
              {{"rows", {numbers({4, 3}), numbers({3}), numbers({3})}, [](auto& x) { return batch_norm(x[0], x[1], x[2]); }},
               {"images", {numbers({2, 2, 2, 3})}, [](auto& x) { return batch_norm(x[0]); }},
               {"given statistics", {numbers({2, 3}), numbers({3}), numbers({3}, 0.5, 2), numbers({3})},
                [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3], {}); }},
               {"many channels", {numbers({3, 37}), numbers({37}), numbers({37})},
                [](auto& x) { return batch_norm(x[0], x[1], x[2]); }},
               {"long channels", {numbers({2, 1, 37})}, [](auto& x) { return batch_norm(x[0]); }},
               {"no channels", {numbers({2, 0, 3})}, [](auto& x) { return batch_norm(x[0]); }}}),
      general("batch_norm_with_statistics",
              {{"images", {numbers({2, 2, 3}), numbers({2}), numbers({2})},
                [](auto& x) { return batch_norm_with_statistics(x[0], x[1], x[2]).result; }}}),
      general("rms_norm", {{"plain", {numbers({3, 5})}, [](auto& x) { return rms_norm(x[0]); }},
                           {"over two axes", {numbers({2, 3, 2}), numbers({3, 2})},
                            [](auto& x) { return rms_norm(x[0], 2, x[1]); }}}),
      general("dropout", {{"the same mask each time", {numbers({4, 5})}, [](auto& x) {
                             Generator generator(1);
                             return square(dropout(x[0], 0.4, generator));
                           }}}),
      general("embedding", {{"repeated rows", {numbers({3, 2})}, [rows](auto& x) { return square(embedding(x[0], rows)); }},
                            {"a padding that does not occur", {numbers({3, 2})},
                             [rows](auto& x) { return square(embedding(x[0], rows, -2)); }}}),
      general("cross_entropy_rows",
              {{"rows", {numbers({3, 4})},
                [](auto& x) {
                  DType dtype = x[0].defined() && is_floating(x[0].dtype()) ? x[0].dtype() : float64;
                  return cross_entropy_rows(x[0], Variable({3, 0, 3}, int64), Variable({0.5, 2, -1}, dtype));
                }},
               {"a row that does not count", {numbers({2, 2, 5})},
                [](auto& x) {
                  Variable labels({{-7, 0}, {4, 2}}, int64), weights({{0, 1}, {2, 1}}, x[0].dtype());
                  return square(cross_entropy_rows(x[0], labels, weights));
                }},
               {"one row", {wide({4})},
                [](auto& x) { return cross_entropy_rows(x[0], Variable(Array::scalar(2, int64)), ones({}, x[0].dtype())); }},
               {"empty", {numbers({0, 3})},
                [](auto& x) { return cross_entropy_rows(x[0], zeros({0}, int64), zeros({0}, x[0].dtype())); }}}),
      general("scaled_dot_product_attention",
              {{"plain", {numbers({2, 3, 2}), numbers({2, 4, 2}), numbers({2, 4, 3})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
               {"causal", {numbers({3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {}, true); }},
               {"another scale", {numbers({3, 2}), numbers({3, 2}), numbers({3, 2})},
                [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {}, false, 0.3); }},
               {"masks", {numbers({2, 2}), numbers({3, 2}), numbers({3, 1}), numbers({2, 3})},
                [](auto& x) {
                  Variable first = arange(3) < 2;
                  return scaled_dot_product_attention(x[0], x[1], x[2], first) +
                         scaled_dot_product_attention(x[0], x[1], x[2], x[3]);
                }}}),
      general("pixel_shuffle", {{"by two", {numbers({1, 8, 2, 1})}, [](auto& x) { return square(pixel_shuffle(x[0], 2)); }},
                                {"without a batch", {numbers({9, 1, 2})}, [](auto& x) { return square(pixel_shuffle(x[0], 3)); }},
                                {"empty", {numbers({2, 0, 4, 3, 1})}, [](auto& x) { return square(pixel_shuffle(x[0], 2)); }}}),
      general("pixel_unshuffle",
              {{"by two", {numbers({2, 1, 2, 4})}, [](auto& x) { return square(pixel_unshuffle(x[0], 2)); }},
               {"without a batch", {numbers({2, 3, 3})}, [](auto& x) { return square(pixel_unshuffle(x[0], 3)); }}}),
      general("interpolate",
              {{"nearest", {numbers({1, 2, 3, 2})}, [](auto& x) { return square(interpolate(x[0], 5, 4)); }},
               {"bilinear", {numbers({1, 2, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], 2, 5, Interpolation::bilinear)); }},
               {"aligned corners", {numbers({1, 1, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], 5, 1, Interpolation::bilinear, true)); }},
               {"linear, by a factor", {numbers({2, 1, 4})},
                [](auto& x) { return square(interpolate(x[0], {.scale_factor = {1.7}, .mode = Interpolation::linear})); }},
               {"trilinear", {numbers({1, 1, 2, 3, 2})},
                [](auto& x) { return square(interpolate(x[0], {.size = {3, 1, 3}, .mode = Interpolation::trilinear})); }},
               {"bicubic", {numbers({1, 1, 2, 5})},
                [](auto& x) { return square(interpolate(x[0], {.scale_factor = {2, 0.7}, .mode = Interpolation::bicubic})); }},
               {"area", {numbers({1, 2, 5})}, [](auto& x) { return square(interpolate(x[0], {.size = 3, .mode = Interpolation::area})); }},
               {"no samples", {numbers({0, 2, 3})}, [](auto& x) { return interpolate(x[0], {.size = 5}); }}}),
  };
}

std::vector<Operation> sampled_images() {
  std::vector<Sample> list;
  for (GridPadding padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
    for (bool align : {false, true}) {
      std::string text = "padding " + std::to_string(static_cast<int>(padding)) + (align ? ", corners" : "");
      GridSampleOptions options{.padding = padding, .align_corners = align};
      list.push_back({text, {numbers({2, 2, 3, 4}), numbers({2, 3, 2, 2}, -1.5, 1.5)},
                      [=](auto& x) { return square(grid_sample(x[0], x[1], options)); }});
      list.push_back({text + ", three axes", {numbers({1, 2, 3, 2, 3}), numbers({1, 2, 1, 2, 3}, -1.3, 1.3)},
                      [=](auto& x) { return grid_sample(x[0], x[1], options); }});
      options.nearest = true;
      list.push_back({text + ", nearest", {numbers({1, 2, 3, 4})},
                      [=](auto& x) { return square(grid_sample(x[0], numbers({1, 3, 2, 2}, -1.5, 1.5).to(x[0].dtype()), options)); }});
    }
  return {
      general("grid_sample", list),
      general("affine_grid", {{"images", {numbers({2, 2, 3})}, [](auto& x) { return square(affine_grid(x[0], {2, 1, 3, 4})); }},
                              {"corners, one row", {numbers({1, 2, 3})}, [](auto& x) { return affine_grid(x[0], {1, 1, 1, 4}, true); }},
                              {"three axes", {numbers({2, 3, 4})}, [](auto& x) { return affine_grid(x[0], {2, 3, 2, 3, 2}); }}}),
  };
}

}  // namespace samples
