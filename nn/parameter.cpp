#include <nn/parameter.hpp>

#include <algorithm>

#include <nn/module_state.hpp>

namespace xtape::nn {
namespace {

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

}  // namespace

// The same, or where a clone is being made, that of the clone.
Variable Parameter::followed(const Variable& x) {
  auto* copies = Module::CloneScope::Copies::current();
  if (!copies || !x.defined()) return x;
  auto found = copies->variables.find(x.impl());
  return found == copies->variables.end() ? x : found->second;
}

std::shared_ptr<detail::Slot> Parameter::followed(const std::shared_ptr<detail::Slot>& slot) {
  auto* copies = Module::CloneScope::Copies::current();
  if (!copies || !slot) return slot;
  auto found = copies->slots.find(slot.get());
  return found == copies->slots.end() ? slot : found->second;
}

void detail::Slot::check(const std::string& operation, const Variable& value) const {
  if (!value.defined()) throw ValueError(operation + ": the Variable is undefined");
  if (!value.is_leaf())
    throw GraphError(operation + ": the Variable is the result of a recorded operation; needs a leaf, which "
                     "parameter(x) makes");
  if (kind == Kind::computed)
    throw ValueError(operation + ": its value is computed from other parameters; replace those");
  if (kind == Kind::parameter && !value.requires_grad())
    throw ValueError(operation + ": got " + describe(value) + " that needs no gradient in the place of a parameter; "
                     "parameter(x) makes one that does, and assign(x) writes the elements only");
  if (kind == Kind::buffer && value.requires_grad())
    throw ValueError(operation + ": got " + describe(value) + " that needs a gradient in the place of a buffer; "
                     "detach() makes one that does not");
}

void detail::Slot::put(const Variable& value) {
  Variable kept = value;  // which may be one of those that change
  kept.mutable_value();   // what is registered has a dtype of its own
  std::scoped_lock lock(mutex);
  x = kept;
  known.reset();
  for (Parameter* member : members) static_cast<Variable&>(*member) = kept;
}

// A member is where it was registered: at one distance from a handle to the module.
bool Parameter::is_member() const {
  if (!slot_ || !slot_->offset) return false;
  auto module = std::static_pointer_cast<Module::State>(slot_->module.lock());
  return module && module->has_handle_at(address(this) - static_cast<std::uintptr_t>(*slot_->offset));
}

void Parameter::enter(std::shared_ptr<detail::Slot> slot) {
  leave();
  slot_ = std::move(slot);
  if (!is_member()) {
    slot_.reset();
    return;
  }
  std::scoped_lock lock(slot_->mutex);
  slot_->members.push_back(this);
}

void Parameter::leave() {
  if (!slot_) return;
  {
    std::scoped_lock lock(slot_->mutex);
    std::erase(slot_->members, this);
  }
  slot_.reset();
}

Parameter::Parameter(const detail::Registered& added) : Variable(added) { *this = added; }

Parameter::Parameter(const Parameter& other) : Variable(followed(other)) { enter(followed(other.slot_)); }

Parameter& Parameter::operator=(const detail::Registered& added) {
  Variable::operator=(added);
  if (added.slot_ && !added.slot_->offset)
    added.slot_->offset = static_cast<std::ptrdiff_t>(address(this) - address(added.module_));
  enter(added.slot_);
  return *this;
}

Parameter& Parameter::operator=(const Variable& x) {
  if (is_member()) {
    slot_->check(slot_->owner + ": \"" + slot_->name + "\" is assigned", x);
    slot_->put(x);
  } else {
    Variable::operator=(x);
  }
  return *this;
}

// Within the assignment of a whole module, this is no member of the old one any more.
Parameter& Parameter::operator=(const Parameter& other) {
  if (this == &other || (slot_ && slot_ == other.slot_)) return *this;
  if (is_member()) return *this = static_cast<const Variable&>(other);
  Variable::operator=(followed(other));
  enter(followed(other.slot_));
  return *this;
}

}  // namespace xtape::nn
