#include <autograd/tangents.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <autograd/mark.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// A gradient that what is done with it is recorded of, and not a leaf: it may be written to in place.
struct Probe {
  Variable leaf, given;

  Probe() = default;
  Probe(const Shape& shape, DType dtype, double value) : leaf(Array::full(shape, value, dtype)) {
    leaf.requires_grad_();
    given = detail::same_value("jvp", leaf);
  }
};

// The sum of the seeds' products with the derivatives of `ys` by the probes: undefined for zeros.
Variables pulled(const Variables& ys, const Variables& seeds, const Variables& probes, bool recorded) {
  if (ys.empty() || probes.empty()) return Variables(probes.size());
  return grad(ys, probes, {.create_graph = recorded, .allow_unused = true, .grad_outputs = seeds});
}

// Whether the record of y leads from what came after a Mark to one of the nodes.
bool leads_to(const Variable& y, const std::vector<const Node*>& nodes, const detail::Mark& start) {
  return std::ranges::any_of(start.edges_beyond(y), [&](const Edge& edge) {
    return std::ranges::find(nodes, edge.node.get()) != nodes.end();
  });
}

bool has_others_than_zeros(const Variable& x) { return any(not_equal(x, 0)).item() != 0; }

}  // namespace

// With u' J as a function of u recorded, its vjp by t is J t. There is no need of a value of u but one: where the vjp
// is not recorded as a function of u, it shows by its value, which for ones is not 0.
void Operation::jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const {
  const bool recorded = grad_enabled();
  EnableGrad recording;
  std::vector<Probe> probes(results.size());
  Variables gradients(results.size()), leaves, ys, seeds;
  for (std::uint32_t i = 0; i < results.size(); ++i) {
    if (!results[i].wanted) continue;
    const Node::Result& type = node.result_type(i);
    probes[i] = Probe(type.shape(), type.dtype, 1);
    gradients[i] = probes[i].given;
    leaves.push_back(probes[i].leaf);
  }
  std::vector<InputGradient> inputs(tangents.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k].wanted = tangents[k].defined();
  std::vector<const Node*> given;
  for (const Variable& g : gradients) given.push_back(g.defined() ? g.impl()->node.get() : nullptr);
  const detail::Mark start;
  backward(node, gradients, inputs);
  Variables constant;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Variable& y = inputs[k].value;
    if (!inputs[k].wanted || !y.defined()) continue;
    if (y.requires_grad() && leads_to(y, given, start)) ys.push_back(y), seeds.push_back(tangents[k]);
    else constant.push_back(y);
  }
  Variables found = pulled(ys, seeds, leaves, recorded);
  if (std::ranges::any_of(constant, has_others_than_zeros))
    throw GraphError("needs a backward of differentiable operations");
  auto next = found.begin();
  for (ResultTangent& result : results)
    if (result.wanted) result.value = std::move(*next++);
}

void detail::accumulate_broadcast(Variable& sum, Variable term) {
  if (sum.defined() && term.defined() && !sum.value().has_shape_of(term.value())) sum = sum + term;
  else accumulate(sum, std::move(term));
}

Variable detail::in_shape_of_result(const Node& node, Variable x) {
  const Node::Result& type = node.result_type(0);
  if (!x.defined() || equal(x.value().shared_shape(), type.shared_shape)) return x;
  return broadcast_to(x, type.shape());
}

namespace detail {

// Looks for the nodes between inputs and results, and lays out the steps.
class TangentWalk::Search {
 public:
  Search(TangentWalk& walk, const Variables& results, const Variables& inputs) : walk_(walk) {
    for (const Variable& x : inputs) enter(x.impl()->node.get());
    input_nodes_ = found_.size();
    path_.clear();  // what lies below an input is not looked at
    oldest_ = std::numeric_limits<std::uint64_t>::max();
    for (const Found& input : found_) oldest_ = std::min(oldest_, input.node->sequence());
    for (const Variable& y : results)
      if (y.requires_grad()) enter(y.impl()->node.get());
    go_on();
    lay_out();
    for (const Variable& x : inputs) walk_.inputs_.push_back(place_of(edge_to(x)));
    for (const Variable& y : results) use(walk_.results_.emplace_back(place_of(edge_to(y))));
    for (std::uint32_t& place : walk_.inputs_)
      if (place != none && walk_.uses_[place] == 0) place = none;
  }

 private:
  struct Found {
    const Node* node;
    std::uint32_t place;  // of the tangent of its first result
  };

  void enter(const Node* node) {
    if (node->sequence() < oldest_) return;
    auto number = static_cast<std::uint32_t>(found_.size());
    if (numbers_.insert(node, number) != number) return;
    found_.push_back({node, none});
    path_.push_back(node);
  }

  // With a stack of its own: a chain may be of any length.
  void go_on() {
    while (!path_.empty()) {
      const Node* node = path_.back();
      path_.pop_back();
      for (const Edge& edge : node->edges())
        if (edge.node) enter(edge.node.get());
    }
  }

  std::uint32_t place_of(const Edge& edge) const {
    if (!edge.node || edge.node->sequence() < oldest_) return none;
    std::uint32_t number = numbers_.find(edge.node.get());
    if (number == NodeTable::none || found_[number].place == none) return none;
    return found_[number].place + edge.output;
  }
  void use(std::uint32_t place) {
    if (place != none) ++walk_.uses_[place];
  }

  // A step for each node that leads to an input, in the order in which they were made.
  void lay_out() {
    std::vector<std::uint32_t> order(found_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return found_[i].node->sequence(); });
    for (std::uint32_t number : order) add_step(number, number < input_nodes_);
  }

  void add_step(std::uint32_t number, bool is_input) {
    const Node* node = found_[number].node;
    auto first_operand = static_cast<std::uint32_t>(walk_.operands_.size());
    if (!is_input && !add_operands(*node)) return;
    found_[number].place = static_cast<std::uint32_t>(walk_.uses_.size());
    walk_.uses_.resize(walk_.uses_.size() + node->outputs(), 0);
    walk_.steps_.push_back({node, first_operand, found_[number].place, is_input});
  }

  // Whether there are tangents of any.
  bool add_operands(const Node& node) {
    std::vector<std::uint32_t>& operands = walk_.operands_;
    const std::size_t before = operands.size();
    bool any = false;
    for (const Edge& edge : node.edges()) any = operands.emplace_back(place_of(edge)) != none || any;
    if (!any) operands.resize(before);
    for (std::size_t k = before; k < operands.size(); ++k) use(operands[k]);
    return any;
  }

  TangentWalk& walk_;
  std::uint64_t oldest_ = 0;
  NodeTable numbers_;
  std::vector<Found> found_;
  std::vector<const Node*> path_;
  std::size_t input_nodes_ = 0;
};

TangentWalk::TangentWalk(const char* transform, const Variables& results, const Variables& inputs)
    : transform_(transform) {
  Search(*this, results, inputs);
}

std::vector<bool> TangentWalk::dependence() const {
  std::vector<bool> result;
  for (std::uint32_t place : inputs_) result.push_back(place != none);
  return result;
}

// One walk.
class TangentWalk::Push {
 public:
  explicit Push(const TangentWalk& walk) : walk_(walk), tangents_(walk.uses_.size()), uses_(walk.uses_) {}

  Variables operator()(Variables given) {
    for (std::size_t i = 0; i < given.size(); ++i)
      if (walk_.inputs_[i] != none) tangents_[walk_.inputs_[i]] = std::move(given[i]);
    for (const Step& step : walk_.steps_) {
      if (!step.is_input) pass(step);
      if (step.node->attached()) attend(step);
    }
    Variables results;
    for (std::uint32_t place : walk_.results_) results.push_back(taken(place));
    return results;
  }

 private:
  // The tangent at a place, given away at its last use.
  Variable taken(std::uint32_t place) {
    if (place == none) return {};
    return --uses_[place] == 0 ? std::move(tangents_[place]) : tangents_[place];
  }

  void pass(const Step& step) {
    const Node& node = *step.node;
    operands_.clear();
    for (std::size_t k = 0; k < node.edges().size(); ++k)
      operands_.push_back(taken(walk_.operands_[step.first_operand + k]));
    if (std::ranges::none_of(operands_, &Variable::defined)) return;
    results_.assign(node.outputs(), {});
    for (std::uint32_t i = 0; i < node.outputs(); ++i) results_[i].wanted = uses_[step.first_result + i] > 0;
    const Node::Visit visit(node);
    if (node.released())
      throw GraphError(std::string(walk_.transform_) + ": the graph was walked before and released (at " + node.name() +
                       ")");
    compute(node);
    for (std::uint32_t i = 0; i < node.outputs(); ++i)
      if (results_[i].wanted) tangents_[step.first_result + i] = std::move(results_[i].value);
  }

  void compute(const Node& node) try {
    if (!profiling()) [[likely]] return node.operation()->jvp(node, operands_, results_);
    Timer timer(node.name(), false);
    node.operation()->jvp(node, operands_, results_);
  } catch (const GraphError& error) {
    throw of_jvp(error, node);
  } catch (const ShapeError& error) {
    throw of_jvp(error, node);
  } catch (const DTypeError& error) {
    throw of_jvp(error, node);
  } catch (const ValueError& error) {
    throw of_jvp(error, node);
  }

  template <class E>
  E of_jvp(const E& error, const Node& node) const {
    return E(std::string(walk_.transform_) + ": the tangent of " + node.name() + ": " + error.what());
  }

  // What hooks make of a gradient is an operation's vjp, too: the walk back comes by the last result's first hook
  // first.
  void attend(const Step& step) {
    std::vector<Attached::Entry> hooks;
    {
      std::scoped_lock lock(step.node->attached()->mutex);
      hooks = step.node->attached()->hooks;
    }
    for (auto entry = hooks.rbegin(); entry != hooks.rend(); ++entry) {
      Variable& tangent = tangents_[step.first_result + entry->output];
      if (tangent.defined()) tangent = through(entry->hook, tangent, *step.node);
    }
  }

  // Hooks are linear where the gradient is 0, if they are anywhere: those that clip have no effect there. One whose
  // result is not recorded as a function of the gradient gives zeros for every gradient, or is unfit.
  Variable through(const Hook& hook, const Variable& tangent, const Node& node) {
    const bool recorded = grad_enabled();
    EnableGrad recording;
    Probe probe(tangent.shape(), tangent.dtype(), 0);
    Variable y = called(hook, probe, node);
    if (y.requires_grad()) return pulled({y}, {tangent}, {probe.leaf}, recorded)[0];
    Probe ones(tangent.shape(), tangent.dtype(), 1);
    if (has_others_than_zeros(called(hook, ones, node)))
      throw GraphError(std::string(walk_.transform_) + ": a hook on the result of " + node.name() +
                       " needs to compute with differentiable operations");
    return {};
  }

  Variable called(const Hook& hook, const Probe& probe, const Node& node) const {
    Variable y = hook(probe.given);
    if (!y.defined()) return probe.given;  // which it may have written to
    if (y.shape() != probe.leaf.shape() || y.dtype() != probe.leaf.dtype())
      throw ShapeError(std::string(walk_.transform_) + ": a hook on the result of " + node.name() + " got " +
                       describe(probe.leaf) + " and returned " + describe(y) + ": needs the same shape and dtype");
    return y;
  }

  const TangentWalk& walk_;
  Variables tangents_;
  std::vector<std::uint32_t> uses_;
  Variables operands_;
  std::vector<ResultTangent> results_;
};

Variables TangentWalk::push(Variables tangents) const { return Push(*this)(std::move(tangents)); }

}  // namespace detail
}  // namespace xtape
