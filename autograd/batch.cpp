#include <autograd/batch.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {
namespace {

thread_local Mapping* innermost = nullptr;

// An operand that is the same in all samples. A leaf that was made since the mapping began is none to what the caller
// of vmap can differentiate by: there it is a constant.
Variable single(const Variable& operand, const Array& value, std::uint64_t level) {
  if (operand.impl()->weak && value.dtype() == operand.dtype()) return operand;
  Edge edge = edge_to(operand);
  if (edge.node && edge.node->is_leaf() && edge.node->sequence() > level) {
    Mapping::note_constant(edge.node, level);
    edge = {};
  }
  return output_of(std::move(edge.node), value, edge.output);
}

}  // namespace

void no_elements(const Array& array) {
  throw NeedsElements("a Variable that vmap maps over has other elements in each sample: they cannot be read outside of "
                      "the call of vmap",
                      samples_of(array).level);
}

Array mapped(const Variable& all, std::uint64_t level) {
  const Shape& shape = all.shape();
  return Array::mapped(Shape(shape.begin() + 1, shape.end()), all.dtype(),
                       std::make_shared<const Samples>(Samples{level, all}));
}

bool any_nonzero(const Variable& x) {
  const Array& all = every_sample(x.value());
  return visit(all.dtype(), [&]<class T>(T) {
    return std::any_of(all.data<T>(), all.data<T>() + all.size(), [](T v) { return v != T(0); });
  });
}

bool all_nonzero(const Variable& x) {
  const Array& all = every_sample(x.value());
  return visit(all.dtype(), [&]<class T>(T) {
    return std::all_of(all.data<T>(), all.data<T>() + all.size(), [](T v) { return v != T(0); });
  });
}

double greatest(const Variable& x) {
  const Variable all(every_sample(x.value()));
  return all.size() == 0 ? 0 : max(all).item();
}

NeedsElements::NeedsElements(const std::string& message, std::uint64_t level) : Error(message), level(level) {
  Mapping::note_failure(level);
}

Mapping::Mapping(std::uint64_t level) : level_(level) {
  default_generator();  // which is made at its first use
  generators_ = generators_made();
  outer_ = std::exchange(innermost, this);
}
Mapping::~Mapping() { innermost = outer_; }

std::uint64_t Mapping::innermost_level() { return innermost ? innermost->level_ : 0; }

void Mapping::require_none(const char* what) {
  if (innermost) throw NeedsElements(std::string(what) + ": not while vmap computes all samples at once", innermost->level_);
}

void Mapping::count_generator(std::uint64_t generator, int more) {
  for (Mapping* mapping = innermost; mapping; mapping = mapping->outer_)
    if (generator > mapping->generators_) mapping->living_generators_ += more;
}

void Mapping::note_failure(std::uint64_t level) {
  for (Mapping* mapping = innermost; mapping; mapping = mapping->outer_)
    if (mapping->level_ == level) mapping->failed_ = true;
}

void Mapping::require_own(std::uint64_t generator) {
  if (innermost && generator <= innermost->generators_)
    throw NeedsElements("random numbers differ from sample to sample", innermost->level_);
}

void Mapping::note_constant(const NodePtr& leaf, std::uint64_t level) {
  for (Mapping* mapping = innermost; mapping; mapping = mapping->outer_)
    if (mapping->level_ == level && std::ranges::find(mapping->constants_, leaf) == mapping->constants_.end())
      mapping->constants_.push_back(leaf);
}

bool Mapping::has_living_constants() const {
  return std::ranges::any_of(constants_, [](const NodePtr& leaf) {
    std::scoped_lock lock(leaf->attached()->mutex);
    return !leaf->attached()->owners.empty();
  });
}

Batch::Batch(std::uint64_t level, std::span<const Variable* const> operands, std::span<const Array> values)
    : level_(level) {
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const bool is_mapped = values[k].is_mapped() && samples_of(values[k]).level == level;
    is_mapped_.push_back(is_mapped);
    if (!operands[k]) operands_.emplace_back();
    else if (is_mapped) operands_.push_back(samples_of(values[k]).all);
    else operands_.push_back(single(*operands[k], values[k], level));
    if (is_mapped) size_ = operands_.back().shape()[0];
  }
}

Variable Batch::operator[](std::size_t k) const {
  const Variable& x = operands_[k];
  return !x.defined() || is_mapped_[k] ? x : broadcast_to(x, with_samples(x.shape()));
}

Variable Batch::spread(std::size_t k, std::size_t rank) const {
  const Variable& x = operands_[k];
  if (!is_mapped_[k] || x.rank() == rank + 1) return x;
  return reshape(x, with_samples(Shape(x.shape().begin() + 1, x.shape().end()), rank));
}

Variable Batch::joined(std::size_t k) const {
  const Variable x = (*this)[k];
  return reshape(x, joined(Shape(x.shape().begin() + 1, x.shape().end())));
}

Shape Batch::joined(Shape shape) const {
  shape[0] *= size_;
  return shape;
}

Variable Batch::apart(const Variable& joined, std::size_t rows) const {
  Shape shape = joined.shape();
  shape[0] = rows;
  return reshape(joined, with_samples(shape));
}

Shape Batch::with_samples(const Shape& shape, std::size_t rank) const {
  Shape result(std::max(rank, shape.size()) + 1, 1);
  result[0] = size_;
  std::copy(shape.begin(), shape.end(), result.end() - static_cast<std::ptrdiff_t>(shape.size()));
  return result;
}

std::vector<bool> Batch::shifted(std::vector<bool> mask) {
  mask.insert(mask.begin(), false);
  return mask;
}

std::vector<Variable> Batch::sample(std::size_t i) const {
  std::vector<Variable> result;
  for (std::size_t k = 0; k < operands_.size(); ++k)
    result.push_back(is_mapped_[k] ? operands_[k][static_cast<std::ptrdiff_t>(i)] : operands_[k]);
  return result;
}

Variable Batch::stacked(const std::vector<Variable>& results) { return stack(results); }

}  // namespace xtape::detail
