// A training whose losses are known beforehand.
#pragma once

#include <utility>
#include <vector>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

namespace xtape::testing {

/// A network of one weight w, of which the loss is w itself; the optimizer sets it from a list, one epoch after another.
struct Scripted {
  struct Net : nn::Module {
    nn::Parameter w = add("w", parameter(Variable(0.0).copy()));
    Variable forward(const Variable&) override { return w; }
  } net;
  std::vector<double> next;  // the loss of each epoch
  double rate = 0.5;
  std::size_t epoch = 0;
  std::vector<nn::Batch> data{{ones({1}), ones({1})}};
  nn::Model model{net, [](const Variable& w, const Variable&) { return w * 1; }, *this};

  explicit Scripted(std::vector<double> losses) : next(std::move(losses)) { set(0); }
  Scripted(const Scripted&) = delete;
  void set(std::size_t i) {
    NoGrad guard;
    if (i < next.size()) net.w.assign(full({}, next[i]));
  }
  void zero_grad() {}
  void step() { set(++epoch); }
  double lr() const { return rate; }

  nn::History fit(std::vector<nn::CallbackHandle> callbacks) {
    return model.fit(data, {.epochs = next.size(), .callbacks = std::move(callbacks), .allow_nan = true});
  }
};

}  // namespace xtape::testing
