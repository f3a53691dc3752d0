#include <optim/ema.hpp>

#include <set>
#include <string>
#include <utility>

#include <autograd/kernels/map.hpp>
#include <autograd/memory_error.hpp>
#include <optim/state.hpp>
#include <optim/updates.hpp>

namespace xtape::optim {

EMA::EMA(std::vector<Variable> parameters, const EMAOptions& options)
    : parameters_(std::move(parameters)), decay_(options.decay) {
  detail::require_in_range("EMA", "decay", decay_, {0, 1, true});
  if (parameters_.empty()) throw ValueError("EMA: the list of parameters is empty");
  std::set<const VariableImpl*> seen;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Variable& x = parameters_[i];
    std::string which = "EMA: parameter " + std::to_string(i);
    if (!x.defined()) throw ValueError(which + " is undefined");
    if (!is_floating(x.dtype())) throw DTypeError(which + " is " + describe(x) + ", needs float32 or float64");
    if (!seen.insert(x.impl()).second) throw ValueError(which + " is listed before");
  }
  averages_.resize(parameters_.size());
}

void EMA::require_updated(const char* operation) const {
  if (updates_ == 0) throw Error(std::string("EMA: ") + operation + ": there are no averages before the first update");
}

// In the parameter's dtype, which may have changed since the last update.
Array& EMA::average(std::size_t i) { return averages_[i] = averages_[i].to(parameters_[i].dtype()); }

// A lazy layer's parameter has no elements before the first call, and no average then.
bool EMA::begins(std::size_t i) const {
  return updates_ == 0 || (averages_[i].size() == 0 && parameters_[i].size() > 0);
}

void EMA::check_shapes(const char* operation) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!begins(i) && averages_[i].shape() != parameters_[i].shape())
      throw ShapeError(std::string("EMA: ") + operation + ": parameter " + std::to_string(i) + " is " +
                       describe(parameters_[i]) + ", its average of shape " + to_string(averages_[i].shape()) +
                       ": needs the shape that it had in the first update");
}

// Makes all averages that begin, and lets each of the others have elements of its own: all memory that an update needs, none
// where they have. Empty where none begins.
std::vector<Array> EMA::prepared(const char* operation) {
  return xtape::detail::naming("EMA", [&] {
    check_shapes(operation);
    std::vector<Array> begun;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (begins(i)) begun.resize(parameters_.size()), begun[i] = parameters_[i].value().copy();
      else if (Array& own = average(i); !own.unique()) own = own.copy();
    return begun;
  });
}

std::int64_t EMA::updates() const {
  std::scoped_lock lock(mutex_);
  return updates_;
}

void EMA::update() {
  std::scoped_lock lock(mutex_);
  std::vector<Array> begun = prepared("update");
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!begun.empty() && begun[i].defined()) averages_[i] = std::move(begun[i]);
    else kernels::update(AverageUpdate{decay_}, averages_[i], parameters_[i].value());
  ++updates_;
}

std::vector<Variable> EMA::averages() const {
  std::scoped_lock lock(mutex_);
  return copies();
}

std::vector<Variable> EMA::copies() const try {
  require_updated("averages");
  std::vector<Variable> result;
  for (std::size_t i = 0; i < averages_.size(); ++i)
    result.emplace_back(averages_[i].to(parameters_[i].dtype()).copy());
  return result;
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("EMA", "the copies");
}

void EMA::swap() {
  std::scoped_lock lock(mutex_);
  require_updated("swap");
  std::vector<Array> begun = prepared("swap");
  for (const Variable& x : parameters_)
    if (Array& value = x.mutable_value(); !value.unique()) value = value.copy();
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!begun.empty() && begun[i].defined()) averages_[i] = std::move(begun[i]);
    else kernels::update(Swap(), averages_[i], parameters_[i].impl()->value);
}

StateDict EMA::state_dict() const try {
  std::scoped_lock lock(mutex_);
  StateDict state = {{"updates", detail::to_variable<std::int64_t>({updates_})},
                     {"decay", detail::to_variable<double>({decay_})}};
  if (updates_ == 0) return state;
  std::vector<Variable> copies = this->copies();
  for (std::size_t i = 0; i < copies.size(); ++i) state.emplace("average." + std::to_string(i), copies[i]);
  return state;
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("EMA", "the state");
}

void EMA::load_state_dict(const StateDict& state) try {
  auto find = [&](const char* name, const char* form) -> const Variable* {
    auto found = state.find(name);
    return found != state.end() && describe(found->second) == form ? &found->second : nullptr;
  };
  const Variable* updates = find("updates", "int64(1,)");
  const Variable* decay = find("decay", "float64(1,)");
  StateDict expected = {{"updates", Variable(Array({1}, int64))}, {"decay", Variable(Array({1}, float64))}};
  if (updates && updates->item() > 0)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      expected.emplace("average." + std::to_string(i), parameters_[i]);
  std::string problems = misfits(expected, state);
  auto check = [&](const char* name, const Variable* value, const detail::Range& range) {
    std::string problem = value ? detail::out_of_range(name, value->item(), range) : "";
    if (!problem.empty()) problems += "\n  " + problem;
  };
  check("updates", updates, {});
  check("decay", decay, {0, 1, true});
  detail::refuse_misfits("EMA", problems);

  std::vector<Array> averages(parameters_.size());
  if (updates->item() > 0)
    for (std::size_t i = 0; i < averages.size(); ++i)
      averages[i] = state.at("average." + std::to_string(i)).value().copy();
  std::scoped_lock lock(mutex_);
  averages_ = std::move(averages);
  updates_ = *updates->data<std::int64_t>();
  decay_ = decay->item();
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("EMA", "the state");
}

}  // namespace xtape::optim
