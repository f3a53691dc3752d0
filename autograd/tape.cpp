#include <autograd/tape.hpp>

#include <algorithm>

#include <autograd/anomaly.hpp>

namespace xtape {
namespace {

thread_local bool recording_enabled = true;
thread_local std::uint64_t last_sequence = 0;

}  // namespace

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

// A node may lead to nodes that other threads made: Lamport's clock keeps the order through them.
void Node::link() {
  for (const Edge& edge : edges())
    if (edge.node) last_sequence = std::max(last_sequence, edge.node->sequence_);
  sequence_ = ++last_sequence;
  if (detail::detecting_anomaly()) [[unlikely]] attach()->calls = detail::calls();
}

void Node::set_result(std::uint32_t output, const Array& value) {
  if (output > other_results_.size()) other_results_.resize(output);
  Result& result = output == 0 ? first_result_ : other_results_[output - 1];
  result.shape = value.shape();
  result.dtype = value.dtype();
}

void Node::release() {
  for (Edge& edge : edges()) edge.node.reset();
  release_saved();
  released_ = true;
}

std::shared_ptr<Attached> Node::attach() {
  if (!attached_) attached_ = std::make_shared<Attached>();
  return attached_;
}

Leaf::Leaf(VariableImpl* owner) : Node("leaf", 1) { attach()->owners.push_back(owner); }

Variable Saved::operator()() const { return detail::output_of(edge_.node, value_, edge_.output); }

}  // namespace xtape
