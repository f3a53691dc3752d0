// Adam, and its variants that differ in how the parameters decay or in the second moment.
#pragma once

#include <optim/method.hpp>

namespace xtape::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  bool amsgrad = false;     ///< see AMSGrad
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, Algorithm 1. With gradient g of parameter p
/// in its step t:
///
///     g += weight_decay p
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g^2
///     p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
class Adam : public Method<Adam, AdamOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AdamOptions>& description();

 protected:
  void update(const AdamOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

struct AMSGradOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adds this times the parameter to its gradient
  bool maximize = false;    ///< goes up instead of down: takes minus the gradient
};

/// Reddi, Kale and Kumar, On the convergence of Adam and beyond, ICLR 2018, Algorithm 2, with Adam's corrections of
/// bias, as PyTorch defines it: as Adam, but in place of v, p's step has the greatest v there was.
class AMSGrad : public Method<AMSGrad, AMSGradOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AMSGradOptions>& description();

 protected:
  void update(const AMSGradOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;  ///< times lr, the part of the parameter that each step takes off
  bool amsgrad = false;        ///< see AMSGrad
  bool maximize = false;       ///< goes up instead of down: takes minus the gradient
};

/// Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, Algorithm 2: as Adam, but instead of
/// changing the gradient, `p -= lr weight_decay p` comes first.
class AdamW : public Method<AdamW, AdamWOptions> {
 public:
  using Method::Method;
  static constexpr bool in_place = true;
  static const Description<AdamWOptions>& description();

 protected:
  void update(const AdamWOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
};

}  // namespace xtape::optim
