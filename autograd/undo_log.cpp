#include <autograd/undo_log.hpp>

#include <utility>

#include <autograd/ops/operands.hpp>

namespace xtape::detail {
namespace {

thread_local UndoLog* innermost = nullptr;

}  // namespace

Content::Content(const Variable& x)
    : variable(x), value(x.value()), node(x.impl()->node), output(x.impl()->output), weak(x.impl()->weak),
      scalar(x.impl()->scalar) {}

void Content::swap() {
  VariableImpl& impl = *variable.impl();
  std::swap(impl.value, value);
  std::swap(impl.node, node);
  std::swap(impl.output, output);
  std::swap(impl.weak, weak);
  std::swap(impl.scalar, scalar);
}

bool Content::is_changed() const {
  const VariableImpl& now = *variable.impl();
  return now.node != node || now.output != output || !now.value.shares_elements_with(value);
}

UndoLog::UndoLog() : outer_(std::exchange(innermost, this)) {}
UndoLog::~UndoLog() { innermost = outer_; }

void UndoLog::note(const Variable& x) {
  for (UndoLog* log = innermost; log; log = log->outer_)
    if (log->noted_.insert(x.impl()).second) log->contents_.emplace_back(x);
}

std::size_t UndoLog::handles(VariableImpl* x) {
  std::size_t count = 0;
  for (UndoLog* log = innermost; log; log = log->outer_) count += log->noted_.contains(x);
  return count;
}

std::vector<Content> UndoLog::contents() && {
  std::erase_if(contents_, [](const Content& content) { return content.impl()->references == handles(content.impl()); });
  noted_.clear();
  return std::move(contents_);
}

Undone::Undone(std::vector<Content> contents) : contents_(std::move(contents)) {
  for (Content& content : contents_) {
    UndoLog::note(content.variable);
    content.swap();
  }
}

Undone::~Undone() {
  for (Content& content : contents_) content.swap();
}

}  // namespace xtape::detail
