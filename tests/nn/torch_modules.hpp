// What the comparisons of modules with libtorch's share: the same parameters in both, and equal results and gradients.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <tests/torch_support.hpp>

namespace peers {

using torch::Tensor;
using xtape::Shape;
using xtape::Variable;
using xtape::testing::to_torch;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;
namespace nn = xtape::nn;
namespace tn = torch::nn;

constexpr double tolerance = 1e-9;

// Up to the tolerance, in relation to the greatest element.
inline void agree(const Variable& own, const Tensor& other, const std::string& what) {
  BOOST_REQUIRE_MESSAGE(own.defined() && other.defined(), what);
  double difference = xtape::testing::difference(own, other, 0);
  BOOST_TEST(difference <= tolerance, what << ": " << difference);
}

// Gives ours the values of libtorch's, by the same names.
inline void load(nn::Module& own, torch::nn::Module& other) {
  torch::NoGradGuard guard;
  auto parameters = other.named_parameters();
  BOOST_REQUIRE(own.named_parameters().size() == parameters.size());
  for (auto& [name, x] : own.named_parameters()) {
    Tensor value = torch::randn_like(parameters[name]) * 0.3;
    parameters[name].copy_(value);
    BOOST_REQUIRE_MESSAGE(to_torch(x).sizes() == value.sizes(), name);
    std::copy_n(value.data_ptr<double>(), value.numel(), x.mutable_data<double>());
  }
}

inline void agree_in_gradients(const nn::Module& own, const torch::nn::Module& other) {
  auto parameters = other.named_parameters();
  for (const auto& [name, x] : own.named_parameters()) {
    agree(x.grad(), parameters[name].grad(), "gradient of " + name);
  }
}

// Compares results, then the gradients of a function of all of them.
inline void compare(const nn::Module& own_module, const torch::nn::Module& other_module, const Variables& own,
                    const Tensors& other, const Variables& inputs, const Tensors& other_inputs) {
  BOOST_REQUIRE(own.size() == other.size());
  Variable loss = Variable(0.0);
  Tensor other_loss = torch::zeros({}, torch::kFloat64);
  for (std::size_t i = 0; i < own.size(); ++i) {
    agree(own[i], other[i], "result " + std::to_string(i));
    loss = loss + sum(own[i] * sin(own[i] + 1));
    other_loss = other_loss + (other[i] * torch::sin(other[i] + 1)).sum();
  }
  loss.backward();
  other_loss.backward();
  agree_in_gradients(own_module, other_module);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    agree(inputs[i].grad(), other_inputs[i].grad(), "gradient of input " + std::to_string(i));
}

// The same numbers for both, which require gradients.
struct Inputs {
  Variables own;
  Tensors other;

  explicit Inputs(const std::vector<Shape>& shapes) {
    for (const Shape& shape : shapes) {
      own.push_back(xtape::randn(shape, xtape::float64));
      other.push_back(to_torch(own.back()).requires_grad_());
      own.back().requires_grad_();
    }
  }
};

inline void begin() {
  xtape::seed(1);
  torch::manual_seed(1);
}

}  // namespace peers
