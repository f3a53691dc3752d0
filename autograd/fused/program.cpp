#include <autograd/fused/program.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

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

Program::~Program() { close(); }

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

Number Program::gradient_of_operand(const Line& line, std::uint32_t at, std::size_t k, const Number& g) {
  const Partial& partial = line.operation->partial(k);
  if (partial.kind == Partial::Kind::pass) return g;
  std::vector<Number> told;
  for (std::uint8_t value : partial.told())
    told.push_back(Number(*this, value == Partial::result ? at : line.operands[value]));
  told.push_back(g);
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
      const Number g = gradient_of_operand(line, static_cast<std::uint32_t>(i), k, *gradients[i]);
      add(gradients[operand], g);
    }
  }
}

std::shared_ptr<const Program> Program::gradient(const std::vector<bool>& weighted) const {
  std::scoped_lock lock(deriving_);
  std::shared_ptr<const Program>& result = gradients_[weighted];
  if (!result) result = derived(weighted);
  return result;
}

std::shared_ptr<const Program> Program::derived(const std::vector<bool>& weighted) const {
  Blocks blocks = input_blocks_;
  blocks.insert(blocks.end(), result_blocks_.begin(), result_blocks_.end());
  auto made = std::make_shared<Program>(dtype_, std::move(blocks));
  const std::vector<Number> copies = copy_to(*made);
  std::vector<std::optional<Number>> gradients(made->lines_.size());
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
  return made;
}

void Program::evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const {
  visit_floating("fuse", dtype_, [&]<class T>(T) { compute<T>(common, inputs, results); });
}

// Leaves out what the results that are wanted do not need.
template <class T>
void Program::compute(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const {
  const std::vector<kernels::Part> result_parts = parts_of(result_blocks_);
  std::vector<bool> needed(lines_.size(), false);
  for (std::size_t j = 0; j < results_.size(); ++j)
    if (results[result_parts[j].array].defined()) needed[results_[j]] = true;
  for (std::size_t i = lines_.size(); i-- > inputs_;)
    for (std::size_t k = 0; needed[i] && k < lines_[i].count; ++k) needed[lines_[i].operands[k]] = true;

  kernels::Steps<T> steps;
  std::vector<std::uint32_t> number(lines_.size(), 0);
  std::iota(number.begin(), number.begin() + static_cast<std::ptrdiff_t>(inputs_), 0);
  auto next = static_cast<std::uint32_t>(inputs_);
  for (std::size_t i = inputs_; i < lines_.size(); ++i) {
    if (!needed[i] || lines_[i].operation) continue;
    number[i] = next++;
    steps.constants.emplace_back(static_cast<T>(lines_[i].constant));
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
    steps.steps.push_back(step);
  }
  for (std::uint32_t line : results_) steps.results.push_back(number[line]);
  kernels::map_steps<T>(steps, common, inputs, parts_of(input_blocks_), results, result_parts);
}

}  // namespace xtape::fused
