// Values of convolutions, pooling, normalization and attention, against plain loops.
#include <algorithm>
#include <array>
#include <cmath>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "values.hpp"

using namespace xtape;

BOOST_AUTO_TEST_SUITE(values)

namespace {

// The definition of a convolution over two axes, as a loop: with `transposed`, each element of x adds to the places
// that would read it.
Variable convolution(const Variable& x, const Variable& w, std::size_t groups, std::array<std::ptrdiff_t, 2> stride,
                     std::array<std::ptrdiff_t, 2> padding, std::array<std::ptrdiff_t, 2> dilation, const Shape& result,
                     bool transposed) {
  Array y = Array::full(result, 0, float64);
  auto at = [](const Shape& s, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    return ((a * s[1] + b) * s[2] + c) * s[3] + d;
  };
  const Shape& small = transposed ? x.shape() : result;  // where windows are counted
  const Shape& large = transposed ? result : x.shape();
  std::size_t small_part = small[1] / groups, large_part = large[1] / groups;
  for (std::size_t n = 0; n < x.shape()[0]; ++n)
    for (std::size_t s = 0; s < small[1]; ++s)
      for (std::size_t l = 0; l < large_part; ++l)
        for (std::size_t i = 0; i < small[2]; ++i)
          for (std::size_t j = 0; j < small[3]; ++j)
            for (std::size_t u = 0; u < w.shape()[2]; ++u)
              for (std::size_t v = 0; v < w.shape()[3]; ++v) {
                auto r = std::ptrdiff_t(i) * stride[0] + std::ptrdiff_t(u) * dilation[0] - padding[0];
                auto c = std::ptrdiff_t(j) * stride[1] + std::ptrdiff_t(v) * dilation[1] - padding[1];
                if (r < 0 || c < 0 || r >= std::ptrdiff_t(large[2]) || c >= std::ptrdiff_t(large[3])) continue;
                std::size_t there = at(large, n, s / small_part * large_part + l, std::size_t(r), std::size_t(c));
                std::size_t here = at(small, n, s, i, j);
                double weight = w.value().at(at(w.shape(), s, l, u, v));
                if (transposed) y.mutable_data<double>()[there] += weight * x.value().at(here);
                else y.mutable_data<double>()[here] += weight * x.value().at(there);
              }
  return Variable(y);
}

}  // namespace

BOOST_AUTO_TEST_CASE(convolutions_are_what_they_are_defined_as) {
  seed(4);
  for (std::size_t groups : {1u, 2u})
    for (std::size_t stride : {1u, 2u, 3u})
      for (std::size_t padding : {0u, 1u, 2u})
        for (std::size_t dilation : {1u, 2u}) {
          BOOST_TEST_CONTEXT("groups " << groups << ", stride " << stride << ", padding " << padding << ", dilation "
                                       << dilation) {
            Variable x = randn({2, 4, 7, 8}, float64), w = randn({6, 4 / groups, 3, 2}, float64);
            std::array<std::ptrdiff_t, 2> s{std::ptrdiff_t(stride), 1}, p{std::ptrdiff_t(padding), 1},
                d{std::ptrdiff_t(dilation), 2};
            Variable y = conv2d(x, w, {}, {.stride = {stride, 1}, .padding = {padding, 1}, .dilation = {dilation, 2},
                                           .groups = groups});
            BOOST_TEST((y.shape() == Shape{2, 6, (7 + 2 * padding - 2 * dilation - 1) / stride + 1, 8}));
            BOOST_TEST(max(abs(y - convolution(x, w, groups, s, p, d, y.shape(), false))).item() < 1e-12);

            Variable v = randn({2, 6, 3, 4}, float64);
            Variable z = conv_transpose2d(v, w, {}, {.stride = {stride, 1}, .padding = {padding, 1},
                                                     .dilation = {dilation, 2}, .groups = groups});
            BOOST_TEST((z.shape() == Shape{2, 4, 2 * stride - 2 * padding + 2 * dilation + 1, 4}));
            BOOST_TEST(max(abs(z - convolution(v, w, groups, s, p, d, z.shape(), true))).item() < 1e-12);
          }
        }
}

BOOST_AUTO_TEST_CASE(pooling) {
  Variable x = Variable{1, 5, 2, -3, 4, 0}.to(float64).reshape({1, 1, 6});
  auto equal = [](const Variable& y, std::initializer_list<Nested> expected) {
    BOOST_TEST(all(flatten(y) == Variable(expected, float64)).item() == 1);
  };
  equal(max_pool1d(x, 2), {5, 2, 4});
  equal(max_pool1d(x - 10, 3, {.stride = 2, .padding = 1}), {-5, -5, -6});  // the padding never wins
  equal(avg_pool1d(x, 2), {3, -0.5, 2});
  equal(avg_pool1d(x, 2, {.stride = 2, .padding = 1}), {0.5, 3.5, 0.5, 0});
  equal(adaptive_avg_pool1d(x, 3), {3, -0.5, 2});
  equal(adaptive_max_pool1d(x, 4), {5, 5, 4, 4});  // windows [0, 2), [1, 3), [3, 5), [4, 6)
  equal(max_pool2d(arange(16).to(float64).reshape({1, 1, 4, 4}), 2), {5, 7, 13, 15});
  equal(adaptive_avg_pool2d(arange(16).to(float64).reshape({1, 1, 4, 4}), {1, 2}), {6.5, 8.5});
}

// The windows of lines of all lengths, which registers hold whole or in part, against a loop: the greatest elements, and
// by the gradients where they stand.
BOOST_AUTO_TEST_CASE(max_pooling_of_long_lines) {
  for (DType dtype : {float32, float64})
    for (std::ptrdiff_t stride : {1, 2, 3, 20})
      for (std::ptrdiff_t padding : {0, 1})
        for (std::ptrdiff_t length : {3, 7, 16, 17, 33, 70}) {
          seed(static_cast<std::uint64_t>(length));
          std::vector<double> numbers;
          Variable draws = floor(rand({length}) * 12);  // with many equal ones
          for (std::ptrdiff_t i = 0; i < length; ++i) {
            double draw = draws.value().at(static_cast<std::size_t>(i));
            numbers.push_back(draw == 0 ? -infinity : draw == 11 && length > 16 ? not_a_number : draw);
          }
          Variable x = reshape(of(numbers, dtype), {1, 1, -1}).requires_grad_();
          Variable y = max_pool1d(x, 3, {.stride = stride, .padding = padding});
          sum(y).backward();
          std::vector<double> count(numbers.size());
          for (std::ptrdiff_t i = 0; i <= (length + 2 * padding - 3) / stride; ++i) {
            std::ptrdiff_t first = std::max<std::ptrdiff_t>(i * stride - padding, 0), best = first;
            for (std::ptrdiff_t k = first; k < std::min(i * stride - padding + 3, length); ++k)
              if (numbers[k] > numbers[best] || std::isnan(numbers[k])) best = k;
            ++count[best];
            BOOST_TEST(close<float>(y.value().at(static_cast<std::size_t>(i)), numbers[best], 0));
          }
          for (std::size_t i = 0; i < count.size(); ++i)
            BOOST_TEST(x.grad().value().at(i) == count[i], "stride " << stride << ", padding " << padding << ", length "
                                                                      << length << ", pixel " << i);
        }
}

BOOST_AUTO_TEST_CASE(normalization) {
  seed(5);
  auto near = [](const Variable& a, const Variable& b) { BOOST_TEST(max(abs(a - b)).item() < 1e-12); };
  Variable x = randn({4, 6, 5}, float64), y = batch_norm(x, {}, {}, 0);
  near(mean(y, {0, 2}), zeros({6}, float64));
  near(var(y, {0, 2}), ones({6}, float64));
  near(batch_norm(x, mean(x, {0, 2}), var(x, {0, 2}), {}, {}), batch_norm(x));
  y = layer_norm(x, 2, {}, {}, 0);
  near(mean(y, {1, 2}), zeros({4}, float64));
  near(var(y, {1, 2}), ones({4}, float64));
  near(group_norm(x, 1), layer_norm(x, 2));
  near(instance_norm(x), layer_norm(x, 1));
  Variable weight = randn({6}, float64), bias = randn({6}, float64);
  near(group_norm(x, 3, weight, bias), group_norm(x, 3) * expand_dims(weight, 1) + expand_dims(bias, 1));
}

BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  seed(6);
  Variable y = dropout(ones({100, 100}), 0.3);
  BOOST_TEST(all(logical_or(y == 0, abs(y - 1 / 0.7) < 1e-6)).item() == 1);
  BOOST_TEST(std::abs(mean((y == 0).to(float32)).item() - 0.3) < 0.02);  // four standard deviations
  BOOST_TEST(sum(dropout(y, 1)).item() == 0);
  BOOST_TEST(all(dropout(y, 0) == y).item() == 1);
}

BOOST_AUTO_TEST_CASE(attention_and_images) {
  auto equal = [](const Variable& y, std::initializer_list<Nested> expected) {
    BOOST_TEST(all(flatten(y) == Variable(expected, float64)).item() == 1);
  };
  // Equal scores: a query takes the mean of what it sees.
  Variable q = zeros({3, 2}, float64), v = Variable{3, 9, 0}.to(float64).reshape({3, 1});
  equal(scaled_dot_product_attention(q, q, v, {}, true), {3, 6, 4});
  equal(scaled_dot_product_attention(q, q, v, arange(3) < 1), {3, 3, 3});
  Variable x = arange(4).to(float64).reshape({1, 4, 1, 1});
  equal(pixel_shuffle(x, 2), {0, 1, 2, 3});
  BOOST_TEST((pixel_shuffle(x, 2).shape() == Shape{1, 1, 2, 2}));
  Variable line = Variable{0, 4}.to(float64).reshape({1, 1, 1, 2});
  equal(interpolate(line, 1, 4), {0, 0, 4, 4});
  equal(interpolate(line, 1, 4, Interpolation::bilinear), {0, 1, 3, 4});  // as PyTorch's documentation has it
  equal(interpolate(line, 2, 1, Interpolation::bilinear), {2, 2});
}

BOOST_AUTO_TEST_CASE(folded_windows_add_up) {
  Variable x = randn({2, 3, 6, 5}, float64);
  UnfoldOptions options{.stride = {2, 1}, .padding = {1, 0}, .dilation = 1};
  // Each element counts as often as windows cover it.
  Variable covered = fold(unfold(ones_like(x), {3, 2}, options), {6, 5}, {3, 2}, options);
  BOOST_TEST(max(abs(fold(unfold(x, {3, 2}, options), {6, 5}, {3, 2}, options) - x * covered)).item() < 1e-14);
  // A convolution is a product with the windows.
  Variable w = randn({4, 3, 3, 2}, float64), y = conv2d(x, w, {}, {.stride = {2, 1}, .padding = {1, 0}});
  Variable product = matmul(reshape(w, {4, -1}), unfold(x, {3, 2}, options));
  BOOST_TEST(max(abs(reshape(product, y.shape()) - y)).item() < 1e-13);
}

// Enough of them for the kernel to leave out what the padding makes zeros, and to sort the pixels that strides skip.
BOOST_AUTO_TEST_CASE(convolutions_of_many_channels_are_products_with_windows) {
  for (const UnfoldOptions& o : {UnfoldOptions{.padding = {2, 1}}, UnfoldOptions{.stride = {1, 2}, .padding = {2, 1}},
                                 UnfoldOptions{.stride = 2, .padding = 2, .dilation = 2},
                                 UnfoldOptions{.padding = {8, 1}, .dilation = {8, 1}}}) {
    Variable x = randn({2, 64, 30, 27}, float64), w = randn({5, 64, 3, 3}, float64), b = randn({5}, float64);
    for (Variable v : {x, w, b}) v.requires_grad_();
    Variable y = conv2d(x, w, b, {.stride = o.stride, .padding = o.padding, .dilation = o.dilation});
    Variable product = matmul(reshape(w, {5, -1}), unfold(x, 3, o)) + expand_dims(b, 1);
    BOOST_TEST(y.size() / 10 >= 192);
    BOOST_TEST(max(abs(reshape(product, y.shape()) - y)).item() < 1e-12);
    Variable g = randn(y.shape(), float64);
    auto own = grad({y}, {x, w, b}, {.grad_outputs = {g}});
    auto composed = grad({product}, {x, w, b}, {.grad_outputs = {reshape(g, product.shape())}});
    for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(max(abs(own[i] - composed[i])).item() < 1e-11);
  }
}

BOOST_AUTO_TEST_SUITE_END()
