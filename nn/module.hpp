// Module: a part of a network, with its parameters, buffers and parts of its own.
#pragma once

#include <concepts>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <autograd/state_dict.hpp>
#include <autograd/variable.hpp>

namespace xtape::nn {

/// Base of all layers and networks. A layer of one's own derives from it, registers in its constructor what it owns,
/// and overrides `forward`:
///
///     struct Scale : nn::Module {
///       Variable factor = add("factor", parameter(Variable{1.0}));
///       Variable forward(const Variable& x) override { return factor * x; }
///     };
///
/// A module is a handle: copies share the parameters, the buffers, the children and the train/eval mode. `nn::clone`
/// makes an independent one. Assigning to a member that was registered makes the member another handle, and leaves
/// what is registered as it was; `member.assign(...)` changes the value that all share.
class Module {
 public:
  Module();
  Module(const Module& other);  // moving is copying: what was moved from stays a handle to the same module
  Module& operator=(const Module& other);
  virtual ~Module() = default;

  /// The output for an input. @throws Error naming the module unless the class overrides it.
  virtual Variable forward(const Variable& x);
  /// Calls `forward`. A handle's constness is not that of the module: a lambda can capture one and call it.
  Variable operator()(const Variable& x) const { return const_cast<Module*>(this)->forward(x); }

  /// The class, for printing: `Dense`.
  virtual std::string name() const;
  /// What the printed tree shows between the parentheses: `784, 400` for `Dense(784, 400)`.
  virtual std::string description() const { return ""; }

  // Registration

  /// Registers a parameter (a leaf that requires a gradient) or a buffer (a Variable that does not, of any dtype),
  /// and returns it. @throws ValueError for a name that is empty, taken or has a '.', GraphError for the result of a
  /// recorded operation.
  Variable add(const std::string& name, const Variable& x);
  /// Registers a child, of any class derived from Module, and returns it. A copy of the handle is kept.
  /// @throws ValueError for such names, or when the child contains this module.
  template <std::derived_from<Module> M>
  M add(const std::string& name, const M& child) {
    remember_type(child);
    add_child(name, child.shared_copy());
    return child;
  }
  /// The same for a child that is held by a pointer, which may be one to the base class.
  template <std::derived_from<Module> M>
  std::shared_ptr<M> add(const std::string& name, const std::shared_ptr<M>& child) {
    if (child) remember_type(*child);
    add_child(name, child);
    return child;
  }

  /// Registers a parameter of which some extents are not known yet: 0 stands for them. The handle is final, so that an
  /// optimizer made now will see it change; it has no elements until `materialize` gives it some.
  /// @throws as add; ValueError when no extent is 0.
  Variable add_lazy(const std::string& name, const Shape& shape, DType dtype = default_dtype());
  /// Gives a parameter that was added so its elements, in every handle.
  /// @throws ShapeError or DTypeError unless they fit the extents that were known and the parameter's dtype.
  void materialize(const Variable& x, const Array& value);
  /// Whether all parameters of this module and everything below have elements: layers that find their input width at
  /// the first call have none before it.
  bool materialized() const;

  /// Makes a registered parameter a value that is computed from others, as WeightNorm does: it is converted and cloned
  /// as before, but is neither among the parameters nor in the state, and needs no gradient. Returns it.
  /// @throws ValueError when there is no such parameter here.
  Variable set_computed(const std::string& name);

  // What there is: one's own first, then the children's, each in the order of registration. What is registered in
  // several places counts once, in the first.

  std::vector<Variable> parameters() const;
  /// With dotted names: `gate.weight`.
  std::vector<std::pair<std::string, Variable>> named_parameters() const;
  std::vector<std::pair<std::string, Variable>> named_buffers() const;
  const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& children() const;
  /// The number of elements of all parameters. @throws Error naming those that are not yet materialized.
  std::size_t parameter_count() const;

  // Mode

  /// Sets the mode of this module and everything below: dropout and the like act in training only. True at first.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const;

  // Changes of everything below

  /// Converts all floating-point parameters and buffers in place, and forgets the gradients of those it converts.
  /// @throws DTypeError unless `dtype` is float32 or float64.
  void to(DType dtype);
  /// Calls `f` for each module below, children before parents, and for this one.
  void apply(const std::function<void(Module&)>& f);
  /// Forgets the gradients of all parameters.
  void zero_grad();

  // Saving

  /// Copies of all parameters and buffers, by their dotted names. A parameter that is not yet materialized is there as
  /// an undefined Variable, which files refuse.
  StateDict state_dict() const;
  /// Overwrites the parameters and buffers; those that are not yet materialized take the extents of the state, and
  /// those that were not when the state was taken are not so again: the next call finds their extents.
  /// @throws ValueError listing every name that is missing, unexpected, or of another shape or dtype, and changes
  /// nothing then. Where `strict` is false, missing and unexpected names are fine.
  void load_state_dict(const StateDict& state, bool strict = true);

 private:
  struct State;
  class CloneScope;
  template <std::derived_from<Module> M>
  friend M clone(const M& module);
  template <std::derived_from<Module> M>
  friend std::shared_ptr<M> clone(const std::shared_ptr<M>& module);
  friend std::ostream& operator<<(std::ostream& out, const Module& module);

  using Copier = std::shared_ptr<Module> (*)(const Module&);

  // Only a call that knows the class can say how to copy a module; copies of the handle then know it, too.
  template <class M>
  static void remember_type(const M& module) {
    static_assert(std::is_copy_constructible_v<M>, "a module is a handle, so its class needs a copy constructor");
    if (typeid(module) != typeid(M)) return;
    module.set_copier([](const Module& original) -> std::shared_ptr<Module> {
      auto* whole = dynamic_cast<const M*>(&original);
      return whole ? std::make_shared<M>(*whole) : nullptr;
    });
  }
  void set_copier(Copier copier) const;
  std::shared_ptr<Module> shared_copy() const;
  void add_child(const std::string& name, std::shared_ptr<Module> child);
  void check_name(const std::string& name) const;
  void visit(const std::function<void(const Module&, const std::string& prefix)>& f) const;
  std::vector<std::pair<std::string, Variable>> collect(bool parameters, bool buffers, bool computed = false) const;
  const Shape* known_extents(const Variable& x) const;  // null unless it was added lazily
  bool is_lazy(const Variable& x) const;

  std::shared_ptr<State> state_;
};

/// Everything in a scope where a clone is made: copies of handles to what is cloned go to the clone.
class Module::CloneScope {
 public:
  CloneScope();
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;
  CloneScope& operator=(const CloneScope&) = delete;

  static std::shared_ptr<State> follow(const std::shared_ptr<State>& state);

 private:
  struct Copies;
  std::unique_ptr<Copies> copies_;
  CloneScope* outer_;
};

/// An independent copy of a module: its parameters, buffers and children, and the Variables and modules that a class
/// of one's own or a lambda holds of them, are new. Gradients and hooks are not copied. Other members are copied as
/// their copy constructors do.
/// @throws Error when `module` or a module below is of another class than was known when it was added.
template <std::derived_from<Module> M>
M clone(const M& module) {
  if (typeid(module) != typeid(M))
    throw Error("clone: the " + module.name() + " is of a class derived from the one that is asked for; clone it as "
                "that, or by a std::shared_ptr");
  Module::CloneScope scope;
  return M(module);
}
template <std::derived_from<Module> M>
std::shared_ptr<M> clone(const std::shared_ptr<M>& module) {
  if (!module) return nullptr;
  Module::remember_type(*module);
  Module::CloneScope scope;
  return std::static_pointer_cast<M>(module->shared_copy());
}

/// Prints the tree of modules, with the number of parameters of each and of all; where some are not yet materialized,
/// it says so.
std::ostream& operator<<(std::ostream& out, const Module& module);

}  // namespace xtape::nn
