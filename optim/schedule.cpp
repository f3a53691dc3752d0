#include <optim/schedule.hpp>

#include <cmath>

namespace xtape::optim {

// States

namespace {

using Value = std::variant<std::int64_t*, double*, std::vector<double>*, std::vector<std::int64_t>>;

Variable to_variable(const Value& value) {
  if (auto* count = std::get_if<std::int64_t*>(&value)) return detail::to_variable<std::int64_t>({**count});
  if (auto* number = std::get_if<double*>(&value)) return detail::to_variable<double>({**number});
  if (auto* numbers = std::get_if<std::vector<double>*>(&value)) return detail::to_variable<double>(**numbers);
  return detail::to_variable<std::int64_t>(std::get<std::vector<std::int64_t>>(value));
}

void assign(const Value& to, const Variable& x) {
  if (auto* count = std::get_if<std::int64_t*>(&to)) **count = *x.data<std::int64_t>();
  else if (auto* number = std::get_if<double*>(&to)) **number = *x.data<double>();
  else if (auto* numbers = std::get_if<std::vector<double>*>(&to))
    (*numbers)->assign(x.data<double>(), x.data<double>() + x.size());
}

// What is wrong with the value, although it has the form of the entry.
std::string problem_of(const std::string& name, const Value& entry, const detail::Range& range, const Variable& x) {
  auto* fixed = std::get_if<std::vector<std::int64_t>>(&entry);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::string problem = detail::out_of_range(name, x.value().at(i), range); !problem.empty()) return problem;
    if (fixed && x.data<std::int64_t>()[i] != (*fixed)[i])
      return name + " is " + std::to_string(x.data<std::int64_t>()[i]) + ", needs " + std::to_string((*fixed)[i]);
  }
  return "";
}

}  // namespace

Schedule::Schedule(std::string name, Optimizer& optimizer) : name_(std::move(name)), optimizer_(optimizer) {
  for (std::size_t group = 0; group < optimizer.groups(); ++group) rates_.push_back(optimizer.lr(group));
}

void Schedule::step() {
  if (needs_metric()) throw ValueError(name_ + ": step: needs the metric to watch: step(validation_loss)");
  advance(std::nullopt);
}

void Schedule::step(double metric) {
  if (!needs_metric())
    throw ValueError(name_ + ": step(" + detail::text(metric) + "): watches no metric, and takes no step to go to; " +
                     "needs step()");
  advance(metric);
}

double Schedule::lr(std::size_t group) const {
  if (group >= groups())
    throw ValueError(name_ + ": lr: group " + std::to_string(group) + " of " + std::to_string(groups()) +
                     ": out of range");
  return rates_[group];
}

StateDict Schedule::state_dict() const {
  StateDict state;
  for (const Entry& entry : const_cast<Schedule*>(this)->all_entries())
    state.emplace(entry.name, to_variable(entry.value));
  return state;
}

std::vector<Schedule::Entry> Schedule::all_entries() {
  std::vector<Entry> all = entries();
  for (Entry& option : options()) all.push_back({"options." + option.name, option.value, option.range});
  return all;
}

void Schedule::check_options() {
  for (const Entry& option : options())
    if (std::string problem = problem_of(option.name, option.value, option.range, to_variable(option.value));
        !problem.empty())
      throw ValueError(name_ + ": " + problem);
}

void Schedule::load_state_dict(const StateDict& state) {
  StateDict before = state_dict();
  std::string problems = misfits(before, state);
  std::vector<Entry> own = all_entries();
  for (const Entry& entry : own)
    if (auto found = state.find(entry.name);
        found != state.end() && describe(found->second) == describe(before.at(entry.name)))
      if (std::string problem = problem_of(entry.name, entry.value, entry.range, found->second); !problem.empty())
        problems += "\n  " + problem;
  detail::refuse_misfits(name_, problems);

  for (const Entry& entry : own) assign(entry.value, state.at(entry.name));
}

void Schedule::set_rates(const std::vector<double>& rates, const Momenta& momenta) {
  const char* momentum = optimizer_.has_option("momentum") ? "momentum" : "beta1";
  std::vector<std::vector<double>> options;  // all are checked before any is set
  for (std::size_t group = 0; group < rates.size(); ++group) {
    std::string which = "group " + std::to_string(group);
    detail::require_in_range(name_, "the learning rate of " + which, rates[group], {});
    std::vector<double> values = optimizer_.options_of(group);
    values[optimizer_.option_index("lr", group)] = rates[group];
    if (!momenta.empty() && momenta[group]) values[optimizer_.option_index(momentum, group)] = *momenta[group];
    if (std::string problem = optimizer_.options_problem(values); !problem.empty())
      throw ValueError(name_ + ": " + which + " of " + optimizer_.name() + ": " + problem);
    options.push_back(std::move(values));
  }
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer_.assign_options(group, options[group]);
  rates_ = rates;
}

// Schedules of rates

std::vector<double> RateSchedule::initial_rates() const {
  std::vector<double> rates;
  for (std::size_t group = 0; group < groups(); ++group) rates.push_back(initial_lr(group));
  return rates;
}

void RateSchedule::begin() { begin(initial_rates()); }

void RateSchedule::begin(std::vector<double> base) {
  base_ = std::move(base);
  for (std::size_t group = 0; group < groups(); ++group) set_initial_lr(group, base_[group]);
}

void RateSchedule::start() { start(initial_rates()); }

void RateSchedule::start(std::vector<double> base) {
  base_ = base;
  go_to(0);
  begin(std::move(base));  // last, as a schedule that was not made has set nothing
}

void RateSchedule::go_to(std::int64_t t) {
  std::vector<double> rates;
  for (std::size_t group = 0; group < groups(); ++group)
    rates.push_back(rate({.group = group, .t = t, .base = base_[group], .current = optimizer().lr(group)}));
  set_rates(rates, momenta(t));
  arrive(t);
}

std::vector<Schedule::Entry> RateSchedule::entries() {
  std::vector<Entry> entries = Schedule::entries();
  entries.push_back({"base_lr", &base_});
  return entries;
}

// Momenta

void RateSchedule::require_momentum() const {
  if (!optimizer().has_option("momentum") && !optimizer().has_option("beta1"))
    throw ValueError(name() + ": the optimizer has neither momentum nor beta1; needs .cycle_momentum = false");
}

Schedule::Momenta RateSchedule::momenta(std::int64_t t) const {
  Momenta momenta;
  for (std::size_t group = 0; group < groups(); ++group) {
    momenta.push_back(momentum(group, t));
    if (momenta.back()) detail::require_in_range(name(), "the momentum", *momenta.back(), {0, 1});
  }
  return momenta;
}

void PerGroup::expand(const std::string& who, const std::string& option, std::size_t groups) {
  if (values_.size() != 1 && values_.size() != groups)
    throw ValueError(who + ": " + option + " has " + std::to_string(values_.size()) +
                     " numbers, needs one, or one for each of " + std::to_string(groups) + " groups");
  values_.resize(groups, values_[0]);
}

}  // namespace xtape::optim
