// Modules over a batch of samples, and of parameters.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <tests/autograd/batches.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::normals;

namespace {

using Variables = std::vector<Variable>;

// The gradients of each sample's loss by all parameters, and how often the network was called for them.
struct PerSample {
  Variables gradients;
  int calls = 0;
};

PerSample per_sample_gradients(const nn::Module& net, const Variable& x, const Variable& labels) {
  PerSample result;
  const Variables parameters = net.parameters();
  auto of_one = [&](const Variable& xi, const Variable& label) {
    return grad([&](const Variables& p) {
      ++result.calls;
      Variable y = nn::functional_call(net, p, expand_dims(xi, 0));
      return nn::softmax_cross_entropy(y, expand_dims(label, 0));
    }, parameters);
  };
  NoGrad first_derivatives_alone;
  result.gradients = vmap(of_one, {x, labels});
  return result;
}

// The same by backward, one sample after the other.
void check_per_sample(nn::Module& net, const Variable& x, const Variable& labels) {
  PerSample found = per_sample_gradients(net, x, labels);
  BOOST_TEST(found.calls == 1);
  const Variables parameters = net.parameters();
  BOOST_REQUIRE(found.gradients.size() == parameters.size());
  for (std::size_t i = 0; i < x.shape()[0]; ++i) {
    for (const Variable& p : parameters) p.zero_grad();
    const auto at = static_cast<std::ptrdiff_t>(i);
    nn::softmax_cross_entropy(net(x[range(at, at + 1)]), labels[range(at, at + 1)]).backward();
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      BOOST_TEST(!found.gradients[k].requires_grad());
      close(found.gradients[k][at], parameters[k].grad(), 1e-12);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vmap_modules)

BOOST_AUTO_TEST_CASE(gradients_of_each_sample) {
  DefaultDType precise(float64);
  Variable labels({0, 2, 1, 1, 0}, int64);
  nn::Sequential dense{nn::Dense(4, 8), nn::ReLU(), nn::LayerNorm(8), nn::Dense(8, 8), nn::GELU(), nn::Dense(8, 3)};
  check_per_sample(dense, normals({5, 4}), labels);
  nn::Sequential images{nn::Conv2D(1, 3, 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2D(2), nn::Conv2D(3, 4, 2),
                        nn::Tanh(), nn::AvgPool2D(2), nn::Flatten(), nn::Dense(4, 3)};
  check_per_sample(images, normals({5, 1, 6, 6}), labels);
}

// Gradients, and second ones, of each sample's output of layers that work in other ways.
BOOST_AUTO_TEST_CASE(recurrent_layers_and_losses) {
  DefaultDType precise(float64);
  Variable x = normals({3, 5, 2, 4});
  nn::LSTM lstm(4, 3);
  nn::GRU gru(4, 3);
  const std::vector<std::pair<const char*, std::function<Variable(const Variable&)>>> functions = {
      {"LSTM", [&](auto& v) { return lstm(v); }},
      {"GRU", [&](auto& v) { return gru(v); }},
      {"huber_loss", [](auto& v) { return nn::huber_loss(v, ones_like(v)); }},
      {"smooth_l1_loss", [](auto& v) { return nn::smooth_l1_loss(v, ones_like(v)); }},
      {"mse_loss", [](auto& v) { return nn::mse_loss(v, ones_like(v)); }}};
  for (const auto& [name, f] : functions)
    BOOST_TEST_CONTEXT(name) {
      auto gradient = [&](const Variable& v) { return grad([&](auto& u) { return sum(sin(f(u))); }, v); };
      auto second = [&](const Variable& v) { return hvp([&](auto& u) { return sum(sin(f(u))); }, v, v).grads; };
      for (const auto& g : std::vector<std::function<Variable(const Variable&)>>{gradient, second}) {
        Variables expected;
        for (const Variable& v : unbind(x)) expected.push_back(g(v).detach());
        close(vmap(g, x).detach(), stack(expected), 1e-11);
      }
    }
}

// With a Variable in the place of a buffer that it counts in, and reads.
BOOST_AUTO_TEST_CASE(what_modules_write_stays_theirs) {
  struct Counter : nn::Module {
    Variable n = zeros({}, float64);
    Counter() { add("n", n); }
    Variable forward(const Variable& x) override {
      n.assign(n + sum(x));
      return x * n.item();
    }
  };
  Counter counter;
  Variable x = normals({4, 3}), fixed = zeros({}, float64);
  Variable y = vmap([&](const Variable& v) { return nn::functional_call(counter, {{"n", fixed}}, v); }, x);
  close(counter.named_buffers()[0].second, zeros({}, float64));
  close(fixed, sum(x), 1e-13);
  close(y, x * reshape(cumsum(sum(x, 1), 0), {4, 1}), 1e-13);
}

BOOST_AUTO_TEST_CASE(layers_that_keep_statistics) {
  DefaultDType precise(float64);
  nn::Sequential net{nn::Dense(3, 4), nn::BatchNorm1D(4)}, other = nn::clone(net);
  Variable x = normals({5, 2, 3});
  Variable y = vmap([&](const Variable& v) { return net(v); }, {x});
  Variables expected;
  for (const Variable& v : unbind(x)) expected.push_back(other(v));
  close(y, stack(expected), 1e-12);
  const auto buffers = net.named_buffers(), expected_buffers = other.named_buffers();
  for (std::size_t i = 0; i < buffers.size(); ++i) close(buffers[i].second, expected_buffers[i].second, 1e-12);
}

BOOST_AUTO_TEST_CASE(an_ensemble) {
  DefaultDType precise(float64);
  std::vector<nn::Sequential> nets;
  for (int i = 0; i < 4; ++i) nets.push_back({nn::Dense(3, 5), nn::Tanh(), nn::BatchNorm1D(5), nn::Dense(5, 2)});
  for (auto& net : nets) net.eval();
  Variable x = normals({7, 3});
  nn::StackedState state = nn::stack_module_state(nets);
  BOOST_TEST((state.values[0].shape()[0] == 4u));
  int calls = 0;
  auto of_one = [&](const Variables& v) {
    ++calls;
    return nn::functional_call(nets[0], state.named(v), x);
  };
  Variable y = vmap(of_one, state.values);
  BOOST_TEST(calls == 1);
  const Variables of_each = unbind(y.detach());
  for (std::size_t i = 0; i < nets.size(); ++i) close(of_each[i], nets[i](x).detach(), 1e-13);
  sum(y * y).backward();
  sum(square(nets[2](x))).backward();
  close(state.values[0].grad()[2], nets[2].parameters()[0].grad(), 1e-12);
  BOOST_CHECK_THROW(nn::stack_module_state(std::vector<nn::Dense>()), ValueError);
  BOOST_CHECK_THROW(nn::stack_module_state(std::vector{nn::Dense(2, 3), nn::Dense(2, 4)}), ShapeError);
  xtape::testing::throws<ValueError>([] { nn::stack_module_state(std::vector{nn::Dense(2), nn::Dense(2)}); },
                                     {"stack_module_state: \"weight\" has no elements yet"});
  BOOST_CHECK_THROW(nn::stack_module_state(std::vector{nn::Dense(2, 3), nn::Dense(2, 3, {.bias = false})}), ValueError);
  BOOST_CHECK_THROW(state.named({x}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
