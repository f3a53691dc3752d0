// What all optimization methods have in common: parameter groups with options of the method's own type.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <optim/optimizer.hpp>

namespace xtape::optim {

/// Parameters with options of their own: `{net.parameters(), {.lr = 1e-3}}`.
template <class Options>
struct ParameterGroup {
  std::vector<Variable> parameters;
  Options options = {};
};

/// An option of a method: its name, the member that holds it, and where it has to lie.
template <class Options>
struct OptionOf {
  const char* name;
  std::variant<double Options::*, bool Options::*, std::int64_t Options::*> member;
  detail::Range range = {};
};

/// An array that each parameter carries along from the first step that asks for it: with options that change meanwhile,
/// an optional one may come later than the parameter's first step.
struct MomentSpec {
  const char* name;
  bool optional = false;
};

/// What Method needs to know of a method.
template <class Options>
struct Description {
  const char* name;
  std::vector<OptionOf<Options>> options;
  std::vector<MomentSpec> moments = {};
  std::vector<const char*> numbers = {};  ///< what each parameter carries along beside moments
  std::string (*contradiction)(const Options&) = nullptr;  ///< says which options do not go together
};

/// Base of all methods. One is a struct of options, and a class `Derived` with a static `description()` and `update`:
///
///     struct SignSGDOptions {
///       double lr = 1e-3;
///     };
///     class SignSGD : public optim::Method<SignSGD, SignSGDOptions> {
///      public:
///       using Method::Method;
///       static const optim::Description<SignSGDOptions>& description() {
///         static const optim::Description<SignSGDOptions> d{"SignSGD", {{"lr", &SignSGDOptions::lr}}};
///         return d;
///       }
///      protected:
///       void update(const SignSGDOptions& options, std::size_t i, Array& parameter, const Array& gradient) override;
///     };
///
/// An option `bool maximize` needs no more than the member: `update` then gets minus the gradient.
///
/// Where `update` fails, the whole step is undone: for that, parameters and moments are kept until all are updated. A class
/// whose `update` writes to them by kernels::update alone says `static constexpr bool in_place = true`: such a step cannot
/// fail once all moments are there, and nothing is kept. Which moments it asks for may depend on which options are 0. What
/// it needs memory for is made by `prepare`, which is called for all parameters before the first `update`.
template <class Derived, class Options>
class Method : public Optimizer {
 public:
  using Group = ParameterGroup<Options>;

  /// One group: `Adam(net.parameters(), {.lr = 1e-3})`.
  /// @throws ValueError for options that are out of range or contradict each other; see Optimizer.
  explicit Method(std::vector<Variable> parameters, const Options& options = {})
      : Method(std::vector<Group>{{std::move(parameters), options}}) {}
  /// Several: `Adam({{net.parameters(), {.lr = 1e-3}}, {head.parameters(), {.lr = 1e-4}}})`.
  explicit Method(std::initializer_list<Group> groups) : Method(std::vector<Group>(groups)) {}
  explicit Method(const std::vector<Group>& groups)
      : Optimizer(Derived::description().name, parameters_of(groups), specifications(), moment_names(),
                  Derived::description().numbers) {
    for (const Group& group : groups) {
      require_valid(group.options, groups.size() > 1);
      options_.push_back(group.options);
    }
  }

  /// One more group, such as that of layers which begin to train later. Schedules that were made before leave it alone.
  /// @throws as the constructor, and changes nothing then.
  void add_param_group(const Group& group) {
    naming([&] {
      require_valid(group.options, true);
      options_.reserve(options_.size() + 1);
      add_group(group.parameters);
    });
    options_.push_back(group.options);
  }

  /// Those of a group; Optimizer::set_option changes them.
  const Options& options(std::size_t group = 0) const {
    if (group >= groups()) throw ValueError(name() + ": options: group " + std::to_string(group) + " is out of range");
    return options_[group];
  }

 protected:
  /// Before the step of any parameter: what can fail in that of parameter `i`.
  virtual void prepare(const Options&, std::size_t, const Array&, const Array&) {}
  /// The step of parameter `i`: the method itself.
  virtual void update(const Options& options, std::size_t i, Array& parameter, const Array& gradient) = 0;

  void prepare_parameter(std::size_t group, std::size_t i, const Array& parameter, const Array& gradient) final {
    prepare(options_[group], i, parameter, gradient);
  }
  void update_parameter(std::size_t group, std::size_t i, Array& parameter, const Array& gradient) final {
    update(options_[group], i, parameter, gradient);
  }

 private:
  static constexpr bool can_maximize = requires(Options options) { options.maximize; };

  bool maximizes(std::size_t group) const final {
    if constexpr (can_maximize) return options_[group].maximize;
    return false;
  }
  bool is_in_place(std::size_t) const final {
    if constexpr (requires { Derived::in_place; }) return Derived::in_place;
    return false;
  }

  static const std::vector<OptionOf<Options>>& all_options() {
    static const std::vector<OptionOf<Options>> all = [] {
      std::vector<OptionOf<Options>> options = Derived::description().options;
      if constexpr (can_maximize) options.push_back({"maximize", &Options::maximize});
      return options;
    }();
    return all;
  }

  void require_valid(const Options& options, bool one_of_several) const {
    if (std::string problem = options_problem(to_numbers(options)); !problem.empty())
      throw ValueError(name() + ": " + (one_of_several ? "group " + std::to_string(options_.size()) + ": " : "") +
                       problem);
  }

  std::vector<double> options_of(std::size_t group) const final { return to_numbers(options_[group]); }
  void assign_options(std::size_t group, const std::vector<double>& values) final {
    options_[group] = from_numbers(values);
  }
  std::string contradiction(const std::vector<double>& values) const final {
    auto contradiction = Derived::description().contradiction;
    return contradiction ? contradiction(from_numbers(values)) : "";
  }
  bool moment_is_optional(std::size_t which) const final { return Derived::description().moments[which].optional; }

  static std::vector<double> to_numbers(const Options& options) {
    std::vector<double> values;
    for (const auto& option : all_options())
      values.push_back(std::visit([&](auto member) { return static_cast<double>(options.*member); }, option.member));
    return values;
  }
  static Options from_numbers(const std::vector<double>& values) {
    Options options;
    for (std::size_t k = 0; k < values.size(); ++k)
      std::visit([&](auto member) {
        options.*member = static_cast<std::remove_reference_t<decltype(options.*member)>>(values[k]);
      }, all_options()[k].member);
    return options;
  }

  static std::vector<std::vector<Variable>> parameters_of(const std::vector<Group>& groups) {
    std::vector<std::vector<Variable>> lists;
    for (const Group& group : groups) lists.push_back(group.parameters);
    return lists;
  }
  static std::vector<OptionSpec> specifications() {
    std::vector<OptionSpec> specifications;
    for (const auto& option : all_options()) {
      bool is_flag = std::holds_alternative<bool Options::*>(option.member);
      bool is_count = std::holds_alternative<std::int64_t Options::*>(option.member);
      detail::Range range = is_flag ? detail::Range{0, 1, true, true} : option.range;
      range.whole = is_flag || is_count;
      if (is_count) range.high = 1e15;  // what a double holds exactly
      specifications.push_back({option.name, range});
    }
    return specifications;
  }
  static std::vector<const char*> moment_names() {
    std::vector<const char*> names;
    for (const auto& moment : Derived::description().moments) names.push_back(moment.name);
    return names;
  }

  std::vector<Options> options_;
};

}  // namespace xtape::optim
