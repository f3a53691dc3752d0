#include <autograd/scalar/program.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <autograd/error.hpp>
#include <autograd/scalar.hpp>

namespace xtape::scalar {
namespace {

using Index = Program::Index;

template <const auto& rule>
inline constexpr std::size_t operands_of = std::tuple_size_v<decltype(rule.partials)>;

template <class T>
using Forward = void (*)(const Index* operands, T* values, Index line);
template <class T>
using Backward = void (*)(const Index* operands, const char* varies, const T* values, Index line, T* adjoints);

template <const auto& rule, class T>
void forward(const Index* operands, T* values, Index line) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    values[line] = unwrapped(call<rule>(wrapped(values[operands[K]])...));
  }(std::make_index_sequence<operands_of<rule>>());
}

template <const auto& rule, class T>
void backward(const Index* operands, const char* varies, const T* values, Index line, T* adjoints) {
  const T adjoint = adjoints[line];
  constexpr auto all = std::make_index_sequence<operands_of<rule>>();
  auto add = [&]<std::size_t K, std::size_t... Others>(std::integral_constant<std::size_t, K>,
                                                       std::index_sequence<Others...>) {
    if (!varies[operands[K]]) return;  // a slope by a constant may be NaN, such as that by an exponent
    const auto by = slope<K, rule>(wrapped(values[line]), wrapped(values[operands[Others]])...);
    if constexpr (std::is_same_v<decltype(by), const One>) adjoints[operands[K]] += adjoint;
    else if constexpr (!std::is_same_v<decltype(by), const Zero>) adjoints[operands[K]] += T(unwrapped(by)) * adjoint;
  };
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    (add(std::integral_constant<std::size_t, K>(), all), ...);
  }(all);
}

// By the place of the rule among all.
template <class T, const auto&... rules>
constexpr auto forwards(RuleList<rules...>) {
  return std::array<Forward<T>, sizeof...(rules)>{forward<rules, T>...};
}
template <class T, const auto&... rules>
constexpr auto backwards(RuleList<rules...>) {
  return std::array<Backward<T>, sizeof...(rules)>{backward<rules, T>...};
}

struct Question {
  const char* text;
  bool (*holds)(double a, double b);
  bool of_two = true;
};
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// In the order of Relation.
const Question questions[] = {
    {" == ", [](double a, double b) { return a == b; }},
    {" != ", [](double a, double b) { return a != b; }},
    {" < ", [](double a, double b) { return a < b; }},
    {" <= ", [](double a, double b) { return a <= b; }},
    {" > ", [](double a, double b) { return a > b; }},
    {" >= ", [](double a, double b) { return a >= b; }},
    {" is NaN", [](double a, double) { return std::isnan(a); }, false},
    {" is finite", [](double a, double) { return std::isfinite(a); }, false},
    {" is infinite", [](double a, double) { return std::isinf(a); }, false},
    {" has a sign", [](double a, double) { return std::signbit(a); }, false},
    {" is converted to the double ", same},
    {" is converted to the float ", [](double a, double b) { return same(static_cast<float>(a), b); }},
    {" is converted to the integer ", [](double a, double b) { return std::trunc(a) == b; }},
    {" has the exponent ", [](double a, double b) { return std::ilogb(a) == b; }},
};

}  // namespace

Index Program::add(const Line& line) {
  if (lines_.size() > std::numeric_limits<Index>::max() / 2 - 2)
    throw Error("Real: more than 2^31 operations are written down");
  lines_.push_back(line);
  varies_.push_back(line.what < Rules::size || line.what == input);
  return last_index();
}

Real Program::add_input(double value) {
  return detail::Access::make<double>(value, add({input, false, {}}), false);
}

// What is no line of this program is a constant in it.
Index Program::line_of(const detail::Written& operand) {
  const Index line = operand.index - first_;
  if (line < lines_.size()) return line;
  constants_.push_back(operand.value);
  return add({constant, false, {static_cast<Index>(constants_.size() - 1)}}) - first_;
}

void Program::add_result(const Real& y) {
  results_.push_back(line_of({y.value(), detail::Access::index(y)}));
}

Index Program::write(std::size_t rule, std::initializer_list<detail::Written> operands) {
  Line line{static_cast<std::uint16_t>(rule), false, {}};
  Index* next = line.operands;
  for (const detail::Written& operand : operands) *next++ = line_of(operand);
  return add(line);
}

void Program::write(Relation relation, bool holds, const detail::Written& a, const detail::Written& b) {
  const Index x = line_of(a), y = line_of(b);
  add({static_cast<std::uint16_t>(question + static_cast<std::uint16_t>(relation)), holds, {x, y}});
}

void Program::require_same(const Line& line, double a, double b) const {
  const Question& asked = questions[line.what - question];
  if (asked.holds(a, b) == line.holds) return;
  throw GraphError("a function that was written down would take another branch: " + Scalar(a).text() + asked.text +
                   (asked.of_two ? Scalar(b).text() : "") + (line.holds ? " was true" : " was false") +
                   " of these numbers; write it down again");
}

std::vector<std::size_t> Program::rules() const {
  std::vector<std::size_t> result;
  for (const Line& line : lines_)
    if (line.what < Rules::size) result.push_back(line.what);
  return result;
}

template <class T>
std::vector<T> Program::evaluate(std::span<const T> x) const {
  if (x.size() != inputs_)
    throw ShapeError("a function of " + std::to_string(inputs_) + " numbers is called with " +
                     std::to_string(x.size()));
  if constexpr (std::is_same_v<T, double>)
    if (has_inner_section_ && !std::ranges::equal(x, at_))
      throw GraphError("a function that was written down had called gradient or the like for plain numbers, which are "
                       "known at the inputs of that call alone; write it down again");
  static constexpr auto rules = forwards<T>(Rules());
  std::vector<T> values(lines_.size());
  auto next = x.begin();
  for (Index i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    if (line.what < Rules::size) rules[line.what](line.operands, values.data(), i);
    else if (line.what == input) values[i] = *next++;
    else if (line.what == constant) values[i] = constants_[line.operands[0]];
    else if constexpr (std::is_same_v<T, double>) require_same(line, values[line.operands[0]], values[line.operands[1]]);
  }
  return values;
}

template <class T>
std::vector<T> Program::sweep_back(const std::vector<T>& values, std::span<const T> seeds) const {
  static constexpr auto rules = backwards<T>(Rules());
  std::vector<T> adjoints(lines_.size());
  for (std::size_t k = 0; k < results_.size(); ++k) adjoints[results_[k]] += seeds[k];
  for (auto i = static_cast<Index>(lines_.size()); i-- > 0;) {
    const Line& line = lines_[i];
    if (line.what < Rules::size && !is_constant_zero(adjoints[i]))
      rules[line.what](line.operands, varies_.data(), values.data(), i, adjoints.data());
  }
  adjoints.resize(inputs_);  // which are the first lines
  return adjoints;
}

template std::vector<double> Program::evaluate(std::span<const double>) const;
template std::vector<Dual<double, 8>> Program::evaluate(std::span<const Dual<double, 8>>) const;
template std::vector<Real> Program::evaluate(std::span<const Real>) const;
template std::vector<double> Program::sweep_back(const std::vector<double>&, std::span<const double>) const;
template std::vector<Dual<double, 8>> Program::sweep_back(const std::vector<Dual<double, 8>>&,
                                                          std::span<const Dual<double, 8>>) const;
template std::vector<Real> Program::sweep_back(const std::vector<Real>&, std::span<const Real>) const;

void detail::note_inner_section(Program& program) { program.note_inner_section(); }
std::uint32_t detail::last_index(const Program& program) { return program.last_index(); }
std::uint32_t detail::write_down(Program& program, std::size_t rule, std::initializer_list<Written> operands) {
  return program.write(rule, operands);
}
void detail::write_down(Program& program, Relation relation, bool holds, const Written& a, const Written& b) {
  program.write(relation, holds, a, b);
}

namespace {

void require_one_result(const char* what, const Program& program) {
  if (program.results() != 1)
    throw ShapeError(std::string("RecordedFunction: ") + what + " of a function with " +
                     std::to_string(program.results()) + " results, needs one");
}

constexpr std::size_t lanes = 8;
using Duals = std::vector<Dual<double, lanes>>;

// f(inputs with unit tangents, their first place, their number), for all of them.
template <class F>
void for_columns(const std::vector<double>& x, F f) {
  for (std::size_t first = 0; first < x.size(); first += lanes) {
    const std::size_t count = std::min(lanes, x.size() - first);
    Duals inputs(x.begin(), x.end());
    for (std::size_t k = 0; k < count; ++k) inputs[first + k].tangent(k) = 1;
    f(inputs, first, count);
  }
}

}  // namespace

std::vector<double> RecordedFunction::operator()(const std::vector<double>& x) const {
  const std::vector<double> values = program_.evaluate<double>(x);
  std::vector<double> results;
  for (std::size_t k = 0; k < program_.results(); ++k) results.push_back(values[program_.result(k)]);
  return results;
}

std::vector<double> RecordedFunction::gradient(const std::vector<double>& x) const {
  require_one_result("gradient", program_);
  return program_.sweep_back<double>(program_.evaluate<double>(x), std::array{1.0});
}

std::vector<std::vector<double>> RecordedFunction::jacobian(const std::vector<double>& x) const {
  const std::vector<double> values = program_.evaluate<double>(x);
  const std::size_t m = program_.results(), n = x.size();
  std::vector<std::vector<double>> result(m, std::vector<double>(n));
  if (m <= n) {
    for (std::size_t i = 0; i < m; ++i) {
      std::vector<double> seeds(m);
      seeds[i] = 1;
      result[i] = program_.sweep_back<double>(values, seeds);
    }
    return result;
  }
  for_columns(x, [&](const Duals& inputs, std::size_t first, std::size_t count) {
    const Duals at = program_.evaluate<Dual<double, lanes>>(inputs);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t k = 0; k < count; ++k) result[i][first + k] = at[program_.result(i)].tangent(k);
  });
  return result;
}

std::vector<double> RecordedFunction::hessian_elements(const std::vector<double>& x) const {
  require_one_result("hessian", program_);
  program_.evaluate<double>(x);  // asks whether branches are the same
  const std::size_t n = x.size();
  std::vector<double> result(n * n);
  for_columns(x, [&](const Duals& inputs, std::size_t first, std::size_t count) {
    const Duals gradient = program_.sweep_back<Dual<double, lanes>>(program_.evaluate<Dual<double, lanes>>(inputs),
                                                                    std::array{Dual<double, lanes>(1.0)});
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < count; ++k) result[i * n + first + k] = gradient[i].tangent(k);
  });
  return result;
}

std::vector<std::vector<double>> RecordedFunction::hessian(const std::vector<double>& x) const {
  return detail::rows(hessian_elements(x), x.size(), x.size());
}

}  // namespace xtape::scalar
