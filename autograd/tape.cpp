#include <autograd/tape.hpp>

#include <algorithm>

#include <autograd/anomaly.hpp>

namespace xtape {
namespace {

thread_local bool recording_enabled = true;

// Nodes are numbered in the order in which they are made. A thread takes numbers in blocks, and a new block where it
// meets a greater number than its own: so the order holds through nodes that other threads made.
constexpr std::uint64_t block = 1024;
std::atomic<std::uint64_t> taken = 0;
thread_local std::uint64_t last_sequence = 0, end_of_block = 0;

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

// Destroying a node drops its edges, and the last reference to the node before it: a chain of millions would
// recurse as deep. So nodes queue, linked through themselves, and the outermost call destroys them in turn.
void intrusive_ptr_release(Node* node) noexcept {
  if (!detail::drop_reference(node->references_)) return;
  thread_local Node* queue = nullptr;
  thread_local bool destroying = false;
  node->next_destroyed_ = std::exchange(queue, node);
  if (std::exchange(destroying, true)) return;
  while (queue) delete std::exchange(queue, queue->next_destroyed_);
  destroying = false;
}

void Node::link() {
  std::uint64_t greatest = 0;
  for (const Edge& edge : edges())
    if (edge.node) greatest = std::max(greatest, edge.node->sequence_);
  sequence_ = next_sequence(greatest);
  if (detail::detecting_anomaly()) [[unlikely]] attach()->calls = detail::calls();
}

void Node::set_result(std::uint32_t output, const Array& value) {
  if (output > other_results_.size()) other_results_.resize(output);
  Result& result = output == 0 ? first_result_ : other_results_[output - 1];
  result.shape = value.shape();
  result.dtype = value.dtype();
}

// Hooks go as well: one that holds its own Variable would keep itself alive.
void Node::release() {
  for (Edge& edge : edges()) edge.node.reset();
  release_saved();
  released_ = true;
  if (!attached_) return;
  std::vector<Attached::Entry> hooks;
  std::scoped_lock lock(attached_->mutex);
  hooks.swap(attached_->hooks);
}

std::shared_ptr<Attached> Node::attach() {
  if (!attached_) attached_ = std::make_shared<Attached>();
  return attached_;
}

Leaf::Leaf(VariableImpl* owner) : Node("leaf", 1) {
  link();
  attach()->owners.push_back(owner);
}

Variable Saved::operator()() const { return detail::output_of(edge_.node, value_, edge_.output); }

}  // namespace xtape
