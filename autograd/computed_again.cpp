#include <autograd/computed_again.hpp>

#include <algorithm>
#include <mutex>

#include <autograd/ops/operands.hpp>

namespace xtape::detail {
namespace {

template <class F>
void for_owners(const Edge& edge, F f) {
  Attached* attached = edge.node->attached();
  if (!attached) return;
  std::scoped_lock lock(attached->mutex);
  for (VariableImpl* owner : attached->owners) f(owner);
}

// What the first run wrote to, and captured parameters that somebody has written to since.
std::vector<Content> before_first_run(const Traces& first, const CapturedValues& values,
                                      std::span<const Edge> captured) {
  std::vector<Content> result = first.written;
  auto is_written = [&](VariableImpl* x) {
    return std::ranges::find(first.written, x, &Content::impl) != first.written.end();
  };
  for (const Edge& edge : captured)
    for_owners(edge, [&](VariableImpl* owner) {
      auto then = values.find(owner);
      if (then == values.end() || owner->value.shares_elements_with(then->second) || is_written(owner)) return;
      result.emplace_back(Variable(owner)).value = then->second;
    });
  return result;
}

}  // namespace

CapturedValues values_of(std::span<const Edge> captured) {
  CapturedValues result;
  for (const Edge& edge : captured)
    for_owners(edge, [&](VariableImpl* owner) { result.emplace(owner, owner->value); });
  return result;
}

Variable stand_in(const Edge& edge) { return output_of(edge.node, Array::scalar(0, DType::float32), edge.output); }

Variable own_copy(const char* caller, const Variable& x) {
  return grad_enabled() && x.requires_grad() ? same_value(caller, x) : x.detach();
}

Again::Again(const Traces& first, const CapturedValues& values, std::span<const Edge> captured)
    : same_numbers_(first.seeds), as_it_was_(before_first_run(first, values, captured)) {}

void require_same_captured(const Variable& y, const Mark& start, std::span<const Edge> edges) {
  for (const Edge& edge : start.edges_beyond(y))
    if (std::ranges::none_of(edges, [&](const Edge& e) { return e.node == edge.node && e.output == edge.output; }))
      throw GraphError("the function computed with other Variables than the first time; was one that it captures by "
                       "reference changed since?");
}

}  // namespace xtape::detail
