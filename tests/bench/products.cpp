#include "products.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <cblas.h>

#include <autograd/kernels/gemm.hpp>

#include "contestants.hpp"

namespace bench {
namespace {

struct Shape {
  std::size_t m, n, k;
};
constexpr Shape shapes[]{{128, 400, 784}, {784, 400, 128}, {512, 512, 512}, {64, 64, 64}, {32, 64, 4},
                         {1, 64, 64},     {32, 2, 64},     {2048, 2048, 2048}};
enum class Form { plain, first_transposed, second_transposed };

template <class T>
using Matrix = xtape::kernels::Matrix<T>;

template <class T>
void openblas(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, const Shape& shape) {
  auto whether = [](const Matrix<const T>& x) { return x.transposed ? CblasTrans : CblasNoTrans; };
  auto integer = [](std::size_t x) { return static_cast<blasint>(x); };
  auto gemm = [] {
    if constexpr (sizeof(T) == sizeof(float)) return cblas_sgemm;
    else return cblas_dgemm;
  }();
  gemm(CblasRowMajor, whether(a), whether(b), integer(shape.m), integer(shape.n), integer(shape.k), 1, a.data,
       integer(a.stride), b.data, integer(b.stride), 0, c.data, integer(c.stride));
}

// Operations in a second: of as many calls as take a while.
template <class F>
double speed(const Shape& shape, F product) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now(), enough = start + std::chrono::milliseconds(5);
  auto now = start;
  std::size_t calls = 0;
  for (std::size_t more = 1; now < enough; more *= 2, now = Clock::now())
    for (std::size_t i = 0; i < more; ++i, ++calls) product();
  return 2.0 * static_cast<double>(calls * shape.m * shape.n * shape.k) /
         std::chrono::duration<double>(now - start).count();
}

// Both in turns; medians.
template <class T>
std::string compared(const Shape& shape, Form form) {
  const std::size_t m = shape.m, n = shape.n, k = shape.k;
  const bool first = form == Form::first_transposed, second = form == Form::second_transposed;
  std::vector<T> x(m * k, T(0.5)), y(k * n, T(0.5)), z(m * n);
  Matrix<const T> a{x.data(), first ? m : k, first}, b{y.data(), second ? k : n, second};
  Matrix<T> c{z.data(), n};
  constexpr std::size_t turns = 5;
  std::vector<double> own, other;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    own.push_back(speed(shape, [&] { xtape::kernels::gemm(a, b, c, m, n, k); }));
    other.push_back(speed(shape, [&] { openblas(a, b, c, shape); }));
  }
  for (auto* speeds : {&own, &other}) std::nth_element(speeds->begin(), speeds->begin() + turns / 2, speeds->end());
  char text[32];
  std::snprintf(text, sizeof text, "%6.0f/%-5.0f", own[turns / 2] / 1e9, other[turns / 2] / 1e9);
  return text;
}

}  // namespace

void print_products() {
  own::set_threads(1);
  std::printf("Matrix products on one thread, GFLOP/s, xtape / OpenBLAS (%s); ' is transposed.\n",
              openblas_get_corename());
  std::printf("%-18s%-36s%s\n%-18s", "", "    float32", "    float64", "m, n, k");
  for (int dtype = 0; dtype < 2; ++dtype) std::printf("%-12s%-12s%-12s", "    a b", "    a' b", "    a b'");
  std::puts("");
  for (const Shape& shape : shapes) {
    std::string extents = std::to_string(shape.m) + ", " + std::to_string(shape.n) + ", " + std::to_string(shape.k);
    std::printf("%-18s", extents.c_str());
    const auto forms = {Form::plain, Form::first_transposed, Form::second_transposed};
    for (Form form : forms) std::printf("%s", compared<float>(shape, form).c_str());
    for (Form form : forms) std::printf("%s", compared<double>(shape, form).c_str());
    std::puts("");
  }
}

}  // namespace bench
