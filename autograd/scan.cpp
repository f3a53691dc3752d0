#include <autograd/scan.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <autograd/computed_again.hpp>
#include <autograd/kernels/arithmetic.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;

// beta(s, r) of the paper: how many steps can be reversed with s snapshots and no step computed more than r times.
std::size_t reversible(std::size_t s, std::size_t r) {
  double result = 1;
  for (std::size_t i = 1; i <= r; ++i) result = result * static_cast<double>(s + i) / static_cast<double>(i);
  return static_cast<std::size_t>(std::min(result + 0.5, 1e18));
}

// How far to go on from a state that is kept, of `length` steps that are to be reversed with s snapshots, its own among
// them, before the next one is kept. s is 2 or more, and the length, too.
std::size_t first_part(std::size_t length, std::size_t s) {
  std::size_t r = 1;
  while (reversible(s, r) < length) ++r;
  std::size_t least = r > 1 ? reversible(s, r - 2) : 1, right = reversible(s - 1, r);
  return std::max(least, length > right ? length - right : 0);
}

// As many as let no step be computed more than twice again.
std::size_t default_snapshots(std::size_t steps) {
  std::size_t s = 1;
  while (reversible(s, 2) < steps) ++s;
  return s;
}

struct Snapshot {
  std::size_t position;  // the number of steps before it
  Variables state;
};

Variables detached(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs) result.push_back(x.detach());
  return result;
}

Variables own_copies(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs) result.push_back(detail::own_copy("scan", x));
  return result;
}

// x as the end of walks, where it can be differentiated by.
Variable leaf(const Variable& x) { return is_floating(x.dtype()) ? x.detach().requires_grad_() : x; }
Variables leaves(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs) result.push_back(leaf(x));
  return result;
}

void add_to(Variable& sum, const Variable& term) {
  if (!term.defined()) return;
  if (!sum.defined()) sum = term;
  else kernels::add_in_place(sum.mutable_value(), term.value());
}

// The loop, apart from where it starts.
struct Loop {
  ScanFunction step;
  std::size_t steps;
  bool has_inputs;

  ScanStep run(const Variables& state, const Variable& inputs, std::size_t t) const {
    return run_with(state, input(inputs, t), t);
  }
  ScanStep run_with(const Variables& state, const Variable& input, std::size_t t) const {
    ScanStep next = step(own_copies(state), detail::own_copy("scan", input));
    auto fail = [&](const std::string& what) {
      throw GraphError("scan: step " + std::to_string(t) + " returned " + what);
    };
    if (next.state.size() != state.size())
      fail("a state of " + std::to_string(next.state.size()) + " Variables for one of " + std::to_string(state.size()));
    for (const Variable& x : next.state)
      if (!x.defined()) fail("an undefined Variable");
    return next;
  }
  Variable input(const Variable& inputs, std::size_t t) const {
    return has_inputs ? inputs[Index(static_cast<std::ptrdiff_t>(t))]
                      : Variable(Array::scalar(static_cast<std::int64_t>(t), int64));
  }
};

// What the first pass through the loop leaves.
struct FirstPass {
  std::vector<Snapshot> kept;  // beside the first state; that before the last step is among them
  std::vector<detail::Traces> traces;
  std::vector<Edge> captured;
  std::vector<std::ptrdiff_t> places;  // of what each step gave out, among the results; -1 for nothing
};

// What a walk through the loop adds up.
struct Sums {
  Variables state, inputs, captured;
};

// Operands: the state, the inputs where there are any, and a stand-in for each captured edge. Results: the last state,
// and what the steps gave out.
class Scan final : public OperationOf<Scan> {
 public:
  Scan(Loop loop, std::size_t snapshots, std::size_t width, FirstPass first, std::vector<Array> results)
      : OperationOf("scan"), loop_(std::move(loop)), snapshots_(snapshots), width_(width),
        given_(width + loop_.has_inputs), kept_(std::make_unique<Kept>()), traces_(std::move(first.traces)),
        places_(std::move(first.places)), results_(std::move(results)), values_(detail::values_of(first.captured)) {
    kept_->snapshots = std::move(first.kept);
  }

  Attributes attributes() const override { return {{"steps", loop_.steps}, {"checkpoints", snapshots_}}; }
  bool mixes_dtypes() const override { return true; }
  void evaluate(std::span<const Array>, std::span<Array> results) override {
    std::ranges::move(results_, results.begin());
    results_.clear();
  }
  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> gradients) const override {
    Variables found = grad_enabled() ? recorded(node, outputs) : computed_again(node, outputs);
    for (std::size_t i = 0; i < found.size(); ++i) gradients[i].value = found[i];
  }

 private:
  struct Kept {
    std::mutex mutex;
    std::vector<Snapshot> snapshots;
  };

  std::span<const Edge> captured(const Node& node) const { return node.edges().subspan(given_); }

  // The walk from the last step to the first, with the states that are kept and those computed from them.
  Variables computed_again(const Node& node, std::span<Variable> outputs) const {
    std::vector<Snapshot> kept = start(node);
    Sums sums{Variables(outputs.begin(), outputs.begin() + std::ptrdiff_t(width_)), Variables(loop_.steps),
              Variables(captured(node).size())};
    Variable inputs = loop_.has_inputs ? Variable(node.operand_value(width_)) : Variable();
    bool by_inputs = loop_.has_inputs && node.edges()[width_].node;
    for (std::size_t t = loop_.steps; t-- > 0;) {
      Variables state = state_before(t, kept, node, inputs);
      if (kept.size() > 1 && kept.back().position == t) kept.pop_back();
      Variable x = loop_.input(inputs, t), g = places_[t] < 0 ? Variable() : outputs[std::size_t(places_[t])];
      sums.inputs[t] = reverse(node, t, state, x, by_inputs, g, sums);
    }
    if (loop_.has_inputs) sums.state.push_back(by_inputs ? stacked(sums.inputs, inputs) : Variable());
    sums.state.insert(sums.state.end(), sums.captured.begin(), sums.captured.end());
    return sums.state;
  }

  // Those that the first pass kept, for the first walk; a further one has none but the first state.
  std::vector<Snapshot> start(const Node& node) const {
    std::vector<Snapshot> result(1, {0, {}});
    for (std::size_t i = 0; i < width_; ++i) result[0].state.emplace_back(node.operand_value(i));
    std::scoped_lock lock(kept_->mutex);
    std::ranges::move(kept_->snapshots, std::back_inserter(result));
    kept_->snapshots.clear();
    return result;
  }

  Variables state_before(std::size_t t, std::vector<Snapshot>& kept, const Node& node, const Variable& inputs) const {
    for (;;) {
      std::size_t at = kept.back().position, length = t + 1 - at, free = snapshots_ + 1 - kept.size();
      Variables state = kept.back().state;
      if (length == 1) return state;
      std::size_t next = at + (free > 1 ? first_part(length, free) : length - 1);
      for (; at < next; ++at) {
        detail::Again as_first(traces_[at], values_, captured(node));
        state = detached(loop_.run(state, inputs, at).state);
      }
      if (free == 1) return state;
      kept.push_back({next, state});
    }
  }

  // Turns the gradient of the state after step t into that before it; returns that of the input.
  Variable reverse(const Node& node, std::size_t t, const Variables& before, const Variable& x, bool by_input,
                   const Variable& g, Sums& sums) const {
    detail::Mark start;
    Variables state = leaves(before), outputs, seeds, targets;
    Variable input = by_input ? leaf(x) : x;
    ScanStep next = step_again(node, t, state, input);
    for (std::size_t i = 0; i < width_; ++i) add_output(next.state[i], sums.state[i], outputs, seeds);
    add_output(next.output, g, outputs, seeds);
    for (const Variable& y : outputs) detail::require_same_captured(y, start, node.edges());
    for (const Variable& x : state)
      if (x.requires_grad()) targets.push_back(x);
    if (input.requires_grad()) targets.push_back(input);
    for (const Edge& edge : captured(node)) targets.push_back(detail::stand_in(edge));
    Variables found(targets.size());
    if (!outputs.empty()) found = detail::partial_grad(outputs, seeds, targets, start);
    auto each = found.begin();
    for (std::size_t i = 0; i < width_; ++i) sums.state[i] = state[i].requires_grad() ? *each++ : Variable();
    Variable of_input = input.requires_grad() ? *each++ : Variable();
    for (Variable& sum : sums.captured) add_to(sum, *each++);
    return of_input;
  }

  ScanStep step_again(const Node& node, std::size_t t, const Variables& state, const Variable& input) const {
    EnableGrad recording;
    detail::Again as_first(traces_[t], values_, captured(node));
    return loop_.run_with(state, input, t);
  }

  static void add_output(const Variable& y, const Variable& g, Variables& outputs, Variables& seeds) {
    if (!g.defined()) return;
    if (!y.defined() || y.shape() != g.shape() || y.dtype() != g.dtype())
      throw GraphError("a step gave another result than the first time: " +
                       (y.defined() ? describe(y) : "an undefined Variable") + " for " + describe(g));
    if (!y.requires_grad()) return;
    outputs.push_back(y);
    seeds.push_back(g);
  }

  static Variable stacked(Variables gradients, const Variable& inputs) {
    for (std::size_t t = 0; t < gradients.size(); ++t)
      if (!gradients[t].defined()) gradients[t] = zeros_like(inputs[Index(std::ptrdiff_t(t))]);
    return stack(gradients);
  }

  // The same in operations that are recorded: those of the whole loop.
  Variables recorded(const Node& node, std::span<Variable> gradients) const {
    detail::Mark start;
    Variables xs, outputs, seeds, targets;
    for (std::size_t i = 0; i < given_; ++i) xs.push_back(detail::isolated(node.operand(i), true));
    Variables state(xs.begin(), xs.begin() + std::ptrdiff_t(width_));
    Variable inputs = loop_.has_inputs ? xs.back() : Variable();
    for (std::size_t t = 0; t < loop_.steps; ++t) {
      ScanStep next = step_again(node, t, state, loop_.input(inputs, t));
      if (places_[t] >= 0) add_output(next.output, gradients[std::size_t(places_[t])], outputs, seeds);
      state = next.state;
    }
    for (std::size_t i = 0; i < width_; ++i) add_output(state[i], gradients[i], outputs, seeds);
    for (const Variable& y : outputs) detail::require_same_captured(y, start, node.edges());
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < given_; ++i)
      if (xs[i].requires_grad()) targets.push_back(xs[i]), places.push_back(i);
    for (std::size_t i = given_; i < node.edges().size(); ++i)
      targets.push_back(detail::stand_in(node.edges()[i])), places.push_back(i);
    Variables result(node.edges().size());
    if (outputs.empty()) return result;
    Variables found = detail::partial_grad(outputs, seeds, targets, start);
    for (std::size_t k = 0; k < found.size(); ++k) result[places[k]] = found[k];
    return result;
  }

  Loop loop_;
  std::size_t snapshots_, width_, given_;
  std::unique_ptr<Kept> kept_;
  std::vector<detail::Traces> traces_;
  std::vector<std::ptrdiff_t> places_;
  std::vector<Array> results_;  // until they are handed over
  detail::CapturedValues values_;
};

// The first pass, in which each step is recorded for a moment, to see what it captures.
class Forward {
 public:
  Forward(const Loop& loop, const Variables& state, const Variable& inputs, std::size_t snapshots)
      : loop_(loop), state_(detached(state)), inputs_(inputs), free_(snapshots) {
    plan_next(0);
    for (std::size_t t = 0; t < loop.steps; ++t) run(t);
  }

  FirstPass first;
  Variables outputs;
  const Variables& state() const { return state_; }

 private:
  // Where the next state is kept.
  void plan_next(std::size_t at) {
    std::size_t length = loop_.steps - at;
    next_ = length > 1 && free_ > 1 ? at + first_part(length, free_--) : loop_.steps;
  }

  void run(std::size_t t) {
    // The way back begins before the last step: that state comes on top.
    if (t == next_ || (t > 0 && t + 1 == loop_.steps)) first.kept.push_back({t, state_});
    if (t == next_) plan_next(t);
    detail::RandomFork numbers;
    detail::UndoLog log;
    Variable output;
    {
      detail::Mark start;
      Variable x = loop_.input(inputs_, t);
      ScanStep next = loop_.run_with(leaves(state_), inputs_.defined() && inputs_.requires_grad() ? leaf(x) : x, t);
      for (const Variable& y : next.state) note_captured(start, y);
      if (next.output.defined()) note_captured(start, next.output), output = next.output.detach();
      state_ = detached(next.state);
    }
    outputs.push_back(output);
    first.traces.push_back({{}, std::move(log).contents()});
    first.traces.back().seeds = numbers.seeds();
  }

  void note_captured(const detail::Mark& start, const Variable& y) {
    for (const Edge& edge : start.edges_beyond(y))
      if (found_.emplace(edge.node.get(), edge.output).second) first.captured.push_back(edge);
  }

  const Loop& loop_;
  Variables state_;
  Variable inputs_;
  std::size_t free_, next_ = 0;
  std::set<std::pair<Node*, std::uint32_t>> found_;
};

Scanned unrecorded(const Loop& loop, Variables state, const Variable& inputs) {
  Scanned result;
  for (std::size_t t = 0; t < loop.steps; ++t) {
    detail::RandomFork numbers;
    ScanStep next = loop.run(state, inputs, t);
    state = next.state;
    result.outputs.push_back(next.output);
  }
  result.state = state;
  return result;
}

Scanned recorded(Loop loop, const Variables& state, const Variable& inputs, std::size_t snapshots) {
  Forward forward(loop, state, inputs, snapshots);
  Scanned result{forward.state(), forward.outputs};
  std::vector<Array> values;
  for (const Variable& x : result.state) values.push_back(x.value());
  for (const Variable& y : result.outputs) {
    forward.first.places.push_back(y.defined() ? std::ptrdiff_t(values.size()) : -1);
    if (y.defined()) values.push_back(y.value());
  }
  Variables operands = state;
  if (loop.has_inputs) operands.push_back(inputs);
  for (const Edge& edge : forward.first.captured) operands.push_back(detail::stand_in(edge));
  auto places = forward.first.places;
  Scan operation(std::move(loop), snapshots, state.size(), std::move(forward.first), values);
  NodePtr node = detail::perform(operation, detail::pointers_to(operands), values);
  auto connect = [&](Variable& x, std::size_t place) {
    if (node && is_floating(x.dtype())) x = detail::output_of(node, values[place], static_cast<std::uint32_t>(place));
  };
  for (std::size_t i = 0; i < state.size(); ++i) connect(result.state[i], i);
  for (std::size_t t = 0; t < places.size(); ++t)
    if (places[t] >= 0) connect(result.outputs[t], std::size_t(places[t]));
  return result;
}

}  // namespace

Scanned detail::scan(const ScanFunction& step, const std::vector<Variable>& state, std::size_t steps,
                     const Variable& inputs, const ScanOptions& options) {
  if (!step) throw ValueError("scan: the function is empty");
  for (const Variable& x : state) require_defined("scan", x);
  Loop loop{step, steps, inputs.defined()};
  if (steps == 0) return {own_copies(state), {}};
  if (!grad_enabled()) return unrecorded(loop, state, inputs);
  return recorded(std::move(loop), state, inputs,
                  options.checkpoints > 0 ? options.checkpoints : default_snapshots(steps));
}

Scanned detail::scan_over(const ScanFunction& step, const std::vector<Variable>& state, const Variable& inputs,
                          const ScanOptions& options) {
  require_defined("scan", inputs);
  if (inputs.rank() == 0) throw ShapeError("scan: inputs of shape (), need an axis for the steps");
  return scan(step, state, inputs.shape(0), inputs, options);
}

ScanFunction detail::step_of_one(Callable step) {
  return [step = std::move(step)](const Variables& state, const Variable& input) {
    return ScanStep{{step({state[0], input}, "scan")}};
  };
}

}  // namespace xtape
