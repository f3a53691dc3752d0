// Elements in and out without a copy: memory of others, containers given away, and writable adaptors.
#include <memory>
#include <vector>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

#include "views_and_random.hpp"

using namespace xtape;
using xtape::testing::same;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(from_blobs)

BOOST_AUTO_TEST_CASE(memory_of_others_is_used_in_place) {
  float elements[]{1, 2, 3, 4};
  {
    Variable x = from_blob(elements, {2, 2});
    BOOST_TEST(x.data<float>() == elements);
    same(x, Variable{{1, 2}, {3, 4}});
    x *= 2;
    BOOST_TEST(elements[3] == 8);  // a sole owner writes there
    Variable before = x.detach();
    x += 1;
    same(before, Variable{{2, 4}, {6, 8}});
    same(x, Variable{{3, 5}, {7, 9}});
    BOOST_TEST(elements[3] == 8);  // x has elements of its own now
  }
  std::int64_t integers[]{1, 2};
  double numbers[]{1, 2};
  bool bits[]{true, false};
  BOOST_TEST((from_blob(integers, {2}).dtype() == int64));
  BOOST_TEST((from_blob(numbers, {2}).dtype() == float64));
  BOOST_TEST((from_blob(bits, {2}).dtype() == boolean));
  BOOST_TEST((from_blob(numbers, {0, 3}).shape() == Shape{0, 3}));
  BOOST_TEST(from_blob(numbers + 1, {}).item() == 2);
  throws<ValueError>([] { from_blob(static_cast<float*>(nullptr), {2, 3}); }, {"from_blob", "null pointer", "float32(2, 3)"});
  throws<ShapeError>([&] { from_blob(numbers, {-2}); }, {"from_blob", "(-2,)"});
}

BOOST_AUTO_TEST_CASE(const_memory_is_never_written) {
  const std::vector<double> elements{1, 2, 3};
  Variable x = from_blob(elements.data(), {elements.size()}), row = x.reshape({1, 3});
  BOOST_TEST(x.data<double>() == elements.data());
  x += 1;
  row *= 2;
  x.mutable_data<double>()[0] = 7;
  same(x, Variable({7, 3, 4}, float64));
  same(row, Variable({{2, 4, 6}}, float64));
  BOOST_TEST((elements == std::vector<double>{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(the_owner_lives_as_long_as_the_elements) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  std::weak_ptr<std::vector<float>> alive = owner;
  Variable part;
  {
    Variable x = from_blob(owner->data(), {3}, owner);
    owner.reset();
    part = x.reshape({3, 1});
  }
  BOOST_TEST(!alive.expired());
  same(part, Variable{{1}, {2}, {3}});
  part += 1;
  BOOST_TEST((*alive.lock() == std::vector<float>{2, 3, 4}));  // the last that has them
  part = Variable();
  BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE(it_computes_and_has_gradients) {
  std::vector<double> elements{1, 2, 3};
  Variable x = from_blob(elements.data(), {3}).requires_grad_();
  Variable y = sum(x * x * x);
  {
    NoGrad guard;
    x -= 1;  // what the tape saved stays
  }
  y.backward();
  same(x.grad(), Variable({3, 12, 27}, float64));
}

BOOST_AUTO_TEST_CASE(containers_given_away_are_not_copied) {
  xt::xarray<float> a{{1, 2}, {3, 4}};
  const float* elements = a.data();
  Variable x(std::move(a));
  BOOST_TEST(x.data<float>() == elements);
  same(x, Variable{{1, 2}, {3, 4}});
  x += 1;
  BOOST_TEST(x.data<float>() == elements);
  xt::xtensor<std::int64_t, 1> t{1, 2};
  const std::int64_t* integers = t.data();
  BOOST_TEST(Variable(std::move(t)).data<std::int64_t>() == integers);
  std::vector<double> v{1, 2, 3};
  const double* numbers = v.data();
  Variable y(std::move(v));
  BOOST_TEST(y.data<double>() == numbers);
  same(y, Variable({1, 2, 3}, float64));

  xt::xarray<float> kept{1, 2};
  Variable copy(kept);
  copy += 1;
  BOOST_TEST(kept(0) == 1);
  xt::xarray<double, xt::layout_type::column_major> columns{{1, 2}, {3, 4}};
  same(Variable(std::move(columns)), Variable({{1, 2}, {3, 4}}, float64));
  same(Variable(xt::xarray<int>{1, 2}), Variable({1, 2}, int64));
  same(Variable(std::vector<unsigned char>{1, 255}), Variable({1, 255}, int64));
  same(Variable(std::vector<bool>{true, false}), Variable({1, 0}, boolean));
  throws<ValueError>([] { Variable(std::vector<std::uint64_t>{~std::uint64_t{0}}); }, {"18446744073709551615", "int64"});
}

BOOST_AUTO_TEST_CASE(adaptors_to_write_through) {
  Variable x{{1, 2}, {3, 4}}, same_handle = x, other = x.detach();
  auto before = x.array<float>();
  x.mutable_array<float>() += 1;
  x.mutable_array<float>()(1, 1) = 9;
  xt::view(x.mutable_array<float>(), 0, xt::all()) = xt::xarray<float>{7, 8};
  same(x, Variable{{7, 8}, {4, 9}});
  same(same_handle, x);
  same(other, Variable{{1, 2}, {3, 4}});
  BOOST_TEST(before(1, 1) == 4);
  auto survivor = Variable{1, 2}.mutable_array<float>();  // keeps the Variable alive
  survivor(0) = 5;
  BOOST_TEST(survivor(0) == 5);
  throws<DTypeError>([&] { x.mutable_array<double>(); }, {"float32", "float64"});
}

BOOST_AUTO_TEST_SUITE_END()
