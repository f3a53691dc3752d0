// Strides and loops of shapes without elements, whose other extents may have a product that no number holds.
#include <array>

#include <autograd/autograd.hpp>
#include <autograd/kernels/loops.hpp>
#include <tests/support.hpp>

using namespace xtape;
using kernels::dense_strides;
using kernels::Loops;
using kernels::Strides;

namespace {

constexpr std::size_t most = 4294967295;

}  // namespace

BOOST_AUTO_TEST_SUITE(layout)

BOOST_AUTO_TEST_CASE(strides_of_shapes_without_elements) {
  BOOST_TEST((dense_strides({2, 3, 4}) == Strides{12, 4, 1}));
  for (const Shape& shape : {Shape{0, most, most, most}, Shape{most, most, most, 0}, Shape{most, 0, most, most}})
    BOOST_TEST((dense_strides(shape) == Strides{0, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(loops_over_shapes_without_elements) {
  for (const Shape& shape : {Shape{0, most, most, most}, Shape{most, most, most, 0}, Shape{most, 0, most, most}}) {
    Loops loops(shape, std::array{Strides{1, 1, 1, 1}, Strides{0, 4611686018427387904, 3, 4611686018427387904}});
    BOOST_TEST(loops.size() == 0u);
    BOOST_TEST(loops.inner().extent == 0u);
    loops.for_each_row([](const std::ptrdiff_t*, const std::ptrdiff_t*, std::size_t) { BOOST_ERROR("a row"); });
  }
}

// The undefined-behaviour sanitizer sees products that overflow.
BOOST_AUTO_TEST_CASE(operations_on_shapes_without_elements) {
  Variable x = zeros({std::size_t{0}, most, most, most});
  BOOST_TEST((transpose(x).shape() == Shape{most, most, most, 0}));
  BOOST_TEST((transpose(transpose(x)).shape() == x.shape()));
  BOOST_TEST(((x + x).shape() == x.shape()));
  BOOST_TEST(((transpose(x) * zeros({1, 1, 1, 1})).shape() == Shape{most, most, most, 0}));
  BOOST_TEST((sum(x, 1).shape() == Shape{0, most, most}));
  BOOST_TEST((slice(x, {all, all, range(1, 5, 2)}).shape() == Shape{0, most, 2, most}));
  BOOST_TEST((concatenate({x, x}, 0).shape() == x.shape()));
  BOOST_TEST(matmul(zeros({most, most, most, std::size_t{0}, std::size_t{5}}), zeros({5, 2})).size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
