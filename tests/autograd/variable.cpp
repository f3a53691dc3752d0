// Variables as values: in and out of xtensor, dtypes, printing, handles.
#include <array>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

#include "views_and_random.hpp"

using namespace xtape;
using xtape::testing::throws;

namespace {

std::string printed(const Variable& x) {
  std::ostringstream text;
  text << x;
  return text.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(variables)

BOOST_AUTO_TEST_CASE(from_xtensor) {
  xt::xarray<float> f{{1, 2}, {3, 4}};
  xt::xarray<double, xt::layout_type::column_major> d{{1, 2}, {3, 4}};
  BOOST_TEST((Variable(f).dtype() == float32));
  BOOST_TEST((Variable(d).dtype() == float64));
  BOOST_TEST((Variable(xt::xarray<int>{1}).dtype() == int64));
  BOOST_TEST((Variable(xt::xarray<unsigned char>{1}).dtype() == int64));
  BOOST_TEST((Variable(xt::xarray<bool>{true}).dtype() == boolean));
  BOOST_TEST(Variable(d).value().at(1) == 2);  // row-major, whatever the layout was
  BOOST_TEST(Variable(f + 1).value().at(3) == 5);
  BOOST_TEST(Variable(xt::view(f, xt::all(), 1)).value().at(1) == 4);
  BOOST_TEST(Variable(xt::transpose(f)).value().at(1) == 3);
}

BOOST_AUTO_TEST_CASE(to_xtensor_without_a_copy) {
  Variable x{{1, 2}, {3, 4}};
  auto a = x.array<float>();
  BOOST_TEST(a(1, 0) == 3);
  BOOST_TEST(a.data() == x.data<float>());
  x.mutable_data<float>()[2] = 7;
  BOOST_TEST(a(1, 0) == 3);  // what was taken before stays
  BOOST_TEST(x.array<float>()(1, 0) == 7);
  auto survivor = Variable({1, 2, 3}).array<float>();  // keeps the elements alive
  BOOST_TEST(survivor(2) == 3);
  xt::xarray<float> copy = x.array<float>() * 2;
  BOOST_TEST(copy(0, 1) == 4);
}

BOOST_AUTO_TEST_CASE(nested_lists_and_scalars) {
  BOOST_TEST((Variable{{1, 2, 3}, {4, 5, 6}}.shape() == Shape{2, 3}));
  BOOST_TEST((Variable{3}.shape() == Shape{1}));
  BOOST_TEST((Variable(3).shape() == Shape{}));
  BOOST_TEST((Variable({{{1}}}, float64).shape() == Shape{1, 1, 1}));
  BOOST_TEST((Variable({1, 0}, boolean).dtype() == boolean));
}

BOOST_AUTO_TEST_CASE(scalars_take_the_dtype_of_what_they_meet) {
  Variable d({1.0}, float64), f({1.0});
  BOOST_TEST(((2 * d).dtype() == float64));
  BOOST_TEST(((f / 3).dtype() == float32));
  BOOST_TEST((0.1 * d).item() == 0.1);  // exact, not rounded to float32 on the way
  BOOST_TEST(((arange(3) + 1).dtype() == int64));
  Variable third = Variable(1) / 3;
  BOOST_TEST((third * d).item() == 1.0 / 3);
  Variable total = 0;
  total += d;
  total += d;
  BOOST_TEST((total.dtype() == float64));
  BOOST_TEST(total.item() == 2);
}

BOOST_AUTO_TEST_CASE(copies_share_and_detach_shares_elements) {
  Variable x = ones({2}).requires_grad_(), same = x;
  sum(same * 3).backward();
  BOOST_TEST(x.grad().value().at(0) == 3);
  Variable d = x.detach(), c = x.copy();
  BOOST_TEST(!d.requires_grad());
  BOOST_TEST(d.data<float>() == x.data<float>());
  BOOST_TEST(c.data<float>() != x.data<float>());
  BOOST_TEST(x.reshape({1, 2}).data<float>() == x.data<float>());
  BOOST_TEST(squeeze(x.reshape({1, 2})).data<float>() == x.data<float>());
}

BOOST_AUTO_TEST_CASE(in_place_operations_reach_every_handle) {
  Variable x = ones({3}), handle = x, view = x.reshape({3, 1});
  x += 1;
  x *= Variable({1, 2, 3});
  x -= 1;
  x /= 2;
  BOOST_TEST(handle.value().at(2) == 2.5);
  BOOST_TEST(view.value().at(2) == 1);  // the result of an operation is a value of its own
  x.assign(0);
  BOOST_TEST(handle.value().at(2) == 0);
}

BOOST_AUTO_TEST_CASE(in_place_operations_are_recorded) {
  Variable w = Variable({3.0}, float64).requires_grad_();
  Variable y = w * 1;
  y *= w;
  y += w;
  y.backward();
  BOOST_TEST(w.grad().item() == 7);
}

BOOST_AUTO_TEST_CASE(the_operation_that_made_it) {
  Variable x = ones({2}).requires_grad_(), y = x * 2;
  BOOST_TEST(x.operation() == "");
  BOOST_TEST(y.operation() == "mul");
  BOOST_TEST(sum(y).operation() == "sum");
  BOOST_TEST(y.detach().operation() == "");
  BOOST_TEST((ones({2}) * 2).operation() == "");
  y += x;
  BOOST_TEST(y.operation() == "add");
  throws<Error>([] { Variable().operation(); }, {"operation"});
}

BOOST_AUTO_TEST_CASE(printing) {
  BOOST_TEST(printed(Variable{{1, 2}, {3, 4.5}}) == "{{ 1. ,  2. },\n { 3. ,  4.5}}");
  BOOST_TEST(printed(arange(3)) == "{0, 1, 2} int64");
  BOOST_TEST(printed(Variable({1, 0}, boolean)) == "{ true, false} bool");
  BOOST_TEST(printed(Variable({0.5}, float64)) == "{ 0.5} float64");
  BOOST_TEST(printed(zeros({0, 3})) == "{} (0, 3)");
  BOOST_TEST(printed(zeros({2, 0}, int64)) == "{} int64(2, 0)");
  std::ostringstream text;
  text << zeros({2, 3}).shape() << zeros({}).shape() << float64 << boolean;
  BOOST_TEST(text.str() == "(2, 3)()float64bool");
  BOOST_TEST(printed(Variable()) == "undefined");
  BOOST_TEST(printed(Variable(2.5)) == " 2.5");
}

BOOST_AUTO_TEST_CASE(shapes_and_axes_of_any_integers) {
  std::vector<int> ints{2, 3};
  std::array<unsigned, 2> array{2, 3};
  const short plain[]{2, 3};
  xt::xtensor<float, 2> tensor = xt::ones<float>({2, 3});
  std::size_t n = 2;
  unsigned char m = 3;
  for (const Variable& x : {zeros(ints), zeros(array), zeros(plain), zeros(tensor.shape()),
                            zeros(Variable(tensor).shape()), zeros({n, std::size_t{m}}), zeros({int(n), int(m)}),
                            zeros({n, m}), zeros(std::vector<std::int64_t>{2, 3})})
    BOOST_TEST((x.shape() == Shape{2, 3}));
  Variable x{{1, 2, 3}, {4, 5, 6}};
  BOOST_TEST(sum(x, x.rank() - 1).value().at(1) == 15);
  BOOST_TEST(sum(x, m - 2).value().at(1) == 15);
  BOOST_TEST(sum(x, {x.rank() - 1, n - 2}).item() == 21);
  BOOST_TEST(sum(x, std::vector<int>{0, -1}).item() == 21);
  BOOST_TEST(sum(x, std::array{0, 1}).item() == 21);
  BOOST_TEST(sum(Variable(3.0), Variable(3.0).rank() - 1).item() == 3);
  BOOST_TEST((x.reshape({m, n}).shape() == Shape{3, 2}));
  BOOST_TEST((x.reshape({-1, n}).shape() == Shape{3, 2}));
  BOOST_TEST((transpose(x, std::vector<unsigned>{1, 0}).shape() == Shape{3, 2}));
  BOOST_TEST((broadcast_to(x, std::array<long, 3>{4, 2, 3}).shape() == Shape{4, 2, 3}));
  BOOST_TEST((split(x, {int(n) - 1, m - 2}).size() == 2));
  BOOST_TEST((split(x, std::vector<int>{1, 2}, x.rank() - 1)[1].shape() == Shape{2, 2}));
  BOOST_TEST((max_pool2d(zeros({1, 4, 6}), {n, std::size_t{m}}).shape() == Shape{1, 2, 2}));
  BOOST_TEST((max_pool2d(zeros({1, 4, 6}), ints).shape() == Shape{1, 2, 2}));
  BOOST_TEST((pad(x, {{n, m}, {0, 1}}).shape() == Shape{7, 4}));
  std::size_t none = 0;
  throws<ShapeError>([&] { x.reshape({none - 1}); }, {"18446744073709551615", "more than memory can address"});
  throws<ShapeError>([&] { sum(x, x.rank()); }, {"sum", "axis 2"});
}

BOOST_AUTO_TEST_SUITE_END()
