// Random numbers against the definition of their generator, and against what their distributions are.
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/kernels/random.hpp>
#include <autograd/kernels/targets/random.hpp>
#include <autograd/threads.hpp>
#include <tests/support.hpp>

using namespace xtape;
using namespace xtape::kernels;

BOOST_AUTO_TEST_SUITE(random_numbers)

// The known answers of Random123, the library of the authors of Philox.
BOOST_AUTO_TEST_CASE(known_answers_of_philox) {
  using Four = std::array<std::uint32_t, 4>;
  BOOST_TEST((philox({0, 0, 0, 0}, {0, 0}) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  BOOST_TEST((philox({ones, ones, ones, ones}, {ones, ones}) == Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

BOOST_AUTO_TEST_CASE(words_of_each_target_are_those_of_the_definition) {
  const std::uint64_t seed = 0x123456789abcdef0, block = 0xffffffff - 20;  // beyond, the counter's second number counts
  const RandomStream stream{seed, block};
  for (std::size_t n : {1, 2, 63, 128, 301}) {
    std::vector<std::uint64_t> words(n);
    auto check = [&] {
      for (std::size_t i = 0; i < n; ++i) BOOST_TEST_REQUIRE(words[i] == stream.word(block + i / 2, i % 2 == 1));
    };
#ifdef XTAPE_SEVERAL_TARGETS
    random_words_on<Target::x86_64_v2>(seed, block, words.data(), n), check();
    if (target() >= Target::x86_64_v3) random_words_on<Target::x86_64_v3>(seed, block, words.data(), n), check();
    if (target() >= Target::x86_64_v4) random_words_on<Target::x86_64_v4>(seed, block, words.data(), n), check();
#else
    random_words_on<Target::any>(seed, block, words.data(), n), check();
#endif
  }
}

BOOST_AUTO_TEST_CASE(no_number_depends_on_threads_nor_on_how_many_are_drawn) {
  auto draw = [](const char* what, std::size_t n) {
    Generator generator(3);
    if (*what == 'u') return Variable(generator.uniform({n}, -1, 1, float32));
    if (*what == 'n') return Variable(generator.normal({n}, 0, 1, float32));
    return Variable(generator.integers({n}, -5, 1000));
  };
  for (const char* what : {"uniform", "normal", "integers"}) {
    constexpr std::size_t n = 100'001;
    NumThreads one(1);
    Variable expected = draw(what, n);
    {
      NumThreads two(2);
      xtape::testing::same(draw(what, n), expected);
    }
    for (std::size_t few : {1, 2, 7, 1000}) xtape::testing::same(draw(what, few), expected[range(0, few)]);
  }
}

// The moments of so many numbers, which stray by about n^(-1/2) from those of the distribution.
BOOST_AUTO_TEST_CASE(distributions) {
  constexpr std::size_t n = 1'000'000;
  constexpr double stray = 5e-3;  // five times as much
  Generator generator(1);
  auto moment = [](const Variable& x, int order) { return mean(pow(x, order)).item(); };
  for (DType dtype : {float32, float64}) {
    Variable u = Variable(generator.uniform({n}, -1, 1, dtype)).to(float64);
    for (int k = 1; k <= 6; ++k) BOOST_TEST(std::abs(moment(u, k) - (k % 2 ? 0 : 1.0 / (k + 1))) < stray);
    BOOST_TEST((all(u >= -1).item() && all(u < 1).item()));
    Variable z = Variable(generator.normal({n}, 0, 1, dtype)).to(float64);
    const double expected[] = {1, 0, 1, 0, 3, 0, 15};
    for (int k = 1; k <= 6; ++k) BOOST_TEST(std::abs(moment(z, k) - expected[k]) < stray * (k > 4 ? 100 : k > 2 ? 10 : 1));
    // Neighbours, which come of one block, have nothing to do with each other; nor do their squares.
    Variable pairs = reshape(z, {n / 2, 2}), first = pairs[{range(), 0}], second = pairs[{range(), 1}];
    BOOST_TEST(std::abs(mean(first * second).item()) < stray);
    BOOST_TEST(std::abs(mean((square(first) - 1) * (square(second) - 1)).item()) < 2 * stray);
    BOOST_TEST(std::abs(mean(z[range(0, n - 1)] * z[range(1, n)]).item()) < stray);
    BOOST_TEST(std::abs(mean((z < -2).to(float64)).item() - 0.0227501319) < 1e-3);
  }
  Variable x = Variable(generator.integers({n}, -3, 4)).to(float64);
  BOOST_TEST(std::abs(mean(x).item()) < 2 * stray);
  for (int k = -3; k < 4; ++k) BOOST_TEST(std::abs(mean((x == k).to(float64)).item() - 1.0 / 7) < 2e-3);
}

// A count that does not divide 2^64: without drawing some words again, one half of the numbers would be twice as likely.
BOOST_AUTO_TEST_CASE(all_integers_are_equally_likely) {
  Generator generator(2);
  const std::int64_t low = -(std::int64_t{3} << 61), high = std::int64_t{3} << 61;
  Variable third = Variable(generator.integers({300'000}, low, high)).to(float64) / 0x1p61;
  for (int k = -3; k < 3; ++k)
    BOOST_TEST(std::abs(mean((third >= k && third < k + 1).to(float64)).item() - 1.0 / 6) < 4e-3);
  const auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  Variable all = Variable(generator.integers({300'000}, least, most)).to(float64);
  BOOST_TEST(std::abs(mean(all / 0x1p63).item()) < 0.01);
  BOOST_TEST(std::abs(mean(square(all / 0x1p63)).item() - 1.0 / 3) < 0.01);
}

BOOST_AUTO_TEST_CASE(permutations) {
  Generator generator(4);
  std::array<int, 27> counts{};
  for (int i = 0; i < 60'000; ++i) {
    Array p = generator.permutation(3);
    const auto* k = p.data<std::int64_t>();
    ++counts[static_cast<std::size_t>(9 * k[0] + 3 * k[1] + k[2])];
  }
  for (int i : {5, 7, 11, 15, 19, 21}) BOOST_TEST(std::abs(counts[static_cast<std::size_t>(i)] - 10'000) < 500);
  Array many = generator.permutation(1000);
  BOOST_TEST(std::set<std::int64_t>(many.data<std::int64_t>(), many.data<std::int64_t>() + 1000).size() == 1000u);
  BOOST_TEST(generator.permutation(0).size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
