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

class CheckpointNode final : public Node {
 public:
  CheckpointNode(const Callable& f, const Variables& inputs, FirstRun first)
      : Node("checkpoint", 1), f_(f), seeds_(std::move(first.seeds)), written_(std::move(first.written)) {
    for (const Variable& x : inputs) {
      inputs_.push_back(Saved(x));
      edges_.push_back(edge_to(x));
    }
    for (const Edge& edge : first.captured) {
      edges_.push_back(edge);
      for_owners(edge, [&](VariableImpl* owner) { captured_.emplace(owner, owner->value); });
    }
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> gradients) override {
    detail::Mark start;
    Variables xs, targets;
    std::vector<std::size_t> places;
    auto differentiate_by = [&](const Variable& x, std::size_t place) {
      targets.push_back(x);
      places.push_back(place);
    };
    bool higher_order = grad_enabled();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      xs.push_back(detail::isolated(inputs_[i](), higher_order));
      if (xs[i].requires_grad()) differentiate_by(xs[i], i);
    }
    Variable y = second_run(xs);
    require_same_result(y, outputs[0], start);
    // A Variable stands for each captured edge; its value plays no part.
    for (std::size_t i = inputs_.size(); i < edges_.size(); ++i)
      differentiate_by(detail::output_of(edges_[i].node, Array::scalar(0, y.dtype()), edges_[i].output), i);
    Variables found = detail::partial_grad(y, outputs[0], targets, start);
    for (std::size_t k = 0; k < found.size(); ++k) gradients[places[k]].value = found[k];
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
  Variable second_run(const Variables& xs) const {
    EnableGrad recording;
    detail::RandomFork same_numbers(seeds_);
    detail::Undone as_it_was(before_first_run());
    return (*f_)(xs, "checkpoint");
  }

  // What f writes to, and captured parameters that somebody has written to since.
  std::vector<detail::Content> before_first_run() const {
    std::vector<detail::Content> result = written_;
    auto is_written = [&](VariableImpl* x) {
      return std::ranges::find(written_, x, &detail::Content::impl) != written_.end();
    };
    for (std::size_t i = inputs_.size(); i < edges_.size(); ++i)
      for_owners(edges_[i], [&](VariableImpl* owner) {
        auto then = captured_.find(owner);
        if (then == captured_.end() || owner->value.shares_elements_with(then->second) || is_written(owner)) return;
        result.emplace_back(Variable(owner)).value = then->second;
      });
    return result;
  }

  void require_same_result(const Variable& y, const Variable& gradient, const detail::Mark& start) const {
    if (!y.requires_grad() || y.shape() != gradient.shape() || y.dtype() != gradient.dtype())
      throw GraphError("the function gave another result than the first time: " + describe(y) + " for " +
                       describe(gradient));
    for (const Edge& edge : start.edges_beyond(y))
      if (std::ranges::none_of(edges_, [&](const Edge& e) { return e.node == edge.node && e.output == edge.output; }))
        throw GraphError("the function computed with other Variables than the first time; was one that it captures by "
                         "reference changed since?");
  }

  void release_saved() override {
    f_.reset();
    written_.clear();
    inputs_.clear();
    captured_.clear();
  }

  std::optional<Callable> f_;
  std::vector<detail::RandomFork::Seed> seeds_;
  std::vector<detail::Content> written_;
  std::vector<Saved> inputs_;
  std::unordered_map<VariableImpl*, Array> captured_;  // the values of parameters
  std::vector<Edge> edges_;
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
  NodePtr node(new CheckpointNode(f, inputs, std::move(first)));
  return detail::result_of(std::move(node), std::move(value));
}

}  // namespace xtape
