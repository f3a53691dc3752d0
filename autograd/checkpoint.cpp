#include <autograd/checkpoint.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/undo_log.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// What the first run of a function leaves to the second, which is to compute the same.
struct FirstRun {
  std::vector<detail::RandomFork::Seed> seeds;  // of the random numbers that it drew
  std::vector<detail::Content> written;         // what it wrote to in place, as it was before
  std::vector<Edge> captured;                   // where its record leads, beside to its inputs
};

// Operands: the inputs, and a stand-in for each captured edge.
class Checkpoint final : public OperationOf<Checkpoint> {
 public:
  Checkpoint(const Callable& f, std::size_t inputs, Array value, FirstRun first)
      : OperationOf("checkpoint"), f_(f), inputs_(inputs), value_(std::move(value)), seeds_(std::move(first.seeds)),
        written_(std::move(first.written)) {
    for (const Edge& edge : first.captured)
      for_owners(edge, [&](VariableImpl* owner) { captured_.emplace(owner, owner->value); });
  }

  bool mixes_dtypes() const override { return true; }
  void evaluate(std::span<const Array>, std::span<Array> results) override { results[0] = std::move(value_); }
  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> gradients) const override {
    detail::Mark start;
    Variables xs, targets;
    std::vector<std::size_t> places;
    auto differentiate_by = [&](const Variable& x, std::size_t place) {
      targets.push_back(x);
      places.push_back(place);
    };
    bool higher_order = grad_enabled();
    for (std::size_t i = 0; i < inputs_; ++i) {
      xs.push_back(detail::isolated(node.operand(i), higher_order));
      if (xs[i].requires_grad()) differentiate_by(xs[i], i);
    }
    auto captured = node.edges().subspan(inputs_);
    Variable y = second_run(xs, captured);
    require_same_result(y, outputs[0], start, node.edges());
    for (std::size_t i = 0; i < captured.size(); ++i) differentiate_by(stand_in(captured[i]), inputs_ + i);
    Variables found = detail::partial_grad(y, outputs[0], targets, start);
    for (std::size_t k = 0; k < found.size(); ++k) gradients[places[k]].value = found[k];
  }

  // What stands for a captured edge; its value plays no part.
  static Variable stand_in(const Edge& edge) {
    return detail::output_of(edge.node, Array::scalar(0, DType::float32), edge.output);
  }

 private:
  template <class F>
  static void for_owners(const Edge& edge, F f) {
    Attached* attached = edge.node->attached();
    if (!attached) return;
    std::scoped_lock lock(attached->mutex);
    for (VariableImpl* owner : attached->owners) f(owner);
  }

  // With the same random numbers and the same values, and without the side effects: those were the first run's.
  Variable second_run(const Variables& xs, std::span<const Edge> captured) const {
    EnableGrad recording;
    detail::RandomFork same_numbers(seeds_);
    detail::Undone as_it_was(before_first_run(captured));
    return f_(xs, "checkpoint");
  }

  // What f writes to, and captured parameters that somebody has written to since.
  std::vector<detail::Content> before_first_run(std::span<const Edge> captured) const {
    std::vector<detail::Content> result = written_;
    auto is_written = [&](VariableImpl* x) {
      return std::ranges::find(written_, x, &detail::Content::impl) != written_.end();
    };
    for (const Edge& edge : captured)
      for_owners(edge, [&](VariableImpl* owner) {
        auto then = captured_.find(owner);
        if (then == captured_.end() || owner->value.shares_elements_with(then->second) || is_written(owner)) return;
        result.emplace_back(Variable(owner)).value = then->second;
      });
    return result;
  }

  static void require_same_result(const Variable& y, const Variable& gradient, const detail::Mark& start,
                                  std::span<const Edge> edges) {
    if (!y.requires_grad() || y.shape() != gradient.shape() || y.dtype() != gradient.dtype())
      throw GraphError("the function gave another result than the first time: " + describe(y) + " for " +
                       describe(gradient));
    for (const Edge& edge : start.edges_beyond(y))
      if (std::ranges::none_of(edges, [&](const Edge& e) { return e.node == edge.node && e.output == edge.output; }))
        throw GraphError("the function computed with other Variables than the first time; was one that it captures by "
                         "reference changed since?");
  }

  Callable f_;
  std::size_t inputs_;
  Array value_;  // until it is handed over
  std::vector<detail::RandomFork::Seed> seeds_;
  std::vector<detail::Content> written_;
  std::unordered_map<VariableImpl*, Array> captured_;  // the values of parameters
};

}  // namespace

Variable checkpoint(const Callable& f, const std::vector<Variable>& inputs) {
  detail::RandomFork numbers;
  if (!grad_enabled()) return f(inputs, "checkpoint");
  FirstRun first;
  Array value;
  {
    detail::UndoLog log;
    detail::Mark start;
    Variables xs;
    for (const Variable& x : inputs) xs.push_back(detail::isolated(x, false));
    Variable y = f(xs, "checkpoint");
    if (!y.requires_grad()) return y;
    first.captured = start.edges_beyond(y);
    value = y.value();
    xs.clear();
    y = Variable();
    first.written = std::move(log).contents();
  }
  first.seeds = numbers.seeds();
  Variables operands = inputs;
  for (const Edge& edge : first.captured) operands.push_back(Checkpoint::stand_in(edge));
  Checkpoint operation(f, inputs.size(), std::move(value), std::move(first));
  return detail::perform(operation, detail::pointers_to(operands));
}

}  // namespace xtape
