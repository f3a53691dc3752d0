// The tape: what a recorded operation looks like. What walks it is in walk.cpp; what fills it are the operations.
//
// An Operation says how it computes on arrays, and how it turns the gradient of its result into the gradients of its
// operands: the vector-Jacobian product, "vjp". A vjp is written with the same differentiable operations, so that a walk
// can be recorded as well. So is the tangent, "jvp", where an operation has a rule of its own for it; the others get it
// from their vjp. `perform` is the one way from Variables to a result: it checks, computes, and, where an operand
// needs a gradient, makes a Node, which knows the operation, the nodes that made the operands (its edges), and the values
// that the way back will need.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/attributes.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/profile.hpp>
#include <autograd/variable.hpp>

namespace xtape {

namespace detail {
class Batch;
}

/// Where a gradient goes: an output of the node that made the input. No node: the input needs no gradient.
struct Edge {
  NodePtr node;
  std::uint32_t output = 0;
};

/// The edge that leads to `x`.
inline Edge edge_to(const Variable& x) { return {x.impl()->node, x.impl()->output}; }

/// What a vjp fills in for one operand.
struct InputGradient {
  bool wanted = true;  ///< false: the operand needs no gradient, or the walk has no use for it
  Variable value;      ///< undefined stands for zeros
};

/// What a jvp fills in for one result.
struct ResultTangent {
  bool wanted = true;  ///< false: nothing that follows depends on the result
  Variable value;      ///< undefined stands for zeros
};

/// What an operation is, apart from its operands.
class Operation {
 public:
  constexpr explicit Operation(const char* name) : name_(name) {}
  Operation(const Operation&) = default;
  Operation& operator=(const Operation&) = delete;

  /// As errors, profiles and pictures of the graph name it. Of static storage.
  const char* name() const { return name_; }

  /// Its arguments beside the operands, by their names; large arrays, such as indices, are left out. Made when asked for.
  virtual Attributes attributes() const { return {}; }

  /// Computes the results from the operands' elements; absent operands are undefined. What else of the computation the
  /// way back needs, the operation keeps.
  virtual void evaluate(std::span<const Array> operands, std::span<Array> results) = 0;

  /// The vjp: fills `inputs`, one for each operand, from the gradients of the results, which it may take. Undefined ones
  /// stand for zeros; one at least is defined.
  virtual void backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const = 0;

  /// The jvp: fills `results` from the tangents of the operands, which it may take. Undefined ones stand for zeros; one at
  /// least is defined, and those only of operands that need a gradient. A tangent has the shape and dtype of what it
  /// belongs to. This one is made of the vjp, which is linear in the gradients: its own vjp is the jvp.
  virtual void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const;

  /// How it maps over a batch: computes the results of all samples at once, the samples along the first axis of each, by
  /// operations on what the batch says of the operands. False where there is no rule: then vmap calls its function once
  /// for each sample.
  virtual bool map(const detail::Batch& /*batch*/, std::span<Variable> /*results*/) const { return false; }

  /// Which values the node is to keep for the vjp, where the operands of the bits in `needed` need a gradient: bit k for
  /// operand k, bit `number of operands` for the first result; or `all_operands`, however many there are; and
  /// `operand_shapes` for their shapes alone. It is asked once, before the operation is kept, which may drop what it holds
  /// for operands that need no gradient.
  virtual std::uint32_t saves(std::uint32_t /*needed*/) { return 0; }
  static constexpr std::uint32_t operand_shapes = 1u << 31, all_operands = 1u << 30;

  /// Whether operands may be of several dtypes. Otherwise they are brought to one, see common_dtype.
  virtual bool mixes_dtypes() const { return false; }

  /// Whether the vjp adds to the gradients of its operands: `inputs` then hold what other nodes sent there before.
  virtual bool adds_to_gradients() const { return false; }

  /// The operation as a node holds it, which calls `drop` in the end.
  virtual const Operation* kept() = 0;
  virtual void drop() const noexcept = 0;

 protected:
  ~Operation() = default;

 private:
  const char* name_;
};

/// Base of operations with attributes of their own: a node keeps the operation itself, moved.
template <class Derived>
class OperationOf : public Operation {
 public:
  using Operation::Operation;
  const Operation* kept() final { return new Derived(std::move(static_cast<Derived&>(*this))); }
  void drop() const noexcept final { delete static_cast<const Derived*>(this); }
};

/// Base of operations that are constants: nodes refer to them.
class ConstantOperation : public Operation {
 public:
  using Operation::Operation;
  const Operation* kept() final { return this; }
  void drop() const noexcept final {}
};

using Hook = std::function<Variable(const Variable&)>;

/// What users have attached to the outputs of a node.
struct Attached {
  std::shared_ptr<Attached> itself;  ///< while there is the node
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

/// One recorded operation, or a leaf: a Variable that the user made, at which a walk ends.
///
/// Its edges and the values that it keeps lie behind it in one block of memory.
class Node final {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The node of a Variable that the user made, whose gradient goes to it.
  static NodePtr leaf(VariableImpl* owner);
  /// The node of an operation on these operands, null where absent, whose elements were `values`: takes those that it
  /// keeps.
  static NodePtr make(Operation& operation, std::span<const Variable* const> operands, std::span<Array> values,
                      std::span<const Array> results);

  /// The operation, as its errors name it.
  const char* name() const { return name_; }
  /// Null for a leaf, and once the node was released.
  const Operation* operation() const { return operation_; }
  bool is_leaf() const { return is_leaf_; }
  /// Greater than that of every node it leads to, and unlike that of any other node. A walk goes from the greatest to
  /// the least.
  std::uint64_t sequence() const { return sequence_; }
  std::uint32_t outputs() const { return outputs_; }
  std::span<Edge> edges() { return {first_edge(), edge_count_}; }
  std::span<const Edge> edges() const { return {const_cast<Node*>(this)->first_edge(), edge_count_}; }

  /// Operand k as it was, connected to the graph as it was. For operands that the operation `saves`.
  Variable operand(std::size_t k) const;
  /// Its elements.
  const Array& operand_value(std::size_t k) const { return saved(static_cast<std::uint32_t>(k)); }
  /// The first result, connected to this node; where the operation saves it.
  Variable result() const;
  const Array& result_value() const { return saved(edge_count_); }
  const Shape& operand_shape(std::size_t k) const { return shape_pointer(k)->shape; }
  /// Whether it had the shape of an array.
  bool operand_has_shape_of(std::size_t k, const Array& array) const {
    return detail::equal(shape_pointer(k), array.shared_shape());
  }

  /// Drops the operation and the saved values: no gradient can pass through the node again.
  void release();
  bool released() const { return released_.load(std::memory_order_acquire); }

  /// While one lives, walks of other threads wait at this node: of two that do not retain the graph, one passes, and the
  /// other finds it released.
  class Visit {
   public:
    explicit Visit(const Node& node) : visitor_(enter(node.visitor_)) {}
    ~Visit() {
      if (visitor_) visitor_->store(0, std::memory_order_release);
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    /// Null where this thread is there already.
    static std::atomic<std::uint32_t>* enter(std::atomic<std::uint32_t>& visitor);
    std::atomic<std::uint32_t>* visitor_;
  };

  /// What an output is, for pictures of the graph.
  struct Result {
    detail::ShapePtr shared_shape;
    DType dtype = float32;

    const Shape& shape() const { return shared_shape ? shared_shape->shape : Array().shape(); }
  };
  const Result& result_type(std::uint32_t output) const {
    return output == 0 ? first_result_ : other_results_[output - 1];
  }

  /// Hooks and owners; null while there are none.
  Attached* attached() const { return attached_.load(std::memory_order_acquire); }
  std::shared_ptr<Attached> attach();

 private:
  friend void intrusive_ptr_add_ref(Node* node) noexcept;
  friend void intrusive_ptr_release(Node* node) noexcept;

  Node(const char* name, std::uint32_t edge_count, std::uint32_t outputs, std::uint32_t saved_mask);
  ~Node();
  static std::size_t bytes(std::uint32_t edges, std::uint32_t saved_mask);
  static NodePtr allocate(const char* name, std::uint32_t edges, std::uint32_t outputs, std::uint32_t saved_mask);
  void keep_types(std::span<const Array> values, std::span<const Array> results, bool shapes);
  void link();
  void release_saved() noexcept;
  Edge* first_edge() { return reinterpret_cast<Edge*>(this + 1); }
  Array* first_saved() const {
    return reinterpret_cast<Array*>(const_cast<Node*>(this)->first_edge() + edge_count_);
  }
  std::uint32_t saved_before(std::uint32_t which) const;
  std::uint32_t saved_count() const { return saved_before(edge_count_ + 1); }
  const detail::ShapePtr& shape_pointer(std::size_t k) const {
    return operand_shapes_ ? operand_shapes_[k] : first_result_.shared_shape;
  }
  const Array& saved(std::uint32_t which) const { return first_saved()[saved_before(which)]; }

  std::atomic<std::uint32_t> references_{0};
  std::uint32_t edge_count_, outputs_, saved_mask_;
  const char* name_;
  const Operation* operation_ = nullptr;
  std::uint64_t sequence_ = 0;
  Node* next_destroyed_ = nullptr;
  std::atomic<Attached*> attached_ = nullptr;
  mutable std::atomic<std::uint32_t> visitor_ = 0;  // the thread whose walk is here
  std::atomic<bool> released_ = false;
  bool is_leaf_ = false;
  Result first_result_;
  std::unique_ptr<Result[]> other_results_;
  std::unique_ptr<detail::ShapePtr[]> operand_shapes_;  // null where all are that of the first result
};

/// A value that an operation keeps for the way back: as it is now, whatever is written to the Variable later.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Variable& x) : value_(x.value()), edge_(edge_to(x)) {}

  /// The value, connected to the graph as it was.
  Variable operator()() const;
  /// The value alone.
  const Array& array() const { return value_; }
  bool defined() const { return value_.defined(); }

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

/// What stands for a jvp: of an operation that is linear in its only operand, it is the operation itself; where the
/// Jacobian is symmetric, it is the vjp; and what nobody wrote is made of the vjp.
inline constexpr struct Linear {
} linear_in_operand{};
inline constexpr struct Symmetric {
} symmetric_jacobian{};
struct Unwritten {};

/// An operand and the vjp with respect to it: `wrt(a, [b = save(b)](const Variable& g) { return g * b(); })`.
/// A vjp that takes two Variables gets the result first: `[](const Variable& y, const Variable& g)`. So does a jvp, which
/// may stand beside: what the tangent of this operand adds to that of the result, in a shape that broadcasts to its.
template <class F, class J = Unwritten>
struct Wrt {
  const Variable* input;
  F vjp;
  [[no_unique_address]] J jvp;
};
template <class F, class J = Unwritten>
Wrt<F, J> wrt(const Variable& input, F vjp, J jvp = {}) {
  return {&input, std::move(vjp), std::move(jvp)};
}

/// An attribute where an operation is recorded: the value as it is, of which an Attribute is made when one is asked for.
template <class T>
struct Named {
  const char* name;
  T value;
};
template <class T>
Named<T> attribute(const char* name, T value) {
  return {name, std::move(value)};
}

/// An operand that an operation is not differentiated by, such as indices: it keeps its dtype whatever the others have.
struct Constant {
  Variable operator()(const Variable&) const { return {}; }
};
inline Wrt<Constant, Constant> constant(const Variable& operand) { return {&operand, {}, {}}; }

/// No rule for how an operation maps over a batch.
struct Unmapped {};

/// The name of an operation and what it is told beside its operands: `op("sum", attribute("axes", axes))`. An object with
/// a member function `attributes()` stands for several of them.
template <class Mapping, class... Told>
struct Op {
  const char* name;
  std::tuple<Told...> told;
  [[no_unique_address]] Mapping mapping;

  /// With a rule for how it maps over a batch: what computes the results of all samples, told the same.
  /// `op("cumsum", attribute("axis", i)).mapped([](const Batch& b, std::size_t axis) { return cumsum(b[0], axis + 1); })`
  template <class M>
  Op<M, Told...> mapped(M rule) && {
    return {name, std::move(told), std::move(rule)};
  }
};
template <class... Told>
Op<Unmapped, Told...> op(const char* name, Told... told) {
  return {name, {std::move(told)...}, {}};
}

namespace detail {

/// What is told, as the evaluation takes it.
template <class T>
const T& argument(const T& several) {
  return several;
}
template <class T>
const T& argument(const Named<T>& named) {
  return named.value;
}

/// Adds what is told to `all`.
template <class T>
void tell(Attributes& all, const T& several) {
  for (Attribute& one : several.attributes()) all.push_back(std::move(one));
}
template <class T>
void tell(Attributes& all, const Named<T>& named) {
  all.emplace_back(named.name, named.value);
}
template <class... Told>
Attributes attributes_of(const std::tuple<Told...>& told) {
  Attributes all;
  std::apply([&](const auto&... each) { (tell(all, each), ...); }, told);
  return all;
}

/// No smaller than the sequence of any node there is. The nodes that this thread makes from here on have greater ones.
std::uint64_t last_sequence_of_all();

/// A list of operands as `perform` takes it.
inline std::vector<const Variable*> pointers_to(std::span<const Variable> xs) {
  std::vector<const Variable*> result;
  for (const Variable& x : xs) result.push_back(&x);
  return result;
}
/// An operand that may be absent: null where it is undefined.
inline const Variable* if_defined(const Variable& x) { return x.defined() ? &x : nullptr; }

/// Computes the results of an operation, and records it where an operand needs a gradient. Operands may be absent: null.
/// Returns the node, or null where nothing is recorded.
/// @throws Error for an undefined operand, DTypeError for dtypes that do not fit, and what the operation throws.
NodePtr perform(Operation& operation, std::span<const Variable* const> operands, std::span<Array> results);

/// The same for an operation with one result.
Variable perform(Operation& operation, std::span<const Variable* const> operands);

/// `sum += term`, in place where nobody else can see it. Undefined stands for zeros.
void accumulate(Variable& sum, Variable term);
/// The same where shapes broadcast.
void accumulate_broadcast(Variable& sum, Variable term);
/// x broadcast to the shape of a result of the node; undefined as it is.
Variable in_shape_of_result(const Node& node, Variable x);

template <class F>
inline constexpr bool takes_result = std::is_invocable_v<const F&, const Variable&, const Variable&>;

/// How derivatives pass one operand of an operation written as lambdas, F a vjp and J a jvp.
template <class F, class J>
struct Rule {
  F vjp;
  [[no_unique_address]] J jvp;

  static constexpr bool is_linear = std::is_same_v<J, Linear>;
  static constexpr bool has_jvp = !std::is_same_v<J, Unwritten>;
  static constexpr bool needs_result = takes_result<F> || takes_result<J>;
  static constexpr bool is_constant = std::is_same_v<F, Constant>;

  Variable gradient(const Node& node, const Variable& g) const { return applied(vjp, node, g); }
  Variable tangent(const Node& node, const Variable& t) const {
    if constexpr (std::is_same_v<J, Symmetric>) return applied(vjp, node, t);
    else return applied(jvp, node, t);
  }

 private:
  template <class Of>
  static Variable applied(const Of& f, const Node& node, const Variable& x) {
    if constexpr (takes_result<Of>) return f(node.result(), x);
    else return f(x);
  }
};

/// The results of a batch by the rule of an operation, if it has one.
template <class Mapping, class Told>
bool map_by(const Mapping& rule, const Told& told, const Batch& batch, std::span<Variable> results) {
  if constexpr (std::is_same_v<Mapping, Unmapped>) {
    return false;
  } else {
    results[0] = std::apply([&](const auto&... each) { return rule(batch, argument(each)...); }, told);
    return true;
  }
}

/// An operation written as lambdas: what computes it, and a Rule for each operand. Told is a tuple.
template <class Mapping, class Told, class Forward, class... Rules>
class Written final : public OperationOf<Written<Mapping, Told, Forward, Rules...>> {
 public:
  Written(const char* name, Mapping mapping, Told told, Forward forward, Rules... rules)
      : OperationOf<Written>(name), mapping_(std::move(mapping)), told_(std::move(told)), forward_(std::move(forward)),
        rules_(std::move(rules)...) {}

  Attributes attributes() const override { return attributes_of(told_); }
  bool mixes_dtypes() const override { return (Rules::is_constant || ...); }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      std::apply([&](const auto&... told) { results[0] = forward_(operands[K]..., argument(told)...); }, told_);
    }(std::index_sequence_for<Rules...>());
  }

  std::uint32_t saves(std::uint32_t needed) override {
    std::uint32_t result = 0, k = 0;
    auto ask = [&]<class R>(std::optional<R>& rule) {
      if (!(needed >> k++ & 1)) rule.reset();
      else if (R::needs_result) result = 1u << sizeof...(Rules);
    };
    std::apply([&](auto&... rule) { (ask(rule), ...); }, rules_);
    return result;
  }

  void backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    std::size_t k = 0;
    auto fill = [&](const auto& rule, InputGradient& input) {
      if (input.wanted) input.value = rule->gradient(node, gradients[0]);
    };
    std::apply([&](const auto&... rule) { (fill(rule, inputs[k++]), ...); }, rules_);
  }

  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    if constexpr ((Rules::is_linear || ...)) {
      static_assert(sizeof...(Rules) == 1, "an operation is linear in its only operand");
      Written same(*this);
      results[0].value = perform(same, std::array<const Variable*, 1>{&tangents[0]});
    } else if constexpr ((Rules::has_jvp && ...)) {
      std::size_t k = 0;
      auto add = [&](const auto& rule, const Variable& tangent) {
        if (tangent.defined()) accumulate_broadcast(results[0].value, rule->tangent(node, tangent));
      };
      std::apply([&](const auto&... rule) { (add(rule, tangents[k++]), ...); }, rules_);
      results[0].value = in_shape_of_result(node, std::move(results[0].value));
    } else {
      Operation::jvp(node, tangents, results);
    }
  }

  bool map(const Batch& batch, std::span<Variable> results) const override {
    return map_by(mapping_, told_, batch, results);
  }

 private:
  [[no_unique_address]] Mapping mapping_;
  [[no_unique_address]] Told told_;
  [[no_unique_address]] Forward forward_;
  std::tuple<std::optional<Rules>...> rules_;
};

/// The same for a list of operands of any length, with one vjp that is told which, and one jvp.
template <class Mapping, class Told, class Forward, class F, class J>
class WrittenForList final : public OperationOf<WrittenForList<Mapping, Told, Forward, F, J>> {
 public:
  WrittenForList(const char* name, Mapping mapping, Told told, Forward forward, F vjp, J jvp)
      : OperationOf<WrittenForList>(name), mapping_(std::move(mapping)), told_(std::move(told)),
        forward_(std::move(forward)), vjp_(std::move(vjp)), jvp_(std::move(jvp)) {}

  Attributes attributes() const override { return attributes_of(told_); }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    std::apply([&](const auto&... told) { results[0] = forward_(operands, argument(told)...); }, told_);
  }

  void backward(const Node&, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].wanted) inputs[i].value = vjp_(i, gradients[0]);
  }

  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    if constexpr (std::is_same_v<J, Unwritten>) Operation::jvp(node, tangents, results);
    else results[0].value = jvp_(std::span<const Variable>(tangents));
  }

  bool map(const Batch& batch, std::span<Variable> results) const override {
    return map_by(mapping_, told_, batch, results);
  }

 private:
  [[no_unique_address]] Mapping mapping_;
  [[no_unique_address]] Told told_;
  [[no_unique_address]] Forward forward_;
  F vjp_;
  [[no_unique_address]] J jvp_;
};

/// `value` as output number `output` of `node`.
inline Variable output_of(NodePtr node, Array value, std::uint32_t output = 0) {
  return Variable(boost::intrusive_ptr<VariableImpl>(new VariableImpl(std::move(value), std::move(node), output)));
}

/// Another handle to the value of x, at the same place in the graph: what is written through the one, the other does
/// not see. Undefined for an undefined x.
Variable another_handle(const Variable& x);

}  // namespace detail

/// The result of an operation on the operands in `inputs`: what `forward(const Array&..., ...)` computes of their elements
/// and of what the operation is told, `record(op("softmax", attribute("axis", 1)), kernels::softmax, wrt(x, ...))`.
/// A vjp beside each operand says how gradients go back to it.
/// A jvp may stand there, too.
template <class Mapping, class... Told, class Forward, class... Fs, class... Js>
Variable record(Op<Mapping, Told...> what, Forward forward, Wrt<Fs, Js>... inputs) {
  detail::Written<Mapping, std::tuple<Told...>, Forward, detail::Rule<Fs, Js>...> operation(
      what.name, std::move(what.mapping), std::move(what.told), std::move(forward),
      detail::Rule<Fs, Js>{std::move(inputs.vjp), std::move(inputs.jvp)}...);
  return detail::perform(operation, std::array{inputs.input...});
}
/// The same for an operation that is told nothing.
template <class Forward, class... Fs, class... Js>
Variable record(const char* name, Forward forward, Wrt<Fs, Js>... inputs) {
  return record(op(name), std::move(forward), std::move(inputs)...);
}

/// The same for a list of operands: `forward(std::span<const Array>, ...)`, and `vjp(i, g)` for the gradient of operand
/// `i`; `jvp(std::span<const Variable>)`, where there is one, takes the tangents of all, undefined for zeros.
template <class Mapping, class... Told, class Forward, class F, class J = Unwritten>
Variable record_list(Op<Mapping, Told...> what, Forward forward, std::span<const Variable> inputs, F vjp, J jvp = {}) {
  detail::WrittenForList<Mapping, std::tuple<Told...>, Forward, F, J> operation(
      what.name, std::move(what.mapping), std::move(what.told), std::move(forward), std::move(vjp), std::move(jvp));
  return detail::perform(operation, detail::pointers_to(inputs));
}

}  // namespace xtape
