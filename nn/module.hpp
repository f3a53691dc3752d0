// Module: a part of a network, with its parameters, buffers and parts of its own.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <autograd/state_dict.hpp>
#include <autograd/variable.hpp>
#include <nn/parameter.hpp>

namespace xtape::nn {

namespace detail {
class Layer;
}

/// Base of all layers and networks. A layer of your own derives from it, registers in its constructor what it owns,
/// and overrides `forward`:
///
///     struct Scale : nn::Module {
///       nn::Parameter factor = add("factor", parameter(Variable{1.0}));
///       Variable forward(const Variable& x) override { return factor * x; }
///     };
///
/// A module is a handle: copies share the parameters, the buffers, the children and the train/eval mode, and what was
/// moved from stays a handle as well. `nn::clone` makes an independent one.
///
/// Assigning to a member that the constructor registered, as in `net.fc = nn::Dense(8, 2)` or
/// `decoder.weight = encoder.weight`, puts the new part in the old one's place, for every handle to the module; so does
/// `net.replace("fc", nn::Dense(8, 2))`. An optimizer that was made before has the old parameters still: make it after.
/// Assigning to another handle, which is no member, makes it a handle to something else.
class Module {
 public:
  Module();
  Module(const Module& other);
  /// Deleted, so that to move from a class that derives from this is to copy it, whatever its members are. One that
  /// derives from a layer and adds members that can be moved has to declare its copy constructor, to the same effect.
  Module(Module&&) = delete;
  virtual ~Module();

  /// The output for an input. @throws Error naming the module unless the class overrides it.
  virtual Variable forward(const Variable& x);
  /// Calls `forward`. A handle's constness is not that of the module: a lambda can capture one and call it.
  /// @throws Error when a forward calls a module with parameters that are not among those that were listed by
  /// `parameters()`, as it is not registered.
  Variable operator()(const Variable& x) const;

  /// The class, for printing: `Dense`.
  virtual std::string name() const;
  /// What the printed tree shows between the parentheses: `784, 400` for `Dense(784, 400)`.
  virtual std::string description() const { return ""; }

  // Registration

  /// Registers a parameter (a leaf that requires a gradient) or a buffer (a Variable that does not, of any dtype),
  /// and returns it. The member for it is an nn::Parameter.
  /// @throws ValueError for a name that is empty, taken or has a '.', GraphError for the result of a recorded
  /// operation.
  detail::Registered add(const std::string& name, const Variable& x);
  /// The same for a member that has its value already.
  detail::Registered add(const std::string& name, Parameter& member);
  /// Registers a child, of any class derived from Module, and returns it. A copy of the handle is kept. In a
  /// constructor, the member that is passed, or that the result is for, is the one to assign to; `caller` tells.
  /// @throws ValueError for such names, or when the child contains this module.
  template <class M>
    requires std::derived_from<std::remove_cvref_t<M>, Module>
  std::remove_cvref_t<M> add(const std::string& name, M&& child, const char* caller = __builtin_FUNCTION());
  /// The same for a child that is held by a pointer, which may be one to the base class.
  template <std::derived_from<Module> M>
  std::shared_ptr<M> add(const std::string& name, const std::shared_ptr<M>& child) {
    if (child) remember_type(*child);
    add_child(name, child);
    return child;
  }

  /// Puts a parameter or a buffer in the place of the one with this name, which may lead to one below: "0.fc.weight".
  /// @throws ValueError when there is none, and as the assignment to a Parameter.
  void replace(const std::string& name, const Variable& x);
  /// Puts a module in the place of the child with this name, which may lead to one below: "encoder.fc". The members of
  /// this module that hold the child are assigned.
  /// @throws ValueError when there is no such child, when a member is of another class than `child`, or when that
  /// contains this module.
  template <std::derived_from<Module> M>
  void replace(const std::string& name, const M& child) {
    remember_type(child);
    replace_child(name, child.shared_copy());
  }
  template <std::derived_from<Module> M>
  void replace(const std::string& name, const std::shared_ptr<M>& child) {
    if (child) remember_type(*child);
    replace_child(name, child);
  }

  /// Registers a parameter of which some extents are not known yet: 0 stands for them. The handle is final, so that an
  /// optimizer made now will see it change; it has no elements until `materialize` gives it some.
  /// @throws as add; ValueError when no extent is 0.
  detail::Registered add_lazy(const std::string& name, const Shape& shape, DType dtype = default_dtype());
  /// Gives a parameter that was added so its elements, in every handle.
  /// @throws ShapeError or DTypeError unless they fit the extents that were known and the parameter's dtype.
  void materialize(const Variable& x, const Array& value);
  /// Calls `f`, which is to materialize a parameter of this module, unless that has its elements. Of the first calls of
  /// several threads, one does, and the others wait for it.
  void complete(const Variable& x, const std::function<void()>& f);
  /// Whether all parameters of this module and everything below have elements: layers that find their input width at
  /// the first call have none before it.
  bool materialized() const;

  /// Makes a registered parameter a value that is computed from others, as WeightNorm does: it is converted and cloned
  /// as before, but is neither among the parameters nor in the state, and needs no gradient. Returns it.
  /// @throws ValueError when there is no such parameter here.
  Variable set_computed(const std::string& name);

  // What there is: that of this module first, then the children's, each in the order of registration. What is registered in
  // several places counts once, in the first.

  /// @throws Error, the first time, when the constructor of this made a module that holds parameters and that is not
  /// registered. What is held on purpose without being trained is frozen first, by `requires_grad_(false)`.
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
  /// What brings back the parameters and buffers as they are now, to the handles that there are then. To call it needs no
  /// memory, and does not fail.
  std::function<void()> undo_point() const;

 protected:
  // Of whole modules only: through a reference to the base class, it would change half of one.
  Module& operator=(const Module& other);
  Module& operator=(Module&&) = delete;

  /// Registers a parameter or a buffer that the class has no member for, as there are any number: it takes the i-th by
  /// `registered(i)`. @throws as add.
  void add_indexed(const std::string& name, const Variable& x);
  /// The parameter or buffer that was registered as the i-th here.
  const Variable& registered(std::size_t i) const;

 private:
  struct State;
  class CloneScope;
  class AddScope;
  class CallScope;
  template <std::derived_from<Module> M>
  friend M clone(const M& module);
  template <std::derived_from<Module> M>
  friend std::shared_ptr<M> clone(const std::shared_ptr<M>& module);
  friend std::ostream& operator<<(std::ostream& out, const Module& module);
  friend class Parameter;
  friend class Model;
  friend struct detail::Slot;
  friend class detail::Layer;

  using Copier = std::shared_ptr<Module> (*)(const Module&);
  using Assigner = void (*)(Module& target, const Module& source);

  // Only a call that knows the class can say how to copy a module; copies of the handle then know it, too.
  template <class M>
  static void remember_type(const M& module) {
    static_assert(std::is_copy_constructible_v<M>, "a module is a handle, so its class needs a copy constructor");
    if (typeid(module) != typeid(M)) return;
    Assigner assigner = nullptr;
    if constexpr (std::is_copy_assignable_v<M> && !std::is_same_v<M, Module>)
      assigner = [](Module& target, const Module& source) {
        dynamic_cast<M&>(target) = dynamic_cast<const M&>(source);
      };
    module.set_type([](const Module& original) -> std::shared_ptr<Module> {
      auto* whole = dynamic_cast<const M*>(&original);
      return whole ? std::make_shared<M>(*whole) : nullptr;
    }, assigner);
  }
  void set_type(Copier copier, Assigner assigner) const;
  std::shared_ptr<Module> shared_copy() const;
  void add_child(const std::string& name, std::shared_ptr<Module> child);
  void replace_child(const std::string& name, std::shared_ptr<Module> child);
  struct Place;
  static void put(State& parent, const Place& place, std::shared_ptr<State> old, std::shared_ptr<Module> part,
                  const Module* done);
  Module& parent_of(const std::string& name, std::string& last) const;
  void check_name(const std::string& name) const;
  void check_cycle(const std::string& text, const Module& child) const;
  bool is_constructor(const char* caller) const;
  void check_registered() const;
  std::string trainable() const;
  void visit(const std::function<void(const Module&, const std::string& prefix)>& f) const;
  std::vector<std::pair<std::string, Variable>> collect(bool parameters, bool buffers, bool computed = false) const;
  detail::Slot* lazy_slot(const Variable& x) const;  // null unless it was added lazily
  bool is_lazy(const Variable& x) const;
  void set_training(bool on) noexcept;  // of this one alone
  void load(const StateDict& state, bool strict);

  std::shared_ptr<State> state_;
  std::uint64_t made_;  // greater than those of the handles that were made before
};

/// Everything in a scope where a clone is made: copies of handles to what is cloned go to the clone.
class Module::CloneScope {
 public:
  explicit CloneScope(const Module& module);
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;
  CloneScope& operator=(const CloneScope&) = delete;

  class Copies;
  static std::shared_ptr<State> follow(const std::shared_ptr<State>& state);

 private:
  std::unique_ptr<Copies> copies_;
  Copies* outer_;
};

/// Registers a child. Until the end of the scope, the next handle that is made is the result of `add`.
class Module::AddScope {
 public:
  AddScope(Module& parent, const std::string& name, const Module& child, std::shared_ptr<Module> copy, bool is_lvalue,
           const char* caller);
  ~AddScope();
  AddScope(const AddScope&) = delete;
  AddScope& operator=(const AddScope&) = delete;

  /// What a handle does that was made as a copy.
  static void enter(const Module& handle);

 private:
  void remember(const Module& member);

  const Module& parent_;
  std::shared_ptr<State> child_;
  AddScope* outer_;
  bool waiting_;
};

template <class M>
  requires std::derived_from<std::remove_cvref_t<M>, Module>
std::remove_cvref_t<M> Module::add(const std::string& name, M&& child, const char* caller) {
  remember_type(child);
  AddScope scope(*this, name, child, child.shared_copy(), std::is_lvalue_reference_v<M>, caller);
  return std::remove_cvref_t<M>(std::as_const(child));
}

/// An independent copy of a module: its parameters, buffers and children are new, and so are the Parameters and modules
/// that a class of your own or a lambda holds of them. Gradients and hooks are not copied. Other members are copied as
/// their copy constructors do: a Variable stays a handle to the original's value.
/// @throws Error when `module` or a module below is of another class than was known when it was added, or registered a
/// Variable that no nn::Parameter is for: the copy of a Variable would not belong to the clone.
template <std::derived_from<Module> M>
M clone(const M& module) {
  if (typeid(module) != typeid(M))
    throw Error("clone: the " + module.name() + " is of a class derived from the one that is asked for; clone it as "
                "that, or by a std::shared_ptr");
  Module::CloneScope scope(module);
  return M(module);
}
template <std::derived_from<Module> M>
std::shared_ptr<M> clone(const std::shared_ptr<M>& module) {
  if (!module) return nullptr;
  Module::remember_type(*module);
  Module::CloneScope scope(*module);
  return std::static_pointer_cast<M>(module->shared_copy());
}

/// Prints the tree of modules, with the number of parameters of each and of all; where some are not yet materialized,
/// it says so.
std::ostream& operator<<(std::ostream& out, const Module& module);

}  // namespace xtape::nn
