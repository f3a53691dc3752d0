// Noticing modules that hold parameters and are not registered: those that a constructor made, and those that a
// forward calls.
#include <algorithm>
#include <map>
#include <thread>

#include <autograd/grad_mode.hpp>
#include <autograd/memory_error.hpp>
#include <nn/containers.hpp>
#include <nn/module_state.hpp>

namespace xtape::nn {
namespace {

struct Handles {
  std::mutex mutex;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::pair<const Module*, std::thread::id>> all;
};

// Never destroyed, as modules may live as long as the program.
Handles& handles() {
  static Handles& result = *new Handles;
  return result;
}

thread_local const Module* innermost_call = nullptr;

}  // namespace

std::uint64_t detail::enter_handle(const Module& handle) {
  std::scoped_lock lock(handles().mutex);
  handles().all.emplace_hint(handles().all.end(), ++handles().last, std::pair(&handle, std::this_thread::get_id()));
  return handles().last;
}

void detail::leave_handle(std::uint64_t number) {
  std::scoped_lock lock(handles().mutex);
  handles().all.erase(number);
}

std::vector<const Module*> detail::handles_of_this_thread() {
  std::scoped_lock lock(handles().mutex);
  std::vector<const Module*> result;
  for (const auto& [number, handle] : handles().all)
    if (handle.second == std::this_thread::get_id()) result.push_back(handle.first);
  return result;
}

std::uint64_t detail::latest_handle() {
  std::scoped_lock lock(handles().mutex);
  return handles().last;
}

// Whether this module is `other` or registered anywhere in it.
bool Module::State::is_below(const State& other) const {
  if (this == &other) return true;
  return std::any_of(places.begin(), places.end(), [&](const Place& place) {
    std::shared_ptr<State> parent = place.parent.lock();
    return parent && parent->is_below(other);
  });
}

// The first parameter that somebody could want to train.
std::string Module::trainable() const {
  std::string found;
  visit([&](const Module& module, const std::string& prefix) {
    for (const auto& slot : module.state_->slots)
      if (found.empty() && slot->kind == detail::Slot::Kind::parameter && slot->x.requires_grad())
        found = prefix + slot->name;
  });
  return found;
}

void Module::check_registered() const {
  visit([&](const Module& part, const std::string&) {
    State& state = *part.state_;
    state.listed = true;
    if (state.searched) return;
    auto meanwhile = [&](std::uint64_t number) { return state.made < number && number <= state.constructed; };
    for (const Module* handle : detail::handles_of_this_thread())
      if ((meanwhile(handle->made_) || meanwhile(handle->state_->made)) && !handle->state_->replaced &&
          !handle->state_->is_below(state) && !handle->trainable().empty())
        throw Error(part.name() + ": parameters: it made a " + handle->name() + "(" + handle->description() +
                    ") with parameters, and did not register it; add(\"name\", member) in the constructor does that");
    state.searched = true;
  });
}

/// A call of a module, within another's or on its own.
class Module::CallScope {
 public:
  explicit CallScope(const Module& module) : outer_(innermost_call) {
    if (outer_ && outer_->state_->listed && grad_enabled() && !module.state_->is_below(*outer_->state_) &&
        !dynamic_cast<const Lambda*>(outer_) && !module.trainable().empty())
      throw Error(outer_->name() + ": calls a " + module.name() + "(" + module.description() + ") with parameters that " +
                  "are not registered, and so not among those that parameters() gave; add(\"name\", member) in the " +
                  "constructor registers it, replace(\"name\", module) puts it in the place of another");
    innermost_call = &module;
  }
  ~CallScope() { innermost_call = outer_; }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  const Module* outer_;
};

Variable Module::operator()(const Variable& x) const {
  return xtape::detail::naming("module", [&] {
    CallScope scope(*this);
    return const_cast<Module*>(this)->forward(x);
  });
}

}  // namespace xtape::nn
