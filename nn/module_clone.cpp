#include <utility>

#include <nn/module_state.hpp>

namespace xtape::nn {
namespace {

thread_local detail::SharedCopies* innermost_clone_scope = nullptr;

Variable independent_copy(const Variable& x) {
  return Variable(x.value().copy()).requires_grad_(x.requires_grad());
}

}  // namespace

detail::SharedCopies* detail::SharedCopies::current() { return innermost_clone_scope; }

Module::CloneScope::Copies* Module::CloneScope::Copies::current() {
  return static_cast<Copies*>(innermost_clone_scope);
}

// A Variable that no member is for could be one that the class holds as it is: its copy would be the original's.
Module::CloneScope::CloneScope(const Module& module) : copies_(std::make_unique<Copies>()), outer_(Copies::current()) {
  module.visit([](const Module& part, const std::string&) {
    if (typeid(part) == typeid(Module)) return;
    for (const auto& slot : part.state_->slots)
      if (slot->members.empty() && !slot->indexed)
        throw Error("clone: " + slot->owner + " registered \"" + slot->name + "\" as a Variable, whose copy would not " +
                    "belong to the clone; make the member an nn::Parameter: `nn::Parameter " + slot->name +
                    " = add(\"" + slot->name + "\", ...)`");
  });
  innermost_clone_scope = copies_.get();
}

Module::CloneScope::~CloneScope() { innermost_clone_scope = outer_; }

// A module is copied before its members, and here with all below it; their Variables come first. So the copy
// constructors of members and of what lambdas hold find the copies of all that is registered.
std::shared_ptr<Module::State> Module::CloneScope::follow(const std::shared_ptr<State>& state) {
  Copies* copies = Copies::current();
  if (!copies) return state;
  auto& states = copies->states;
  if (auto found = states.find(state); found != states.end()) return found->second;

  std::vector<std::shared_ptr<State>> originals;
  auto enter = [&](auto& self, const std::shared_ptr<State>& original) -> void {
    if (!states.try_emplace(original, std::make_shared<State>()).second) return;
    originals.push_back(original);
    for (const auto& slot : original->slots)
      if (!copies->variables.contains(slot->x.impl()))
        copies->variables.emplace(slot->x.impl(), independent_copy(slot->x));
    for (const auto& [name, child] : original->children) self(self, child->state_);
  };
  enter(enter, state);
  for (const auto& original : originals) {
    const std::shared_ptr<State>& copy = states.at(original);
    for (const auto& slot : original->slots) {
      auto own = std::make_shared<detail::Slot>();
      own->owner = slot->owner;
      own->name = slot->name;
      own->kind = slot->kind;
      own->x = copies->variables.at(slot->x.impl());
      own->known = slot->known;
      own->indexed = slot->indexed;
      own->module = copy;
      own->offset = slot->offset;
      copies->slots.emplace(slot.get(), own);
      copy->slots.push_back(std::move(own));
    }
    for (const Place& place : original->places)
      if (auto parent = states.find(place.parent.lock()); parent != states.end())
        copy->places.push_back({parent->second, place.name, place.offset});
    copy->training = original->training;
    copy->copier = original->copier;
    copy->assigner = original->assigner;
    copy->searched = original->searched.load();
  }
  for (const auto& original : originals)
    for (const auto& [name, child] : original->children)
      states.at(original)->children.emplace_back(name, child->shared_copy());
  return states.at(state);
}

}  // namespace xtape::nn
