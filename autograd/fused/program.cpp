#include <autograd/fused/program.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <variant>

#include <autograd/kernels/dense.hpp>
#include <autograd/kernels/map_steps.hpp>
#include <autograd/ops/elementwise_operation.hpp>

namespace xtape::fused {
namespace {

using Partial = xtape::detail::Elementwise::Partial;

std::size_t sum_of(const Program::Blocks& blocks) { return std::accumulate(blocks.begin(), blocks.end(), std::size_t{0}); }

std::vector<kernels::Part> parts_of(const Program::Blocks& blocks) {
  std::vector<kernels::Part> result;
  for (std::size_t array = 0; array < blocks.size(); ++array)
    for (std::size_t block = 0; block < blocks[array]; ++block) result.push_back({array, block, blocks[array]});
  return result;
}

// One more term of a gradient, of which there may be none yet.
void add(std::optional<Number>& sum, const Number& term) { sum = sum ? *sum + term : term; }

// The programs that this thread writes down, each from within the function of the one below.
thread_local Program* innermost = nullptr;
thread_local std::uint32_t serials = 0;

}  // namespace

Number::Number(Program& program, std::uint32_t line)
    : program_(&program), line_(line), serial_(program.serial_) {}

Program::Program(DType dtype, Blocks input_blocks)
    : dtype_(dtype), input_blocks_(std::move(input_blocks)), inputs_(sum_of(input_blocks_)), lines_(inputs_),
      below_(innermost), serial_(++serials) {
  lines_.reserve(inputs_ + 24);
  innermost = this;
}

void Program::close() {
  if (open_) innermost = below_;
  open_ = false;
}

void Program::give(std::span<const Number> numbers, Blocks result_blocks) {
  for (const Number& x : numbers) results_.push_back(line_of(x));
  result_blocks_ = std::move(result_blocks);
  close();
}

void Program::require_open(const Number& x) {
  for (const Program* program = innermost; program; program = program->below_)
    if (program == x.program_ && program->serial_ == x.serial_) return;
  throw ValueError("fuse: a number of another call, which has ended");
}

std::uint32_t Program::line_of(const Number& x) {
  if (x.program_) {
    require_open(x);
    if (x.program_ != this) throw ValueError("fuse: a number of another call");
    return x.line_;
  }
  lines_.push_back({.constant = x.constant_});
  return static_cast<std::uint32_t>(lines_.size() - 1);
}

Number Program::append(const Elementwise& operation, std::int8_t partial, std::span<const Number> operands) {
  Line line{.operation = &operation, .partial = partial, .count = static_cast<std::uint8_t>(operands.size())};
  for (std::size_t k = 0; k < operands.size(); ++k) line.operands[k] = line_of(operands[k]);
  lines_.push_back(line);
  return Number(*this, static_cast<std::uint32_t>(lines_.size() - 1));
}

Number Program::write(const Elementwise& operation, std::initializer_list<Number> operands) {
  for (const Number& x : operands)
    if (x.program_) require_open(x);
  for (const Number& x : operands)
    if (x.program_) return x.program_->append(operation, Line::forward, {operands.begin(), operands.size()});
  double result;
  const double* in[Partial::most_values];
  for (std::size_t k = 0; k < operands.size(); ++k) in[k] = &operands.begin()[k].constant_;
  operation.rows().of<double>()(in, kernels::step_one, 1, &result);
  return result;
}

std::optional<std::array<Number, 2>> Program::operands_of(const Number& x, const Elementwise& operation) {
  if (!x.program_) return {};
  require_open(x);
  const Line& line = x.program_->lines_[x.line_];
  if (line.operation != &operation || line.partial != Line::forward) return {};
  return std::array{Number(*x.program_, line.operands[0]), Number(*x.program_, line.operands[1])};
}

double Program::greatest_number() {
  return innermost && innermost->dtype_ == DType::float32 ? std::numeric_limits<float>::max()
                                                          : std::numeric_limits<double>::max();
}

// Numbers of the other program for each line of this one. What gradients of operands are is written down in full there,
// so that it can be differentiated.
std::vector<Number> Program::copy_to(Program& other) const {
  std::vector<Number> copies;
  copies.reserve(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    if (!line.operation) {
      copies.push_back(i < inputs_ ? other.input(i) : Number(line.constant));
      continue;
    }
    std::vector<Number> operands;
    for (std::size_t k = 0; k < line.count; ++k) operands.push_back(copies[line.operands[k]]);
    if (line.partial == Line::forward) copies.push_back(other.append(*line.operation, Line::forward, operands));
    else copies.push_back(line.operation->partial(static_cast<std::size_t>(line.partial)).of_numbers(operands.data()));
  }
  return copies;
}

std::vector<bool> Program::depends_on_inputs(std::size_t inputs) const {
  std::vector<bool> result(lines_.size(), false);
  std::fill_n(result.begin(), inputs, true);
  for (std::size_t i = inputs_; i < lines_.size(); ++i)
    for (std::size_t k = 0; k < lines_[i].count; ++k)
      if (result[lines_[i].operands[k]] && lines_[i].operation->partial(k).kind != Partial::Kind::constant)
        result[i] = true;
  return result;
}

// v, the gradient of a line's result or the tangent of its k-th operand, by the partial derivative.
Number Program::times_partial(const Line& line, std::uint32_t at, std::size_t k, const Number& v) {
  const Partial& partial = line.operation->partial(k);
  if (partial.kind == Partial::Kind::pass) return v;
  std::vector<Number> told;
  for (std::uint8_t value : partial.told())
    told.push_back(Number(*this, value == Partial::result ? at : line.operands[value]));
  told.push_back(v);
  // What is but one operation is written down as such.
  const std::size_t before = lines_.size();
  const Number in_full = partial.of_numbers(told.data());
  if (lines_.size() <= before + 1) return in_full;
  lines_.resize(before);
  return append(*line.operation, static_cast<std::int8_t>(k), told);
}

// From the gradients of results to those of the first `inputs` inputs, through operations alone.
void Program::walk_back(std::vector<std::optional<Number>>& gradients, std::size_t inputs) {
  const std::vector<bool> depends = depends_on_inputs(inputs);
  for (std::size_t i = gradients.size(); i-- > inputs_;) {
    const Line line = lines_[i];
    if (!gradients[i] || !line.operation) continue;
    for (std::size_t k = 0; k < line.count; ++k) {
      const std::uint32_t operand = line.operands[k];
      if (!depends[operand] || line.operation->partial(k).kind == Partial::Kind::constant) continue;
      const Number g = times_partial(line, static_cast<std::uint32_t>(i), k, *gradients[i]);
      add(gradients[operand], g);
    }
  }
}

ProgramPtr Program::gradient(const std::vector<bool>& weighted) const { return derived(weighted).program; }

const Program::Derived& Program::derived(const std::vector<bool>& weighted) const {
  std::scoped_lock lock(known_);
  Derived& result = gradients_[weighted];
  if (!result.program) result = derive(weighted);
  return result;
}

Program::Derived Program::derive(const std::vector<bool>& weighted) const {
  Blocks blocks = input_blocks_;
  blocks.insert(blocks.end(), result_blocks_.begin(), result_blocks_.end());
  auto made = std::make_shared<Program>(dtype_, std::move(blocks));
  const std::vector<Number> copies = copy_to(*made);
  const auto copied = static_cast<std::uint32_t>(made->lines_.size());
  std::vector<std::optional<Number>> gradients(copied);
  const std::vector<kernels::Part> parts = parts_of(result_blocks_);
  for (std::size_t j = 0; j < results_.size(); ++j) {
    const Number& y = copies[results_[j]];
    if (!y.program_ || !weighted[parts[j].array]) continue;
    add(gradients[y.line_], made->input(inputs_ + j));
  }
  made->walk_back(gradients, inputs_);
  std::vector<Number> results;
  for (std::size_t i = 0; i < inputs_; ++i) results.push_back(gradients[i].value_or(0));
  made->give(results, input_blocks_);
  std::vector<std::uint32_t> lines;
  for (const Number& copy : copies) lines.push_back(copy.program_ ? copy.line_ : no_line);
  return {std::move(made), std::move(lines), copied};
}

// From the tangents of the inputs to those of the lines there are, of operations alone.
void Program::walk_forward(std::vector<std::optional<Number>>& tangents) {
  for (std::size_t i = inputs_; i < tangents.size(); ++i) {
    const Line line = lines_[i];
    for (std::size_t k = 0; k < line.count; ++k) {
      if (!tangents[line.operands[k]] || line.operation->partial(k).kind == Partial::Kind::constant) continue;
      add(tangents[i], times_partial(line, static_cast<std::uint32_t>(i), k, *tangents[line.operands[k]]));
    }
  }
}

ProgramPtr Program::tangent(const std::vector<bool>& given) const {
  std::scoped_lock lock(known_);
  ProgramPtr& result = tangents_[given];
  if (!result) result = made_tangent(given);
  return result;
}

ProgramPtr Program::made_tangent(const std::vector<bool>& given) const {
  Blocks blocks = input_blocks_;
  for (std::size_t array = 0; array < given.size(); ++array)
    if (given[array]) blocks.push_back(input_blocks_[array]);
  auto made = std::make_shared<Program>(dtype_, std::move(blocks));
  const std::vector<Number> copies = copy_to(*made);
  std::vector<std::optional<Number>> tangents(made->lines_.size());
  const std::vector<kernels::Part> parts = parts_of(input_blocks_);
  std::size_t next = inputs_;
  for (std::size_t i = 0; i < inputs_; ++i)
    if (given[parts[i].array]) tangents[i] = made->input(next++);
  made->walk_forward(tangents);
  std::vector<Number> results;
  for (std::uint32_t line : results_) {
    const Number& y = copies[line];
    results.push_back(y.program_ ? tangents[y.line_].value_or(0) : Number(0));
  }
  made->give(results, result_blocks_);
  return made;
}

// This program with further inputs, the values of lines that are given, and with further results.
ProgramPtr Program::rewritten(const Blocks& more_inputs, std::span<const std::uint32_t> given, const Blocks& more_results,
                              std::span<const std::uint32_t> results) const {
  auto with = [](Blocks blocks, const Blocks& more) {
    blocks.insert(blocks.end(), more.begin(), more.end());
    return blocks;
  };
  auto made = std::make_shared<Program>(dtype_, with(input_blocks_, more_inputs));
  std::vector<Number> copies;
  for (std::uint32_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    const auto found = static_cast<std::size_t>(std::ranges::find(given, i) - given.begin());
    std::array<Number, std::tuple_size_v<decltype(line.operands)>> operands{0, 0, 0, 0, 0};
    for (std::size_t k = 0; k < line.count; ++k) operands[k] = copies[line.operands[k]];
    if (found < given.size()) copies.push_back(made->input(inputs_ + found));
    else if (i < inputs_) copies.push_back(made->input(i));
    else if (!line.operation) copies.push_back(Number(line.constant));
    else copies.push_back(made->append(*line.operation, line.partial, std::span(operands).first(line.count)));
  }
  std::vector<Number> all;
  for (std::uint32_t line : results_) all.push_back(copies[line]);
  for (std::uint32_t line : results) all.push_back(copies[line]);
  made->give(all, with(result_blocks_, more_results));
  return made;
}

const Program::Kept& Program::kept() const {
  std::scoped_lock lock(known_);
  if (kept_) return *kept_;
  const Derived& all = derived(std::vector<bool>(result_blocks_.size(), true));
  std::vector<bool> read(all.program->lines_.size(), false);
  for (std::size_t i = all.copied; i < all.program->lines_.size(); ++i) {
    const Line& line = all.program->lines_[i];
    for (std::size_t k = 0; k < line.count; ++k) read[line.operands[k]] = true;
  }
  kept_.emplace();
  for (std::uint32_t i = 0; i < lines_.size(); ++i) {
    if (!lines_[i].operation || lines_[i].operation->is_cheap() || all.copies[i] == no_line || !read[all.copies[i]])
      continue;
    const auto result = std::ranges::find(results_, i) - results_.begin();
    if (static_cast<std::size_t>(result) < results_.size()) kept_->results.push_back(static_cast<std::uint32_t>(result));
    else kept_->lines.push_back(i);
  }
  return *kept_;
}

namespace {
Program::Blocks one_array_of(std::size_t blocks) { return Program::Blocks(blocks > 0, blocks); }
}  // namespace

ProgramPtr Program::keeping() const {
  std::scoped_lock lock(known_);
  if (!keeping_) keeping_ = rewritten({}, {}, one_array_of(kept().lines.size()), kept().lines);
  return keeping_;
}

ProgramPtr Program::gradient_from_kept(const std::vector<bool>& weighted) const {
  std::scoped_lock lock(known_);
  ProgramPtr& result = gradients_from_kept_[weighted];
  if (result) return result;
  const Derived& whole = derived(weighted);
  Blocks blocks = one_array_of(kept().lines.size());
  blocks.insert(blocks.end(), kept().results.size(), 1);
  std::vector<std::uint32_t> given;
  for (std::uint32_t line : kept().lines) given.push_back(whole.copies[line]);
  for (std::uint32_t number : kept().results) given.push_back(whole.copies[results_[number]]);
  return result = whole.program->rewritten(blocks, given, {}, {});
}

// What a call of the kernel takes, for results of which these are wanted.
template <class T>
struct Program::Plan {
  kernels::Steps<T> steps;
  std::vector<kernels::Part> inputs, results;
};
struct Program::PlanOfEither {
  std::variant<Plan<float>, Plan<double>> plan;
};

// Leaves out what the results that are wanted do not need.
template <class T>
Program::Plan<T> Program::made_plan(const std::vector<bool>& wanted) const {
  Plan<T> plan{{}, parts_of(input_blocks_), parts_of(result_blocks_)};
  std::vector<bool> needed(lines_.size(), false);
  for (std::size_t j = 0; j < results_.size(); ++j)
    if (wanted[plan.results[j].array]) needed[results_[j]] = true;
  for (std::size_t i = lines_.size(); i-- > inputs_;)
    for (std::size_t k = 0; needed[i] && k < lines_[i].count; ++k) needed[lines_[i].operands[k]] = true;

  std::vector<std::uint32_t> number(lines_.size(), 0);
  std::iota(number.begin(), number.begin() + static_cast<std::ptrdiff_t>(inputs_), 0);
  auto next = static_cast<std::uint32_t>(inputs_);
  for (std::size_t i = inputs_; i < lines_.size(); ++i) {
    if (!needed[i] || lines_[i].operation) continue;
    number[i] = next++;
    plan.steps.constants.emplace_back(static_cast<T>(lines_[i].constant));
  }
  for (std::size_t i = inputs_; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    if (!needed[i] || !line.operation) continue;
    number[i] = next++;
    const auto& rows = line.partial == Line::forward
                           ? line.operation->rows()
                           : line.operation->partial(static_cast<std::size_t>(line.partial)).rows;
    kernels::Step<T> step{rows.template of<T>(), line.count, {}};
    for (std::size_t k = 0; k < line.count; ++k) step.operands[k] = number[line.operands[k]];
    plan.steps.steps.push_back(step);
  }
  for (std::uint32_t line : results_) plan.steps.results.push_back(number[line]);
  return plan;
}

const Program::PlanOfEither& Program::plan(std::span<const Array> results) const {
  std::vector<bool> wanted;
  for (const Array& y : results) wanted.push_back(y.defined());
  std::scoped_lock lock(known_);
  std::unique_ptr<const PlanOfEither>& plan = plans_[wanted];
  if (!plan)
    visit_floating("fuse", dtype_, [&]<class T>(T) { plan.reset(new PlanOfEither{made_plan<T>(wanted)}); });
  return *plan;
}

Program::~Program() { close(); }

void Program::evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const {
  std::visit([&](const auto& plan) { kernels::map_steps(plan.steps, common, inputs, plan.inputs, results, plan.results); },
             plan(results).plan);
}

// Constants are compared bit by bit, for NaN is unlike itself and 0 like -0.
bool Program::Line::operator==(const Line& other) const {
  return operation == other.operation && partial == other.partial && count == other.count &&
         operands == other.operands &&
         std::bit_cast<std::uint64_t>(constant) == std::bit_cast<std::uint64_t>(other.constant);
}

bool Program::operator==(const Program& other) const {
  return dtype_ == other.dtype_ && input_blocks_ == other.input_blocks_ && result_blocks_ == other.result_blocks_ &&
         results_ == other.results_ && lines_ == other.lines_;
}

ProgramPtr LastProgram::instead_of(ProgramPtr written) {
  if (!last_ || *last_ != *written) last_ = std::move(written);
  return last_;
}

}  // namespace xtape::fused
