// The tape: what a recorded operation looks like. What walks it is in walk.cpp; what fills it are the operations.
//
// Each operation on a Variable that needs a gradient makes one Node. The node knows the nodes that made its inputs
// (its edges) and how to turn the gradient of its output into the gradients of its inputs: the vector-Jacobian
// product, "vjp". A vjp is written with the same differentiable operations, so that a walk can be recorded as well.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/grad_mode.hpp>
#include <autograd/profile.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// Where a gradient goes: an output of the node that made the input. No node: the input needs no gradient.
struct Edge {
  NodePtr node;
  std::uint32_t output = 0;
};

/// The edge that leads to `x`.
inline Edge edge_to(const Variable& x) { return {x.impl()->node, x.impl()->output}; }

/// What a vjp fills in for one input.
struct InputGradient {
  bool wanted = true;  ///< false: the walk has no use for it
  Variable value;      ///< undefined stands for zeros
};

using Hook = std::function<Variable(const Variable&)>;

/// What users have attached to the outputs of a node.
struct Attached {
  struct Entry {
    std::uint64_t id;
    std::uint32_t output;
    Hook hook;
  };
  std::mutex mutex;
  std::vector<Entry> hooks;
  std::vector<VariableImpl*> owners;  ///< Variables whose `grad` receives the gradient; they sign off when they go
  std::vector<const void*> calls;     ///< under DetectAnomaly, where the operation was called
};

/// One recorded operation.
class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  /// The operation, as its errors name it.
  const char* name() const { return name_; }
  /// Greater than that of every node it leads to, and unlike that of any other node. A walk goes from the greatest to
  /// the least.
  std::uint64_t sequence() const { return sequence_; }
  std::uint32_t outputs() const { return outputs_; }
  bool released() const { return released_; }

  virtual std::span<Edge> edges() = 0;
  /// Fills `inputs`, one for each edge, from the gradients of the outputs. Undefined outputs stand for zeros.
  virtual void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) = 0;
  /// Drops the edges and the saved values: the node can not be walked again.
  void release();

  /// What an output is, for pictures of the graph.
  struct Result {
    Shape shape;
    DType dtype = float32;
  };
  /// Null where it is not known.
  const Result* result(std::uint32_t output) const {
    return output == 0 ? &first_result_ : output <= other_results_.size() ? &other_results_[output - 1] : nullptr;
  }
  void set_result(std::uint32_t output, const Array& value);

  /// Hooks and owners; null while there are none.
  Attached* attached() const { return attached_.get(); }
  std::shared_ptr<Attached> attach();

 protected:
  Node(const char* name, std::uint32_t outputs) : name_(name), outputs_(outputs) {}
  /// Puts the node after those it leads to. To be called once, when the edges are set.
  void link();
  virtual void release_saved() = 0;

 private:
  friend void intrusive_ptr_add_ref(Node* node) noexcept;
  friend void intrusive_ptr_release(Node* node) noexcept;
  friend class Leaf;

  const char* name_;
  std::uint32_t outputs_;
  std::atomic<std::uint32_t> references_{0};
  bool released_ = false;
  std::uint64_t sequence_ = 0;
  Node* next_destroyed_ = nullptr;
  std::shared_ptr<Attached> attached_;
  Result first_result_;
  std::vector<Result> other_results_;
};

/// Stands for a Variable that the user made: the end of a walk, which adds to the owner's gradient.
class Leaf final : public Node {
 public:
  explicit Leaf(VariableImpl* owner);
  std::span<Edge> edges() override { return {}; }
  void backward(std::span<const Variable>, std::span<InputGradient>) override {}

 private:
  void release_saved() override {}
};

/// A value that a node keeps for the way back: as it is now, whatever is written to the Variable later.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Variable& x) : value_(x.value()), edge_(edge_to(x)) {}
  /// The output of `node` itself, which must not hold a reference to itself.
  Saved(const Array& output) : value_(output) {}

  /// The value, connected to the graph as it was.
  Variable operator()() const;
  /// The value alone.
  const Array& array() const { return value_; }
  bool defined() const { return value_.defined(); }
  /// Keeps nothing any more.
  void reset() {
    value_.reset();
    edge_.node.reset();
  }

 private:
  Array value_;
  Edge edge_;
};

/// Keeps `x` for the way back; keeps nothing where nothing is recorded, or of an undefined one.
inline Saved save(const Variable& x) { return grad_enabled() && x.defined() ? Saved(x) : Saved(); }

/// Whether an operation on these inputs is to be recorded.
template <class... Inputs>
bool recording(const Inputs&... inputs) {
  return grad_enabled() && (inputs.requires_grad() || ...);
}

/// An input and the vjp with respect to it: `wrt(a, [b = save(b)](const Variable& g) { return g * b(); })`.
/// A vjp that takes two Variables gets the output first: `[](const Variable& y, const Variable& g)`.
template <class F>
struct Wrt {
  const Variable* input;
  F vjp;
};
template <class F>
Wrt<F> wrt(const Variable& input, F vjp) {
  return {&input, std::move(vjp)};
}

namespace detail {

/// No smaller than the sequence of any node there is. The nodes that this thread makes from here on have greater ones.
std::uint64_t last_sequence_of_all();

template <class F>
inline constexpr bool takes_output = std::is_invocable_v<const F&, const Variable&, const Variable&>;

/// A node with one vjp for each input.
template <class... Fs>
class RecordedNode final : public Node {
 public:
  RecordedNode(const char* name, const Array& output, Wrt<Fs>... inputs)
      : Node(name, 1),
        edges_{edge_to(*inputs.input)...},
        vjps_{inputs.input->requires_grad() ? std::optional<Fs>(std::move(inputs.vjp)) : std::nullopt...} {
    if (((takes_output<Fs> && inputs.input->requires_grad()) || ...)) output_ = Saved(output);
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override {
    Variable y = output_.defined() ? output_of(*this, output_) : Variable();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (apply(std::get<I>(vjps_), y, outputs[0], inputs[I]), ...);
    }(std::index_sequence_for<Fs...>());
  }

 private:
  template <class F>
  static void apply(const std::optional<F>& vjp, const Variable& y, const Variable& g, InputGradient& input) {
    if (!vjp || !input.wanted) return;
    if constexpr (takes_output<F>) input.value = (*vjp)(y, g);
    else input.value = (*vjp)(g);
  }
  static Variable output_of(Node& node, const Saved& saved) {
    return Variable(boost::intrusive_ptr<VariableImpl>(new VariableImpl(saved.array(), &node)));
  }
  void release_saved() override {
    std::apply([](auto&... vjp) { (vjp.reset(), ...); }, vjps_);
    output_.reset();
  }

  std::array<Edge, sizeof...(Fs)> edges_;
  std::tuple<std::optional<Fs>...> vjps_;
  Saved output_;
};

/// A node with one vjp for any number of inputs; it is told which.
template <class F>
class VariadicNode final : public Node {
 public:
  VariadicNode(const char* name, std::span<const Variable> inputs, F vjp)
      : Node(name, 1), vjp_(std::move(vjp)) {
    for (const Variable& x : inputs) edges_.push_back(edge_to(x));
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (edges_[i].node && inputs[i].wanted) inputs[i].value = (*vjp_)(i, outputs[0]);
  }

 private:
  void release_saved() override { vjp_.reset(); }

  std::vector<Edge> edges_;
  std::optional<F> vjp_;
};

/// `value` as output number `output` of `node`.
inline Variable output_of(NodePtr node, Array value, std::uint32_t output = 0) {
  return Variable(boost::intrusive_ptr<VariableImpl>(new VariableImpl(std::move(value), std::move(node), output)));
}

/// Another handle to the value of x, at the same place in the graph: what is written through the one, the other does
/// not see. Undefined for an undefined x.
Variable another_handle(const Variable& x);

/// output_of, when the node is new.
inline Variable result_of(NodePtr node, Array value, std::uint32_t output = 0) {
  node->set_result(output, value);
  return output_of(std::move(node), std::move(value), output);
}

}  // namespace detail

/// The result of operation `name`: the Array that `forward()` computes, and a node with these vjps when an input needs
/// a gradient.
template <class Forward, class... Fs>
Variable record(const char* name, const Forward& forward, Wrt<Fs>... inputs) {
  Array value = detail::measured(name, forward);
  if (!recording(*inputs.input...)) return Variable(std::move(value));
  NodePtr node(new detail::RecordedNode<Fs...>(name, value, std::move(inputs)...));
  return detail::result_of(std::move(node), std::move(value));
}

/// The same for a list of inputs: `vjp(i, g)` is the gradient of input `i`.
template <class Forward, class F>
Variable record_list(const char* name, const Forward& forward, std::span<const Variable> inputs, F vjp) {
  Array value = detail::measured(name, forward);
  bool needed = false;
  for (const Variable& x : inputs) needed = needed || x.requires_grad();
  if (!needed || !grad_enabled()) return Variable(std::move(value));
  return detail::result_of(NodePtr(new detail::VariadicNode<F>(name, inputs, std::move(vjp))), std::move(value));
}

}  // namespace xtape
