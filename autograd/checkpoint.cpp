#include <autograd/checkpoint.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// Where the record of y leaves what was recorded after `start`: what f captured.
std::vector<Edge> edges_beyond(const Variable& y, std::uint64_t start) {
  std::vector<Edge> result;
  std::vector<Node*> path{y.impl()->node.get()};
  std::unordered_set<Node*> visited{path[0]};
  std::unordered_map<Node*, std::unordered_set<std::uint32_t>> found;
  while (!path.empty()) {
    Node* node = path.back();
    path.pop_back();
    for (const Edge& edge : node->edges()) {
      if (!edge.node) continue;
      if (edge.node->sequence() > start) {
        if (visited.insert(edge.node.get()).second) path.push_back(edge.node.get());
      } else if (found[edge.node.get()].insert(edge.output).second) {
        result.push_back(edge);
      }
    }
  }
  return result;
}

// Sets the default generator to a state until the end of the scope.
class GeneratorState {
 public:
  explicit GeneratorState(const std::string& state) : before_(default_generator().state()) {
    default_generator().set_state(state);
  }
  GeneratorState(const GeneratorState&) = delete;
  ~GeneratorState() { default_generator().set_state(before_); }

 private:
  std::string before_;
};

// The number of a node of no other use: what was recorded before has a smaller one.
std::uint64_t now() { return reshape(parameter(Variable(0)), {1}).impl()->node->sequence(); }

// f(xs), which begins with a node of its own also where f returns one of xs, or something captured, as it is.
Variable recorded_anew(const Callable& f, const Variables& xs) {
  std::uint64_t start = now();
  Variable y = f(xs, "checkpoint");
  return y.requires_grad() && y.impl()->node->sequence() <= start ? y.copy() : y;
}

class CheckpointNode final : public Node {
 public:
  CheckpointNode(const Callable& f, const Variables& inputs, const std::vector<Edge>& captured, std::string generator)
      : Node("checkpoint", 1), f_(f), generator_(std::move(generator)) {
    for (const Variable& x : inputs) {
      inputs_.push_back(Saved(x));
      edges_.push_back(edge_to(x));
    }
    for (const Edge& edge : captured) {
      edges_.push_back(edge);
      if (Attached* attached = edge.node->attached()) {
        std::scoped_lock lock(attached->mutex);
        for (VariableImpl* owner : attached->owners) captured_.push_back(owner->value);
      }
    }
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> gradients) override {
    check_captured();
    Variables xs, targets;
    std::vector<std::size_t> places;
    auto differentiate_by = [&](const Variable& x, std::size_t place) {
      targets.push_back(x);
      places.push_back(place);
    };
    Variable y;
    {
      bool higher_order = grad_enabled();
      EnableGrad recording;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        Variable x = inputs_[i]();
        xs.push_back(detail::isolated(x, higher_order));
        if (xs[i].requires_grad()) differentiate_by(xs[i], i);
      }
      GeneratorState same_numbers(generator_);
      y = recorded_anew(*f_, xs);
    }
    // A Variable stands for each captured edge; its value plays no part.
    for (std::size_t i = inputs_.size(); i < edges_.size(); ++i)
      differentiate_by(detail::output_of(edges_[i].node, Array::scalar(0, y.dtype()), edges_[i].output), i);
    if (!y.requires_grad() || y.shape() != outputs[0].shape())
      throw GraphError("the function gave another result than the first time: " + to_string(y.shape()) + " for " +
                       to_string(outputs[0].shape()));
    Variables found = detail::partial_grad(y, outputs[0], targets);
    for (std::size_t k = 0; k < found.size(); ++k) gradients[places[k]].value = found[k];
  }

 private:
  // f would compute something else with parameters that were changed since.
  void check_captured() const {
    std::size_t next = 0;
    for (std::size_t i = inputs_.size(); i < edges_.size(); ++i) {
      Attached* attached = edges_[i].node->attached();
      if (!attached) continue;
      std::scoped_lock lock(attached->mutex);
      for (VariableImpl* owner : attached->owners)
        if (next < captured_.size() && !owner->value.shares_elements_with(captured_[next++]))
          throw GraphError("a Variable of shape " + to_string(owner->value.shape()) +
                           " that the function captured was changed since: change it after backward, or pass it as "
                           "an input");
    }
  }

  void release_saved() override {
    f_.reset();
    inputs_.clear();
    captured_.clear();
  }

  std::optional<Callable> f_;
  std::string generator_;
  std::vector<Saved> inputs_;
  std::vector<Array> captured_;  // the values of captured parameters
  std::vector<Edge> edges_;
};

}  // namespace

Variable checkpoint(const Callable& f, const std::vector<Variable>& inputs) {
  if (!grad_enabled()) return f(inputs, "checkpoint");
  std::string generator = default_generator().state();
  Variables xs;
  for (const Variable& x : inputs) xs.push_back(detail::isolated(x, false));
  std::uint64_t start = now();
  Variable y = recorded_anew(f, xs);
  if (!y.requires_grad()) return y;
  std::vector<Edge> captured;
  for (const Edge& edge : edges_beyond(y, start)) {
    bool is_input = false;
    for (const Variable& x : xs) is_input = is_input || x.impl()->node == edge.node;
    if (!is_input) captured.push_back(edge);
  }
  NodePtr node(new CheckpointNode(f, inputs, captured, std::move(generator)));
  return detail::result_of(std::move(node), y.value());
}

}  // namespace xtape
