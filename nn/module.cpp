#include <algorithm>
#include <unordered_set>

#include <boost/core/demangle.hpp>

#include <autograd/memory_error.hpp>
#include <nn/module_state.hpp>

namespace xtape::nn {

Module::Module() : state_(std::make_shared<State>()), made_(detail::enter_handle(*this)) {
  state_->made = made_;
  state_->enter(this);
}

Module::Module(const Module& other) : state_(CloneScope::follow(other.state_)), made_(detail::enter_handle(*this)) {
  state_->enter(this);
  AddScope::enter(*this);
}

Module::~Module() {
  detail::leave_handle(made_);
  state_->leave(this);
}

void Module::set_type(Copier copier, Assigner assigner) const {
  if (state_->copier) return;
  state_->copier = copier;
  state_->assigner = assigner;
}

std::shared_ptr<Module> Module::shared_copy() const {
  std::shared_ptr<Module> copy = state_->copier ? state_->copier(*this) : nullptr;
  if (!copy)
    throw Error("module: the class of a " + name() + " is not known where it is copied: it was passed as a reference "
                "or pointer to a base class; pass it as what it is when it is first added");
  return copy;
}

// Calling

Variable Module::forward(const Variable&) {
  throw Error(name() + ": has no forward; override `Variable forward(const Variable& x)`");
}

namespace {

// Of a class: without its namespaces and the arguments of a template.
std::string name_of(const std::type_info& type) {
  std::string text = boost::core::demangle(type.name());
  if (text.back() == '>') {
    std::size_t open = text.size();
    for (int depth = 0; depth > 0 || open == text.size();) {
      --open;
      depth += (text[open] == '>') - (text[open] == '<');
    }
    text.resize(open);
  }
  std::size_t colon = text.rfind("::");
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

}  // namespace

std::string Module::name() const { return name_of(typeid(*this)); }

// Whether `caller`, a function's name, is that of a constructor of this class.
bool Module::is_constructor(const char* caller) const {
  return typeid(*this) != typeid(Module) && name_of(typeid(*this)) == caller;
}

// Registration

void Module::check_name(const std::string& name) const {
  auto refuse = [&](const std::string& why) { throw ValueError(this->name() + ": add \"" + name + "\": " + why); };
  if (name.empty()) refuse("the name is empty");
  if (name.find('.') != std::string::npos) refuse("a name has no '.', which separates the names of parent and child");
  auto named = [&](const auto& slot) { return slot->name == name; };
  if (std::any_of(state_->slots.begin(), state_->slots.end(), named) ||
      std::any_of(state_->children.begin(), state_->children.end(), [&](const auto& e) { return e.first == name; }))
    refuse("the name is taken");
}

detail::Registered Module::add(const std::string& name, const Variable& x) {
  check_name(name);
  auto slot = std::make_shared<detail::Slot>();
  slot->owner = this->name();
  slot->name = name;
  slot->module = state_;
  slot->kind = x.requires_grad() ? detail::Slot::Kind::parameter : detail::Slot::Kind::buffer;
  slot->check(slot->owner + ": add \"" + name + "\"", x);
  x.mutable_value();  // what is registered has a dtype of its own, even if it began as a C++ scalar
  slot->x = x;
  state_->slots.push_back(slot);
  return {x, slot, this};
}

detail::Registered Module::add(const std::string& name, Parameter& member) {
  detail::Registered added = add(name, static_cast<const Variable&>(member));
  if (!member.is_member()) member = added;
  return added;
}

void Module::check_cycle(const std::string& text, const Module& child) const {
  child.visit([&](const Module& module, const std::string&) {
    if (module.state_ == state_) throw ValueError(text + ": the module contains the one it is added to");
  });
}

void Module::add_child(const std::string& name, std::shared_ptr<Module> child) {
  check_name(name);
  std::string text = this->name() + ": add \"" + name + "\"";
  if (!child) throw ValueError(text + ": the pointer to the module is null");
  check_cycle(text, *child);
  child->state_->places.push_back({state_, name, std::nullopt});
  state_->children.emplace_back(name, std::move(child));
}

void Module::add_indexed(const std::string& name, const Variable& x) {
  add(name, x);
  state_->slots.back()->indexed = true;
}

const Variable& Module::registered(std::size_t i) const { return state_->slots.at(i)->x; }

// The tree

// Each module once, parents first; a prefix ends with a dot.
void Module::visit(const std::function<void(const Module&, const std::string& prefix)>& f) const {
  std::unordered_set<const State*> seen;
  auto go = [&](auto& self, const Module& module, const std::string& prefix) -> void {
    if (!seen.insert(module.state_.get()).second) return;
    f(module, prefix);
    for (const auto& [name, child] : module.state_->children) self(self, *child, prefix + name + ".");
  };
  go(go, *this, "");
}

NamedVariables Module::collect(bool parameters, bool buffers, bool computed) const {
  std::unordered_set<const VariableImpl*> seen;
  NamedVariables result;
  using Kind = detail::Slot::Kind;
  visit([&](const Module& module, const std::string& prefix) {
    auto collect_from = [&](Kind kind) {
      for (const auto& slot : module.state_->slots)
        if (slot->kind == kind && seen.insert(slot->x.impl()).second) result.emplace_back(prefix + slot->name, slot->x);
    };
    if (parameters) collect_from(Kind::parameter);
    if (buffers) collect_from(Kind::buffer);
    if (computed) collect_from(Kind::computed);
  });
  return result;
}

NamedVariables Module::named_parameters() const {
  return xtape::detail::naming("parameters", [&] {
    check_registered();
    return collect(true, false);
  });
}
NamedVariables Module::named_buffers() const { return collect(false, true); }

std::vector<Variable> Module::parameters() const {
  return xtape::detail::naming("parameters", [&] {
    std::vector<Variable> result;
    for (auto& [name, x] : named_parameters()) result.push_back(x);
    return result;
  });
}

const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& Module::children() const {
  return state_->children;
}

std::size_t Module::parameter_count() const {
  std::size_t count = 0;
  std::string unknown;
  for (const auto& [name, x] : named_parameters()) {
    count += x.size();
    if (is_lazy(x)) unknown += (unknown.empty() ? "" : ", ") + name;
  }
  if (!unknown.empty())
    throw Error(name() + ": parameter_count: not yet materialized: " + unknown + "; the first call does that");
  return count;
}

// Mode and changes

void Module::train(bool on) {
  std::vector<State*> states;  // all that can fail comes first
  xtape::detail::naming("train", [&] {
    visit([&](const Module& module, const std::string&) { states.push_back(module.state_.get()); });
  });
  for (State* state : states) state->training = on;
}

bool Module::training() const { return state_->training; }
void Module::set_training(bool on) noexcept { state_->training = on; }

void Module::apply(const std::function<void(Module&)>& f) {
  std::unordered_set<const State*> seen;
  auto go = [&](auto& self, Module& module) -> void {
    if (!seen.insert(module.state_.get()).second) return;
    for (const auto& [name, child] : module.state_->children) self(self, *child);
    f(module);
  };
  go(go, *this);
}

void Module::zero_grad() {
  for (const Variable& x : parameters()) x.zero_grad();
}

}  // namespace xtape::nn
