// What an elementwise rule does when it is called on Variables: it computes, and records itself.
#pragma once

#include <algorithm>
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
    Array result = empty_result(operands, dtype);
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
    std::size_t last = N;
    for (std::size_t k = 0; k < N; ++k) last = inputs[k].wanted ? k : last;
    for_each_partial([&](auto k, const auto& partial) {
      if (!inputs[k].wanted) return;
      Variable g = k == last ? std::move(gradients[0]) : gradients[0];
      inputs[k].value = fold(gradient(node, partial, std::move(g)), node, k);
    });
  }

 private:
  Array empty_result(std::span<const Array> operands, DType dtype) const {
    auto fits = [&](const Array& x) { return x.has_shape_of(operands[0]); };
    if (std::all_of(operands.begin() + 1, operands.end(), fits)) return Array::like(operands[0], dtype);
    Shape shape = operands[0].shape();
    for (const Array& x : operands.subspan(1)) shape = broadcast_shapes(name(), shape, x.shape());
    return Array(std::move(shape), dtype);
  }

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

  static Variable gradient(const Node&, const fused::Constant&, Variable) { return {}; }
  static Variable gradient(const Node&, const fused::Pass&, Variable g) { return g; }
  // In place of g where nobody else has it.
  template <class F, std::size_t... Which>
  static Variable gradient(const Node& node, const fused::With<F, Which...>& partial, Variable g) {
    if (grad_enabled()) return partial.f(value(node, Which)..., g);
    auto compute = [&](Array& result) {
      visit_floating(node.name(), g.dtype(), [&]<class T>(T) {
        kernels::map<T>(partial.f, result, array(node, Which)..., g.value());
      });
    };
    if (sole_owner(g) && !g.requires_grad() && !g.impl()->weak) {
      compute(g.impl()->value);
      return g;
    }
    Array result = Array::like(g.value());
    compute(result);
    return Variable(std::move(result));
  }

  // Sums the gradient over the axes along which the operand was repeated.
  static Variable fold(Variable g, const Node& node, std::size_t k) {
    return !g.defined() || node.operand_has_shape_of(k, g.value()) ? g : sum_to(g, node.operand_shape(k));
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
