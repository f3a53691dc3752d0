// LAMB.
#pragma once

#include <vector>

#include <optim/method.hpp>

namespace xtape::optim {

struct LAMBOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0;
  bool maximize = false;  ///< goes up instead of down: takes minus the gradient
};

/// You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR 2020, Algorithm 2, with
/// the identity for phi. With gradient g of parameter p in its step t:
///
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     r = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay p
///     p -= lr |p| / |r| r                     (1 in place of |p| / |r| where one of them is 0)
class LAMB : public Method<LAMB, LAMBOptions> {
 public:
  using Method::Method;
  static const Description<LAMBOptions>& description();
  static constexpr bool in_place = true;

 protected:
  void prepare(const LAMBOptions& options, std::size_t i, const Array& parameter, const Array& gradient) override;
  void update(const LAMBOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;

 private:
  struct Direction {
    Array r;
    double rate = 0;  // lr |p| / |r|
  };
  std::vector<Direction> directions_;  // of the step that is being made
};

}  // namespace xtape::optim
