#include <unordered_map>

#include <autograd/clone.hpp>
#include <nn/module_state.hpp>

namespace xtape::nn {

struct Module::CloneScope::Copies {
  xtape::detail::CloneScope variables;
  std::unordered_map<std::shared_ptr<State>, std::shared_ptr<State>> states;
};

namespace {

thread_local void* innermost_clone_scope = nullptr;

Variable independent_copy(const Variable& x) {
  return Variable(x.value().copy()).requires_grad_(x.requires_grad());
}

}  // namespace

Module::CloneScope::CloneScope()
    : copies_(std::make_unique<Copies>()),
      outer_(static_cast<CloneScope*>(std::exchange(innermost_clone_scope, this))) {}

Module::CloneScope::~CloneScope() { innermost_clone_scope = outer_; }

// A module is copied before its members, and here with all below it; their Variables come first. So the copy
// constructors of members and of what lambdas hold find the copies of all that is registered.
std::shared_ptr<Module::State> Module::CloneScope::follow(const std::shared_ptr<State>& state) {
  auto* scope = static_cast<CloneScope*>(innermost_clone_scope);
  if (!scope) return state;
  auto& [variables, states] = *scope->copies_;
  if (auto found = states.find(state); found != states.end()) return found->second;

  std::vector<std::shared_ptr<State>> originals;
  auto enter = [&](auto& self, const std::shared_ptr<State>& original) -> void {
    if (!states.try_emplace(original, std::make_shared<State>()).second) return;
    originals.push_back(original);
    for (const auto* list : {&original->parameters, &original->buffers, &original->computed})
      for (const auto& [name, x] : *list) variables.replace(x, independent_copy(x));
    for (const auto& [name, child] : original->children) self(self, child->state_);
  };
  enter(enter, state);
  for (const auto& original : originals) {
    State& copy = *states.at(original);
    copy.parameters = original->parameters;  // the copied handles lead to the replacements
    copy.buffers = original->buffers;
    copy.computed = original->computed;
    copy.lazy = original->lazy;
    for (const auto& [name, child] : original->children) copy.children.emplace_back(name, child->shared_copy());
    copy.training = original->training;
    copy.copier = original->copier;
  }
  return states.at(state);
}

}  // namespace xtape::nn
