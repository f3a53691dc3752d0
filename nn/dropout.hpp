// Layers that drop a part of what passes, in training.
#pragma once

#include <functional>

#include <autograd/random.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

/// In training, each element 0 with probability p, else divided by 1 - p (Srivastava et al. 2014); in evaluation,
/// nothing.
class Dropout : public Module {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit Dropout(double p = 0.5, Generator& generator = default_generator());
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double p_;
  std::reference_wrapper<Generator> generator_;
};

/// The same for whole channels of x (batch, channels, height, width) (Tompson et al. 2015).
class Dropout2D : public Module {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit Dropout2D(double p = 0.5, Generator& generator = default_generator());
  Variable forward(const Variable& x) override;
  std::string description() const override;

 private:
  double p_;
  std::reference_wrapper<Generator> generator_;
};

}  // namespace xtape::nn
