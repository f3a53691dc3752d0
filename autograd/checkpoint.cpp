#include <autograd/checkpoint.hpp>

#include <string>

#include <autograd/computed_again.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// Operands: the inputs, and a stand-in for each captured edge.
class Checkpoint final : public OperationOf<Checkpoint> {
 public:
  Checkpoint(const Callable& f, std::size_t inputs, Array value, detail::Traces first, std::span<const Edge> captured)
      : OperationOf("checkpoint"), f_(f), inputs_(inputs), value_(std::move(value)), first_(std::move(first)),
        values_(detail::values_of(captured)) {}

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
    require_same_result(y, outputs[0]);
    detail::require_same_captured(y, start, node.edges());
    for (std::size_t i = 0; i < captured.size(); ++i) differentiate_by(detail::stand_in(captured[i]), inputs_ + i);
    Variables found = detail::partial_grad(y, outputs[0], targets, start);
    for (std::size_t k = 0; k < found.size(); ++k) gradients[places[k]].value = found[k];
  }

 private:
  Variable second_run(const Variables& xs, std::span<const Edge> captured) const {
    EnableGrad recording;
    detail::Again as_first(first_, values_, captured);
    return f_(xs, "checkpoint");
  }

  static void require_same_result(const Variable& y, const Variable& gradient) {
    if (!y.requires_grad() || y.shape() != gradient.shape() || y.dtype() != gradient.dtype())
      throw GraphError("the function gave another result than the first time: " + describe(y) + " for " +
                       describe(gradient));
  }

  Callable f_;
  std::size_t inputs_;
  Array value_;  // until it is handed over
  detail::Traces first_;
  detail::CapturedValues values_;
};

}  // namespace

Variable checkpoint(const Callable& f, const std::vector<Variable>& inputs) try {
  detail::RandomFork numbers;
  if (!grad_enabled()) return f(inputs, "checkpoint");
  detail::Traces first;
  std::vector<Edge> captured;
  Array value;
  {
    detail::UndoLog log;
    detail::Mark start;
    Variables xs;
    for (const Variable& x : inputs) xs.push_back(detail::isolated(x, false));
    Variable y = f(xs, "checkpoint");
    if (!y.requires_grad()) return y;
    captured = start.edges_beyond(y);
    value = y.value();
    xs.clear();
    y = Variable();
    first.written = std::move(log).contents();
  }
  first.seeds = numbers.seeds();
  Variables operands = inputs;
  for (const Edge& edge : captured) operands.push_back(detail::stand_in(edge));
  Checkpoint operation(f, inputs.size(), std::move(value), std::move(first), captured);
  return detail::perform(operation, detail::pointers_to(operands));
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("checkpoint", "what it needs beside arrays");
}

}  // namespace xtape
