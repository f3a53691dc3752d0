#include <nn/module.hpp>

#include <algorithm>
#include <ostream>
#include <unordered_map>
#include <unordered_set>

#include <autograd/clone.hpp>
#include <boost/core/demangle.hpp>

namespace xtape::nn {

using NamedVariables = std::vector<std::pair<std::string, Variable>>;

struct Module::State {
  NamedVariables parameters, buffers;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children;
  bool training = true;
  Copier copier = nullptr;  // null while no call that knew the class has passed
};

// Cloning

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
    for (const auto* list : {&original->parameters, &original->buffers})
      for (const auto& [name, x] : *list) variables.replace(x, independent_copy(x));
    for (const auto& [name, child] : original->children) self(self, child->state_);
  };
  enter(enter, state);
  for (const auto& original : originals) {
    State& copy = *states.at(original);
    copy.parameters = original->parameters;  // the copied handles lead to the replacements
    copy.buffers = original->buffers;
    for (const auto& [name, child] : original->children) copy.children.emplace_back(name, child->shared_copy());
    copy.training = original->training;
    copy.copier = original->copier;
  }
  return states.at(state);
}

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
  if (taken(state_->parameters) || taken(state_->buffers) || taken(state_->children)) refuse("the name is taken");
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

NamedVariables Module::collect(bool parameters, bool buffers) const {
  std::unordered_set<const VariableImpl*> seen;
  NamedVariables result;
  visit([&](const Module& module, const std::string& prefix) {
    auto collect_from = [&](const NamedVariables& entries) {
      for (const auto& [name, x] : entries)
        if (seen.insert(x.impl()).second) result.emplace_back(prefix + name, x);
    };
    if (parameters) collect_from(module.state_->parameters);
    if (buffers) collect_from(module.state_->buffers);
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
  for (const Variable& x : parameters()) count += x.size();
  return count;
}

// Mode and changes

void Module::train(bool on) {
  visit([on](const Module& module, const std::string&) { module.state_->training = on; });
}

bool Module::training() const { return state_->training; }

void Module::to(DType dtype) {
  if (!is_floating(dtype))
    throw DTypeError(name() + ": to " + to_string(dtype) + ": needs float32 or float64");
  std::vector<std::pair<VariableImpl*, Array>> converted;  // all that can fail comes first
  for (const auto& [name, x] : collect(true, true))
    if (is_floating(x.dtype()) && x.dtype() != dtype) converted.emplace_back(x.impl(), x.value().to(dtype));
  for (auto& [impl, value] : converted) {
    // Counted as a write, so that a graph which saved the old value does not go on with it.
    visit_floating("to", impl->value.dtype(), [&, old = &impl->value]<class T>(T) { old->mutable_data<T>(); });
    impl->value = std::move(value);
    impl->grad = Variable();
  }
}

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

// Saving

StateDict Module::state_dict() const {
  StateDict state;
  for (const auto& [name, x] : collect(true, true)) state.emplace(name, Variable(x.value().copy()));
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  NamedVariables own = collect(true, true);
  auto describe = [](const Variable& x) {
    return x.defined() ? std::string(to_string(x.dtype())) + to_string(x.shape()) : "an undefined Variable";
  };
  std::string misfits;
  StateDict unexpected = state;
  for (const auto& [name, x] : own) {
    unexpected.erase(name);
    auto found = state.find(name);
    if (found == state.end()) {
      if (strict) misfits += "\n  missing: " + name + ", " + describe(x);
    } else if (describe(found->second) != describe(x)) {
      misfits += "\n  " + name + ": got " + describe(found->second) + ", needs " + describe(x);
    }
  }
  if (strict)
    for (const auto& [name, x] : unexpected) misfits += "\n  unexpected: " + name + ", " + describe(x);
  if (!misfits.empty()) throw ValueError(name() + ": load_state_dict: the state does not fit this module" + misfits);
  for (auto& [name, x] : own)
    if (auto found = state.find(name); found != state.end()) x.mutable_value().assign(found->second.value());
}

// Printing

namespace {

std::string with_thousands(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

struct Line {
  std::string text;
  std::size_t count;
};

void add_lines(const Module& module, const std::string& label, std::size_t depth, std::vector<Line>& lines) {
  std::string description = module.description();
  std::string text = std::string(2 * depth, ' ') + label + module.name();
  if (!description.empty()) text += "(" + description + ")";
  lines.push_back({text, module.parameter_count()});
  for (const auto& [name, child] : module.children()) add_lines(*child, name + ": ", depth + 1, lines);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Module& module) {
  std::vector<Line> lines;
  add_lines(module, "", 0, lines);
  std::string total = with_thousands(module.parameter_count());
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.text.size());
  for (const Line& line : lines) {
    out << line.text;
    if (line.count > 0) {
      std::string count = with_thousands(line.count);
      out << std::string(width - line.text.size() + 2 + total.size() - count.size(), ' ') << count;
    }
    out << '\n';
  }
  return out << "total: " << total << " parameters\n";
}

}  // namespace xtape::nn
