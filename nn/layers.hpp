// Layers, and what puts them together.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct DenseOptions {
  Initializer weight_init = xavier_uniform();
  Initializer bias_init = zeros();
  bool bias = true;
  DType dtype = float32;
  Generator* generator = &default_generator();  ///< where the initializers take their random numbers from
};

/// y = x W + b, for x of shape (..., in), W of shape (in, out), b of shape (out).
class Dense : public Module {
 public:
  /// @throws ValueError unless both widths are 1 or more, or for options that do not fit.
  Dense(std::size_t in, std::size_t out, const DenseOptions& options = {});
  Variable forward(const Variable& x) override;
  std::string description() const override;

  Variable weight, bias;  ///< the bias is undefined without one
};

/// max(x, 0)
class ReLU : public Module {
 public:
  Variable forward(const Variable& x) override;
};

/// Any function of one Variable as a module: `Lambda([](const Variable& x) { return x.reshape({-1, 784}); })`.
/// The parameters of what it captures are not those of the module.
class Lambda : public Module {
 public:
  using Function = std::function<Variable(const Variable&)>;
  /// `label` is what the printed tree shows between the parentheses. @throws ValueError for an empty function.
  explicit Lambda(Function function, std::string label = "");
  Variable forward(const Variable& x) override;
  std::string description() const override { return label_; }

 private:
  Function function_;
  std::string label_;
};

/// Modules one after the other, named "0", "1", ... in the order of their turn.
class Sequential : public Module {
 public:
  Sequential() = default;
  /// Modules, pointers to modules, and functions of one Variable: `Sequential{Dense(784, 400), relu, Dense(400, 10)}`.
  template <class First, class... Rest>
    requires(sizeof...(Rest) > 0 || !std::derived_from<std::remove_cvref_t<First>, Sequential>)
  explicit Sequential(const First& first, const Rest&... rest) {
    append(first);
    (append(rest), ...);
  }

  /// Adds a layer behind the others.
  template <class Layer>
  void append(const Layer& layer) {
    std::string next = std::to_string(size());
    if constexpr (std::is_invocable_v<const Layer&, const Variable&> && !std::derived_from<Layer, Module>)
      add(next, Lambda(layer));
    else add(next, layer);
  }
  std::size_t size() const { return children().size(); }
  /// A layer. @throws ValueError when there are not so many.
  std::shared_ptr<Module> operator[](std::size_t i) const;

  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
