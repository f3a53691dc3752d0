// Model with what optim has that takes more than step(): against loops written by hand.
#include <vector>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(model_optim)

// A step of LBFGS asks for the loss many times. The network finds its widths, and draws its weights, in the first.
BOOST_AUTO_TEST_CASE(lbfgs_asks_for_the_loss) {
  Variable x = randn({50, 2}), y = (sum(square(x), 1) < 1.0).to(int64);
  optim::LBFGSOptions options{.max_iter = 6, .strong_wolfe = true};
  std::vector<double> losses;
  seed(1);
  nn::Sequential by_hand{nn::Dense(8), nn::Tanh(), nn::Dense(2)};
  optim::LBFGS lbfgs(by_hand.parameters(), options);
  for (int epoch = 0; epoch < 4; ++epoch) {
    Variable first = lbfgs.step([&] {
      lbfgs.zero_grad();
      Variable loss = nn::softmax_cross_entropy(by_hand(x), y);
      loss.backward();
      return loss;
    });
    losses.push_back(first.item());
  }
  seed(1);
  nn::Sequential by_model{nn::Dense(8), nn::Tanh(), nn::Dense(2)};
  optim::LBFGS in_model(by_model.parameters(), options);
  nn::Model model(by_model, nn::softmax_cross_entropy, in_model);
  nn::History history = model.fit(std::vector<nn::Batch>{{x, y}}, {.epochs = 4});
  BOOST_TEST(history["loss"] == losses, boost::test_tools::per_element());
  for (std::size_t i = 0; i < 4; ++i) close(by_model.parameters()[i], by_hand.parameters()[i]);
  BOOST_TEST(in_model.evaluations() == lbfgs.evaluations());
  BOOST_TEST(lbfgs.evaluations() > 4 * 2);
  BOOST_TEST(losses.back() < losses.front() / 2);
}

// An error in the first step, after the network has found its widths, leaves the weights that it drew.
BOOST_AUTO_TEST_CASE(lbfgs_after_an_error) {
  nn::Sequential net{nn::Dense(3), nn::Dense(2)};
  optim::LBFGS lbfgs(net.parameters());
  bool fails = true;
  nn::Model model(net, [&fails](const Variable& p, const Variable& y) {
    if (fails) throw ValueError("loss: fails");
    return nn::mse_loss(p, y);
  }, lbfgs);
  std::vector<nn::Batch> data{{ones({4, 5}), zeros({4, 2})}};
  throws<ValueError>([&] { model.fit(data); }, {"loss: fails"});
  fails = false;
  nn::History history = model.fit(data, {.epochs = 3});
  BOOST_TEST(history["loss"][2] < history["loss"][0]);
}

// The rate falls by what the loss of the validation data was, as in a loop.
BOOST_AUTO_TEST_CASE(rates_that_watch_the_validation) {
  seed(2);
  nn::Dense by_hand(3, 2), by_model = nn::clone(by_hand);
  Variable x = randn({20, 3}), y = randn({20, 2}), x_test = randn({10, 3}), y_test = randn({10, 2});
  optim::ReduceLROnPlateauOptions options{.factor = 0.5, .patience = 1, .threshold = 0.05};
  std::vector<double> losses, rates;
  optim::SGD sgd(by_hand.parameters(), {.lr = 0.3});
  optim::ReduceLROnPlateau schedule(sgd, options);
  for (int epoch = 0; epoch < 12; ++epoch) {
    rates.push_back(sgd.lr());
    sgd.zero_grad();
    nn::mse_loss(by_hand(x), y).backward();
    sgd.step();
    losses.push_back(nn::mse_loss(by_hand(x_test), y_test).item());
    schedule.step(losses.back());
  }
  optim::SGD in_model(by_model.parameters(), {.lr = 0.3});
  optim::ReduceLROnPlateau watching(in_model, options);
  nn::History history = nn::Model(by_model, nn::mse_loss, in_model)
                            .fit(std::vector<nn::Batch>{{x, y}},
                                 {.epochs = 12, .validation = std::vector<nn::Batch>{{x_test, y_test}},
                                  .callbacks = {nn::LearningRateSchedule(watching, {.monitor = "val_loss"})}});
  BOOST_TEST(history["val_loss"] == losses, boost::test_tools::per_element());
  BOOST_TEST(history["lr"] == rates, boost::test_tools::per_element());
  BOOST_TEST(in_model.lr() == sgd.lr());
  BOOST_TEST(rates.back() < 0.1);
}

BOOST_AUTO_TEST_SUITE_END()
