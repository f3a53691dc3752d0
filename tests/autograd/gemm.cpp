// Matrix products: each target's against the definition, and the same bits however they are cut.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/targets/gemm.hpp>
#include <autograd/threads.hpp>

using namespace xtape;
using namespace xtape::kernels;

namespace {

template <class T>
using Product = void (*)(const Matrix<const T>&, const Matrix<const T>&, const Matrix<T>&, std::size_t, std::size_t,
                         std::size_t, bool);

// Those that this processor can compute.
template <class T>
std::vector<Product<T>> products() {
#ifdef XTAPE_SEVERAL_TARGETS
  std::vector<Product<T>> result{gemm_on<Target::x86_64_v2, T>, gemm_on<Target::x86_64_v3, T>,
                                 gemm_on<Target::x86_64_v4, T>};
  result.resize(static_cast<std::size_t>(target()));
  return result;
#else
  return {gemm_on<Target::any, T>};
#endif
}

template <class T>
std::vector<T> numbers(std::size_t count) {
  static std::mt19937 generator(3);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> result(count);
  for (T& x : result) x = uniform(generator);
  return result;
}

// A matrix and its elements, in rows that are `gap` apart.
template <class T>
struct Operand {
  std::vector<T> elements;
  Matrix<const T> matrix;

  Operand(std::size_t rows, std::size_t columns, bool transposed, std::size_t gap) {
    std::size_t lines = transposed ? columns : rows, length = transposed ? rows : columns;
    elements = numbers<T>((lines - 1) * (length + gap) + length);  // nothing stands beyond
    matrix = {elements.data(), length + gap, transposed};
  }
  double at(std::size_t i, std::size_t j) const {
    return static_cast<double>(*matrix.from(i, j).data);
  }
};

struct Extents {
  std::size_t m, n, k;
};

template <class T>
void check(Product<T> product, const Extents& e, bool ta, bool tb, std::size_t gap) {
  Operand<T> a(e.m, e.k, ta, gap), b(e.k, e.n, tb, gap);
  const std::vector<T> before = numbers<T>((e.m - 1) * (e.n + gap) + e.n);
  for (bool add : {false, true}) {
    std::vector<T> c = before;
    product(a.matrix, b.matrix, {c.data(), e.n + gap}, e.m, e.n, e.k, add);
    double most = 0;
    bool kept = true;
    for (std::size_t i = 0; i < e.m; ++i) {
      for (std::size_t j = 0; j < e.n; ++j) {
        double sum = add ? static_cast<double>(before[i * (e.n + gap) + j]) : 0;
        for (std::size_t l = 0; l < e.k; ++l) sum += a.at(i, l) * b.at(l, j);
        most = std::max(most, std::abs(sum - static_cast<double>(c[i * (e.n + gap) + j])));
      }
      for (std::size_t j = e.n; j < e.n + gap && i + 1 < e.m; ++j)
        kept = kept && c[i * (e.n + gap) + j] == before[i * (e.n + gap) + j];
    }
    // Each of k roundings is at most half a unit of a sum that is at most k + 1.
    double k = static_cast<double>(e.k);
    double bound = k * (k + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
    BOOST_TEST(most <= bound, e.m << " x " << e.n << " x " << e.k << (ta ? " T" : " N") << (tb ? "T" : "N") << (add ? ", added" : "")
                                  << ": off by " << most);
    BOOST_TEST(kept, "what stands between the rows of c");
  }
}

template <class T>
void check_all(const Extents& extents) {
  for (Product<T> product : products<T>())
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        for (std::size_t gap : {0, 3}) check<T>(product, extents, ta, tb, gap);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(matrix_products)

BOOST_AUTO_TEST_CASE(agree_with_the_definition) {
  for (std::size_t m : {1, 2, 4, 5, 7, 8, 14, 15, 33})
    for (std::size_t n : {1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 65})
      for (std::size_t k : {1, 3, 8, 17, 33}) {
        check_all<float>({m, n, k});
        check_all<double>({m, n, k});
      }
}

// Of more than one block in each extent, and such that some are packed.
BOOST_AUTO_TEST_CASE(of_several_blocks_agree_with_the_definition) {
  for (const Extents& extents : {Extents{190, 40, 30}, Extents{3, 2100, 9}, Extents{30, 130, 350}, Extents{40, 1, 700},
                                 Extents{1, 45, 700}, Extents{33, 5, 400}}) {
    check_all<float>(extents);
    check_all<double>(extents);
  }
}

BOOST_AUTO_TEST_CASE(are_the_same_bits_on_any_number_of_threads) {
  auto bits = [](const Extents& e, bool ta, bool tb, int threads) {
    std::mt19937 generator(1);
    std::vector<float> a(e.m * e.k), b(e.k * e.n), c(e.m * e.n);
    for (auto* x : {&a, &b})
      for (float& v : *x) v = static_cast<float>(generator()) / 1e9f;
    NumThreads these(threads);
    gemm<float>({a.data(), ta ? e.m : e.k, ta}, {b.data(), tb ? e.k : e.n, tb}, {c.data(), e.n}, e.m, e.n, e.k);
    return c;
  };
  for (const Extents& e : {Extents{400, 300, 500}, Extents{5000, 1, 2000}, Extents{1, 5000, 2000}, Extents{4000, 3, 1000},
                           Extents{3, 4000, 1000}, Extents{2000, 10, 700}, Extents{7, 1001, 1500}, Extents{129, 1000, 100}, Extents{385, 500, 700},
                           Extents{500, 385, 700}, Extents{200, 193, 1000}})
    for (bool ta : {false, true})
      for (bool tb : {false, true}) {
        const std::vector<float> alone = bits(e, ta, tb, 1);
        for (int threads : {2, 3, 5, 8})
          BOOST_TEST((bits(e, ta, tb, threads) == alone), e.m << " x " << e.n << " x " << e.k << " on " << threads);
      }
}

BOOST_AUTO_TEST_SUITE_END()
