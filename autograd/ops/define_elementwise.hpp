// How an elementwise operation is defined: its name, its function, and its partial derivatives, in one expression.
//
//     static const auto op = elementwise("mul", [](auto a, auto b) { return a * b; },
//                                        with<B>([](auto b, auto g) { return g * b; }),
//                                        with<A>([](auto a, auto g) { return g * a; }));
//
// The function runs on vector registers. Each partial takes the operands that it names (A, B, C, or the result Y)
// and the gradient g of the result, and returns the gradient of its operand; the node keeps what it names and no
// more. The same generic lambda serves twice: on vector registers in one fused pass, and on Variables when the walk
// itself is recorded, which gives the higher derivatives.
#pragma once

#include <array>
#include <cmath>

#include <autograd/kernels/map.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {

// The names in kernels/simd.hpp, for Variables.
inline Variable is_nan(const Variable& x) { return isnan(x); }
inline Variable error_function(const Variable& x) { return erf(x); }

// What a partial derivative may ask for.
inline constexpr std::size_t A = 0, B = 1, C = 2, Y = 9;

template <class F, std::size_t... Which>
struct With {
  F f;
  static constexpr bool uses(std::size_t which) { return ((which == Which) || ...); }
};

/// A partial derivative that needs these values and the gradient.
template <std::size_t... Which, class F>
With<F, Which...> with(F f) {
  return {f};
}

/// The gradient passes unchanged.
struct Pass {
  static constexpr bool uses(std::size_t) { return false; }
};
inline constexpr Pass pass{};

/// The derivative is zero, or the operand is not differentiable.
struct Constant {
  static constexpr bool uses(std::size_t) { return false; }
};
inline constexpr Constant constant{};

/// The dtype in which an operation computes: that of the operands that are not C++ scalars.
/// @throws DTypeError when those differ, or a C++ scalar does not fit.
DType common_dtype(const char* operation, std::span<const Variable* const> operands);

/// The elements of `x` for an operation in `dtype`: a C++ scalar is converted, anything else has that dtype and is
/// referred to.
class Operand {
 public:
  Operand(const Variable& x, DType dtype) : variable_(x) {
    if (x.impl()->weak) converted_ = Array::scalar(x.impl()->scalar, dtype);
  }
  const Array& array() const { return converted_.defined() ? converted_ : variable_.impl()->value; }

 private:
  const Variable& variable_;
  Array converted_;
};

inline bool all_scalars(std::span<const Variable* const> operands) {
  for (const Variable* x : operands)
    if (!x->defined() || !x->impl()->weak) return false;
  return true;
}

template <class Op>
class ElementwiseNode;

template <bool integers, class Forward, class... Partials>
class Elementwise {
 public:
  static constexpr std::size_t N = sizeof...(Partials);

  constexpr Elementwise(const char* name, Forward forward, Partials... partials)
      : name_(name), forward_(forward), partials_(partials...) {}

  template <class... Vs>
    requires(sizeof...(Vs) == N)
  Variable operator()(const Vs&... operands) const {
    std::array<const Variable*, N> inputs{&operands...};
    bool scalars = all_scalars(inputs);
    DType dtype = scalars ? DType::float64 : common_dtype(name_, inputs);
    std::array<Operand, N> values{Operand(operands, dtype)...};
    Array result(result_shape(values), dtype);
    evaluate(result, values, std::make_index_sequence<N>());
    if (scalars) return Variable(result.at(0));
    if (!recording(operands...)) return Variable(std::move(result));
    NodePtr node(new ElementwiseNode<Elementwise>(*this, inputs, values, result));
    return output_of(std::move(node), std::move(result));
  }

 private:
  friend class ElementwiseNode<Elementwise>;

  Shape result_shape(const std::array<Operand, N>& values) const {
    Shape shape = values[0].array().shape();
    for (std::size_t k = 1; k < N; ++k)
      if (values[k].array().shape() != shape) shape = broadcast_shapes(name_, shape, values[k].array().shape());
    return shape;
  }

  template <std::size_t... K>
  void evaluate(Array& result, const std::array<Operand, N>& values, std::index_sequence<K...>) const {
    if constexpr (integers) {
      if (result.dtype() == DType::int64) return kernels::map<std::int64_t>(forward_, result, values[K].array()...);
    }
    visit_floating(name_, result.dtype(), [&]<class T>(T) { kernels::map<T>(forward_, result, values[K].array()...); });
  }

  const char* name_;
  Forward forward_;
  std::tuple<Partials...> partials_;
};

template <class Op>
class ElementwiseNode final : public Node {
  static constexpr std::size_t N = Op::N;

 public:
  ElementwiseNode(const Op& op, const std::array<const Variable*, N>& inputs, const std::array<Operand, N>& values,
                  const Array& result)
      : Node(op.name_, 1), op_(op) {
    for (std::size_t k = 0; k < N; ++k) {
      edges_[k] = edge_to(*inputs[k]);
      repeated_[k] = values[k].array().shape() != result.shape();
      if (repeated_[k]) shapes_[k] = values[k].array().shape();
    }
    for (std::size_t k = 0; k < N; ++k)
      if (needed(k)) saved_[k] = inputs[k]->impl()->weak ? Saved(values[k].array()) : Saved(*inputs[k]);
    if (needed(Y)) saved_[N] = Saved(result);
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
      (f(std::integral_constant<std::size_t, K>(), std::get<K>(op_.partials_)), ...);
    }(std::make_index_sequence<N>());
  }

  // Whether an operand that needs a gradient has a partial that asks for this value.
  bool needed(std::size_t which) const {
    bool result = false;
    for_each_partial([&](auto k, const auto& partial) { result = result || (edges_[k].node && partial.uses(which)); });
    return result;
  }

  static constexpr std::size_t slot(std::size_t which) { return which == Y ? N : which; }

  Variable value(std::size_t which) {
    if (which == Y) return output_of(this, saved_[N].array());
    return saved_[which]();
  }

  Variable gradient(const Constant&, const Variable&) { return {}; }
  Variable gradient(const Pass&, const Variable& g) { return g; }
  template <class F, std::size_t... Which>
  Variable gradient(const With<F, Which...>& partial, const Variable& g) {
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

  const Op& op_;
  std::array<Edge, N> edges_;
  std::array<bool, N> repeated_;
  std::array<Shape, N> shapes_;  // of the operands that were repeated
  std::array<Saved, N + 1> saved_;
};

/// An operation on float32 and float64. To be kept in a static variable: the tape refers to it.
template <class Forward, class... Partials>
constexpr auto elementwise(const char* name, Forward forward, Partials... partials) {
  return Elementwise<false, Forward, Partials...>(name, forward, partials...);
}

/// An operation that takes int64 as well.
template <class Forward, class... Partials>
constexpr auto elementwise_any(const char* name, Forward forward, Partials... partials) {
  return Elementwise<true, Forward, Partials...>(name, forward, partials...);
}

}  // namespace xtape::detail
