// One seed: the same seed gives the same bits, from run to run and on any number of threads.
#include <string>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;

namespace {

using Bits = std::string;

Bits bits_of(const StateDict& state) {
  Bits bits;
  for (const auto& [name, x] : state)
    visit(x.dtype(), [&, &x = x]<class T>(T) {
      bits.append(reinterpret_cast<const char*>(x.data<T>()), x.value().bytes());
    });
  return bits;
}

struct ThreadsScope {
  int before = num_threads();
  explicit ThreadsScope(int count) { set_num_threads(count); }
  ~ThreadsScope() { set_num_threads(before); }
};

// A training of some steps with everything that is random: initial weights, data, order, transforms, dropout.
Bits train(std::uint64_t seed, int threads, std::size_t workers) {
  ThreadsScope scope(threads);
  xtape::seed(seed);
  nn::Sequential net{nn::Conv2D(1, 4, 3), nn::BatchNorm2D(4), nn::ReLU(), nn::Flatten(), nn::Dropout(0.3),
                     nn::Dense(4 * 6 * 6, 10)};
  optim::Adam adam(net.parameters(), {.lr = 1e-2});
  nn::TensorDataset images(randn({60, 1, 8, 8}), argmax(randn({60, 10}), 1));
  nn::DataLoader loader(images, {.batch_size = 16,
                                 .shuffle = true,
                                 .transforms = {nn::random_horizontal_flip(), nn::random_crop(1)},
                                 .num_workers = workers});
  for (int epoch = 0; epoch < 2; ++epoch)
    for (auto& [x, y] : loader) {
      adam.zero_grad();
      nn::softmax_cross_entropy(net(x), y).backward();
      adam.step();
    }
  return bits_of(net.state_dict()) + bits_of(adam.state_dict());
}

// The same without products of matrices, whose sums several threads may order otherwise.
Bits train_elementwise(std::uint64_t seed, int threads) {
  ThreadsScope scope(threads);
  xtape::seed(seed);
  Variable weight = parameter(randn({50'000})), x = randn({50'000});
  optim::Adam adam({weight}, {.lr = 1e-2});
  for (int step = 0; step < 5; ++step) {
    adam.zero_grad();
    mean(square(tanh(dropout(weight, 0.1) * x) - sigmoid(x))).backward();
    adam.step();
  }
  return bits_of(adam.state_dict()) + bits_of({{"weight", weight}});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reproducibility)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bits) {
  Bits first = train(3, 1, 0);
  BOOST_TEST((train(3, 1, 0) == first));
  BOOST_TEST((train(4, 1, 0) != first));
}

BOOST_AUTO_TEST_CASE(whatever_the_number_of_workers) {
  Bits first = train(3, 1, 0);
  for (std::size_t workers : {1, 3}) BOOST_TEST((train(3, 1, workers) == first));
}

BOOST_AUTO_TEST_CASE(two_threads_give_the_same_bits_from_run_to_run) {
  BOOST_TEST((train(3, 2, 1) == train(3, 2, 1)));
}

BOOST_AUTO_TEST_CASE(elementwise_work_is_the_same_on_any_number_of_threads) {
  Bits first = train_elementwise(5, 1);
  for (int threads : {1, 2, 3}) BOOST_TEST((train_elementwise(5, threads) == first));
  BOOST_TEST((train_elementwise(6, 1) != first));
}

BOOST_AUTO_TEST_CASE(initializers_do_not_depend_on_threads) {
  auto draw = [](int threads) {
    ThreadsScope scope(threads);
    seed(8);
    nn::Sequential net{nn::Dense(300, 200, {.weight_init = nn::normal()}), nn::Conv2D(8, 16, 5)};
    return bits_of(net.state_dict());
  };
  Bits first = draw(1);
  BOOST_TEST((draw(2) == first));
}

BOOST_AUTO_TEST_SUITE_END()
