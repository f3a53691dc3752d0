// Values of many samples under one name: what vmap computes with.
//
// While vmap runs a function, its inputs are Variables that stand for the same value in each sample of a batch. They have
// the shape of one sample, and Arrays without elements, which know the Variable that has those of all samples. `perform`
// hands operations on them to their rule, `Operation::map`, which is written in operations on the Variables of the batch.
// These are recorded where they lead to something that needs a gradient. So the derivatives of a mapped function are
// those of what its rules did, and rules need none of their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::detail {

/// Somebody asked for the elements of a value that stands for one in each sample.
struct NeedsElements : Error {
  NeedsElements(const std::string& message, std::uint64_t level);
  std::uint64_t level;  ///< of the vmap that has to call its function once for each sample
};
/// Throws it for a mapped array.
[[noreturn]] void no_elements(const Array& array);

/// What a mapped Array stands for.
struct Samples {
  std::uint64_t level;  ///< of the vmap: within one another, the inner has the greater
  Variable all;         ///< the value in each, along the first axis
};

/// The samples of a mapped array.
inline const Samples& samples_of(const Array& array) { return *static_cast<const Samples*>(array.batch()); }
/// An array that stands for each row of `all`.
Array mapped(const Variable& all, std::uint64_t level);
/// The elements of x; of all samples, where it is mapped. For questions to which one answer does for all.
inline const Array& every_sample(const Array& array) {
  const Array* x = &array;
  while (x->is_mapped()) x = &samples_of(*x).all.value();
  return *x;
}
/// Whether one of them is mapped; undefined ones are not.
template <class... Variables>
bool any_mapped(const Variables&... xs) {
  return ((xs.defined() && xs.value().is_mapped()) || ...);
}
/// Whether an element is not 0, in any sample; and whether all are not, in all samples.
bool any_nonzero(const Variable& x);
bool all_nonzero(const Variable& x);
/// The greatest element of all samples.
double greatest(const Variable& x);

/// How many Generators were made so far.
std::uint64_t generators_made();

/// While one lives, this thread runs a function on mapped values. Random numbers differ from sample to sample: to draw
/// some throws NeedsElements. Those of a Generator that the function makes are the same in all, unless it outlives it.
class Mapping {
 public:
  explicit Mapping(std::uint64_t level);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// The level of the innermost one; 0 where there is none.
  static std::uint64_t innermost_level();
  /// Throws NeedsElements, if there is one, for what would happen in each sample, such as a hook to be called.
  static void require_none(const char* what);

  /// Called before the numbers of a Generator are drawn, of which so many were made with it; where one was made, and where
  /// it is gone.
  static void require_own(std::uint64_t generator);
  static void count_generator(std::uint64_t generator, int more);
  /// Called where elements were asked for, or an error came up in all samples that was one of a single sample: the
  /// function may have caught it.
  static void note_failure(std::uint64_t level);
  /// Called where a leaf that the function made counts as a constant to the vmap of a level.
  static void note_constant(const NodePtr& leaf, std::uint64_t level);
  /// Whether one of these is somebody's still, once the function has returned: to them it was none.
  bool has_living_constants() const;
  /// Whether the function, once it has returned, is to be called for each sample all the same.
  bool has_failed() const { return failed_ || living_generators_ > 0; }

 private:
  Mapping* outer_;
  std::uint64_t level_, generators_;
  int living_generators_ = 0;  // of its own
  bool failed_ = false;
  std::vector<NodePtr> constants_;
};

/// The operands of an operation, some of them mapped: what its rule computes with.
class Batch {
 public:
  Batch(std::uint64_t level, std::span<const Variable* const> operands, std::span<const Array> values);

  /// What `mapped` takes.
  std::uint64_t level() const { return level_; }
  /// The number of samples.
  std::size_t size() const { return size_; }
  std::size_t operands() const { return operands_.size(); }
  bool has(std::size_t k) const { return operands_[k].defined(); }
  /// Whether operand k differs from sample to sample.
  bool is_mapped(std::size_t k) const { return is_mapped_[k]; }
  /// The axes of operand k in one sample.
  std::size_t rank(std::size_t k) const { return operands_[k].rank() - is_mapped_[k]; }

  /// Operand k in each sample, along the first axis; one that is not mapped is repeated. Undefined for an absent one.
  Variable operator[](std::size_t k) const;
  /// The same as it is: with the first axis only if it is mapped.
  const Variable& as_given(std::size_t k) const { return operands_[k]; }
  /// Operand k as it broadcasts with others of at most so many axes in one sample: the samples come before these.
  Variable spread(std::size_t k, std::size_t rank) const;

  /// Operand k in each sample, one behind the other along its own first axis: as one larger batch of images.
  Variable joined(std::size_t k) const;
  /// The shape of what is joined, from that of one.
  Shape joined(Shape shape) const;
  /// A result that is joined, with an axis for the samples again; so many rows are of each.
  Variable apart(const Variable& joined, std::size_t rows) const;

  /// A shape of one sample with the axis of the samples before it, and axes of extent 1 in between where it has fewer
  /// than `rank`.
  Shape with_samples(const Shape& shape, std::size_t rank = 0) const;
  /// Axes to reduce, or not, of one sample: that of the samples is not.
  static std::vector<bool> shifted(std::vector<bool> mask);
  /// f of the operands in each sample, one after the other: for what has no faster way. @throws NeedsElements for none.
  template <class F>
  Variable each(F f) const {
    if (size_ == 0) throw NeedsElements("there are no samples", level_);
    std::vector<Variable> results;
    for (std::size_t i = 0; i < size_; ++i) results.push_back(f(sample(i)));
    return stacked(results);
  }

 private:
  std::vector<Variable> sample(std::size_t i) const;
  static Variable stacked(const std::vector<Variable>& results);

  std::uint64_t level_;
  std::size_t size_ = 0;
  std::vector<Variable> operands_;
  std::vector<bool> is_mapped_;
};

}  // namespace xtape::detail
