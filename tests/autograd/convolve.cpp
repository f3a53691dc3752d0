// The products of convolutions: each target's against the definition.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/kernels/targets/convolve.hpp>
#include <autograd/kernels/targets/convolve_planes.hpp>

using namespace xtape::kernels;

namespace {

template <class T>
struct Kernels {
  decltype(&pack_weights_on<Target{}, T>) pack;
  decltype(&convolve_on<Target{}, T>) convolve;
  decltype(&convolve_weight_on<Target{}, T>) convolve_weight;
};
template <Target target, class T>
Kernels<T> kernels_of() {
  return {pack_weights_on<target, T>, convolve_on<target, T>, convolve_weight_on<target, T>};
}

// Those of planes.
template <class T>
struct PlaneKernels {
  decltype(&take_plane_apart_on<Target{}, T>) take_apart;
  decltype(&join_plane_on<Target{}, T>) join;
  decltype(&convolve_plane_on<Target{}, T>) convolve;
  decltype(&convolve_plane_weight_on<Target{}, T>) convolve_weight;
};
template <Target target, class T>
PlaneKernels<T> plane_kernels_of() {
  return {take_plane_apart_on<target, T>, join_plane_on<target, T>, convolve_plane_on<target, T>,
          convolve_plane_weight_on<target, T>};
}

// What `of` has for each target whose kernels this processor can compute.
template <class Of>
auto for_all_targets(Of of) {
#ifdef XTAPE_SEVERAL_TARGETS
  std::vector result{of.template operator()<Target::x86_64_v2>(), of.template operator()<Target::x86_64_v3>(),
                     of.template operator()<Target::x86_64_v4>()};
  result.resize(static_cast<std::size_t>(target()));
  return result;
#else
  return std::vector{of.template operator()<Target::any>()};
#endif
}
template <class T>
std::vector<Kernels<T>> all_kernels() {
  return for_all_targets([]<Target target> { return kernels_of<target, T>(); });
}
template <class T>
std::vector<PlaneKernels<T>> all_plane_kernels() {
  return for_all_targets([]<Target target> { return plane_kernels_of<target, T>(); });
}

struct Extents {
  std::size_t channels, depth, line, lines, samples;
};

// Images of one row of memory each, which rows of the matrix read at places of their own. With a border, the last line of
// each sample leaves out the first row and the last.
template <class T>
class Problem {
 public:
  Problem(const Extents& extents, bool with_border) : e(extents), together(with_border ? 1 : extents.depth) {
    const std::size_t positions = e.line * e.lines, sample = 3 * e.depth + 2 * positions;
    images = numbers(e.samples * sample);
    for (std::size_t l = 0; l < e.depth; ++l) rows.push_back(3 * (e.depth - 1 - l));  // in no order that is used elsewhere
    for (std::size_t n = 0; n < e.samples; ++n)
      for (std::size_t line = 0; line < e.lines; ++line) {
        const bool border = with_border && line + 1 == e.lines && e.depth > 2;
        runs.push_back({n * positions + line * e.line, e.line, n * sample + line * (e.line + 1), border ? 1u : 0u,
                        border ? e.depth - 1 : e.depth});
      }
    weights = numbers(e.channels * e.depth);
    biases = numbers(e.channels);
    results = numbers(e.samples * e.channels * positions);
    row_weights.resize(weights.size());
    for (std::size_t l = 0; l < e.depth; ++l) {
      places.push_back((l + 1) % e.depth);
      for (std::size_t o = 0; o < e.channels; ++o)
        row_weights[o * e.depth + places[l]] = static_cast<double>(weights[o * e.depth + l]);
    }
  }

  WindowMatrix<T> matrix() const { return {images.data(), rows, runs, together}; }
  template <class Number>
  WindowResults<Number> as_results(Number* data) const {
    return {data, e.channels, e.line * e.lines, e.channels * e.line * e.lines};
  }

  // Calls f(run, window, row, what that reads) for all.
  template <class F>
  void for_each(F&& f) const {
    for (const Run& run : runs)
      for (std::size_t i = 0; i < run.count; ++i)
        for (std::size_t l = run.begin; l < run.end; ++l)
          f(run.first + i, l, static_cast<double>(images[rows[l] + run.offset + i]));
  }
  void check_results(const Kernels<T>& kernels) const {
    for (bool windows : {false, true}) {
      std::vector<T> packed(packed_weights(e.channels, e.depth)), y(results.size());
      kernels.pack(weights.data(), biases.data(), e.channels, places, windows, packed.data());
      kernels.convolve(matrix(), packed.data(), windows, as_results(y.data()));
      std::vector<double> expected(y.size());
      const auto as_expected = as_results(expected.data());
      for (std::size_t o = 0; o < e.channels; ++o) {
        const double bias = static_cast<double>(biases[o]), *of_rows = row_weights.data() + o * e.depth;
        for (std::size_t p = 0; p < e.samples * e.line * e.lines; ++p) *as_expected.at(o, p) = bias;
        for_each([&](std::size_t p, std::size_t l, double x) { *as_expected.at(o, p) += of_rows[l] * x; });
      }
      compare("results", y, expected, e.depth + 1);
    }
  }

  void check_sums(const Kernels<T>& kernels) const {
    std::vector<T> sums = numbers(e.depth * e.channels);
    std::vector<double> expected(sums.begin(), sums.end());
    // In two parts, as threads cut it.
    const std::size_t half = e.depth / 2;
    for (auto [first, count] : {std::pair(std::size_t(0), half), std::pair(half, e.depth - half)})
      if (count > 0)
        kernels.convolve_weight(matrix().slice(first, count), as_results(std::as_const(results).data()),
                                sums.data() + first * e.channels);
    const auto g = as_results(results.data());
    for_each([&](std::size_t p, std::size_t l, double x) {
      for (std::size_t o = 0; o < e.channels; ++o) expected[l * e.channels + o] += x * static_cast<double>(*g.at(o, p));
    });
    compare("sums", sums, expected, e.samples * e.line * e.lines + 1);
  }

 private:
  static std::vector<T> numbers(std::size_t count) {
    static std::mt19937 generator(5);
    std::uniform_real_distribution<T> uniform(-1, 1);
    std::vector<T> result(count);
    for (T& x : result) x = uniform(generator);
    return result;
  }
  // Each of so many roundings is at most half a unit of a sum that is at most their number.
  void compare(const char* what, const std::vector<T>& values, const std::vector<double>& expected,
               std::size_t terms) const {
    double most = 0, n = static_cast<double>(terms);
    for (std::size_t i = 0; i < values.size(); ++i)
      most = std::max(most, std::abs(static_cast<double>(values[i]) - expected[i]));
    BOOST_TEST(most <= n * (n + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2,
               what << " of " << e.channels << " channels, depth " << e.depth << ", lines " << e.samples << " x " << e.lines
                    << " x " << e.line << ": off by " << most);
  }

  Extents e;
  std::size_t together;  // rows, of which a border leaves out the first and the last
  std::vector<T> images, weights, biases, results;
  std::vector<double> row_weights;  // in the order of rows
  std::vector<std::size_t> rows, places;
  std::vector<Run> runs;
};

template <class T>
void check_all(const Extents& extents) {
  for (const Kernels<T>& kernels : all_kernels<T>())
    for (bool border : {false, true}) {
      Problem<T> problem(extents, border);
      problem.check_results(kernels);
      problem.check_sums(kernels);
    }
}

// Integers from -8 to 8, whose sums of products are exact.
template <class T>
std::vector<T> small_integers(std::size_t count) {
  static std::mt19937 generator(7);
  std::uniform_int_distribution<int> uniform(-8, 8);
  std::vector<T> result(count);
  for (T& x : result) x = static_cast<T>(uniform(generator));
  return result;
}

// Lines of a plane, of which each element reads at a place of its own. What is beyond the lines stays as it is.
template <class T>
void check_plane(const PlaneKernels<T>& kernels, const PlaneLines& lines, std::size_t elements) {
  constexpr std::size_t beyond = 16;  // a register, which may be read
  std::vector<std::size_t> places;
  for (std::size_t e = 0; e < elements; ++e) places.push_back(3 * e % 7 + e);
  const std::size_t end = (lines.count - 1) * lines.y_row + lines.length;
  const auto x = small_integers<T>((lines.count - 1) * lines.x_row + lines.length + places.back() + 7 + beyond);
  const auto weights = small_integers<T>(elements), g = small_integers<T>(end), before = small_integers<T>(elements);
  std::vector<T> y(end + beyond, T(77)), expected = y, sums = before, expected_sums = before;
  for (std::size_t line = 0; line < lines.count; ++line)
    for (std::size_t i = 0; i < lines.length; ++i) {
      T& result = expected[line * lines.y_row + i];
      result = 5;
      for (std::size_t e = 0; e < elements; ++e) {
        const T read = x[places[e] + line * lines.x_row + i];
        result += weights[e] * read;
        expected_sums[e] += g[line * lines.y_row + i] * read;
      }
    }
  kernels.convolve(x.data(), places, weights.data(), T(5), lines, y.data(), y.data() + end);
  kernels.convolve_weight(x.data(), places, lines, g.data(), sums.data());
  // Between lines that do not follow each other, anything may be.
  for (std::size_t i = 0; i < end; ++i)
    if (i % lines.y_row >= lines.length) y[i] = expected[i];
  auto what = std::to_string(lines.count) + " lines of " + std::to_string(lines.length) + ", " +
              std::to_string(elements) + " elements";
  BOOST_TEST((y == expected), what);
  BOOST_TEST((sums == expected_sums), "the sums of " << what);
}

// Rows that are taken apart and joined again.
template <class T>
void check_pieces(const PlaneKernels<T>& kernels, std::size_t width, std::size_t stride, std::size_t padding) {
  constexpr std::size_t beyond = 16, rows = 3;
  const std::size_t piece = (padding + width + stride - 1) / stride + beyond;
  const PlaneCopy copy{width, stride, padding, piece, piece * stride};
  const auto x = small_integers<T>(rows * width);
  std::vector<T> apart(rows * copy.row, T(0)), expected = apart, in_pieces = apart, y(rows * width + beyond, T(77));
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t c = 0; c < width; ++c) {
      expected[row * copy.row + (c + padding) % stride * piece + (c + padding) / stride] = x[row * width + c];
      in_pieces[row * copy.row + c % stride * piece + c / stride] = x[row * width + c];
    }
  kernels.take_apart(copy, x.data(), rows, apart.data());
  auto what = std::to_string(width) + " pixels, stride " + std::to_string(stride) + ", padding " +
              std::to_string(padding);
  BOOST_TEST((apart == expected), what);
  std::vector<T> expected_y = x;
  expected_y.resize(y.size(), T(77));
  kernels.join(copy, in_pieces.data(), y.data(), y.data() + rows * width);
  BOOST_TEST((y == expected_y), what << ", joined");
}

template <class T>
void check_planes() {
  for (const PlaneKernels<T>& kernels : all_plane_kernels<T>()) {
    for (std::size_t count : {1, 2, 7, 8, 9, 19})
      for (std::size_t length : {1, 3, 4, 7, 8, 9, 16, 17, 40})
        for (std::size_t elements : {1, 4, 9, 10, 25})
          for (std::size_t apart : {0, 16}) check_plane(kernels, {count, length, length + 5, length + apart}, elements);
    for (std::size_t width : {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 50})
      for (std::size_t stride : {1, 2, 3, 5})
        for (std::size_t padding : {0, 1, 2, 5}) check_pieces(kernels, width, stride, padding);
  }
}

using Pair = std::vector<std::size_t>;

struct Layout {
  std::size_t batch, groups, in, out;  // channels of a group
  Pair space, extent, stride{1, 1}, padding{0, 0}, dilation{1, 1};
};

// Calls f(place in the result, in x, in w) for all that is multiplied, of a result of so many windows.
template <class F>
void for_each_product(const Layout& l, const Pair& windows, F&& f) {
  const std::size_t channels = l.groups * l.out;
  for (std::size_t y = 0; y < l.batch * channels * windows[0] * windows[1]; ++y) {
    const Pair window{y / windows[1] % windows[0], y % windows[1]};
    const std::size_t o = y / windows[1] / windows[0] % channels, n = y / windows[1] / windows[0] / channels;
    for (std::size_t c = 0; c < l.in; ++c)
      for (std::size_t i = 0; i < l.extent[0]; ++i)
        for (std::size_t j = 0; j < l.extent[1]; ++j) {
          // Below 0 wraps around, and is beyond the image as well.
          const std::size_t row = window[0] * l.stride[0] + i * l.dilation[0] - l.padding[0];
          const std::size_t column = window[1] * l.stride[1] + j * l.dilation[1] - l.padding[1];
          if (row >= l.space[0] || column >= l.space[1]) continue;
          const std::size_t channel = (n * l.groups + o / l.out) * l.in + c;
          f(y, (channel * l.space[0] + row) * l.space[1] + column,
            ((o * l.in + c) * l.extent[0] + i) * l.extent[1] + j);
        }
  }
}

// Small integers, of which sums are exact.
xtape::Variable integers(const xtape::Shape& shape, xtape::DType dtype, xtape::Generator& generator) {
  return xtape::randint(-3, 4, shape, xtape::int64, generator).to(dtype).requires_grad_();
}

template <class T>
void check_layout(const Layout& l) {
  const xtape::DType dtype = xtape::dtype_of<T>();
  xtape::Generator generator(11);
  auto x = integers({l.batch, l.groups * l.in, l.space[0], l.space[1]}, dtype, generator);
  auto w = integers({l.groups * l.out, l.in, l.extent[0], l.extent[1]}, dtype, generator);
  auto b = integers({l.groups * l.out}, dtype, generator);
  auto y = xtape::conv2d(x, w, b, {.stride = l.stride, .padding = l.padding, .dilation = l.dilation, .groups = l.groups});
  auto g = integers(y.shape(), dtype, generator);
  auto gradients = xtape::grad({y}, {x, w}, {.grad_outputs = {g}});
  auto numbers = [](const xtape::Variable& v) {
    return std::vector<T>(v.value().template data<T>(), v.value().template data<T>() + v.size());
  };
  const std::vector<T> xs = numbers(x), ws = numbers(w), bs = numbers(b), gs = numbers(g);
  const Pair windows{y.shape(2), y.shape(3)};
  std::vector<T> ys(gs.size()), of_x(xs.size()), of_w(ws.size());
  for (std::size_t i = 0; i < ys.size(); ++i) ys[i] = bs[i / (windows[0] * windows[1]) % bs.size()];
  for_each_product(l, windows, [&](std::size_t i, std::size_t from, std::size_t weight) {
    ys[i] += xs[from] * ws[weight];
    of_x[from] += gs[i] * ws[weight];
    of_w[weight] += gs[i] * xs[from];
  });
  auto what = xtape::to_string(x.shape()) + " with " + xtape::to_string(w.shape());
  BOOST_TEST((numbers(y) == ys), what);
  BOOST_TEST((numbers(gradients[0]) == of_x), "the gradient of x, " << what);
  BOOST_TEST((numbers(gradients[1]) == of_w), "the gradient of w, " << what);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(products_of_convolutions)

BOOST_AUTO_TEST_CASE(agree_with_the_definition) {
  for (std::size_t channels : {1, 3, 5, 7, 9, 16, 17, 40})
    for (std::size_t line : {1, 7, 15, 16, 33, 70})
      for (std::size_t depth : {1, 2, 9, 15}) {
        check_all<float>({channels, depth, line, 2, 2});
        check_all<double>({channels, depth, line, 2, 2});
      }
}

// Of more rows than are added up at once.
BOOST_AUTO_TEST_CASE(of_several_blocks_agree_with_the_definition) {
  for (const Extents& extents : {Extents{33, 700, 14, 2, 1}, Extents{3, 700, 14, 2, 1}, Extents{70, 350, 5, 4, 3}}) {
    check_all<float>(extents);
    check_all<double>(extents);
  }
}

// As the operation has it, with its adjoints, of all kinds of windows.
BOOST_AUTO_TEST_CASE(operations_agree_with_the_definition) {
  const std::vector<Layout> layouts{
      {3, 1, 5, 20, {9, 17}, {3, 3}, {1, 1}, {1, 1}},            // channels in registers
      {2, 1, 3, 2, {8, 40}, {3, 5}, {1, 1}, {1, 2}},             // windows in registers
      {2, 1, 40, 33, {6, 7}, {3, 3}, {1, 1}, {1, 1}},            // several blocks, and samples together
      {2, 1, 200, 2, {5, 6}, {3, 3}, {1, 1}, {1, 1}},            // the same with windows in registers
      {2, 3, 4, 6, {9, 11}, {3, 3}, {2, 2}, {1, 1}},             // strides and groups
      {2, 8, 1, 1, {10, 12}, {3, 3}, {1, 1}, {1, 1}},            // each channel by itself
      {3, 1, 6, 7, {5, 5}, {5, 5}},                              // one window, which is the image
      {3, 2, 6, 7, {5, 5}, {5, 5}},
      {0, 1, 6, 7, {5, 5}, {5, 5}},
      {2, 1, 4, 18, {2, 50}, {1, 45}},                           // few windows on a long line
      {2, 1, 4, 18, {6, 9}, {3, 3}, {1, 1}, {4, 5}},             // some windows see padding only
      {2, 1, 4, 18, {12, 13}, {3, 3}, {1, 2}, {2, 2}, {3, 2}},   // dilation
      {1, 1, 2, 20, {3, 1000}, {1, 3}, {1, 1}, {0, 1}},          // lines of several parts
      {2, 1, 70, 17, {8, 9}, {1, 1}},                            // pixels
      {2, 1, 3, 17, {20, 21}, {3, 1}, {1, 1}, {1, 0}}};          // lines that follow each other, with a border
  for (const Layout& layout : layouts) {
    check_layout<float>(layout);
    check_layout<double>(layout);
  }
}

BOOST_AUTO_TEST_CASE(of_planes_agree_with_the_definition) {
  check_planes<float>();
  check_planes<double>();
}

// Channels by themselves, of all kinds of windows.
BOOST_AUTO_TEST_CASE(of_channels_by_themselves_agree_with_the_definition) {
  for (const Pair& space : {Pair{7, 7}, Pair{9, 18}, Pair{1, 45}, Pair{30, 5}, Pair{17, 33}})
    for (const Pair& extent : {Pair{1, 1}, Pair{3, 3}, Pair{2, 5}, Pair{5, 4}})
      for (const Pair& stride : {Pair{1, 1}, Pair{2, 2}, Pair{1, 2}, Pair{2, 1}, Pair{3, 4}})
        for (const Pair& padding : {Pair{0, 0}, Pair{1, 1}, Pair{2, 3}})
          for (const Pair& dilation : {Pair{1, 1}, Pair{2, 3}}) {
            const bool fits = space[0] + 2 * padding[0] > (extent[0] - 1) * dilation[0] &&
                              space[1] + 2 * padding[1] > (extent[1] - 1) * dilation[1];
            if (fits) check_layout<float>({2, 3, 1, 1, space, extent, stride, padding, dilation});
          }
  const std::vector<Layout> layouts{
      {2, 1, 1, 1, {12, 9}, {3, 3}, {2, 2}, {1, 1}},       // one channel
      {3, 20, 1, 1, {8, 7}, {3, 3}, {2, 2}, {1, 1}},       // many
      {0, 3, 1, 1, {8, 7}, {3, 3}, {2, 2}, {1, 1}},        // no images
      {1, 2, 1, 1, {211, 130}, {3, 3}, {2, 2}, {1, 1}},    // several bands
      {1, 2, 1, 1, {150, 130}, {5, 5}, {1, 1}, {2, 2}},
      {1, 2, 1, 1, {40, 3000}, {3, 3}, {3, 2}, {1, 1}},    // of few lines
      {2, 3, 1, 1, {20, 21}, {2, 2}, {9, 9}, {1, 1}},      // more phases than they are for
      {2, 3, 1, 1, {4, 5}, {3, 3}, {2, 2}, {7, 9}}};       // most windows see padding only
  for (const Layout& layout : layouts) {
    check_layout<float>(layout);
    check_layout<double>(layout);
  }
}

// Where padding is uneven, and with a relu: as all channels together, with weights of zero between them.
BOOST_AUTO_TEST_CASE(of_channels_by_themselves_are_those_of_a_diagonal_kernel) {
  xtape::Generator generator(3);
  auto x = integers({2, 3, 8, 11}, xtape::float32, generator), w = integers({3, 1, 3, 4}, xtape::float32, generator);
  auto diagonal = xtape::reshape(xtape::eye(3), {3, 3, 1, 1}) * w;
  auto equal = [](const xtape::Variable& a, const xtape::Variable& b) { return max(abs(a - b)).item() == 0; };
  auto own = xtape::conv2d(x, w, {.padding = "same", .groups = 3});
  auto together = xtape::conv2d(x, diagonal, {.padding = "same"});
  BOOST_TEST((own.shape() == x.shape()));
  BOOST_TEST(equal(own, together));
  auto g = integers(own.shape(), xtape::float32, generator);
  auto gradients = xtape::grad({own}, {x, w}, {.grad_outputs = {g}});
  auto expected = xtape::grad({together}, {x, w}, {.grad_outputs = {g}});
  BOOST_TEST(equal(gradients[0], expected[0]));
  BOOST_TEST(equal(gradients[1], expected[1]));
  xtape::NoGrad guard;
  BOOST_TEST(equal(xtape::conv2d(x, w, {.padding = 1, .groups = 3, .relu = true}),
                   relu(xtape::conv2d(x, diagonal, {.padding = 1}))));
}

// An infinite pixel is multiplied by those results only whose windows read it.
BOOST_AUTO_TEST_CASE(of_channels_by_themselves_read_no_pixel_beyond_their_windows) {
  auto x = xtape::zeros({1, 2, 3, 13});
  x[{0, 0, 0, 12}] = std::numeric_limits<float>::infinity();
  x.requires_grad_();
  auto w = xtape::ones({2, 1, 1, 3}).requires_grad_();
  auto y = xtape::conv2d(x, w, {.groups = 2});
  auto gradient = xtape::grad(sum(y), w);
  BOOST_TEST(sum(isfinite(y)).item() == static_cast<double>(y.size() - 1));
  BOOST_TEST(sum(isfinite(gradient)).item() == static_cast<double>(gradient.size() - 1));
}

// Results do not depend on how the work is cut.
BOOST_AUTO_TEST_CASE(of_channels_by_themselves_are_the_same_in_several_threads) {
  const std::size_t threads = xtape::num_threads();
  for (std::size_t channels : {3, 40}) {
    xtape::Generator generator(9);
    auto x = xtape::randn({7, channels, 130, 66}, xtape::float32, generator).requires_grad_();
    auto w = xtape::randn({channels, 1, 3, 3}, xtape::float32, generator).requires_grad_();
    auto all = [&](std::size_t n) {
      xtape::set_num_threads(n);
      auto y = xtape::conv2d(x, w, {.stride = 2, .padding = 1, .groups = channels});
      auto result = xtape::grad(sum(y * y), {x, w});
      result.push_back(y);
      return result;
    };
    auto one = all(1), three = all(3);
    for (std::size_t i = 0; i < one.size(); ++i) BOOST_TEST(max(abs(one[i] - three[i])).item() == 0);
  }
  xtape::set_num_threads(threads);
}

BOOST_AUTO_TEST_SUITE_END()
