#include <algorithm>
#include <unordered_set>

#include <boost/core/demangle.hpp>

#include <nn/module_state.hpp>

namespace xtape::nn {

Module::Module() : state_(std::make_shared<State>()) {}
Module::Module(const Module& other) : state_(CloneScope::follow(other.state_)) {}
Module& Module::operator=(const Module& other) {
  state_ = CloneScope::follow(other.state_);
  return *this;
}

void Module::set_copier(Copier copier) const {
  if (!state_->copier) state_->copier = copier;
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

std::string Module::name() const {
  std::string text = boost::core::demangle(typeid(*this).name());
  if (text.back() == '>') {  // without the template's arguments
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

// Registration

void Module::check_name(const std::string& name) const {
  auto refuse = [&](const std::string& why) { throw ValueError(this->name() + ": add \"" + name + "\": " + why); };
  if (name.empty()) refuse("the name is empty");
  if (name.find('.') != std::string::npos) refuse("a name has no '.', which separates the names of parent and child");
  auto taken = [&](const auto& entries) {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == name; });
  };
  if (taken(state_->parameters) || taken(state_->buffers) || taken(state_->computed) || taken(state_->children))
    refuse("the name is taken");
}

Variable Module::add(const std::string& name, const Variable& x) {
  check_name(name);
  if (!x.defined()) throw ValueError(this->name() + ": add \"" + name + "\": the Variable is undefined");
  if (!x.is_leaf())
    throw GraphError(this->name() + ": add \"" + name + "\": the Variable is the result of a recorded operation; "
                     "needs a leaf, which parameter(x) makes");
  x.mutable_value();  // what is registered has a dtype of its own, even if it began as a C++ scalar
  (x.requires_grad() ? state_->parameters : state_->buffers).emplace_back(name, x);
  return x;
}

void Module::add_child(const std::string& name, std::shared_ptr<Module> child) {
  check_name(name);
  if (!child) throw ValueError(this->name() + ": add \"" + name + "\": the pointer to the module is null");
  child->visit([&](const Module& module, const std::string&) {
    if (module.state_ == state_)
      throw ValueError(this->name() + ": add \"" + name + "\": the module contains the one it is added to");
  });
  state_->children.emplace_back(name, std::move(child));
}

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
  visit([&](const Module& module, const std::string& prefix) {
    auto collect_from = [&](const NamedVariables& entries) {
      for (const auto& [name, x] : entries)
        if (seen.insert(x.impl()).second) result.emplace_back(prefix + name, x);
    };
    if (parameters) collect_from(module.state_->parameters);
    if (buffers) collect_from(module.state_->buffers);
    if (computed) collect_from(module.state_->computed);
  });
  return result;
}

NamedVariables Module::named_parameters() const { return collect(true, false); }
NamedVariables Module::named_buffers() const { return collect(false, true); }

std::vector<Variable> Module::parameters() const {
  std::vector<Variable> result;
  for (auto& [name, x] : named_parameters()) result.push_back(x);
  return result;
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
  visit([on](const Module& module, const std::string&) { module.state_->training = on; });
}

bool Module::training() const { return state_->training; }

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
