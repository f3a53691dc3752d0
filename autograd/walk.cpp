// The walk: from the last recorded operation to the first, each node once.
#include <autograd/walk.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <queue>
#include <unordered_map>

#include <autograd/anomaly.hpp>
#include <autograd/batch.hpp>
#include <autograd/computed_again.hpp>
#include <autograd/gradient_exchange.hpp>
#include <autograd/kernels/arithmetic.hpp>
#include <autograd/mark.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/node_table.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {

void detail::accumulate(Variable& sum, Variable term) {
  if (!term.defined()) return;
  if (!sum.defined()) sum = std::move(term);
  else if (grad_enabled() || any_mapped(sum, term)) sum = sum + term;
  else if (sole_owner(sum)) kernels::add_in_place(sum.mutable_value(), term.value());
  else if (sole_owner(term)) kernels::add_in_place(term.mutable_value(), sum.value()), sum = std::move(term);
  else sum = sum + term;
}

namespace {

using Gradients = std::vector<Variable>;  // one for each output of a node

using detail::accumulate;
using detail::NodeTable;
using detail::sole_handle;

bool all_finite(const Variable& x) {
  if (!x.defined()) return true;
  return visit(x.dtype(), [&]<class T>(T) {
    return std::all_of(x.data<T>(), x.data<T>() + x.size(), [](T v) { return std::isfinite(static_cast<double>(v)); });
  });
}

// A leaf and the oldest node that leads to it: behind that, nothing more comes to the leaf.
using Completions = std::unordered_map<const Node*, std::uint64_t>;

// The gradients that wait for each node, and the nodes in the order of their turn. The next one stands apart from the
// rest: along a chain, nothing else ever waits.
class Frontier {
 public:
  // Leaves whose turn comes as soon as they are complete, rather than last.
  void bring_forward(Completions completions) { completions_ = std::move(completions); }

  bool empty() const { return !next_.node && queue_.empty(); }

  void add(const Edge& edge, Variable gradient) {
    accumulate(gradients_of(edge.node)[edge.output], std::move(gradient));
  }

  // What was added so far, to be added to elsewhere and brought back.
  Variable borrow(const Edge& edge) { return std::exchange(gradients_of(edge.node)[edge.output], Variable()); }

  // Takes back what `take` gave, for its memory.
  void recycle(Gradients gradients) {
    gradients.clear();
    spare_.push_back(std::move(gradients));
  }

  std::pair<NodePtr, Gradients> take() {
    if (next_.node) return {std::exchange(next_.node, nullptr), std::move(next_gradients_)};
    Turn turn = queue_.top();
    queue_.pop();
    places_.erase(turn.node.get());
    free_.push_back(turn.place);
    return {std::move(turn.node), std::move(waiting_[turn.place])};
  }

 private:
  struct Turn {
    std::uint64_t time = 0;  // from the greatest to the least
    NodePtr node;
    std::uint32_t place = 0;  // among those that wait
    bool operator<(const Turn& other) const { return time < other.time; }
  };

  std::uint64_t time_of(const Node& node) const {
    if (!completions_.empty())
      if (auto found = completions_.find(&node); found != completions_.end()) return 2 * found->second - 1;
    return 2 * node.sequence();
  }

  Gradients& gradients_of(const NodePtr& node) {
    if (next_.node == node) return next_gradients_;
    if (auto place = places_.find(node.get()); place != NodeTable::none) return waiting_[place];
    Turn turn{time_of(*node), node};
    bool first = (!next_.node || next_ < turn) && (queue_.empty() || queue_.top() < turn);
    Gradients gradients;
    if (!spare_.empty()) {
      gradients = std::move(spare_.back());
      spare_.pop_back();
    }
    gradients.resize(node->outputs());
    if (!first) return wait(std::move(turn), std::move(gradients));
    if (next_.node) wait(std::move(next_), std::move(next_gradients_));
    next_ = std::move(turn);
    return next_gradients_ = std::move(gradients);
  }

  Gradients& wait(Turn turn, Gradients gradients) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(waiting_.size()));
      waiting_.emplace_back();
    }
    turn.place = places_.insert(turn.node.get(), free_.back());
    free_.pop_back();
    Gradients& place = waiting_[turn.place] = std::move(gradients);
    queue_.push(std::move(turn));
    return place;
  }

  Turn next_;
  Gradients next_gradients_;
  std::priority_queue<Turn> queue_;
  NodeTable places_;
  std::vector<Gradients> waiting_, spare_;
  std::vector<std::uint32_t> free_;  // places in it
  Completions completions_;
};

// What is in charge of gradients of leaves that a walk comes to.
class Exchanges {
 public:
  using Exchange = detail::GradientExchange;

  // Looks for them below `root`; almost always there are none at all.
  explicit Exchanges(const Variable& root) {
    if (Exchange::count() == 0) return;
    search(root.impl()->node.get());
    // In one order in all processes.
    std::ranges::sort(found_, {}, [](const auto& exchange) { return exchange->number(); });
  }
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;
  ~Exchanges() {
    for (Exchange* exchange : begun_) exchange->fail();
  }

  Completions completions() { return std::move(completions_); }
  // The factor of the loss.
  double begin(bool create_graph) {
    double factor = 1;
    for (const std::shared_ptr<Exchange>& exchange : found_) {
      double own = exchange->begin(create_graph);
      begun_.push_back(exchange.get());
      if (exchange != found_.front() && own != factor)
        throw GraphError("backward: the parameters belong to several that weigh the loss differently");
      factor = own;
    }
    return factor;
  }
  // Whether one of them takes the gradient of this leaf.
  bool take(const Node& leaf, Variable& gradient) {
    if (in_charge_.empty()) return false;
    auto found = in_charge_.find(&leaf);
    if (found == in_charge_.end()) return false;
    found->second.exchange->ready(found->second.leaf, std::move(gradient));
    return true;
  }
  void go_on() {
    for (Exchange* exchange : begun_) exchange->go_on();
  }
  template <class F>
  void end(F&& deliver) {
    for (Exchange* exchange : begun_) exchange->complete();
    for (; !begun_.empty(); begun_.erase(begun_.begin()))
      for (auto& [leaf, gradient] : begun_.front()->end()) deliver(leaf, std::move(gradient));
  }

 private:
  struct InCharge {
    Exchange* exchange;
    const VariableImpl* leaf;
  };

  void search(Node* root) {
    NodeTable seen;
    std::vector<Node*> path{root};
    seen.insert(root, 0);
    meet(*root);
    while (!path.empty()) {
      Node* node = path.back();
      path.pop_back();
      for (const Edge& edge : node->edges()) {
        Node* next = edge.node.get();
        if (!next) continue;
        if (meet(*next)) {
          std::uint64_t& oldest = completions_.try_emplace(next, node->sequence()).first->second;
          oldest = std::min(oldest, node->sequence());
        }
        if (seen.find(next) == NodeTable::none) seen.insert(next, 0), path.push_back(next);
      }
    }
  }
  // Whether something is in charge of the node's gradient.
  bool meet(const Node& node) {
    if (!node.is_leaf()) return false;
    if (in_charge_.contains(&node)) return true;
    std::scoped_lock lock(node.attached()->mutex);
    for (const VariableImpl* owner : node.attached()->owners)
      if (std::shared_ptr<Exchange> exchange = Exchange::of(owner)) {
        in_charge_[&node] = {exchange.get(), owner};
        if (std::ranges::find(found_, exchange) == found_.end()) found_.push_back(exchange);
        return true;
      }
    return false;
  }

  Completions completions_;
  std::unordered_map<const Node*, InCharge> in_charge_;
  std::vector<std::shared_ptr<Exchange>> found_;  // they may be given up in a hook
  std::vector<Exchange*> begun_;
};

// Which nodes lead to one of `targets`: the others need no visit. A node leads to older ones only, so nothing that is
// older than all targets is looked at.
class Pruning {
 public:
  // With `stop`, targets are the end of the search.
  Pruning(const std::vector<Variable>& roots, const std::vector<Variable>& targets, bool stop) {
    for (const Variable& x : targets) {
      Node* node = x.impl()->node.get();
      oldest_ = std::min(oldest_, node->sequence());
      Finding& finding = findings_[number_of(node)];
      finding = {.entered = stop, .leads = true, .target = true};
    }
    for (const Variable& x : roots)
      if (x.requires_grad()) search(x.impl()->node.get());
  }
  bool leads_to_target(const Node* node) const { return finding(node).leads; }
  bool is_target(const Node* node) const { return finding(node).target; }

 private:
  struct Finding {
    bool entered = false, leads = false, target = false;
  };
  struct Step {
    Node* node;
    std::uint32_t number;
    std::size_t next;
  };

  Finding finding(const Node* node) const {
    if (node->sequence() < oldest_) return {};
    std::uint32_t number = numbers_.find(node);
    return number == NodeTable::none ? Finding() : findings_[number];
  }
  std::uint32_t number_of(const Node* node) {
    std::uint32_t number = numbers_.insert(node, static_cast<std::uint32_t>(findings_.size()));
    if (number == findings_.size()) findings_.emplace_back();
    return number;
  }

  // Depth first with a stack of its own. A node is settled when its edges are; the graph has no cycles. A target
  // is searched below as well, for targets beyond it.
  void search(Node* root) {
    std::vector<Step> path;
    auto enter = [&](Node* node) {
      if (node->sequence() < oldest_) return;
      std::uint32_t number = number_of(node);
      if (!std::exchange(findings_[number].entered, true)) path.push_back({node, number, 0});
    };
    enter(root);
    while (!path.empty()) {
      auto& [node, number, next] = path.back();
      auto edges = node->edges();
      if (next < edges.size()) {
        if (Node* child = edges[next++].node.get()) enter(child);
        continue;
      }
      for (const Edge& edge : edges)
        findings_[number].leads = findings_[number].leads || (edge.node && leads_to_target(edge.node.get()));
      path.pop_back();
    }
  }

  std::uint64_t oldest_ = std::numeric_limits<std::uint64_t>::max();
  NodeTable numbers_;
  std::vector<Finding> findings_;
};

class Walk {
 public:
  Walk(bool retain_graph, bool create_graph) : retain_(retain_graph || create_graph), mode_(create_graph) {}

  void start(const Variable& output, Variable seed) { frontier_.add(edge_to(output), std::move(seed)); }

  // The same of a loss whose gradients go to leaves, those among them that something else is in charge of.
  void start_with_exchanges(const Variable& loss, Variable seed) {
    exchanges_.emplace(loss);
    frontier_.bring_forward(exchanges_->completions());
    double factor = exchanges_->begin(grad_enabled());
    start(loss, factor == 1 ? std::move(seed) : seed * factor);
  }

  // Sums up in `captured` the gradients of `inputs`, and visits nothing that does not lead to them. Within another
  // walk, since `start`, goes no further than to them: the hooks of older ones are that walk's.
  void capture(const std::vector<Variable>& roots, const std::vector<Variable>& inputs,
               const detail::Mark* start = nullptr) {
    start_ = start;
    pruning_.emplace(roots, inputs, start != nullptr);
    for (const Variable& x : inputs) captures_[x.impl()->node.get()];
  }
  Variable captured(const Variable& x) {
    Gradients& found = captures_.at(x.impl()->node.get());
    return found.empty() ? Variable() : detail::another_handle(found[x.impl()->output]);
  }

  void run() {
    while (!frontier_.empty()) {
      auto [node, gradients] = frontier_.take();
      visit(*node, gradients);
      frontier_.recycle(std::move(gradients));
      if (exchanges_) exchanges_->go_on();
    }
    if (exchanges_)
      exchanges_->end([&](const Variable& leaf, Variable gradient) {
        if (leaf.requires_grad()) deliveries_.push_back({leaf.impl()->node, {std::move(gradient)}});
      });
    if (!pruning_) deliver();
  }

 private:
  struct Delivery {
    NodePtr node;
    Gradients gradients;
  };

  void visit(Node& node, Gradients& gradients) {
    if (node.attached() && !(start_ && start_->is_older(node))) attend(node, gradients);
    if (pruning_ && pruning_->is_target(&node)) {
      captures_.at(&node) = gradients;
      if (start_) return;
    }
    auto edges = node.edges();
    if (edges.empty()) return;
    const Node::Visit visit(node);
    inputs_.assign(edges.size(), {});
    bool any = false, adds = node.operation() && node.operation()->adds_to_gradients();
    for (std::size_t i = 0; i < edges.size(); ++i) {
      Node* next = edges[i].node.get();
      any = (inputs_[i].wanted = next && (!pruning_ || pruning_->leads_to_target(next))) || any;
      if (adds && inputs_[i].wanted) inputs_[i].value = frontier_.borrow(edges[i]);
    }
    if (!any) return;
    if (node.released())
      throw GraphError(std::string("backward: the graph was walked before and released (at ") + node.name() +
                       "); walk the first time with {.retain_graph = true}");
    backward(node, gradients);
    for (std::size_t i = 0; i < edges.size(); ++i)
      if (inputs_[i].wanted && inputs_[i].value.defined()) frontier_.add(edges[i], std::move(inputs_[i].value));
    if (!retain_) node.release();
  }

  void backward(Node& node, Gradients& gradients) try {
    bool any = std::any_of(gradients.begin(), gradients.end(), [](const Variable& g) { return g.defined(); });
    if (!any) return;
    bool check = detecting_anomaly_ && std::all_of(gradients.begin(), gradients.end(), all_finite);
    if (detail::profiling()) measure_backward(node, gradients);
    else node.operation()->backward(node, gradients, inputs_);
    if (check) check_finite(node);
  } catch (const GraphError& error) {
    throw of_backward(error, node);
  } catch (const ShapeError& error) {
    throw of_backward(error, node);
  } catch (const DTypeError& error) {
    throw of_backward(error, node);
  } catch (const ValueError& error) {
    throw of_backward(error, node);
  }

  template <class E>
  static E of_backward(const E& error, const Node& node) {
    return E(std::string("backward of ") + node.name() + ": " + error.what());
  }

  void measure_backward(Node& node, Gradients& gradients) {
    detail::Timer timer(node.name(), true);
    node.operation()->backward(node, gradients, inputs_);
    for (const InputGradient& input : inputs_)
      if (input.value.defined()) timer.add_bytes(input.value.value().bytes());
  }

  // What was not finite before is not this node's doing.
  void check_finite(Node& node) const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Variable& g = inputs_[i].value;
      if (all_finite(g)) continue;
      std::string calls = node.attached() ? detail::describe_calls(node.attached()->calls) : "";
      std::string attributes = to_string(node.operation()->attributes());
      throw GraphError("made a NaN or an infinity of finite gradients: in that of input " + std::to_string(i) + ", " +
                       to_string(g.dtype()) + to_string(g.shape()) + "; its forward" +
                       (attributes.empty() ? "" : " with " + attributes) + " was called" +
                       (calls.empty() ? " outside of DetectAnomaly" : calls));
    }
  }

  // Runs the hooks, and notes whose gradient this is.
  void attend(Node& node, Gradients& gradients) {
    std::vector<Attached::Entry> hooks;
    bool owned;
    {
      std::scoped_lock lock(node.attached()->mutex);
      hooks = node.attached()->hooks;
      owned = !node.attached()->owners.empty();
    }
    for (const auto& entry : hooks) {
      Variable& gradient = gradients[entry.output];
      if (!gradient.defined()) continue;
      if (!sole_handle(gradient)) gradient = detail::another_handle(gradient);  // hooks may write to it
      Variable replaced = entry.hook(gradient);
      if (!replaced.defined()) continue;
      if (replaced.shape() != gradient.shape() || replaced.dtype() != gradient.dtype())
        throw ShapeError("backward: a hook of shape " + to_string(gradient.shape()) + " returned shape " +
                         to_string(replaced.shape()) + ": needs the same shape and dtype");
      gradient = replaced;
    }
    if (pruning_ || !owned) return;
    // A leaf from outside of vmap gets the gradients of one sample after the other.
    if (node.sequence() <= detail::Mapping::innermost_level()) detail::Mapping::require_none("backward");
    if (exchanges_ && exchanges_->take(node, gradients[0])) return;
    deliveries_.push_back({&node, gradients});
  }

  // A gradient that a leaf is about to get: to put in the place of the old one, or to add to it.
  struct Sum {
    VariableImpl* owner;
    Variable gradient;
    Array* old = nullptr;  // to add to

    // All that can fail.
    Sum(VariableImpl& leaf, Variable term) : owner(&leaf), gradient(std::move(term)) {
      if (!sole_handle(gradient)) gradient = detail::another_handle(gradient);
      if (!leaf.grad.defined()) return;
      const bool recorded = grad_enabled() || detail::any_mapped(leaf.grad, gradient);
      if (!recorded && detail::sole_owner(leaf.grad)) old = &leaf.grad.mutable_value();
      if (old && old->unique()) return;
      old = nullptr;
      Variable sum = leaf.grad;
      accumulate(sum, std::move(gradient));
      gradient = std::move(sum);
    }
    // Unless the leaf has gone meanwhile.
    void complete(Attached& attached) {
      std::scoped_lock lock(attached.mutex);
      if (std::ranges::find(attached.owners, owner) == attached.owners.end()) return;
      if (old) kernels::add_in_place(*old, gradient.value());
      else std::swap(owner->grad, gradient);
    }
  };

  // Only a walk that went through changes any gradient: a failed one leaves them as they were. One walk at a time: what is
  // added to is what it was when the sums were made.
  void deliver() {
    static std::mutex delivering;
    std::vector<std::pair<Attached*, Sum>> sums;  // after the lock, old gradients go with it
    std::scoped_lock one_walk(delivering);
    for (auto& [node, gradients] : deliveries_) {
      Attached& attached = *node->attached();
      std::scoped_lock lock(attached.mutex);
      for (VariableImpl* owner : attached.owners) {
        Variable gradient = std::exchange(gradients[owner->output], Variable());
        require_fits(*owner, gradient);
        if (gradient.defined()) sums.emplace_back(&attached, Sum(*owner, std::move(gradient)));
      }
    }
    for (auto& [attached, sum] : sums) sum.complete(*attached);
  }

  static void require_fits(const VariableImpl& owner, const Variable& gradient) {
    if (!gradient.defined()) return;
    if (owner.value.shape() != gradient.shape() || owner.value.dtype() != gradient.dtype())
      throw GraphError("backward: a gradient of " + describe(gradient) + " for a Variable that is " +
                       to_string(owner.value.dtype()) + to_string(owner.value.shape()) +
                       " now: it was converted or replaced since the forward");
  }

  bool retain_;
  const detail::Mark* start_ = nullptr;
  bool detecting_anomaly_ = detail::detecting_anomaly();
  GradMode mode_;
  Frontier frontier_;
  std::optional<Pruning> pruning_;
  std::optional<Exchanges> exchanges_;
  std::unordered_map<Node*, Gradients> captures_;
  std::vector<InputGradient> inputs_;
  std::vector<Delivery> deliveries_;
};

Variable checked_seed(const char* operation, const Variable& output, const Variable& seed) {
  if (!output.defined()) throw GraphError(std::string(operation) + ": the output is undefined");
  if (!output.requires_grad())
    throw GraphError(std::string(operation) + ": the output needs no gradient: nothing that led to it was recorded" +
                     "; mark an input with requires_grad_() and compute outside NoGrad");
  if (!seed.defined()) {
    if (output.size() != 1)
      throw ShapeError(std::string(operation) + ": an output of shape " + to_string(output.shape()) +
                       " needs a seed of that shape; only one element starts from 1");
    return Variable(Array::full_like(output.value(), 1));
  }
  if (seed.impl()->weak && output.rank() == 0) return Variable(Array::full({}, seed.item(), output.dtype()));
  if (seed.shape() != output.shape() || seed.dtype() != output.dtype())
    throw ShapeError(std::string(operation) + ": the seed is " + to_string(seed.dtype()) + to_string(seed.shape()) +
                     ", the output " + to_string(output.dtype()) + to_string(output.shape()) +
                     ": needs the same shape and dtype");
  return seed;
}

}  // namespace

namespace {

struct Charges {
  std::mutex mutex;
  std::unordered_map<const VariableImpl*, detail::GradientExchange*> all;
};

Charges& charges() {
  static Charges& charges = *new Charges;
  return charges;
}

}  // namespace

void detail::GradientExchange::take_charge_of(const Variable& x) {
  std::scoped_lock lock(charges().mutex);
  if (!charges().all.try_emplace(x.impl(), this).second)
    throw GraphError("something else is in charge of the gradient already");
}

void detail::GradientExchange::let_go_of(const Variable& x) {
  std::scoped_lock lock(charges().mutex);
  charges().all.erase(x.impl());
}

std::shared_ptr<detail::GradientExchange> detail::GradientExchange::of(const VariableImpl* x) {
  std::scoped_lock lock(charges().mutex);
  auto found = charges().all.find(x);
  return found == charges().all.end() ? nullptr : found->second->weak_from_this().lock();
}

void Variable::backward(const Variable& seed, const BackwardOptions& options) const {
  detail::naming("backward", [&] {
    Variable start = checked_seed("backward", *this, seed);
    Walk walk(options.retain_graph, options.create_graph);
    walk.start_with_exchanges(*this, std::move(start));
    walk.run();
  });
}

std::vector<Variable> grad(const std::vector<Variable>& outputs, const std::vector<Variable>& inputs,
                           const GradOptions& options) try {
  if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size())
    throw ValueError("grad: " + std::to_string(options.grad_outputs.size()) + " grad_outputs for " +
                     std::to_string(outputs.size()) + " outputs");
  std::vector<Variable> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    seeds.push_back(checked_seed("grad", outputs[i], options.grad_outputs.empty() ? Variable() : options.grad_outputs[i]));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined() || !inputs[i].requires_grad())
      throw GraphError("grad: input " + std::to_string(i) + " does not require a gradient; call requires_grad_() on it"
                       " before it is used");

  Walk walk(options.retain_graph, options.create_graph);
  walk.capture(outputs, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) walk.start(outputs[i], std::move(seeds[i]));
  walk.run();
  std::vector<Variable> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    results.push_back(walk.captured(inputs[i]));
    if (!results.back().defined() && !options.allow_unused)
      throw GraphError("grad: the outputs do not depend on input " + std::to_string(i) +
                       "; pass {.allow_unused = true} for an undefined gradient there");
  }
  return results;
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("grad", "what it needs beside arrays");
}

Variable detail::isolated(const Variable& x, bool connected) {
  if (!x.requires_grad()) return x;
  return connected ? reshape(x, x.shape()) : x.detach().requires_grad_();
}

std::vector<Variable> detail::partial_grad(const std::vector<Variable>& outputs, const std::vector<Variable>& seeds,
                                           const std::vector<Variable>& inputs, const Mark& start) {
  Walk walk(false, grad_enabled());
  walk.capture(outputs, inputs, &start);
  for (std::size_t i = 0; i < outputs.size(); ++i) walk.start(outputs[i], seeds[i]);
  walk.run();
  std::vector<Variable> results;
  for (const Variable& x : inputs) results.push_back(walk.captured(x));
  return results;
}

std::vector<Variable> detail::partial_grad(const Variable& output, const Variable& seed,
                                           const std::vector<Variable>& inputs, const Mark& start) {
  return partial_grad(std::vector<Variable>{output}, std::vector<Variable>{seed}, inputs, start);
}

}  // namespace xtape
