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
  NamedVariables computed;      // were parameters, and are computed from others now
  std::vector<Variable> lazy;  // parameters of which some extents were not known; until they are, without elements
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

std::string describe(const Variable& x) {
  return x.defined() ? std::string(to_string(x.dtype())) + to_string(x.shape()) : "an undefined Variable";
}

// Whether a parameter that was added without knowing all extents, and has no elements yet, can have this shape.
bool completes(const Shape& known, const Shape& shape) {
  if (shape.size() != known.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0 || (known[i] != 0 && known[i] != shape[i])) return false;
  return true;
}

// Replaces the value in every handle. Counted as a write, so that a graph which saved the old one does not go on with
// it; a gradient of the old one is of no use.
void replace_value(VariableImpl& impl, Array value) {
  visit(impl.value.dtype(), [&]<class T>(T) { impl.value.mutable_data<T>(); });
  impl.value = std::move(value);
  impl.grad = Variable();
}

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

Variable Module::add_lazy(const std::string& name, const Shape& shape, DType dtype) {
  if (std::find(shape.begin(), shape.end(), 0) == shape.end())
    throw ValueError(this->name() + ": add_lazy \"" + name + "\": all extents of " + to_string(shape) +
                     " are known; use add");
  Variable x = add(name, parameter(Variable(Array(shape, dtype))));
  state_->lazy.push_back(x);
  return x;
}

void Module::materialize(const Variable& x, const Array& value) {
  std::string text = name() + ": materialize: " + (value.defined() ? describe(Variable(value)) : "an undefined array") +
                     " for " + describe(x);
  if (!is_lazy(x) || !value.defined() || !completes(x.shape(), value.shape()))
    throw ShapeError(text + ": needs a parameter that is not yet materialized, and elements of its known extents");
  if (value.dtype() != x.dtype()) throw DTypeError(text + ": needs one dtype");
  replace_value(*x.impl(), value);
}

bool Module::is_lazy(const Variable& x) const {
  if (!x.defined() || x.size() > 0) return false;
  bool found = false;
  visit([&](const Module& module, const std::string&) {
    for (const Variable& lazy : module.state_->lazy) found = found || lazy.impl() == x.impl();
  });
  return found;
}

bool Module::materialized() const {
  bool all = true;
  visit([&](const Module& module, const std::string&) {
    for (const Variable& x : module.state_->lazy) all = all && x.size() > 0;
  });
  return all;
}

Variable Module::set_computed(const std::string& name) {
  auto& parameters = state_->parameters;
  auto found = std::find_if(parameters.begin(), parameters.end(),
                            [&](const auto& entry) { return entry.first == name; });
  if (found == parameters.end())
    throw ValueError(this->name() + ": set_computed \"" + name + "\": there is no such parameter");
  Variable x = found->second;
  x.zero_grad();
  x.requires_grad_(false);
  state_->computed.push_back(*found);
  parameters.erase(found);
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

void Module::to(DType dtype) {
  if (!is_floating(dtype))
    throw DTypeError(name() + ": to " + to_string(dtype) + ": needs float32 or float64");
  std::vector<std::pair<VariableImpl*, Array>> converted;  // all that can fail comes first
  for (const auto& [name, x] : collect(true, true, true))
    if (is_floating(x.dtype()) && x.dtype() != dtype) converted.emplace_back(x.impl(), x.value().to(dtype));
  for (auto& [impl, value] : converted) replace_value(*impl, std::move(value));
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
  for (const auto& [name, x] : collect(true, true))
    state.emplace(name, is_lazy(x) ? Variable() : Variable(x.value().copy()));
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  NamedVariables own = collect(true, true);
  std::string misfits;
  StateDict unexpected = state;
  for (const auto& [name, x] : own) {
    unexpected.erase(name);
    auto found = state.find(name);
    if (found == state.end()) {
      if (strict) misfits += "\n  missing: " + name + ", " + describe(x);
    } else if (const Variable& given = found->second; is_lazy(x)) {
      // An undefined one comes from a module that was not materialized either.
      if (given.defined() && (given.dtype() != x.dtype() || !completes(x.shape(), given.shape())))
        misfits += "\n  " + name + ": got " + describe(given) + ", needs " + describe(x) +
                   ", where 0 stands for what is not yet known";
    } else if (describe(given) != describe(x)) {
      misfits += "\n  " + name + ": got " + describe(given) + ", needs " + describe(x);
    }
  }
  if (strict)
    for (const auto& [name, x] : unexpected) misfits += "\n  unexpected: " + name + ", " + describe(x);
  if (!misfits.empty()) throw ValueError(name() + ": load_state_dict: the state does not fit this module" + misfits);
  for (auto& [name, x] : own) {
    auto found = state.find(name);
    if (found == state.end() || !found->second.defined()) continue;
    if (is_lazy(x)) replace_value(*x.impl(), found->second.value().copy());
    else x.mutable_value().assign(found->second.value());
  }
}

// Printing

namespace {

std::string with_thousands(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

struct Line {
  std::string text, count;
};

// The number of parameters, where there are any and it is known.
std::string count_of(const Module& module) {
  if (!module.materialized()) return "not yet materialized";
  std::size_t count = module.parameter_count();
  return count > 0 ? with_thousands(count) : "";
}

void add_lines(const Module& module, const std::string& label, std::size_t depth, std::vector<Line>& lines) {
  std::string description = module.description();
  std::string text = std::string(2 * depth, ' ') + label + module.name();
  if (!description.empty()) text += "(" + description + ")";
  lines.push_back({text, count_of(module)});
  for (const auto& [name, child] : module.children()) add_lines(*child, name + ": ", depth + 1, lines);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Module& module) {
  std::vector<Line> lines;
  add_lines(module, "", 0, lines);
  std::size_t width = 0, count_width = 0;
  for (const Line& line : lines) {
    width = std::max(width, line.text.size());
    count_width = std::max(count_width, line.count.size());
  }
  for (const auto& [text, count] : lines) {
    out << text;
    if (!count.empty()) out << std::string(width - text.size() + 2 + count_width - count.size(), ' ') << count;
    out << '\n';
  }
  return out << "total: " << (lines[0].count.empty() ? "0" : lines[0].count)
             << (module.materialized() ? " parameters\n" : "\n");
}

}  // namespace xtape::nn
