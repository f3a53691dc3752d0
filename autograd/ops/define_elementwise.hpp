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
class ElementwiseNode final : public Node {
  static constexpr std::size_t N = Rule::N;

 public:
  ElementwiseNode(const Rule& rule, const std::array<const Variable*, N>& inputs,
                  const std::array<Operand, N>& values, const Array& result)
      : Node(rule.name, 1), rule_(rule) {
    for (std::size_t k = 0; k < N; ++k) {
      edges_[k] = edge_to(*inputs[k]);
      repeated_[k] = values[k].array().shape() != result.shape();
      if (repeated_[k]) shapes_[k] = values[k].array().shape();
    }
    for (std::size_t k = 0; k < N; ++k)
      if (needed(k)) saved_[k] = values[k].converted() ? Saved(values[k].array()) : Saved(*inputs[k]);
    if (needed(fused::Y)) saved_[N] = Saved(result);
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override {
    for_each_partial([&](auto k, const auto& partial) {
      if (edges_[k].node && inputs[k].wanted) inputs[k].value = fold(gradient(partial, outputs[0]), k);
    });
  }

 private:
  template <class F>
  void for_each_partial(F&& f) const {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (f(std::integral_constant<std::size_t, K>(), std::get<K>(rule_.partials)), ...);
    }(std::make_index_sequence<N>());
  }

  // Whether an operand that needs a gradient has a partial that asks for this value.
  bool needed(std::size_t which) const {
    bool result = false;
    for_each_partial([&](auto k, const auto& partial) { result = result || (edges_[k].node && partial.uses(which)); });
    return result;
  }

  static constexpr std::size_t slot(std::size_t which) { return which == fused::Y ? N : which; }

  Variable value(std::size_t which) {
    if (which == fused::Y) return output_of(this, saved_[N].array());
    return saved_[which]();
  }

  Variable gradient(const fused::Constant&, const Variable&) { return {}; }
  Variable gradient(const fused::Pass&, const Variable& g) { return g; }
  template <class F, std::size_t... Which>
  Variable gradient(const fused::With<F, Which...>& partial, const Variable& g) {
    if (grad_enabled()) return partial.f(value(Which)..., g);
    Array result(g.shape(), g.dtype());
    visit_floating(name(), g.dtype(), [&]<class T>(T) {
      kernels::map<T>(partial.f, result, saved_[slot(Which)].array()..., g.value());
    });
    return Variable(std::move(result));
  }

  // Sums the gradient over the axes along which the operand was repeated.
  Variable fold(Variable g, std::size_t k) {
    return repeated_[k] && g.defined() ? sum_to(g, shapes_[k]) : g;
  }

  void release_saved() override {
    for (Saved& saved : saved_) saved.reset();
  }

  const Rule& rule_;
  std::array<Edge, N> edges_;
  std::array<bool, N> repeated_;
  std::array<Shape, N> shapes_;  // of the operands that were repeated
  std::array<Saved, N + 1> saved_;
};

// The result of a rule's function, before anything is recorded.
template <class Rule, std::size_t N>
Array evaluate(const Rule& rule, DType dtype, const std::array<Operand, N>& values) {
  Shape shape = values[0].array().shape();
  for (std::size_t k = 1; k < N; ++k)
    if (values[k].array().shape() != shape) shape = broadcast_shapes(rule.name, shape, values[k].array().shape());
  Array result(std::move(shape), dtype);
  auto map = [&]<class T>(T) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      kernels::map<T>(rule.forward, result, values[K].array()...);
    }(std::make_index_sequence<N>());
  };
  if constexpr (Rule::integers) {
    if (dtype == DType::int64) {
      map(std::int64_t());
      return result;
    }
  }
  visit_floating(rule.name, dtype, map);
  return result;
}

}  // namespace detail

template <bool integers, class Forward, class... Partials>
template <class... Vs>
Variable fused::Rule<integers, Forward, Partials...>::operator()(const Vs&... operands) const {
  static_assert(sizeof...(Vs) == N, "a rule has one partial derivative for each operand");
  using namespace xtape::detail;
  std::array<const Variable*, N> inputs{&operands...};
  bool scalars = all_scalars(inputs);
  DType dtype = common_dtype(name, inputs);
  // C++ scalars alone are computed as in C++: in int64, or in double.
  if (scalars) dtype = integers && !is_floating(dtype) ? DType::int64 : DType::float64;
  std::array<Operand, N> values{Operand(name, operands, dtype)...};
  Array result = measured(name, [&] { return evaluate(*this, dtype, values); });
  if (scalars) return Variable(result.element(0));
  if (!recording(operands...)) return Variable(std::move(result));
  NodePtr node(new ElementwiseNode<Rule>(*this, inputs, values, result));
  return result_of(std::move(node), std::move(result));
}

}  // namespace xtape
