#include <autograd/vmap.hpp>

#include <algorithm>
#include <array>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/undo_log.hpp>

namespace xtape::detail {
namespace {

using Variables = std::vector<Variable>;

// What an input is to one sample, in the record of the function. Derivatives by the batch, for which the record of what
// was done with all samples counts, do not come here; those that the function takes by what the batch was computed of do.
class SampleOf final : public OperationOf<SampleOf> {
 public:
  explicit SampleOf(std::uint64_t level) : OperationOf("vmap"), level_(level) {}

  void evaluate(std::span<const Array>, std::span<Array>) override { differs(); }
  void backward(const Node&, std::span<Variable>, std::span<InputGradient>) const override { differs(); }
  void jvp(const Node&, std::span<Variable>, std::span<ResultTangent>) const override { differs(); }

 private:
  [[noreturn]] void differs() const {
    throw NeedsElements("a derivative within vmap by what its input was computed of", level_);
  }

  std::uint64_t level_;
};

// The samples of a call.
class Inputs {
 public:
  Inputs(const FlatTree& inputs, const VmapOptions& options) : xs_(inputs.leaves), axes_(options.in_axes) {
    if (axes_.size() == 1) axes_.resize(xs_.size(), axes_[0]);
    if (axes_.size() != xs_.size())
      throw ValueError("vmap: in_axes are " + std::to_string(axes_.size()) + " for " + std::to_string(xs_.size()) +
                       " inputs");
    for (std::size_t k = 0; k < xs_.size(); ++k) {
      if (inputs.names.empty()) require_defined("vmap", xs_[k]);
      if (!xs_[k].defined()) axes_[k].reset();
      if (axes_[k]) count(k);
    }
    if (!first_) throw ValueError("vmap: no input has samples, needs an axis in in_axes for one or more");
  }

  std::size_t size() const { return size_; }

  // Variables that stand for all samples.
  Variables mapped(std::uint64_t level) const {
    Variables result;
    for (std::size_t k = 0; k < xs_.size(); ++k) result.push_back(axes_[k] ? sample_of(k, level) : whole(k));
    return result;
  }

  // The inputs of each sample.
  std::vector<Variables> samples() const {
    std::vector<Variables> result(size_);
    for (std::size_t k = 0; k < xs_.size(); ++k) {
      const Variables slices = axes_[k] ? unbind(xs_[k], *axes_[k]) : Variables();
      for (std::size_t i = 0; i < size_; ++i) result[i].push_back(axes_[k] ? slices[i] : whole(k));
    }
    return result;
  }

  // A sample of zeros, connected to those of which there are none.
  Variables empty_sample() const {
    Variables result;
    for (std::size_t k = 0; k < xs_.size(); ++k)
      result.push_back(axes_[k] ? sum(xs_[k], *axes_[k]).to(xs_[k].dtype()) : whole(k));
    return result;
  }

 private:
  Variable whole(std::size_t k) const {
    return xs_[k].defined() && xs_[k].impl()->weak ? xs_[k] : another_handle(xs_[k]);
  }

  // The result of an operation, as a slice would be, if it needs a gradient.
  Variable sample_of(std::size_t k, std::uint64_t level) const {
    const Variable& x = xs_[k];
    Array value = detail::mapped(movedim(x, *axes_[k], 0), level);
    if (!grad_enabled() || !x.requires_grad()) return output_of({}, std::move(value));
    SampleOf operation(level);
    NodePtr node = Node::make(operation, std::array{&x}, {&value, 1}, {&value, 1});
    return output_of(std::move(node), std::move(value));
  }

  void count(std::size_t k) {
    const Variable& x = xs_[k];
    if (x.rank() == 0)
      throw ShapeError("vmap: input " + std::to_string(k) + " has no axis along which samples could lie; give it none " +
                       "in in_axes if it is the same for all");
    const std::size_t samples = x.shape()[normalize_axis("vmap", *axes_[k], x.rank())];
    if (!first_) first_ = k, size_ = samples;
    if (samples != size_)
      throw ShapeError("vmap: " + std::to_string(size_) + " samples in input " + std::to_string(*first_) + ", " +
                       std::to_string(samples) + " in input " + std::to_string(k) + " of " + to_string(x.shape()));
  }

  const Variables& xs_;  // the leaves
  std::vector<std::optional<std::ptrdiff_t>> axes_;
  std::optional<std::size_t> first_;  // of those with samples
  std::size_t size_ = 0;
};

class Outputs {
 public:
  explicit Outputs(const VmapOptions& options) : axes_(options.out_axes) {}

  // Samples along the first axis, along the axis of result k of so many.
  Variable moved(const Variable& all, std::size_t k, std::size_t count) const {
    if (!all.defined()) return all;
    if (axes_.size() != 1 && axes_.size() != count)
      throw ValueError("vmap: out_axes are " + std::to_string(axes_.size()) + " for " + std::to_string(count) +
                       " results");
    const std::ptrdiff_t axis = axes_.size() == 1 ? axes_[0] : axes_[k];
    const auto rank = static_cast<std::ptrdiff_t>(all.rank());
    if (axis < -rank || axis >= rank)
      throw ShapeError("vmap: axis " + std::to_string(axis) + " in out_axes for a result of " + to_string(all.shape()));
    return axis == 0 ? all : movedim(all, 0, axis);
  }

 private:
  std::vector<std::ptrdiff_t> axes_;
};

using Function = std::function<FlatValue(const Variables&)>;

// What f returns. Among several results, such as gradients, some may be undefined.
Variables results_of(const Function& f, const Variables& xs) {
  Variables results = f(xs).value.leaves;
  if (results.size() == 1 && !results[0].defined()) throw Error("vmap: the function returned an undefined Variable");
  return results;
}

bool is_mapped_at(const Array& array, std::uint64_t level) {
  return array.is_mapped() && samples_of(array).level == level;
}

// One call for all samples.
class Trace {
 public:
  // Whatever is thrown, all that f wrote is as it was.
  Variables run(const Function& f, const Inputs& inputs) try {
    Mapping mapping(level());
    Variables results = results_of(f, inputs.mapped(level()));
    if (mapping.has_failed() || (grad_enabled() && mapping.has_living_constants()) || has_written_outside(results))
      throw NeedsElements("the function is one of each sample", level());
    for (Variable& y : results) y = all_of(y, inputs.size());
    return results;
  } catch (...) {
    for (Content& content : std::move(log_).contents()) content.swap();
    throw;
  }

  std::uint64_t level() const { return mark_.sequence(); }

 private:
  // Whether somebody beside the results has a Variable that was written to: that would be written once for each sample.
  bool has_written_outside(const Variables& results) const {
    return std::ranges::any_of(log_.noted(), [&](const Content& content) {
      // Each result has a handle here, and one in what f returned.
      const auto own = 2 * std::ranges::count(results, content.impl(), &Variable::impl);
      return content.is_changed() && content.impl()->references > UndoLog::handles(content.impl()) + static_cast<std::size_t>(own);
    });
  }

  // The value in all samples, connected to nothing that began in f.
  Variable all_of(const Variable& y, std::size_t size) const {
    if (!y.defined()) return y;
    const bool is_mapped = is_mapped_at(y.value(), level());
    Variable all = is_mapped ? samples_of(y.value()).all : y;
    all = grad_enabled() && mark_.leads_beyond(all) ? another_handle(all) : Variable(all.value());
    if (is_mapped) return all;
    Shape shape{size};
    shape.insert(shape.end(), y.shape().begin(), y.shape().end());
    return broadcast_to(all, shape);
  }

  Mark mark_;
  UndoLog log_;
};

Variable stacked(const Variables& results) {
  if (std::ranges::none_of(results, &Variable::defined)) return {};
  for (const Variable& y : results)
    if (describe(y) != describe(results[0]))
      throw ShapeError("vmap: the function returned " + describe(results[0]) + " for one sample, " + describe(y) +
                       " for another");
  return stack(results);
}

// A call for each sample.
Variables one_by_one(const Function& f, const Inputs& inputs) {
  std::vector<Variables> of_result;
  for (const Variables& xs : inputs.samples()) {
    Variables results = results_of(f, xs);
    if (of_result.empty()) of_result.resize(results.size());
    if (results.size() != of_result.size())
      throw ValueError("vmap: the function returned " + std::to_string(of_result.size()) + " results for one sample, " +
                       std::to_string(results.size()) + " for another");
    for (std::size_t k = 0; k < results.size(); ++k) of_result[k].push_back(std::move(results[k]));
  }
  Variables all;
  for (const Variables& results : of_result) all.push_back(stacked(results));
  return all;
}

// Nothing where f has to be called for each sample: also where it failed, as it may for one sample alone.
std::optional<Variables> results_at_once(const Function& f, const Inputs& inputs) {
  Trace trace;
  try {
    return trace.run(f, inputs);
  } catch (const NeedsElements& needs) {
    if (needs.level != trace.level()) throw;
  } catch (...) {
  }
  return {};
}

// No samples of what f makes of one.
Variables none_of_each(const Function& f, const Inputs& inputs) {
  Variables results = results_of(f, inputs.empty_sample());
  for (Variable& y : results)
    if (y.defined()) y = expand_dims(y, 0)[range(0, 0)];
  return results;
}

Variables results_for_all(const Function& f, const Inputs& inputs) {
  if (std::optional<Variables> results = results_at_once(f, inputs)) return *std::move(results);
  return inputs.size() == 0 ? none_of_each(f, inputs) : one_by_one(f, inputs);
}

}  // namespace

std::vector<Variable> flat_vmap(const FlatCall& call, const VmapOptions& options) try {
  const Inputs inputs(call.inputs, options);
  const Outputs outputs(options);
  Variables results = results_for_all(call.function, inputs);
  for (std::size_t k = 0; k < results.size(); ++k) results[k] = outputs.moved(results[k], k, results.size());
  return results;
} catch (const std::bad_alloc&) {
  throw OutOfMemory("vmap", "what it needs beside arrays");
}

}  // namespace xtape::detail
