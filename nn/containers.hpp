// What puts layers together.
#pragma once

#include <concepts>
#include <functional>
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

/// What a container registers for a layer: a Lambda for a function of one Variable, else the layer itself.
template <class Layer>
decltype(auto) as_module(const Layer& layer) {
  if constexpr (std::is_invocable_v<const Layer&, const Variable&> && !std::derived_from<Layer, Module>)
    return Lambda(layer);
  else return (layer);
}

/// Modules in an order, named "0", "1", ...
class Modules : public Module {
 public:
  /// Adds a module, a pointer to one, or a function of one Variable behind the others.
  template <class Layer>
  void append(const Layer& layer) {
    add(std::to_string(size()), as_module(layer));
  }
  using Module::replace;
  /// A function of one Variable in the place of a module.
  template <class Function>
    requires(std::is_invocable_v<const Function&, const Variable&> && !std::derived_from<Function, Module>)
  void replace(const std::string& name, const Function& function) {
    Module::replace(name, as_module(function));
  }
  std::size_t size() const { return children().size(); }
  /// @throws ValueError when there are not so many.
  std::shared_ptr<Module> operator[](std::size_t i) const;
};

}  // namespace detail

/// Modules one after the other, named "0", "1", ... in the order of their turn.
class Sequential : public detail::Modules {
 public:
  Sequential() = default;
  /// Modules, pointers to modules, and functions of one Variable: `Sequential{Dense(784, 400), relu, Dense(400, 10)}`.
  template <class First, class... Rest>
    requires(sizeof...(Rest) > 0 || !std::derived_from<std::remove_cvref_t<First>, Sequential>)
  explicit Sequential(const First& first, const Rest&... rest) {
    append(first);
    (append(rest), ...);
  }
  Variable forward(const Variable& x) override;
};

/// Modules in an order, for a network that calls them itself: `for (auto& [name, layer] : list.children())`.
class ModuleList : public detail::Modules {
 public:
  ModuleList() = default;
  /// As Sequential.
  template <class First, class... Rest>
    requires(sizeof...(Rest) > 0 || !std::derived_from<std::remove_cvref_t<First>, ModuleList>)
  explicit ModuleList(const First& first, const Rest&... rest) {
    append(first);
    (append(rest), ...);
  }
};

/// Modules by name, for a network that calls them itself.
class ModuleDict : public Module {
 public:
  ModuleDict() = default;
  /// `ModuleDict{std::pair{"encoder", Dense(784, 32)}, std::pair{"decoder", Dense(32, 784)}}`, with what Sequential
  /// takes as well.
  template <class... Names, class... Layers>
    requires(sizeof...(Names) > 0)
  explicit ModuleDict(const std::pair<Names, Layers>&... entries) {
    (insert(entries.first, entries.second), ...);
  }
  /// @throws ValueError for a name that is empty, taken or has a '.'.
  template <class Layer>
  void insert(const std::string& name, const Layer& layer) {
    add(name, detail::as_module(layer));
  }
  bool contains(const std::string& name) const;
  /// In the order of insertion.
  std::vector<std::string> names() const;
  std::size_t size() const { return children().size(); }
  /// @throws ValueError listing the names when there is no such module.
  std::shared_ptr<Module> operator[](const std::string& name) const;
};

/// x + body(x), or shortcut(x) + body(x) where the body changes the shape (He et al. 2016).
class Residual : public Module {
 public:
  template <class Body>
    requires(!std::derived_from<Body, Residual>)
  explicit Residual(const Body& body) { add("body", detail::as_module(body)); }
  template <class Body, class Shortcut>
  Residual(const Body& body, const Shortcut& shortcut) {
    add("body", detail::as_module(body));
    add("shortcut", detail::as_module(shortcut));
  }
  /// @throws ShapeError when the two have different shapes.
  Variable forward(const Variable& x) override;
};

}  // namespace xtape::nn
