#include <autograd/ops/elementwise_operation.hpp>

#include <algorithm>

#include <autograd/batch.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>

namespace xtape::detail {
Array Elementwise::empty_result(std::span<const Array> operands, DType dtype) const {
  auto fits = [&](const Array& x) { return x.has_shape_of(operands[0]); };
  if (std::all_of(operands.begin() + 1, operands.end(), fits)) return Array::like(operands[0], dtype);
  Shape shape = operands[0].shape();
  for (const Array& x : operands.subspan(1)) shape = broadcast_shapes(name(), shape, x.shape());
  return Array(shape, dtype);
}

Array Elementwise::computed(std::span<const Array> operands, DType dtype) const {
  Array result = empty_result(operands, dtype);
  const Array* in[Partial::most_values];
  for (std::size_t k = 0; k < operands.size(); ++k) in[k] = &operands[k];
  auto map = [&]<class T>(T) { kernels::map_rows<T>(rows_.of<T>(), result, {in, operands.size()}); };
  if (rows_.of_int64 && dtype == DType::int64) map(std::int64_t());
  else visit_floating(name(), dtype, map);
  return result;
}

std::uint32_t Elementwise::saves(std::uint32_t needed) {
  std::uint32_t result = operand_shapes;
  for (std::size_t k = 0; k < operands(); ++k) {
    if (!(needed >> k & 1)) continue;
    for (std::uint8_t value : partials_[k].told()) result |= 1u << (value == Partial::result ? operands() : value);
  }
  return result;
}

void Elementwise::backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const {
  std::size_t last = operands();
  for (std::size_t k = 0; k < operands(); ++k) last = inputs[k].wanted ? k : last;
  for (std::size_t k = 0; k < operands(); ++k) {
    if (!inputs[k].wanted) continue;
    Variable& g = inputs[k].value;
    g = times_partial(node, partials_[k], k == last ? std::move(gradients[0]) : gradients[0]);
    // Summed over the axes along which the operand was repeated.
    if (g.defined() && !node.operand_has_shape_of(k, g.value())) g = sum_to(g, node.operand_shape(k));
  }
}

void Elementwise::jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const {
  Variable& sum = results[0].value;
  for (std::size_t k = 0; k < operands(); ++k)
    if (tangents[k].defined())
      accumulate_broadcast(sum, times_partial(node, partials_[k], std::move(tangents[k])));
  sum = in_shape_of_result(node, std::move(sum));
}

// v, a gradient of the result or a tangent of an operand, by the partial derivative.
Variable Elementwise::times_partial(const Node& node, const Partial& partial, Variable v) {
  if (partial.kind == Partial::Kind::constant) return {};
  if (partial.kind == Partial::Kind::pass) return v;
  auto is_mapped = [&](std::uint8_t value) {
    return (value == Partial::result ? node.result_value() : node.operand_value(value)).is_mapped();
  };
  if (grad_enabled() || v.value().is_mapped() || std::ranges::any_of(partial.told(), is_mapped)) {
    Variable values[Partial::most_values];
    Variable* next = values;
    for (std::uint8_t value : partial.told()) *next++ = value == Partial::result ? node.result() : node.operand(value);
    *next = std::move(v);
    return partial.of_variables(values);
  }
  auto compute = [&](Array& result) {
    const Array* in[Partial::most_values];
    const Array** next = in;
    for (std::uint8_t value : partial.told())
      *next++ = value == Partial::result ? &node.result_value() : &node.operand_value(value);
    *next++ = &v.value();
    visit_floating(node.name(), v.dtype(), [&]<class T>(T) {
      kernels::map_rows<T>(partial.rows.of<T>(), result, {in, static_cast<std::size_t>(next - in)});
    });
  };
  // In place of v where nobody else has it.
  const Node::Result& type = node.result_type(0);
  const bool fits = equal(v.value().shared_shape(), type.shared_shape);
  if (fits && sole_owner(v) && !v.requires_grad() && !v.impl()->weak) {
    compute(v.impl()->value);
    return v;
  }
  Array result = fits ? Array::like(v.value()) : Array(type.shape(), v.dtype());
  compute(result);
  return Variable(std::move(result));
}

// Broadcast as in one sample.
bool Elementwise::map(const Batch& batch, std::span<Variable> results) const {
  std::size_t rank = 0;
  for (std::size_t k = 0; k < operands(); ++k) rank = std::max(rank, batch.rank(k));
  std::array<Variable, most_operands> spread;
  std::array<const Variable*, most_operands> pointers;
  for (std::size_t k = 0; k < operands(); ++k) spread[k] = batch.spread(k, rank), pointers[k] = &spread[k];
  results[0] = (*this)({pointers.data(), operands()});
  return true;
}

Variable Elementwise::operator()(std::span<const Variable* const> operands) const {
  // A constant: what perform changes in operations, this one has not.
  if (!all_scalars(operands)) return perform(const_cast<Elementwise&>(*this), operands);
  // C++ scalars alone are computed as in C++: in int64, or in double.
  DType dtype = common_dtype(name(), operands);
  dtype = rows_.of_int64 && !is_floating(dtype) ? DType::int64 : DType::float64;
  std::vector<Array> values;
  for (const Variable* x : operands) values.push_back(Operand(name(), *x, dtype).array());
  return Variable(computed(values, dtype).element(0));
}

}  // namespace xtape::detail
