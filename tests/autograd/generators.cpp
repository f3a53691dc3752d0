// Generators, and the scopes in which others stand for them.
#include <thread>

#include <autograd/autograd.hpp>
#include <nn/dropout.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::same;

namespace {

Variable drawn(Generator& generator) { return Variable(generator.uniform({4}, 0, 1, float64)); }

bool differ(const Variable& a, const Variable& b) { return max(abs(a - b)).item() > 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(generators)

BOOST_AUTO_TEST_CASE(a_generator_for_a_scope) {
  seed(1);
  nn::Dropout layer(0.5);  // made before, with the default generator
  std::string before = default_generator().state();
  auto draws = [&] {
    return stack({rand({9}, float64), randn({9}, float64), dropout(ones({9}, float64)), layer(ones({9}, float64))});
  };
  Generator a(5), b(5), inner(6);
  Variable first, second;
  {
    WithGenerator scope(a);
    first = draws();
  }
  BOOST_TEST(default_generator().state() == before);
  {
    WithGenerator scope(b);
    {
      WithGenerator other(inner);
      BOOST_TEST(differ(draws(), first));
    }
    second = draws();
  }
  same(second, first);
  BOOST_TEST(a.state() == b.state());
  // One that is given explicitly is used.
  Generator c(7), d(7);
  WithGenerator scope(a);
  same(drawn(c), drawn(d));
}

BOOST_AUTO_TEST_CASE(a_scope_is_that_of_its_thread) {
  Generator a(5);
  std::string before = a.state();
  WithGenerator scope(a);
  std::thread([] { rand({9}); }).join();
  BOOST_TEST(a.state() == before);
}

BOOST_AUTO_TEST_CASE(forks) {
  Generator a(5), b(6);
  std::vector<detail::RandomFork::Seed> seeds;
  Variable of_a, of_b;
  {
    detail::RandomFork fork;
    of_a = drawn(a), of_b = drawn(b);
    BOOST_TEST(differ(of_a, drawn(a)));
    seeds = fork.seeds();
  }
  BOOST_TEST(seeds.size() == 2u);
  std::string state_a = a.state(), state_b = b.state();
  {
    detail::RandomFork fork(seeds);
    same(drawn(b), of_b);
    same(drawn(a), of_a);
    a.seed(3);  // of the scope's own
    Generator made_inside(3);
    same(drawn(a), drawn(made_inside));
    {
      detail::PastForks once;
      a.seed(5);
    }
  }
  BOOST_TEST(a.state() == Generator(5).state());
  BOOST_TEST(b.state() == state_b);
  BOOST_TEST(state_a != a.state());
  // A generator in the place of the default one is forked as well.
  detail::RandomFork fork;
  WithGenerator scope(b);
  rand({3});
  BOOST_TEST(fork.seeds().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
