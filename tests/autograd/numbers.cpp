// Numbers of C++ and integers: what goes into an array comes out of it, compares as the number that it is, or is refused.
#include <cstdint>
#include <limits>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::throws;

namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
constexpr auto beyond = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t odd = 1700000000123456789;  // no double, 768 at the end instead of 789
constexpr double infinity = std::numeric_limits<double>::infinity();

bool holds(const Variable& x, const std::vector<std::int64_t>& expected) {
  return x.dtype() == int64 && std::vector(x.data<std::int64_t>(), x.data<std::int64_t>() + x.size()) == expected;
}
bool says(const Variable& x, const std::vector<bool>& expected) {
  return x.dtype() == boolean && std::vector<bool>(x.data<bool>(), x.data<bool>() + x.size()) == expected;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(numbers)

BOOST_AUTO_TEST_CASE(integers_stay_integers_on_the_way_in) {
  BOOST_TEST(holds(Variable({odd, most, least}, int64), {odd, most, least}));
  BOOST_TEST(holds(Variable(odd), {odd}));
  BOOST_TEST(holds(Variable(odd).reshape({1}), {odd}));
  BOOST_TEST(holds(Variable(odd).to(int64), {odd}));
  BOOST_TEST(holds(full({1}, most, int64), {most}));
  BOOST_TEST(holds(full_like(arange(1), odd), {odd}));
  BOOST_TEST(holds(arange(most - 2, most), {most - 2, most - 1}));
  BOOST_TEST(holds(arange(least + 1, least, -1), {least + 1}));
  BOOST_TEST(holds(arange(least, most, most), {least, -1, most - 1}));
  BOOST_TEST(holds(arange(odd, odd + 2, 1, int64), {odd, odd + 1}));
  BOOST_TEST(holds(arange(3, 0), std::vector<std::int64_t>{}));
  BOOST_TEST(holds(arange(std::uint64_t{2}), {0, 1}));
  BOOST_TEST(holds(Variable(xt::xarray<std::uint64_t>{1, 2}), {1, 2}));
  BOOST_TEST((Variable(true).dtype() == boolean && Variable(2).dtype() == int64 && Variable(2.0).dtype() == float32));
}

BOOST_AUTO_TEST_CASE(integers_stay_integers_within) {
  Variable x({odd, 1}, int64);
  BOOST_TEST(holds(x + 1, {odd + 1, 2}));
  BOOST_TEST(holds(x + true, {odd + 1, 2}));
  BOOST_TEST(holds(maximum(x, odd - 1), {odd, odd - 1}));
  BOOST_TEST(holds(clip(x, 0, most), {odd, 1}));
  BOOST_TEST(holds(clip(x, least, odd - 1), {odd - 1, 1}));
  BOOST_TEST(holds(clamp_min(x, odd), {odd, odd}));
  BOOST_TEST(holds(clamp_max(x, odd), {odd, 1}));
  BOOST_TEST(holds(threshold(x, 1, most), {odd, most}));
  BOOST_TEST(holds(where(x == 1, most, x), {odd, most}));
  BOOST_TEST(holds(where(x == 1, most, least), {least, most}));
  BOOST_TEST(holds(where(true, x, 0), {odd, 1}));
  BOOST_TEST(holds(pow(Variable({3000000001}, int64), 2), {9000000006000000001}));
  BOOST_TEST(holds(pad(x, {{1, 0}}, PadMode::constant, most), {most, odd, 1}));
  BOOST_TEST(holds(masked_fill(x, x == 1, odd), {odd, odd}));
  BOOST_TEST(holds(index_fill(x, 0, Variable({1}, int64), odd), {odd, odd}));
  BOOST_TEST(holds(slice_assign(x, {1}, most), {odd, most}));
  x.assign(odd);
  BOOST_TEST(holds(x, {odd, odd}));
  x -= odd;
  BOOST_TEST(holds(x, {0, 0}));
  Variable count = 0;
  for (int i = 0; i < 3; ++i) count += most / 3;
  BOOST_TEST(holds(count, {most / 3 * 3}));
}

BOOST_AUTO_TEST_CASE(integers_stay_integers_on_the_way_out) {
  Variable x({odd}, int64);
  BOOST_TEST(x.item<std::int64_t>() == odd);
  BOOST_TEST(Variable(beyond).item<std::uint64_t>() == beyond);
  BOOST_TEST(Variable({7}, int64).item() == 7);
  BOOST_TEST(Variable({7}, int64).item<int>() == 7);
  BOOST_TEST(Variable({7.0}).item<int>() == 7);
  BOOST_TEST(Variable({0.1}, float64).item<float>() == 0.1f);
  BOOST_TEST((Variable(2) > 1).item<bool>());
  BOOST_TEST((Variable(2) > 1).item() == 1);
  throws<ValueError>([&] { x.item(); }, {"item: 1700000000123456789 does not fit float64"});
  throws<ValueError>([&] { x.item<int>(); }, {"item: 1700000000123456789 does not fit int32"});
  throws<ValueError>([] { Variable({16777217}, int64).item<float>(); }, {"item: 16777217 does not fit float32"});
  throws<ValueError>([] { Variable({-1}, int64).item<unsigned>(); }, {"item: -1 does not fit uint32"});
  throws<ValueError>([] { Variable({2.5}).item<int>(); }, {"item: 2.5 does not fit int32"});
  throws<ValueError>([] { Variable({infinity}).item<std::int64_t>(); }, {"item: inf does not fit int64"});
  throws<ValueError>([] { Variable({2}, int64).item<bool>(); }, {"item: 2 does not fit bool"});
  throws<ShapeError>([] { arange(2).item<int>(); }, {"item", "(2,)"});
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  Variable x = arange(3);
  throws<ValueError>([] { Variable({1, 2.5}, int64); }, {"Variable: 2.5 does not fit int64"});
  throws<ValueError>([] { Variable({1e30}, int64); }, {"Variable: 1e+30 does not fit int64"});
  throws<ValueError>([] { Variable({2}, boolean); }, {"Variable: 2 does not fit bool"});
  throws<ValueError>([] { Variable({beyond}, int64); }, {"Variable: 18446744073709551615 does not fit int64"});
  throws<ValueError>([] { Variable(xt::xarray<std::uint64_t>{1, beyond}); },
                     {"Variable: 18446744073709551615 does not fit int64"});
  throws<ValueError>([] { full({1}, 1e30, int64); }, {"full: 1e+30 does not fit int64"});
  throws<ValueError>([] { full({1}, beyond, int64); }, {"full: 18446744073709551615 does not fit int64"});
  throws<ValueError>([] { full({1}, std::nan(""), int64); }, {"full: nan does not fit int64"});
  throws<ValueError>([] { full_like(arange(1), 0.5); }, {"full_like: 0.5 does not fit int64"});
  throws<ValueError>([] { arange(0.5, 2, 1, int64); }, {"arange: 0.5 does not fit int64"});
  throws<ValueError>([] { arange(beyond - 1, beyond); }, {"arange: 1844674407370955161", "does not fit int64"});
  throws<ValueError>([] { linspace(0, 1e30, 3, int64); }, {"linspace: 5e+29 does not fit int64"});
  throws<ValueError>([&] { x + beyond; }, {"add: 18446744073709551615 does not fit int64"});
  throws<ValueError>([&] { clip(x, 0, beyond); }, {"clip: 18446744073709551615 does not fit int64"});
  throws<ValueError>([&] { pad(x, {{1, 1}}, PadMode::constant, 0.5); }, {"pad: 0.5 does not fit int64"});
  throws<ValueError>([&] { masked_fill(x, x > 1, 0.5); }, {"masked_fill: 0.5 does not fit int64"});
  throws<ValueError>([&] { index_fill(x, 0, Variable({1}, int64), infinity); }, {"index_fill: inf does not fit int64"});
  throws<ValueError>([&] { slice_assign(x, {1}, 0.5); }, {"slice_assign: 0.5 does not fit int64"});
  throws<ValueError>([&] { x.assign(0.5); }, {"assign: 0.5 does not fit int64"});
  throws<ValueError>([&] { scatter(x, 0, Variable({1}, int64), 0.5); }, {"scatter: 0.5 does not fit int64"});
  for (double v : {1e30, -1e19, 0x1p63, infinity, std::nan("")})
    throws<ValueError>([&] { Variable({1, v}, float64).to(int64); }, {"to:", "does not fit int64"});
  BOOST_TEST(holds(Variable({-0x1p63, 2.7, -2.7}, float64).to(int64), {least, 2, -2}));
  throws<DTypeError>([&] { masked_fill(x, x > 1, Variable({1.0})); }, {"masked_fill", "float32(1,)", "int64"});
  throws<DTypeError>([&] { x.assign(ones({3})); }, {"assign", "float32(3,)", "int64"});
  throws<ShapeError>([&] { x += 0.5; }, {"+=", "float32(3,)", "int64(3,)"});
  BOOST_TEST(holds(x, {0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(integers_and_other_numbers_compare_as_they_are) {
  Variable x({odd, odd - 21, 2}, int64);  // the second is a double
  constexpr double rounded = 1700000000123456768;
  BOOST_TEST(says(x == rounded, {false, true, false}));
  BOOST_TEST(says(x > rounded, {true, false, false}));
  BOOST_TEST(says(rounded < x, {true, false, false}));
  BOOST_TEST(says(x <= Variable({rounded}, float64), {false, true, true}));
  BOOST_TEST(says(Variable({rounded}, float64) != x, {true, false, true}));
  BOOST_TEST(says(x < 2.5, {false, false, true}));
  BOOST_TEST(says(x == 2.5, {false, false, false}));
  BOOST_TEST(says(-x < -1.5, {true, true, true}));
  BOOST_TEST(says(-x > -2.5, {false, false, true}));
  for (double v : {1e30, infinity, 0x1p63}) {
    BOOST_TEST(says(x < v, {true, true, true}));
    BOOST_TEST(says(x >= v, {false, false, false}));
    BOOST_TEST(says(-v <= x, {true, true, true}));
    BOOST_TEST(says(x != v, {true, true, true}));
  }
  BOOST_TEST(says(x < beyond, {true, true, true}));
  BOOST_TEST(says(x == beyond, {false, false, false}));
  for (const Variable& nothing : {x < NAN, x > NAN, x == NAN, NAN <= x, NAN >= x})
    BOOST_TEST(says(nothing, {false, false, false}));
  BOOST_TEST(says(x != NAN, {true, true, true}));
  BOOST_TEST(says(Variable({16777216.0, 16777218.0}) == 16777217, {false, false}));  // which float32 lacks
  BOOST_TEST(says(Variable({16777216.0, 16777218.0}) < 16777217, {true, false}));
  BOOST_TEST(says(Variable({0.1}) == 0.1, {true}));  // as in NumPy and PyTorch, where the array has the say
  BOOST_TEST(says(Variable({16777217}, int64) == Variable({16777216.0}), {false}));
  BOOST_TEST(says((x > 2) == 1.0, {true, true, false}));
  BOOST_TEST(says((x > 2) < 2, {true, true, true}));
}

BOOST_AUTO_TEST_CASE(integers_are_finite) {
  for (const Variable& x : {arange(3), Variable({most, least, 0}, int64), arange(3) > 1}) {
    BOOST_TEST(says(isfinite(x), {true, true, true}));
    BOOST_TEST(says(isinf(x), {false, false, false}));
    BOOST_TEST(says(isnan(x), {false, false, false}));
  }
  BOOST_TEST(says(signbit(arange(3) - 1), {true, false, false}));
}

BOOST_AUTO_TEST_SUITE_END()
