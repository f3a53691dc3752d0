#include <autograd/tape.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <new>
#include <thread>

#include <autograd/anomaly.hpp>
#include <autograd/batch.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/small_blocks.hpp>

namespace xtape {
namespace {

// Initial-exec: found without a call.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool recording_enabled = true;

// Nodes are numbered in the order in which they are made. A thread takes numbers in blocks, and a new block where it
// meets a greater number than its own: so the order holds through nodes that other threads made.
constexpr std::uint64_t block = 1024;
std::atomic<std::uint64_t> taken = block;  // so that 0 is no number
[[gnu::tls_model("initial-exec")]] constinit thread_local std::uint64_t last_sequence = 0, end_of_block = 0;

void take_block() {
  last_sequence = taken.fetch_add(block, std::memory_order_relaxed);
  end_of_block = last_sequence + block;
}

std::uint64_t next_sequence(std::uint64_t after) {
  if (last_sequence == end_of_block || after > last_sequence) take_block();
  return ++last_sequence;
}

}  // namespace

std::uint64_t detail::last_sequence_of_all() {
  take_block();
  return last_sequence;
}

bool grad_enabled() { return recording_enabled; }

GradMode::GradMode(bool enabled) : before_(std::exchange(recording_enabled, enabled)) {}
GradMode::~GradMode() { recording_enabled = before_; }

void intrusive_ptr_add_ref(Node* node) noexcept { detail::add_reference(node->references_); }

namespace {
[[gnu::tls_model("initial-exec")]] constinit thread_local Node* queue = nullptr;
[[gnu::tls_model("initial-exec")]] constinit thread_local bool destroying = false;
}  // namespace

// Destroying a node drops its edges, and the last reference to the node before it: a chain of millions would
// recurse as deep. So nodes queue, linked through themselves, and the outermost call destroys them in turn.
void intrusive_ptr_release(Node* node) noexcept {
  if (!detail::drop_reference(node->references_)) return;
  node->next_destroyed_ = std::exchange(queue, node);
  if (std::exchange(destroying, true)) return;
  while (queue) {
    Node* next = std::exchange(queue, queue->next_destroyed_);
    std::size_t bytes = Node::bytes(next->edge_count_, next->saved_mask_);
    next->~Node();
    detail::free_block(next, bytes);
  }
  destroying = false;
}

Node::Node(const char* name, std::uint32_t edge_count, std::uint32_t outputs, std::uint32_t saved_mask)
    : edge_count_(edge_count), outputs_(outputs), saved_mask_(saved_mask), name_(name) {
  std::uninitialized_default_construct_n(first_edge(), edge_count);
  std::uninitialized_default_construct_n(first_saved(), saved_count());
}

Node::~Node() {
  if (Attached* attached = this->attached()) std::exchange(attached->itself, nullptr).reset();
  release_saved();
  std::destroy_n(first_saved(), saved_count());
  std::destroy_n(first_edge(), edge_count_);
}

std::size_t Node::bytes(std::uint32_t edges, std::uint32_t saved_mask) {
  std::size_t saved = saved_mask == Operation::all_operands ? edges : static_cast<std::size_t>(std::popcount(saved_mask));
  return sizeof(Node) + edges * sizeof(Edge) + saved * sizeof(Array);
}

NodePtr Node::allocate(const char* name, std::uint32_t edges, std::uint32_t outputs, std::uint32_t saved_mask) {
  void* memory = detail::allocate_block(bytes(edges, saved_mask));
  if (!memory) throw std::bad_alloc();
  return NodePtr(new (memory) Node(name, edges, outputs, saved_mask));
}

NodePtr Node::leaf(VariableImpl* owner) {
  NodePtr node = allocate("leaf", 0, 1, 0);
  node->is_leaf_ = true;
  node->link();
  node->attach()->owners.push_back(owner);
  return node;
}

NodePtr Node::make(Operation& operation, std::span<const Variable* const> operands, std::span<Array> values,
                   std::span<const Array> results) {
  auto count = static_cast<std::uint32_t>(operands.size());
  std::uint32_t needed = 0;
  for (std::uint32_t k = 0; k < std::min(count, 31u); ++k)
    if (operands[k] && operands[k]->requires_grad()) needed |= 1u << k;
  std::uint32_t wanted = operation.saves(needed), mask = wanted & ~Operation::operand_shapes;
  NodePtr node = allocate(operation.name(), count, static_cast<std::uint32_t>(results.size()), mask);
  for (std::uint32_t k = 0; k < count; ++k)
    if (operands[k]) node->first_edge()[k] = edge_to(*operands[k]);
  node->keep_types(values, results, wanted & Operation::operand_shapes);
  Array* next = node->first_saved();
  if (mask == Operation::all_operands) std::move(values.begin(), values.end(), next);
  else for (std::uint32_t k = 0; mask >> k; ++k)
    if (mask >> k & 1) *next++ = k < count ? std::move(values[k]) : results[0];
  node->link();
  node->operation_ = operation.kept();
  return node;
}

void Node::keep_types(std::span<const Array> values, std::span<const Array> results, bool shapes) {
  if (results.size() > 1) other_results_ = std::make_unique<Result[]>(results.size() - 1);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].defined()) (i ? other_results_[i - 1] : first_result_) = {results[i].shared_shape(), results[i].dtype()};
  auto fits = [&](const Array& value) { return value.has_shape_of(results[0]); };
  if (!shapes || std::all_of(values.begin(), values.end(), fits)) return;
  operand_shapes_ = std::make_unique<detail::ShapePtr[]>(values.size());
  std::transform(values.begin(), values.end(), operand_shapes_.get(), [](auto& value) { return value.shared_shape(); });
}

void Node::link() {
  std::uint64_t greatest = 0;
  for (const Edge& edge : edges())
    if (edge.node) greatest = std::max(greatest, edge.node->sequence_);
  sequence_ = next_sequence(greatest);
  if (detail::detecting_anomaly()) [[unlikely]] attach()->calls = detail::calls();
}

void Node::release_saved() noexcept {
  if (const Operation* operation = std::exchange(operation_, nullptr)) operation->drop();
  std::for_each_n(first_saved(), saved_count(), [](Array& saved) { saved.reset(); });
}

// Hooks go as well: one that holds its own Variable would keep itself alive. Edges stay: a later walk has to see whether it
// needs this node.
void Node::release() {
  release_saved();
  released_.store(true, std::memory_order_release);
  Attached* attached = this->attached();
  if (!attached) return;
  std::vector<Attached::Entry> hooks;
  std::scoped_lock lock(attached->mutex);
  hooks.swap(attached->hooks);
}

namespace {

// Not 0.
std::uint32_t number_of_this_thread() {
  static std::atomic<std::uint32_t> last = 0;
  [[gnu::tls_model("initial-exec")]] thread_local std::uint32_t number = 0;
  while (number == 0) number = ++last;
  return number;
}

}  // namespace

std::atomic<std::uint32_t>* Node::Visit::enter(std::atomic<std::uint32_t>& visitor) {
  const std::uint32_t own = number_of_this_thread();
  for (std::uint32_t there = 0; !visitor.compare_exchange_weak(there, own, std::memory_order_acquire); there = 0) {
    if (there == own) return nullptr;
    if (there != 0) std::this_thread::yield();
  }
  return &visitor;
}

// How many values are kept of those before this one.
std::uint32_t Node::saved_before(std::uint32_t which) const {
  if (saved_mask_ == Operation::all_operands) return std::min(which, edge_count_);
  if (saved_mask_ == 0) return 0;
  return static_cast<std::uint32_t>(std::popcount(saved_mask_ & ((1u << which) - 1)));
}

Variable Node::operand(std::size_t k) const {
  const Edge& edge = edges()[k];
  return detail::output_of(edge.node, operand_value(k), edge.output);
}

Variable Node::result() const { return detail::output_of(const_cast<Node*>(this), result_value()); }

std::shared_ptr<Attached> Node::attach() {
  if (Attached* there = attached()) return there->itself;
  auto made = std::make_shared<Attached>();
  made->itself = made;
  Attached* there = nullptr;
  if (attached_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return made;
  made->itself.reset();  // another thread was first
  return there->itself;
}

Variable Saved::operator()() const { return detail::output_of(edge_.node, value_, edge_.output); }

namespace detail {
namespace {

// The elements of the operands, in one dtype unless the operation takes several.
void collect(const Operation& operation, std::span<const Variable* const> operands, std::span<Array> values) {
  const Variable* first = nullptr;
  bool alike = true;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const Variable* x = operands[k];
    if (!x) continue;
    if (!x->defined()) throw Error(std::string(operation.name()) + ": an operand is an undefined Variable");
    if (!first) first = x;
    alike = alike && !x->impl()->weak && x->dtype() == first->dtype();
    values[k] = x->impl()->value;
  }
  if (alike || operation.mixes_dtypes()) return;
  std::vector<const Variable*> present(operands.begin(), operands.end());
  std::erase(present, nullptr);
  DType dtype = common_dtype(operation.name(), present);
  for (std::size_t k = 0; k < operands.size(); ++k)
    if (operands[k]) values[k] = Operand(operation.name(), *operands[k], dtype).array();
}

// What is thrown carries the name of the operation that the user called.
void evaluate(Operation& operation, std::span<const Array> values, std::span<Array> results) try {
  Calling calling(operation.name());
  if (!profiling()) [[likely]] return operation.evaluate(values, results);
  Timer timer(operation.name(), false);
  operation.evaluate(values, results);
  for (const Array& result : results) timer.add_bytes(result.bytes());
} catch (const std::bad_alloc&) {
  throw OutOfMemory(operation.name(), "what it needs beside its result");
}

// The level of the innermost vmap that maps over one of the operands; 0 where none does.
std::uint64_t level_of(std::span<const Array> values) {
  std::uint64_t level = 0;
  for (const Array& value : values)
    if (value.is_mapped()) [[unlikely]] level = std::max(level, samples_of(value).level);
  return level;
}

void map(const Operation& operation, std::uint64_t level, std::span<const Variable* const> operands,
         std::span<const Array> values, std::span<Array> results) {
  Calling calling(operation.name());
  std::vector<Variable> all(results.size());
  try {
    if (!operation.map(Batch(level, operands, values), all))
      throw NeedsElements(std::string(operation.name()) + ": has no rule for a batch of vmap", level);
  } catch (...) {
    Mapping::note_failure(level);
    throw;
  }
  for (std::size_t i = 0; i < results.size(); ++i)
    if (all[i].defined()) results[i] = mapped(all[i], level);
}

}  // namespace

NodePtr perform(Operation& operation, std::span<const Variable* const> operands, std::span<Array> results) try {
  std::array<Array, 4> few;
  std::vector<Array> many(operands.size() > few.size() ? operands.size() : 0);
  std::span<Array> values = many.empty() ? std::span(few).first(operands.size()) : std::span(many);
  collect(operation, operands, values);
  const std::uint64_t level = level_of(values);
  if (level == 0) [[likely]] {
    evaluate(operation, values, results);
    for (const Array& result : results)
      if (result.is_mapped()) [[unlikely]] no_elements(result);
  } else {
    map(operation, level, operands, values, results);
  }
  auto needs_gradient = [](const Variable* x) { return x && x->requires_grad(); };
  if (!grad_enabled() || std::none_of(operands.begin(), operands.end(), needs_gradient)) return nullptr;
  return Node::make(operation, operands, values, results);
} catch (const std::bad_alloc&) {
  throw OutOfMemory(operation.name(), "its record");
}

Variable perform(Operation& operation, std::span<const Variable* const> operands) {
  Array result;
  NodePtr node = perform(operation, operands, {&result, 1});
  return output_of(std::move(node), std::move(result));
}

}  // namespace detail
}  // namespace xtape
