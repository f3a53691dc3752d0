// Parameter: the member type of modules for their parameters and buffers.
#pragma once

#include <cstddef>
#include <memory>

#include <autograd/variable.hpp>

namespace xtape::nn {

class Module;
class Parameter;

namespace detail {

struct Slot;

/// What Module::add returns: the Variable, and where it is registered, for a Parameter that is made of it.
class Registered : public Variable {
 public:
  Registered(const Variable& x, std::shared_ptr<Slot> slot, const Module* module)
      : Variable(x), slot_(std::move(slot)), module_(module) {}

 private:
  friend class nn::Parameter;
  std::shared_ptr<Slot> slot_;
  const Module* module_;
};

}  // namespace detail

/// A Variable that a module has as a member, registered under a name:
///
///     struct Scale : nn::Module {
///       nn::Parameter factor = add("factor", parameter(Variable{1.0}));
///       Variable forward(const Variable& x) override { return factor * x; }
///     };
///
/// Assigning to the member, as in `decoder.weight = encoder.weight`, puts another Variable in the registered one's
/// place: every handle to the module computes with it, and it is among the parameters, in the state and in the printed
/// tree. `clone` makes a copy that belongs to the clone. A copy of the member elsewhere is a plain handle.
class Parameter : public Variable {
 public:
  Parameter() = default;
  /// A handle to x that is not registered yet.
  Parameter(const Variable& x) : Variable(x) {}
  /// The member for what Module::add registered.
  Parameter(const detail::Registered& added);
  Parameter(const Parameter& other);  // moving is copying, as of modules
  /// Puts x in the place of what is registered, if this is the member of a module; else, as for a Variable.
  /// @throws ValueError when x is undefined, or needs no gradient where a parameter is registered, or needs one where a
  /// buffer is; GraphError for the result of a recorded operation. `parameter(x)` makes what a parameter needs.
  Parameter& operator=(const Variable& x);
  Parameter& operator=(const Parameter& other);
  Parameter& operator=(const detail::Registered& added);
  ~Parameter() { leave(); }

 private:
  friend class Module;
  friend struct detail::Slot;
  static Variable followed(const Variable& x);
  static std::shared_ptr<detail::Slot> followed(const std::shared_ptr<detail::Slot>& slot);
  void enter(std::shared_ptr<detail::Slot> slot);
  void leave();
  bool is_member() const;

  std::shared_ptr<detail::Slot> slot_;  // null unless this is the member of a module
};

}  // namespace xtape::nn
