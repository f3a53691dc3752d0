#include <optim/optimizer.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <autograd/clip_grad.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/elementwise.hpp>

namespace xtape::optim {

Optimizer::Optimizer(std::string name, const std::vector<std::vector<Variable>>& groups,
                     std::vector<OptionSpec> options, const std::vector<const char*>& moments,
                     const std::vector<const char*>& numbers)
    : name_(std::move(name)), options_(std::move(options)) {
  if (groups.empty()) throw ValueError(name_ + ": the list of groups is empty");
  for (const char* moment : moments) moments_.push_back({moment, {}});
  for (const char* number : numbers) numbers_.push_back({number, {}});
  for (const std::vector<Variable>& group : groups) add_group(group);
}

void Optimizer::add_group(const std::vector<Variable>& parameters) {
  if (parameters.empty())
    throw ValueError(name_ + ": the list of parameters is empty" +
                     (groups() > 0 ? " in group " + std::to_string(groups()) : ""));
  std::vector<Variable> all = parameters_;
  all.insert(all.end(), parameters.begin(), parameters.end());
  check_parameters(all);
  // All that can fail comes first.
  group_ends_.reserve(group_ends_.size() + 1);
  initial_lrs_.reserve(initial_lrs_.size() + 1);
  steps_.reserve(all.size());
  ready_.reserve(all.size());
  for (Moment& moment : moments_) moment.values.reserve(all.size());
  for (Number& number : numbers_) number.values.reserve(all.size());
  parameters_ = std::move(all);
  group_ends_.push_back(parameters_.size());
  initial_lrs_.push_back(NAN);
  steps_.resize(parameters_.size(), 0);
  ready_.resize(parameters_.size(), false);
  for (Moment& moment : moments_) moment.values.resize(parameters_.size());
  for (Number& number : numbers_) number.values.resize(parameters_.size());
}

void Optimizer::check_parameters(const std::vector<Variable>& parameters) const {
  std::map<const VariableImpl*, std::size_t> seen;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Variable& x = parameters[i];
    std::string which = name_ + ": parameter " + std::to_string(i);
    if (!x.defined()) throw ValueError(which + " is undefined");
    if (!is_floating(x.dtype())) throw DTypeError(which + " is " + describe(x) + ", needs float32 or float64");
    if (!x.is_leaf()) throw GraphError(which + " is the result of a recorded operation, needs a leaf");
    auto [place, is_new] = seen.try_emplace(x.impl(), i);
    if (!is_new) throw ValueError(which + " is listed before, as parameter " + std::to_string(place->second));
  }
}

void Optimizer::naming(const std::function<void()>& f) const { xtape::detail::naming(name_.c_str(), f); }

void Optimizer::zero_grad() {
  for (const Variable& x : parameters_) x.zero_grad();
}

double Optimizer::clip_grad_norm(double max_norm, double p) const {
  return xtape::clip_grad_norm(parameters_, max_norm, p);
}

void Optimizer::clip_grad_value(double bound) const { xtape::clip_grad_value(parameters_, bound); }

// Steps

Variable Optimizer::step(const std::function<Variable()>& closure) {
  if (!closure) throw ValueError(name_ + ": step: the closure is empty");
  return xtape::detail::naming(name_.c_str(), [&] { return take_step(closure); });
}

Variable Optimizer::take_step(const std::function<Variable()>& closure) {
  Variable loss = [&] {
    EnableGrad guard;
    return closure();
  }();
  take_step();
  return loss;
}

void Optimizer::check_gradients() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const VariableImpl& x = *parameters_[i].impl();
    if (!x.grad.defined()) continue;
    const Array& gradient = x.grad.value();
    if (gradient.dtype() != x.value.dtype() || gradient.shape() != x.value.shape())
      throw DTypeError(name_ + ": step: the gradient of parameter " + std::to_string(i) + " is " + describe(x.grad) +
                       ", the parameter " + describe(parameters_[i]) + ": call zero_grad() after converting");
  }
}

// What a step that fails goes back to. Arrays share elements until one is written, so those that are kept here cost a copy:
// of the parameters and moments that a step in place is to write to, none are.
class Optimizer::Before {
 public:
  explicit Before(Optimizer& optimizer) : optimizer_(optimizer), steps_(optimizer.steps_), ready_(optimizer.ready_) {
    for (const Number& number : optimizer.numbers_) numbers_.push_back(number.values);
    for (std::size_t group = 0, i = 0; group < optimizer.groups(); ++group)
      for (const bool in_place = optimizer.is_in_place(group); i < optimizer.group_end(group); ++i) {
        const VariableImpl& x = *optimizer.parameters_[i].impl();
        if (!x.grad.defined() || (in_place && optimizer.is_ready(i))) continue;
        kept_.push_back({i, x.value, {}});
        for (const Moment& moment : optimizer.moments_) kept_.back().moments.push_back(moment.values[i]);
      }
  }

  void restore() noexcept {
    for (Kept& kept : kept_) {
      optimizer_.parameters_[kept.i].impl()->value = std::move(kept.parameter);
      for (std::size_t k = 0; k < kept.moments.size(); ++k)
        optimizer_.moments_[k].values[kept.i] = std::move(kept.moments[k]);
    }
    for (std::size_t k = 0; k < numbers_.size(); ++k) optimizer_.numbers_[k].values.swap(numbers_[k]);
    optimizer_.steps_.swap(steps_);
    optimizer_.ready_.swap(ready_);
  }

 private:
  struct Kept {
    std::size_t i;
    Array parameter;
    std::vector<Array> moments;
  };

  Optimizer& optimizer_;
  std::vector<Kept> kept_;
  std::vector<std::int64_t> steps_;
  std::vector<bool> ready_;
  std::vector<std::vector<double>> numbers_;
};

namespace {

/// The only step of an optimizer at a time.
class OnlyStep {
 public:
  OnlyStep(const std::string& name, std::atomic<bool>& stepping) : stepping_(stepping) {
    if (stepping_.exchange(true)) throw Error(name + ": step: another thread is in a step of this optimizer");
  }
  ~OnlyStep() { stepping_ = false; }
  OnlyStep(const OnlyStep&) = delete;
  OnlyStep& operator=(const OnlyStep&) = delete;

 private:
  std::atomic<bool>& stepping_;
};

}  // namespace

void Optimizer::take_step() {
  NoGrad guard;
  OnlyStep only(name_, stepping_);
  xtape::detail::naming(name_.c_str(), [&] {
    check_gradients();
    Before before(*this);
    const std::vector<Array> negatives = negative_gradients();
    try {
      update_all(negatives);
    } catch (...) {
      before.restore();
      throw;
    }
  });
}

// Those of groups that maximize; empty where there are none.
std::vector<Array> Optimizer::negative_gradients() const {
  std::vector<Array> negatives;
  for (std::size_t group = 0, i = 0; group < groups(); ++group)
    for (const bool wanted = maximizes(group); i < group_end(group); ++i) {
      const Variable& gradient = parameters_[i].impl()->grad;
      if (!wanted || !gradient.defined()) continue;
      negatives.resize(parameters_.size());
      negatives[i] = (-gradient).value();
    }
  return negatives;
}

void Optimizer::update_all(const std::vector<Array>& negatives) {
  auto for_each_gradient = [&](const auto& f) {
    for (std::size_t group = 0, i = 0; group < groups(); ++group)
      for (const bool uphill = maximizes(group); i < group_end(group); ++i)
        if (const Variable& gradient = parameters_[i].impl()->grad; gradient.defined())
          f(group, i, uphill ? negatives[i] : gradient.value());
  };
  for_each_gradient([&](std::size_t group, std::size_t i, const Array& gradient) {
    ++steps_[i];
    prepare_parameter(group, i, parameters_[i].value(), gradient);
  });
  for_each_gradient([&](std::size_t group, std::size_t i, const Array& gradient) {
    update_parameter(group, i, parameters_[i].mutable_value(), gradient);
    ready_[i] = true;
  });
}

// Whether all that a step in place needs of this parameter is there.
bool Optimizer::is_ready(std::size_t i) const {
  const Array& parameter = parameters_[i].impl()->value;
  auto is_own = [&](const Array& x) { return x.unique() && x.dtype() == parameter.dtype(); };
  auto serves = [&](const Moment& moment) { return !moment.values[i].defined() || is_own(moment.values[i]); };
  return ready_[i] && is_own(parameter) && std::ranges::all_of(moments_, serves);
}

Array& Optimizer::moment(std::size_t which, std::size_t i, double initial) {
  Array& value = moments_[which].values[i];
  const Array& parameter = parameters_[i].value();
  if (!value.defined()) value = Array::full(parameter.shape(), initial, parameter.dtype());
  if (value.dtype() != parameter.dtype()) value = value.to(parameter.dtype());  // the model was converted meanwhile
  return value;
}

// Options

std::size_t Optimizer::option_index(const std::string& name, std::size_t group) const {
  if (group >= groups())
    throw ValueError(name_ + ": option: group " + std::to_string(group) + " of " + std::to_string(groups()) +
                     ": out of range");
  auto found = std::find_if(options_.begin(), options_.end(), [&](const OptionSpec& o) { return name == o.name; });
  if (found != options_.end()) return static_cast<std::size_t>(found - options_.begin());
  std::string names;
  for (const OptionSpec& option : options_) names += (names.empty() ? "" : ", ") + std::string(option.name);
  throw ValueError(name_ + ": option: there is no \"" + name + "\"; there are " + names);
}

bool Optimizer::has_option(const std::string& name) const {
  return std::any_of(options_.begin(), options_.end(), [&](const OptionSpec& o) { return name == o.name; });
}

double Optimizer::option(const std::string& name, std::size_t group) const {
  std::size_t index = option_index(name, group);
  return options_of(group)[index];
}

void Optimizer::set_option(const std::string& name, std::size_t group, double value) {
  std::size_t index = option_index(name, group);
  std::vector<double> values = options_of(group);
  const double before = std::exchange(values[index], value);
  if (std::string problem = options_problem(values); !problem.empty()) throw ValueError(name_ + ": " + problem);
  assign_options(group, values);
  if (name != "lr" && (before == 0) != (value == 0)) std::fill(ready_.begin(), ready_.end(), false);
}

void Optimizer::set_lr(double lr) {
  for (std::size_t group = 0; group < groups(); ++group) set_lr(group, lr);  // what fails, fails for the first one
}

double Optimizer::initial_lr(std::size_t group) const { return initial_lr_or(group, lr(group)); }

double Optimizer::initial_lr_or(std::size_t group, double lr) const {
  return std::isnan(initial_lrs_[group]) ? lr : initial_lrs_[group];
}

std::string Optimizer::options_problem(const std::vector<double>& values) const {
  for (std::size_t k = 0; k < values.size(); ++k)
    if (std::string problem = detail::out_of_range(options_[k].name, values[k], options_[k].range); !problem.empty())
      return problem;
  return contradiction(values);
}

// State

namespace {

std::string indexed(const char* name, std::size_t i) { return name + ("." + std::to_string(i)); }

bool has_form(const Variable& x, std::size_t size, DType dtype) {
  return describe(x) == to_string(dtype) + to_string(Shape{size});
}

std::vector<double> numbers(const Variable& x) { return {x.data<double>(), x.data<double>() + x.size()}; }

}  // namespace

StateDict Optimizer::state_dict() const {
  return xtape::detail::naming(name_.c_str(), [&] { return saved(); });
}

StateDict Optimizer::saved() const {
  StateDict state;
  std::vector<std::int64_t> sizes;
  std::vector<std::vector<double>> options;
  for (std::size_t group = 0; group < groups(); ++group) {
    sizes.push_back(static_cast<std::int64_t>(group_end(group) - group_begin(group)));
    options.push_back(options_of(group));
  }
  state.emplace("group_sizes", detail::to_variable<std::int64_t>(sizes));
  state.emplace("step", detail::to_variable<std::int64_t>(steps_));
  for (std::size_t k = 0; k < options_.size(); ++k) {
    std::vector<double> values;
    for (const auto& of_group : options) values.push_back(of_group[k]);
    state.emplace(options_[k].name, detail::to_variable<double>(values));
  }
  for (const Number& number : numbers_) state.emplace(number.name, detail::to_variable<double>(number.values));
  for (std::size_t which = 0; which < moments_.size(); ++which)
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (has_moment(which, i))
        state.emplace(indexed(moments_[which].name, i),
                      Variable(moments_[which].values[i].to(parameters_[i].dtype()).copy()));
  save_more(state);
  return state;
}

// Those that the state lacks are as they are now.
std::vector<double> Optimizer::saved_options(const StateDict& state, std::size_t group) const {
  std::vector<double> values = options_of(group);
  for (std::size_t k = 0; k < options_.size(); ++k)
    if (auto found = state.find(options_[k].name); found != state.end() && has_form(found->second, groups(), float64))
      values[k] = found->second.data<double>()[group];
  return values;
}

// What a state needs to hold, by shapes and dtypes.
StateDict Optimizer::expected_state(const StateDict& state, const std::vector<std::int64_t>& steps) const {
  StateDict expected = {{"group_sizes", Variable(Array({groups()}, int64))},
                        {"step", Variable(Array({parameters_.size()}, int64))}};
  for (const OptionSpec& option : options_) expected.emplace(option.name, Variable(Array({groups()}, float64)));
  for (const Number& number : numbers_) expected.emplace(number.name, Variable(Array({parameters_.size()}, float64)));
  for (std::size_t which = 0; which < moments_.size(); ++which)
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      std::string name = indexed(moments_[which].name, i);
      if (steps[i] > 0 && (!moment_is_optional(which) || state.contains(name)))
        expected.emplace(name, parameters_[i]);
    }
  expect_more(expected, state);
  return expected;
}

void Optimizer::load_state_dict(const StateDict& state) {
  naming([&] { load(state); });
}

void Optimizer::load(const StateDict& state) {
  auto integers = [&](const char* name, std::size_t size) {
    auto found = state.find(name);
    bool fits = found != state.end() && has_form(found->second, size, int64);
    return fits ? found->second.data<std::int64_t>() : nullptr;
  };
  std::vector<std::int64_t> steps(parameters_.size(), 0);
  if (auto saved = integers("step", steps.size())) std::copy_n(saved, steps.size(), steps.begin());

  std::string problems = misfits(expected_state(state, steps), state);
  auto refuse = [&](const std::string& problem) { problems += "\n  " + problem; };
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i] < 0) refuse("step: got " + std::to_string(steps[i]) + " for parameter " + std::to_string(i) +
                             ", needs 0 or more");
  std::vector<std::vector<double>> options;
  for (std::size_t group = 0; group < groups(); ++group) {
    std::string which = "group " + std::to_string(group);
    auto size = static_cast<std::int64_t>(group_end(group) - group_begin(group));
    if (auto sizes = integers("group_sizes", groups()); sizes && sizes[group] != size)
      refuse(which + ": got " + std::to_string(sizes[group]) + " parameters, needs " + std::to_string(size));
    options.push_back(saved_options(state, group));
    if (std::string problem = options_problem(options.back()); !problem.empty()) refuse(which + ": " + problem);
  }
  detail::refuse_misfits(name_, problems + problems_of_more(state));

  std::vector<Moment> moments = moments_;
  for (Moment& moment : moments)
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      auto found = state.find(indexed(moment.name, i));
      moment.values[i] = found != state.end() ? found->second.value().copy() : Array();
    }
  std::vector<Number> all_numbers = numbers_;
  for (Number& number : all_numbers) number.values = numbers(state.at(number.name));
  load_more(state);
  // From here on, nothing fails.
  for (std::size_t group = 0; group < groups(); ++group) assign_options(group, options[group]);
  steps_.swap(steps);
  moments_.swap(moments);
  numbers_.swap(all_numbers);
  std::fill(ready_.begin(), ready_.end(), false);
}

std::function<void()> Optimizer::undo_point() try {
  std::vector<std::vector<double>> options;
  for (std::size_t group = 0; group < groups(); ++group) options.push_back(options_of(group));
  // Groups that were added since stay as they are.
  return [this, options, steps = steps_, moments = moments_, numbers = numbers_, more = undo_more()] {
    for (std::size_t group = 0; group < options.size(); ++group) assign_options(group, options[group]);
    std::ranges::copy(steps, steps_.begin());
    for (std::size_t k = 0; k < moments.size(); ++k) std::ranges::copy(moments[k].values, moments_[k].values.begin());
    for (std::size_t k = 0; k < numbers.size(); ++k) std::ranges::copy(numbers[k].values, numbers_[k].values.begin());
    std::fill(ready_.begin(), ready_.end(), false);
    more();
  };
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory(name_, "what it keeps");
}

}  // namespace xtape::optim
