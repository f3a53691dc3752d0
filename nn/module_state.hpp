// What the handles to a module share. For nn's own use.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <nn/module.hpp>

namespace xtape::nn {

using NamedVariables = std::vector<std::pair<std::string, Variable>>;

/// A place for a parameter or buffer.
struct detail::Slot {
  enum class Kind { parameter, buffer, computed };  // computed: was a parameter, and is computed from others now

  std::string owner, name;  // the module's class and the name here, for messages
  Kind kind;
  Variable x;
  std::atomic<bool> completed = false;  // whether it has had elements
  std::optional<Shape> known;  // of a parameter that was added lazily: its extents, 0 for those not known before
  bool indexed = false;        // the class has no member for it
  std::weak_ptr<void> module;  // the State that has this slot
  std::optional<std::ptrdiff_t> offset;  // from a handle to the module to its member for this
  std::vector<Parameter*> members;       // those that there are
  std::mutex mutex;                      // of `members`

  /// @throws as Parameter's assignment, beginning with `operation`.
  void check(const std::string& operation, const Variable& value) const;
  /// Replaces the Variable, in all members.
  void put(const Variable& value);
};

namespace detail {
/// Takes note of a handle that is made, and returns its number, which is greater than those before.
std::uint64_t enter_handle(const Module& handle);
void leave_handle(std::uint64_t number);
/// Those that this thread made.
std::vector<const Module*> handles_of_this_thread();
/// The number of the latest handle.
std::uint64_t latest_handle();
}  // namespace detail

/// Where a module is registered.
struct Module::Place {
  std::weak_ptr<State> parent;
  std::string name;
  std::optional<std::ptrdiff_t> offset;  // from a handle to the parent to its member for this
};

struct Module::State {
  std::vector<std::shared_ptr<detail::Slot>> slots;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children;
  std::vector<Place> places;
  bool training = true;
  Copier copier = nullptr;      // null while no call that knew the class has passed
  Assigner assigner = nullptr;  // null, too, for a class that cannot be assigned

  std::uint64_t made = 0;         // the number of the handle that this was made with
  std::uint64_t constructed = 0;  // the last number when a constructor of this added something
  bool replaced = false;          // whether another stands in a place where this was
  std::recursive_mutex completing;
  std::atomic<bool> searched = false;          // whether parameters that are not registered were looked for
  std::atomic<bool> listed = false;            // whether somebody has the list of parameters

  void enter(Module* handle);
  void leave(Module* handle);
  /// Whether there is a handle to this module at the address.
  bool has_handle_at(std::uintptr_t address) const;
  std::vector<Module*> all_handles() const;
  /// The members of all handles that are for this child: handles to it at this distance.
  std::vector<Module*> members_for(const State& child, std::ptrdiff_t offset) const;
  /// Null when there is none.
  std::shared_ptr<Module>* child(const std::string& name);
  /// Whether this is `other` or registered anywhere in it.
  bool is_below(const State& other) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Module*> handles_;
};

namespace detail {

/// What copies of a module share beside its State, and where a clone has its own.
struct SharedCopies {
  std::unordered_map<std::shared_ptr<void>, std::shared_ptr<void>> shared;

  /// Those of the innermost scope where a clone is made; null outside.
  static SharedCopies* current();
};

/// For copy constructors: the clone's own where one is made, else the same.
template <class T>
std::shared_ptr<T> followed(const std::shared_ptr<T>& shared) {
  SharedCopies* copies = SharedCopies::current();
  if (!copies) return shared;
  std::shared_ptr<void>& own = copies->shared[shared];
  if (!own) own = std::make_shared<T>(*shared);
  return std::static_pointer_cast<T>(own);
}

}  // namespace detail

/// Everything in a scope where a clone is made: copies of handles to what is cloned go to the clone.
class Module::CloneScope::Copies : public detail::SharedCopies {
 public:
  static Copies* current();
  std::unordered_map<std::shared_ptr<State>, std::shared_ptr<State>> states;
  std::unordered_map<const detail::Slot*, std::shared_ptr<detail::Slot>> slots;
  std::unordered_map<const VariableImpl*, Variable> variables;
};

}  // namespace xtape::nn
