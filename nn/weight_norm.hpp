// Layers whose weight is computed from other parameters at each call.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <autograd/random.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

namespace detail {

/// A module, and one of its parameters that is computed: `module.NAME` leaves the parameters and the state.
class Reparametrized : public Module {
 public:
  std::string description() const override { return parameter_name_; }

 protected:
  /// @throws ValueError when the module has no parameter of this name, Error when it is not yet materialized.
  void wrap(const char* name, const std::string& parameter_name);
  /// Calls the module with this value in place of the parameter.
  Variable call(const Variable& value, const Variable& x);
  Module& wrapped() const { return *children()[0].second; }

  std::string parameter_name_;
  Parameter target_;  ///< the handle that the module computes with
};

}  // namespace detail

struct WeightNormOptions {
  std::string name = "weight";
  std::ptrdiff_t dim = 0;  ///< the axis whose slices each have a length
};

/// A layer with the weight w = g v / |v|, for a direction v and a length g that are learnt (Salimans, Kingma 2016).
/// The parameters are "weight_g" and "weight_v", as PyTorch's; the layer's own handles go on to work, and its weight
/// shows the value of the latest call. One thread at a time may call it.
class WeightNorm : public detail::Reparametrized {
 public:
  /// @throws ValueError for a name or an axis that is not there, Error when the weight is not yet materialized.
  template <std::derived_from<Module> M>
    requires(!std::derived_from<M, WeightNorm>)
  explicit WeightNorm(const M& module, const WeightNormOptions& options = {}) {
    add("module", module);
    initialize(options);
  }
  WeightNorm(const WeightNorm&) = default;  // moving is copying
  WeightNorm& operator=(const WeightNorm&) = default;
  Variable forward(const Variable& x) override;

 private:
  void initialize(const WeightNormOptions& options);
  Variable length_of(const Variable& x) const;

  Parameter length_, direction_;
  Axes others_;  // all but that of the lengths
};

struct SpectralNormOptions {
  std::string name = "weight";
  std::size_t n_power_iterations = 1;  ///< at each call in training
  double epsilon = 1e-12;              ///< the least length that a vector is divided by
  /// The axis that becomes the rows of a matrix; none: that of the outputs, 1 for ConvTranspose, else 0.
  std::optional<std::ptrdiff_t> dim = std::nullopt;
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the first vectors come from
};

/// A layer whose weight, as a matrix, is divided by its greatest singular value (Miyato et al. 2018), found by power
/// iteration: 15 steps when it is made, then some at each call in training. The parameter is "weight_orig", the buffers
/// are the singular vectors "weight_u" and "weight_v", as PyTorch's. One thread at a time may call it.
class SpectralNorm : public detail::Reparametrized {
 public:
  /// @throws as WeightNorm; ValueError for 0 iterations or an epsilon that is not positive.
  template <std::derived_from<Module> M>
    requires(!std::derived_from<M, SpectralNorm>)
  explicit SpectralNorm(const M& module, const SpectralNormOptions& options = {}) {
    add("module", module);
    initialize(options);
  }
  SpectralNorm(const SpectralNorm&) = default;  // moving is copying
  SpectralNorm& operator=(const SpectralNorm&) = default;
  Variable forward(const Variable& x) override;

 private:
  void initialize(const SpectralNormOptions& options);
  Variable as_matrix(const Variable& weight) const;
  std::pair<Variable, Variable> iterated(Variable u, Variable v, std::size_t steps) const;

  Parameter original_, u_, v_;
  std::ptrdiff_t dim_ = 0;
  SpectralNormOptions options_;
};

}  // namespace xtape::nn
