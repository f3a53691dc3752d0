// A function as we have it and as libtorch has it, with what comparisons of the two look at: results, gradients, and
// gradients of gradients.
#pragma once

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <tests/autograd/samples.hpp>
#include <tests/torch_support.hpp>

namespace xtape::testing {

struct PeerCase {
  std::string name;
  std::vector<Variable> inputs;
  std::function<Variable(const std::vector<Variable>&)> own;
  std::function<torch::Tensor(const std::vector<torch::Tensor>&)> other;
  std::size_t orders = 2;  ///< of derivatives that libtorch has
};
inline std::ostream& operator<<(std::ostream& out, const PeerCase& c) { return out << c.name; }

/// Of the gradient of input i: others for each, as those of a difference would cancel.
inline Variable peer_weights(const Shape& shape, std::size_t i = 0) {
  return samples::numbers(shape, -2 + 0.7 * static_cast<double>(i), 2);
}

/// y, the gradients of a weighted sum of y, and those of a weighted sum of these.
inline std::array<std::vector<Variable>, 3> own_orders(const PeerCase& c) {
  std::vector<Variable> xs;
  for (const Variable& x : c.inputs) xs.push_back(x.detach().copy().requires_grad_());
  Variable y = c.own(xs), total;
  std::vector<Variable> first(xs.size()), second(xs.size());
  if (!y.requires_grad()) return {std::vector{y}, first, second};
  first = grad({y}, xs, {.create_graph = true, .allow_unused = true, .grad_outputs = {peer_weights(y.shape())}});
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (const Variable& g = first[i]; g.defined() && g.requires_grad())
      total = (total.defined() ? total : Variable(0.0)) + sum(g * peer_weights(g.shape(), i));
  if (total.defined() && total.requires_grad()) second = grad({total}, xs, {.allow_unused = true});
  return {std::vector{y}, first, second};
}

inline std::array<std::vector<torch::Tensor>, 3> other_orders(const PeerCase& c) {
  std::vector<torch::Tensor> xs;
  for (const Variable& x : c.inputs) xs.push_back(to_torch(x).requires_grad_());
  auto weights = [](const torch::Tensor& t, std::size_t i = 0) {
    return to_torch(peer_weights(Shape(t.sizes().begin(), t.sizes().end()), i));
  };
  torch::Tensor y = c.other(xs), total;
  std::vector<torch::Tensor> first(xs.size()), second(xs.size());
  if (!y.requires_grad()) return {std::vector{y}, first, second};
  first = torch::autograd::grad({y}, xs, {weights(y)}, true, true, true);
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (const torch::Tensor& g = first[i]; g.defined() && g.requires_grad()) {
      torch::Tensor part = (g * weights(g, i)).sum();
      total = total.defined() ? total + part : part;
    }
  if (c.orders == 2 && total.defined() && total.requires_grad())
    second = torch::autograd::grad({total}, xs, {}, false, false, true);
  return {std::vector{y}, first, second};
}

/// That results, gradients and gradients of gradients agree within these tolerances; see `difference`.
inline void agree_in_all_orders(const PeerCase& c, const std::array<double, 3>& tolerances, double least_scale) {
  auto own = own_orders(c);
  auto other = other_orders(c);
  for (std::size_t order = 0; order <= c.orders; ++order)
    for (std::size_t i = 0; i < own[order].size(); ++i) {
      double apart = difference(own[order][i], other[order][i], least_scale);
      BOOST_TEST(apart <= tolerances[order], c.name << ", order " << order << ", input " << i << ": " << apart);
    }
}

}  // namespace xtape::testing
