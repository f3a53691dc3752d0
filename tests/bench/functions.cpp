#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <nn/nn.hpp>

#include "contestants.hpp"

namespace bench::own {

using namespace xtape;

void set_threads(int count) {
  set_num_threads(count);
  set_openblas_threads(count);
}

Work cross_entropy() {
  Variable logits = parameter(randn({samples, vocabulary})), labels = randint(vocabulary, {samples});
  return [=] {
    logits.zero_grad();
    nn::softmax_cross_entropy(logits, labels).backward();
  };
}

Work chain() {
  Variable x = parameter(Variable{1.0}), a = Variable{0.999}, b = Variable{0.001};
  return [=] {
    Variable y = x;
    for (int i = 0; i < chain_length / 2; ++i) y = y * a + b;
    x.zero_grad();
    y.backward();
  };
}

namespace {

template <class F>
Work mean_of(F f) {
  Variable x = parameter(rand({elements})), y = parameter(rand({elements})), c = parameter(rand({elements}));
  return [=] {
    for (const Variable& v : {x, y, c}) v.zero_grad();
    mean(f(x, y, c)).backward();
  };
}

constexpr auto function = [](auto x, auto y, auto c) { return tanh(x * y + c) * sigmoid(x); };

}  // namespace

Work fused() {
  return mean_of([](const Variable& x, const Variable& y, const Variable& c) { return fuse(function, x, y, c); });
}

Work composed() { return mean_of(function); }

namespace {

// 64 residual layers in eight parts, of which all inner results are kept, or computed again on the way back.
Work deep_step(bool checkpointed) {
  static constexpr std::size_t layers = 64, part = 8, width = 64, rows = 4096;
  std::vector<Variable> weights;
  for (std::size_t i = 0; i < layers; ++i) weights.push_back(parameter(randn({width, width}) * 0.1));
  return [=, x = randn({rows, width})] {
    Variable y = x;
    for (std::size_t first = 0; first < layers; first += part) {
      auto run = [&weights, first](Variable y) {
        for (std::size_t i = first; i < first + part; ++i) y = y + gelu(matmul(layer_norm(y), weights[i]));
        return y;
      };
      y = checkpointed ? checkpoint(run, y) : run(y);
    }
    for (const Variable& w : weights) w.zero_grad();
    mean(square(y)).backward();
  };
}

}  // namespace

Work deep() { return deep_step(false); }
Work checkpointed() { return deep_step(true); }

}  // namespace bench::own
