// What an elementwise rule does when it is called on Variables: it computes, and records itself.
#pragma once

#include <array>
#include <cmath>

#include <autograd/fused/rule.hpp>
#include <autograd/kernels/map.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace detail {

template <class Rule>
class Elementwise final : public ConstantOperation {
  static constexpr std::size_t N = Rule::N;

 public:
  explicit Elementwise(const Rule& rule) : ConstantOperation(rule.name), rule_(rule) {}

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    results[0] = computed(operands, operands[0].dtype());
  }

  Array computed(std::span<const Array> operands, DType dtype) const {
    Shape shape = operands[0].shape();
    for (std::size_t k = 1; k < N; ++k)
      if (operands[k].shape() != shape) shape = broadcast_shapes(name(), shape, operands[k].shape());
    Array result(std::move(shape), dtype);
    auto map = [&]<class T>(T) {
      [&]<std::size_t... K>(std::index_sequence<K...>) {
        kernels::map<T>(rule_.forward, result, operands[K]...);
      }(std::make_index_sequence<N>());
    };
    if constexpr (Rule::integers) {
      if (dtype == DType::int64) {
        map(std::int64_t());
        return result;
      }
    }
    visit_floating(name(), dtype, map);
    return result;
  }

  std::uint32_t saves(std::uint32_t needed) override {
    std::uint32_t result = operand_shapes;
    for_each_partial([&](auto k, const auto& partial) {
      if (!(needed >> k & 1)) return;
      for (std::uint32_t which = 0; which < N; ++which) result |= partial.uses(which) ? 1u << which : 0;
      result |= partial.uses(fused::Y) ? 1u << N : 0;
    });
    return result;
  }

  void backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    for_each_partial([&](auto k, const auto& partial) {
      if (inputs[k].wanted) inputs[k].value = fold(gradient(node, partial, gradients[0]), node.operand_shape(k));
    });
  }

 private:
  template <class F>
  void for_each_partial(F&& f) const {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (f(std::integral_constant<std::size_t, K>(), std::get<K>(rule_.partials)), ...);
    }(std::make_index_sequence<N>());
  }

  static Variable value(const Node& node, std::size_t which) {
    return which == fused::Y ? node.result() : node.operand(which);
  }
  static const Array& array(const Node& node, std::size_t which) {
    return which == fused::Y ? node.result_value() : node.operand_value(which);
  }

  static Variable gradient(const Node&, const fused::Constant&, const Variable&) { return {}; }
  static Variable gradient(const Node&, const fused::Pass&, const Variable& g) { return g; }
  template <class F, std::size_t... Which>
  static Variable gradient(const Node& node, const fused::With<F, Which...>& partial, const Variable& g) {
    if (grad_enabled()) return partial.f(value(node, Which)..., g);
    Array result(g.shape(), g.dtype());
    visit_floating(node.name(), g.dtype(), [&]<class T>(T) {
      kernels::map<T>(partial.f, result, array(node, Which)..., g.value());
    });
    return Variable(std::move(result));
  }

  // Sums the gradient over the axes along which the operand was repeated.
  static Variable fold(Variable g, const Shape& shape) {
    return g.defined() && g.shape() != shape ? sum_to(g, shape) : g;
  }

  const Rule& rule_;
};

}  // namespace detail

template <bool integers, class Forward, class... Partials>
template <class... Vs>
Variable fused::Rule<integers, Forward, Partials...>::operator()(const Vs&... operands) const {
  static_assert(sizeof...(Vs) == N, "a rule has one partial derivative for each operand");
  using namespace xtape::detail;
  static Elementwise<Rule> operation(*this);
  std::array<const Variable*, N> inputs{&operands...};
  if (!all_scalars(inputs)) return perform(operation, inputs);
  // C++ scalars alone are computed as in C++: in int64, or in double.
  DType dtype = common_dtype(name, inputs);
  dtype = integers && !is_floating(dtype) ? DType::int64 : DType::float64;
  std::array<Array, N> values{Operand(name, operands, dtype).array()...};
  return Variable(operation.computed(values, dtype).element(0));
}

}  // namespace xtape
