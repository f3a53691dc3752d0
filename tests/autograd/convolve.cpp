// The products of convolutions: each target's against the definition.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/kernels/targets/convolve.hpp>

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

// Those that this processor can compute.
template <class T>
std::vector<Kernels<T>> all_kernels() {
#ifdef XTAPE_SEVERAL_TARGETS
  std::vector<Kernels<T>> result{kernels_of<Target::x86_64_v2, T>(), kernels_of<Target::x86_64_v3, T>(),
                                 kernels_of<Target::x86_64_v4, T>()};
  result.resize(static_cast<std::size_t>(target()));
  return result;
#else
  return {kernels_of<Target::any, T>()};
#endif
}

struct Extents {
  std::size_t channels, depth, line, lines, samples;
};

// Images of one row of memory each, which rows of the matrix read at places of their own. With a border, the last line of
// each sample leaves out the first row and the last.
template <class T>
class Problem {
 public:
  Problem(const Extents& extents, bool with_border) : e(extents) {
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

  WindowMatrix<T> matrix() const { return {images.data(), rows, runs}; }
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

  // Without a border: products read zeros there, where the definition leaves them out.
  void check_sums(const Kernels<T>& kernels) const {
    std::vector<T> sums = numbers(e.depth * e.channels);
    std::vector<double> expected(sums.begin(), sums.end());
    kernels.convolve_weight(matrix(), as_results(results.data()), sums.data());
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
      if (!border) problem.check_sums(kernels);
    }
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

BOOST_AUTO_TEST_SUITE_END()
