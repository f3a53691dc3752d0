#include <memory>
#include <vector>

#include <cblas.h>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "contestants.hpp"

namespace bench {

using namespace xtape;

Work xtape_step() {
  nn::Sequential net{nn::Dense(pixels, hidden1), nn::ReLU(), nn::Dense(hidden1, hidden2), nn::ReLU(),
                     nn::Dense(hidden2, classes)};
  auto adam = std::make_shared<optim::Adam>(net.parameters(), optim::AdamOptions{.lr = 1e-3});
  Variable x = rand({batch, pixels});
  Variable y = argmax(rand({batch, classes}), 1);
  return [=]() mutable {
    adam->zero_grad();
    nn::softmax_cross_entropy(net(x), y).backward();
    adam->step();
  };
}

namespace {

std::vector<float> matrix(int rows, int columns) {
  return std::vector<float>(static_cast<std::size_t>(rows * columns), 0.5f);
}

// One layer's matrices; `input_gradient` is empty for the first layer, which needs none.
struct Layer {
  int in, out;
  std::vector<float> x, weight, y, weight_gradient, input_gradient;

  Layer(int in, int out, bool first)
      : in(in), out(out), x(matrix(batch, in)), weight(matrix(in, out)), y(matrix(batch, out)),
        weight_gradient(matrix(in, out)), input_gradient(first ? std::vector<float>() : matrix(batch, in)) {}

  void forward() {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, out, in, 1, x.data(), in, weight.data(), out, 0,
                y.data(), out);
  }
  void backward() {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, batch, 1, x.data(), in, y.data(), out, 0,
                weight_gradient.data(), out);
    if (!input_gradient.empty())
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch, in, out, 1, y.data(), out, weight.data(), out, 0,
                  input_gradient.data(), in);
  }
};

}  // namespace

Work matrix_products() {
  return [layers = std::vector<Layer>{{pixels, hidden1, true}, {hidden1, hidden2, false}, {hidden2, classes, false}}]()
             mutable {
    openblas_set_num_threads(num_threads());  // xtape has it compute in one, and cuts its products itself
    for (Layer& layer : layers) layer.forward();
    for (std::size_t i = layers.size(); i-- > 0;) layers[i].backward();
    openblas_set_num_threads(1);
  };
}

Work xtape_chain() {
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

Work xtape_fused() {
  return mean_of([](const Variable& x, const Variable& y, const Variable& c) { return fuse(function, x, y, c); });
}

Work xtape_composed() { return mean_of(function); }

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

Work xtape_deep() { return deep_step(false); }
Work xtape_checkpointed() { return deep_step(true); }

}  // namespace bench
