// Putting other parts in the places of what is registered: by name, and by assigning to members.
#include <algorithm>

#include <nn/module_state.hpp>

namespace xtape::nn {
namespace {

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

// No object is larger; what is further away from a module is none of its members.
constexpr std::uintptr_t largest_object = 1 << 20;

thread_local void* innermost_add = nullptr;

}  // namespace

// Handles

void Module::State::enter(Module* handle) {
  std::scoped_lock lock(mutex_);
  handles_.push_back(handle);
}

void Module::State::leave(Module* handle) {
  std::scoped_lock lock(mutex_);
  std::erase(handles_, handle);
}

bool Module::State::has_handle_at(std::uintptr_t at) const {
  std::scoped_lock lock(mutex_);
  return std::any_of(handles_.begin(), handles_.end(), [at](const Module* handle) { return address(handle) == at; });
}

std::vector<Module*> Module::State::all_handles() const {
  std::scoped_lock lock(mutex_);
  return handles_;
}

std::vector<Module*> Module::State::members_for(const State& child, std::ptrdiff_t offset) const {
  std::vector<Module*> result;
  for (Module* handle : all_handles()) {
    std::uintptr_t at = address(handle) + static_cast<std::uintptr_t>(offset);
    if (child.has_handle_at(at)) result.push_back(reinterpret_cast<Module*>(at));
  }
  return result;
}

std::shared_ptr<Module>* Module::State::child(const std::string& name) {
  for (auto& [other, module] : children)
    if (other == name) return &module;
  return nullptr;
}

// Which members are for a child

Module::AddScope::AddScope(Module& parent, const std::string& name, const Module& child, std::shared_ptr<Module> copy,
                           bool is_lvalue, const char* caller)
    : parent_(parent), outer_(static_cast<AddScope*>(innermost_add)) {
  parent.add_child(name, std::move(copy));
  child_ = child.state_;
  bool in_constructor = parent.is_constructor(caller);
  if (in_constructor) parent.state_->constructed = detail::latest_handle();
  if (is_lvalue && in_constructor && child.made_ > parent.made_) remember(child);
  waiting_ = !is_lvalue && in_constructor;
  innermost_add = this;
}

Module::AddScope::~AddScope() { innermost_add = outer_; }

void Module::AddScope::enter(const Module& handle) {
  auto* scope = static_cast<AddScope*>(innermost_add);
  if (!scope || !scope->waiting_) return;
  scope->waiting_ = false;
  scope->remember(handle);
}

void Module::AddScope::remember(const Module& member) {
  std::uintptr_t distance = address(&member) - address(&parent_);
  if (distance < largest_object) child_->places.back().offset = static_cast<std::ptrdiff_t>(distance);
}

// Replacing

// The child of this name in `parent` becomes `part`, and so do the members for it. Where a member was assigned,
// which brought this about, it is `done`.
void Module::put(State& parent, const Place& place, std::shared_ptr<State> old, std::shared_ptr<Module> part,
                 const Module* done) {
  std::vector<Module*> members;
  if (place.offset) members = parent.members_for(*old, *place.offset);
  std::erase_if(old->places, [&](const Place& other) {
    return other.parent.lock().get() == &parent && other.name == place.name;
  });
  old->replaced = true;
  part->state_->places.push_back(place);
  std::shared_ptr<Module>& child = *parent.child(place.name);
  if (child.get() != done) child = part;
  for (Module* member : members)
    if (member != done) old->assigner(*member, *part);
}

// A member of a module, or the module that is registered, is a place; every other handle just goes elsewhere.
Module& Module::operator=(const Module& other) {
  std::shared_ptr<State> old = state_, next = CloneScope::follow(other.state_);
  if (next == old) return *this;
  struct Replacement {
    std::shared_ptr<State> parent;
    Place place;
    std::shared_ptr<Module> part;
  };
  std::vector<Replacement> replacements;  // all that can fail comes first
  for (const Place& place : old->places) {
    std::shared_ptr<State> parent = place.parent.lock();
    if (!parent || !parent->child(place.name)) continue;
    bool is_member = place.offset && parent->has_handle_at(address(this) - static_cast<std::uintptr_t>(*place.offset));
    if (!is_member && parent->child(place.name)->get() != this) continue;
    other.visit([&](const Module& module, const std::string&) {
      if (module.state_ == parent)
        throw ValueError(name() + ": \"" + place.name + "\" is assigned: the module contains the one it is put into");
    });
    std::shared_ptr<Module> part = old->copier ? old->copier(other) : nullptr;
    if (!part || !old->assigner)
      throw Error(name() + ": \"" + place.name + "\" is assigned: its class is not known; use replace(\"" + place.name +
                  "\", module)");
    replacements.push_back({std::move(parent), place, std::move(part)});
  }
  old->leave(this);
  state_ = next;
  next->enter(this);
  detail::leave_handle(made_);
  made_ = detail::enter_handle(*this);
  for (const auto& [parent, place, part] : replacements) {
    part->set_type(old->copier, old->assigner);
    put(*parent, place, old, part, this);
  }
  return *this;
}

// The module that has what a dotted name says, and the last part of that name.
Module& Module::parent_of(const std::string& name, std::string& last) const {
  const Module* module = this;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::shared_ptr<Module>* child = module->state_->child(name.substr(begin, dot - begin));
    if (!child) throw ValueError(this->name() + ": replace \"" + name + "\": there is no \"" + name.substr(0, dot) + "\"");
    module = child->get();
  }
  last = name.substr(begin);
  return const_cast<Module&>(*module);
}

void Module::replace(const std::string& name, const Variable& x) {
  std::string last, text = this->name() + ": replace \"" + name + "\"", known;
  for (const auto& slot : parent_of(name, last).state_->slots) {
    if (slot->name == last) {
      slot->check(text, x);
      slot->put(x);
      return;
    }
    known += (known.empty() ? "" : ", ") + slot->name;
  }
  throw ValueError(text + ": there is no such parameter or buffer; there are: " + (known.empty() ? "none" : known));
}

void Module::replace_child(const std::string& name, std::shared_ptr<Module> part) {
  std::string last, text = this->name() + ": replace \"" + name + "\"", known;
  const std::shared_ptr<State>& parent = parent_of(name, last).state_;
  if (!part) throw ValueError(text + ": the pointer to the module is null");
  for (const auto& [other, child] : parent->children) known += (known.empty() ? "" : ", ") + other;
  std::shared_ptr<Module>* child = parent->child(last);
  if (!child) throw ValueError(text + ": there is no such child; there are: " + (known.empty() ? "none" : known));
  std::shared_ptr<State> old = (*child)->state_;
  if (part->state_ == old) return;
  part->visit([&](const Module& module, const std::string&) {
    if (module.state_ == parent) throw ValueError(text + ": the module contains the one it is put into");
  });
  Place place{parent, last, std::nullopt};
  for (const Place& other : old->places)
    if (other.parent.lock() == parent && other.name == last) place = other;
  if (place.offset)
    for (Module* member : parent->members_for(*old, *place.offset))
      if (const Module& now = *member, &next = *part; typeid(now) != typeid(next) || !old->assigner)
        throw ValueError(text + ": got a " + part->name() + " for a member that is a " + member->name() +
                         ": needs another " + member->name());
  put(*parent, place, old, part, nullptr);
}

}  // namespace xtape::nn
