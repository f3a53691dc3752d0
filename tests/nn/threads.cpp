// Modules, optimizers and loaders that several threads use at once.
#include <atomic>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/in_threads.hpp>
#include <tests/support.hpp>

using namespace xtape;
using testing::in_threads;
using testing::same_numbers;

BOOST_AUTO_TEST_SUITE(module_threads)

// One of them finds the extents, and all compute with the same parameters.
BOOST_AUTO_TEST_CASE(first_calls_of_lazy_layers) {
  const Variable x = rand({2, 3, 6, 6});
  for (int repeat = 0; repeat < 100; ++repeat) {
    nn::Sequential net{nn::Conv2D(4, 3), nn::ReLU(), nn::Flatten(), nn::Dense(5), nn::Dense(2)};
    std::vector<Variable> found(4);
    in_threads(4, [&](int i) { found[static_cast<std::size_t>(i)] = net(x); });
    BOOST_REQUIRE(net.materialized());
    for (const Variable& y : found) BOOST_REQUIRE(same_numbers(y, found[0]));
  }
}

BOOST_AUTO_TEST_CASE(a_shared_network) {
  nn::Sequential net{nn::Dense(8, 16), nn::Tanh(), nn::Dense(16, 1)};
  const Variable x = rand({4, 8});
  mean(net(x)).backward();
  const Variable alone = net.parameters()[0].grad();
  net.zero_grad();
  in_threads(4, [&](int) {
    for (int repeat = 0; repeat < 8; ++repeat) mean(net(x)).backward();
  });
  BOOST_TEST(allclose(net.parameters()[0].grad(), alone * 32.0));
}

BOOST_AUTO_TEST_CASE(many_parameters) {
  std::vector<Variable> parameters;
  for (int i = 0; i < 100; ++i) parameters.push_back(ones({2}).requires_grad_());
  in_threads(4, [&](int) {
    Variable total = zeros({2});
    for (const Variable& x : parameters) total = total + x * x;
    sum(total).backward();
  });
  for (const Variable& x : parameters) BOOST_TEST(x.grad().value().at(1) == 8);
}

BOOST_AUTO_TEST_CASE(clones_of_one_network) {
  nn::Sequential net{nn::Dense(8, 8), nn::BatchNorm1D(8), nn::Dropout(0.5), nn::Dense(8, 1)};
  const Variable x = rand({4, 8});
  std::atomic<int> wrong = 0;
  in_threads(4, [&](int) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      nn::Sequential own = clone(net);
      optim::SGD sgd(own.parameters(), {.lr = 0.1});
      mean(own(x)).backward();
      sgd.step();
      wrong += !(own.state_dict().size() == net.state_dict().size());
    }
  });
  BOOST_TEST(wrong == 0);
  BOOST_TEST(!net.parameters()[0].grad().defined());
}

// A step beside another one of the same optimizer is refused, and changes nothing.
BOOST_AUTO_TEST_CASE(steps_of_one_optimizer) {
  Variable x = zeros({100000}).requires_grad_();
  sum(x).backward();
  optim::SGD sgd({x}, {.lr = 1});
  std::atomic<int> done = 0, wrong = 0;
  in_threads(4, [&](int) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      try {
        sgd.step();
        ++done;
      } catch (const Error& error) {
        wrong += std::string(error.what()).find("SGD: step: another thread") == std::string::npos;
      }
    }
  });
  BOOST_TEST(wrong == 0);
  BOOST_TEST(x.value().at(0) == -done);
  BOOST_TEST(x.value().at(99999) == -done);
}

// Whoever reads gets the averages before an update or those after it.
BOOST_AUTO_TEST_CASE(averages_that_are_read_while_they_are_updated) {
  Variable x = zeros({1000}, float64).requires_grad_();
  optim::EMA average({x}, {.decay = 0.5});
  average.update();
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  in_threads(3, [&](int i) {
    if (i == 0) {
      for (int repeat = 0; repeat < 200; ++repeat) {
        x.detach().assign(full({1000}, repeat, float64));
        average.update();
      }
      done = true;
    } else {
      while (!done) {
        const Variable read = average.averages()[0];
        wrong += !(max(read).item() == min(read).item());
        average.state_dict();
      }
    }
  });
  BOOST_TEST(wrong == 0);
  BOOST_TEST(average.updates() == 201);
}

BOOST_AUTO_TEST_CASE(a_loader_in_every_thread) {
  const Variable x = arange(0.0, 40.0), y = arange(0.0, 40.0);
  std::atomic<int> wrong = 0;
  in_threads(3, [&](int i) {
    nn::DataLoader loader(nn::TensorDataset(x, y), {.batch_size = 7, .shuffle = true, .num_workers = 2,
                                                   .seed = static_cast<std::uint64_t>(i)});
    for (int epoch = 0; epoch < 5; ++epoch) {
      double sum = 0;
      for (auto& [a, b] : loader) sum += xtape::sum(a).item();
      wrong += !(sum == 780);
    }
  });
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
