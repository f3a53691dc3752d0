// Moving averages of weights.
#include <cmath>

#include "support.hpp"

using namespace xtape;
using namespace xtape::testing;
using optim::EMA;

BOOST_AUTO_TEST_SUITE(ema)

BOOST_AUTO_TEST_CASE(is_its_recurrence) {
  for (DType dtype : {float64, float32}) {
    auto xs = parameters(dtype);
    EMA ema(xs, {.decay = 0.7});
    std::vector<std::vector<double>> averages(xs.size());
    for (int t = 0; t < 5; ++t) {
      NoGrad guard;
      for (Variable& x : xs) x *= -0.9;
      ema.update();
      for (std::size_t i = 0; i < xs.size(); ++i)
        for (std::size_t k = 0; k < xs[i].size(); ++k) {
          double p = xs[i].value().at(k);
          if (t == 0) averages[i].push_back(p);
          else averages[i][k] = 0.7 * averages[i][k] + 0.3 * p;
          BOOST_TEST(std::abs(ema.averages()[i].value().at(k) - averages[i][k]) <= (dtype == float64 ? 1e-14 : 1e-6));
        }
    }
    BOOST_TEST(ema.updates() == 5);
  }
}

BOOST_AUTO_TEST_CASE(stands_in_for_the_parameters_within_a_scope) {
  Variable x = parameter(Variable{1, 2, 3});
  EMA ema({x}, {.decay = 0.5});
  NoGrad guard;
  ema.update();
  x.assign(Variable{3, 4, 5});
  ema.update();
  {
    EMA::Scope scope(ema);
    close(x, Variable{2, 3, 4});
  }
  close(x, Variable{3, 4, 5});
  close(ema.averages()[0], Variable{2, 3, 4});
}

BOOST_AUTO_TEST_CASE(states_go_on_to_the_same_bits) {
  auto run = [](bool interrupted) {
    auto xs = parameters(float32);
    auto ema = std::make_unique<EMA>(xs, optim::EMAOptions{.decay = 0.9});
    for (int t = 0; t < 4; ++t) {
      if (interrupted) {
        StateDict state = ema->state_dict();
        ema = std::make_unique<EMA>(xs);
        ema->load_state_dict(state);
        same(ema->state_dict(), state);
      }
      NoGrad guard;
      for (Variable& x : xs) x *= 0.8;
      ema->update();
    }
    return ema->averages();
  };
  same(run(false), run(true));
}

// As lazy layers do: the values come with the first call.
BOOST_AUTO_TEST_CASE(parameters_that_get_their_elements_later_are_averaged_from_then_on) {
  Variable x = parameter(zeros({0, 2})), y = parameter(ones({1}));
  EMA ema({x, y}, {.decay = 0.5});
  NoGrad guard;
  ema.update();
  x.impl()->value = Variable{{1, 2}}.value().copy();
  {
    EMA::Scope scope(ema);  // there is no other average yet
    close(x, Variable{{1, 2}});
  }
  ema.update();
  close(ema.averages()[0], Variable{{1, 2}});
  x.assign(Variable{{3, 4}});
  ema.update();
  close(ema.averages()[0], Variable{{2, 3}});
  EMA::Scope scope(ema);
  close(x, Variable{{2, 3}});
}

BOOST_AUTO_TEST_CASE(parameters_of_another_shape_are_refused) {
  Variable x = parameter(ones({2})), y = parameter(ones({1}));
  EMA ema({y, x});
  ema.update();
  StateDict before = ema.state_dict();
  NoGrad guard;
  y.assign(Variable{2});
  x.impl()->value = ones({3}).value().copy();
  throws<ShapeError>([&] { ema.update(); }, {"EMA: update: parameter 1 is float32(3,)", "(2,)"});
  throws<ShapeError>([&] { ema.swap(); }, {"EMA: swap: parameter 1 is float32(3,)"});
  same(ema.state_dict(), before);
  BOOST_TEST(ema.updates() == 1);
}

BOOST_AUTO_TEST_CASE(misuse) {
  Variable x = parameter(ones({2}));
  throws<ValueError>([] { EMA({}); }, {"EMA: the list of parameters is empty"});
  throws<ValueError>([&] { EMA({x}, {.decay = NAN}); }, {"EMA: decay is nan"});
  throws<ValueError>([&] { EMA({x}, {.decay = 1.1}); }, {"EMA: decay is 1.1", "at most 1"});
  throws<ValueError>([&] { EMA({x, x}); }, {"EMA: parameter 1 is listed before"});
  throws<ValueError>([] { EMA({Variable()}); }, {"EMA: parameter 0 is undefined"});
  throws<DTypeError>([] { EMA({arange(3).to(int64)}); }, {"EMA: parameter 0 is int64(3,)"});
  EMA ema({x});
  throws<Error>([&] { ema.averages(); }, {"EMA: averages", "before the first update"});
  throws<Error>([&] { EMA::Scope scope(ema); }, {"EMA: swap"});
  ema.update();
  StateDict before = ema.state_dict(), state = before;
  state["average.0"] = ones({3});
  state["decay"] = Variable({2.0}, float64);
  throws<ValueError>([&] { ema.load_state_dict(state); },
                     {"EMA: load_state_dict", "average.0: got float32(3,), needs float32(2,)", "decay is 2"});
  same(ema.state_dict(), before);
}

BOOST_AUTO_TEST_SUITE_END()
