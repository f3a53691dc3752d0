// What puts layers together.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nn/module.hpp>

namespace xtape::nn {

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

namespace detail {

/// What a container takes: a module, a pointer to one, or a function of one Variable. Lists of these are made from left
/// to right, whatever the compiler; arguments in parentheses would draw their weights in an order of its choice.
class Layer {
 public:
  template <std::derived_from<Module> M>
  Layer(const M& module) : is_value_(true) {
    Module::remember_type(module);
    module_ = module.shared_copy();
  }
  template <std::derived_from<Module> M>
  Layer(const std::shared_ptr<M>& module) : module_(module) {
    if (module) Module::remember_type(*module);
  }
  template <class F>
    requires(std::is_invocable_v<const F&, const Variable&> && !std::derived_from<F, Module>)
  Layer(const F& function) : Layer(Lambda(function)) {}
  // Of a name that stands for several functions, as `tanh` does beside <autograd/fuse.hpp>, this one.
  Layer(Variable (*function)(const Variable&)) : Layer(Lambda(function)) {}

  const std::shared_ptr<Module>& module() const { return module_; }
  /// The module, if it was given as a value of this class.
  template <class Container>
  const Container* as() const {
    const Module& module = *module_;
    return is_value_ && typeid(module) == typeid(Container) ? static_cast<const Container*>(&module) : nullptr;
  }

 private:
  std::shared_ptr<Module> module_;
  bool is_value_ = false;
};

/// Modules in an order, named "0", "1", ...
class Modules : public Module {
 public:
  /// Adds a module, a pointer to one, or a function of one Variable behind the others.
  void append(const Layer& layer) { add(std::to_string(size()), layer.module()); }
  /// A module, a pointer to one, or a function of one Variable in the place of a module.
  void replace(const std::string& name, const Layer& layer) { Module::replace(name, layer.module()); }
  void replace(const std::string& name, const Variable& x) { Module::replace(name, x); }
  std::size_t size() const { return children().size(); }
  /// @throws ValueError when there are not so many.
  std::shared_ptr<Module> operator[](std::size_t i) const;

 protected:
  template <class Container>
  static void fill(Container& container, std::initializer_list<Layer> layers) {
    if (auto* other = layers.size() == 1 ? layers.begin()->template as<Container>() : nullptr) container = *other;
    else
      for (const Layer& layer : layers) container.append(layer);
  }
};

}  // namespace detail

/// Modules one after the other, named "0", "1", ... in the order of their turn.
class Sequential : public detail::Modules {
 public:
  Sequential() = default;
  /// Modules, pointers to modules, and functions of one Variable: `Sequential{Dense(784, 400), relu, Dense(400, 10)}`.
  /// In braces, which make them from left to right. A Sequential alone gives another handle to it.
  Sequential(std::initializer_list<detail::Layer> layers) { fill(*this, layers); }
  Variable forward(const Variable& x) override;
};

/// Modules in an order, for a network that calls them itself: `for (auto& [name, layer] : list.children())`.
class ModuleList : public detail::Modules {
 public:
  ModuleList() = default;
  /// As Sequential.
  ModuleList(std::initializer_list<detail::Layer> layers) { fill(*this, layers); }
};

/// Modules by name, for a network that calls them itself.
class ModuleDict : public Module {
 public:
  ModuleDict() = default;
  /// `ModuleDict{{"encoder", Dense(784, 32)}, {"decoder", Dense(32, 784)}}`, with what Sequential takes as well.
  ModuleDict(std::initializer_list<std::pair<std::string, detail::Layer>> entries) {
    for (const auto& [name, layer] : entries) insert(name, layer);
  }
  /// @throws ValueError for a name that is empty, taken or has a '.'.
  void insert(const std::string& name, const detail::Layer& layer) { add(name, layer.module()); }
  bool contains(const std::string& name) const;
  /// In the order of insertion.
  std::vector<std::string> names() const;
  std::size_t size() const { return children().size(); }
  /// @throws ValueError listing the names when there is no such module.
  std::shared_ptr<Module> operator[](const std::string& name) const;
};

/// x + body(x), or shortcut(x) + body(x) where the body changes the shape (He et al. 2016):
///
///     Residual block{Sequential{Dense(8), ReLU(), Dense(4)}, Dense(4)};
class Residual : public Module {
 public:
  /// The body, and the shortcut if there is one, of what Sequential takes; in braces, as there.
  /// @throws ValueError for none of them, or more.
  Residual(std::initializer_list<detail::Layer> parts);
  /// @throws ShapeError when the two have different shapes.
  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
