#include <vector>

#include <cblas.h>

#include "contestants.hpp"

namespace bench {
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

Work openblas_products() {
  return [layers = std::vector<Layer>{{pixels, hidden1, true}, {hidden1, hidden2, false}, {hidden2, classes, false}}]()
             mutable {
    for (Layer& layer : layers) layer.forward();
    for (std::size_t i = layers.size(); i-- > 0;) layers[i].backward();
  };
}

void set_openblas_threads(int count) { openblas_set_num_threads(count); }

}  // namespace bench
