// Elementwise functions of one's own, at the speed of a hand-written kernel. Not part of <autograd/autograd.hpp>: it
// brings the vector registers along, and so more to compile.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/fused/activations.hpp>
#include <autograd/fused/arithmetic.hpp>
#include <autograd/fused/function.hpp>
#include <autograd/fused/number.hpp>
#include <autograd/fused/transcendental.hpp>
#include <autograd/kernels/map_sums.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>

namespace xtape {
namespace fused {
namespace detail {

/// The number of inputs and results of the derivative of this order of a function of n inputs with one result.
struct Arity {
  std::size_t inputs, results;
  constexpr Arity derivative() const { return {inputs + results, inputs}; }
};
constexpr Arity arity(std::size_t n, unsigned order) {
  return order == 0 ? Arity{n, 1} : arity(n, order - 1).derivative();
}

/// The weighted sum, over the results, of the derivatives in one direction.
template <int L, std::size_t direction, class... Ys, class... Hs>
auto weighted(const std::tuple<Ys...>& ys, const std::tuple<Hs...>& hs) {
  auto term = []<class D, class H>(const D& d, const H& h) {
    if constexpr (std::same_as<D, Zero>) return Zero();
    else return d * h;
  };
  return [&]<std::size_t... J>(std::index_sequence<J...>) {
    return sum(term(tangent<L, direction>(std::get<J>(ys)), std::get<J>(hs))...);
  }(std::index_sequence_for<Ys...>());
}

template <std::size_t first, std::size_t count, class... Xs>
auto part(const std::tuple<Xs...>& xs) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple(std::get<first + I>(xs)...);
  }(std::make_index_sequence<count>());
}

/// x, differentiated by direction `own` of n.
template <int L, std::size_t own, std::size_t n, class R, class X>
auto seeded(const X& x) {
  auto tangent = []<std::size_t direction>(std::integral_constant<std::size_t, direction>) {
    if constexpr (direction == own) return Dual<0, R>{R(1), {}};
    else return Zero();
  };
  return [&]<std::size_t... J>(std::index_sequence<J...>) {
    return make_dual<L>(x, std::tuple(tangent(std::integral_constant<std::size_t, J>())...));
  }(std::make_index_sequence<n>());
}

/// The results of the derivative of this order, see Function::gradient. The first n inputs are those of f.
template <unsigned order, std::size_t n, class F, class... Xs>
auto derivative(const F& f, const std::tuple<Xs...>& inputs) {
  if constexpr (order == 0) {
    return std::tuple(std::apply(f, inputs));
  } else {
    constexpr Arity below = arity(n, order - 1);
    constexpr int L = level_of<Xs...> + 1;
    using R = register_of<Xs...>;
    auto xs = part<0, below.inputs>(inputs);
    auto hs = part<below.inputs, below.results>(inputs);
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      auto ys = derivative<order - 1, n>(f, std::tuple(seeded<L, K, below.inputs, R>(std::get<K>(xs))...));
      return std::tuple(weighted<L, K>(ys, hs)...);
    }(std::make_index_sequence<below.inputs>());
  }
}

template <class R, class X>
R to_register(const X& x) {
  if constexpr (std::same_as<X, Zero>) return R(0);
  else return lanes<R>(x);
}

/// A function of n registers and its derivatives up to the order `last`, of which this is the one of `order`.
template <class F, std::size_t n, unsigned order, unsigned last>
class Compiled final : public Function {
  static constexpr Arity own = arity(n, order);

 public:
  explicit Compiled(F f) : Function(own.inputs, own.results), f_(std::move(f)) {}

  void evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const override {
    visit_floating("fuse", inputs[0].dtype(), [&]<class T>(T) {
      using R = kernels::Batch<T>;
      // Whole, as hand-written code would be: the compiler's own limit leaves calls that pass registers by memory.
      auto kernel = [this]<class... Rs> [[gnu::flatten]] (const Rs&... registers) {
        auto ys = derivative<order, n>(f_, std::tuple(Dual<0, Rs>{registers, {}}...));
        return std::apply([](const auto&... y) { return std::array{to_register<R>(y)...}; }, ys);
      };
      kernels::map_sums<T, own.inputs, own.results>(kernel, common, inputs, results);
    });
  }

  std::vector<Variable> compose(const Shape& common, std::span<const Variable> inputs) const override {
    if constexpr (order == 0) {
      return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return std::vector{broadcast_to(Variable(f_(inputs[K]...)), common)};
      }(std::make_index_sequence<n>());
    } else {
      return compose_gradient(Compiled<F, n, order - 1, last>(f_), common, inputs);
    }
  }

  FunctionPtr gradient() const override {
    if constexpr (order < last) return std::make_shared<Compiled<F, n, order + 1, last>>(f_);
    else return nullptr;
  }

 private:
  F f_;
};

}  // namespace detail
}  // namespace fused

/// An elementwise function of one's own, computed in one pass over the operands, which broadcast:
///
///     Variable y = fuse([](auto x, auto s) { return tanh(x * s) + s; }, x, s);
///
/// `f` is a generic lambda of as many numbers as there are operands. It computes with arithmetic, comparisons, `where`,
/// and all the functions of <autograd/ops/elementwise.hpp> and <autograd/ops/activations.hpp> that are not in Boost
/// only; C++ scalars may be operands, captured, or written down. It is called with vector registers, with dual numbers
/// that carry its derivatives, and with Variables, and has no side effects. A variable that it assigns to anew may not
/// come to depend on more operands than it did before.
///
/// The call is one node of the tape, and so are its derivatives up to the order `compiled_orders`, each of one pass.
/// Beyond, they are composed of differentiable operations: any order works. The elements are computed by the vector
/// instructions of the processor that the calling program is compiled for (as by -march=native).
/// @throws ShapeError for operands that do not broadcast, DTypeError unless they are of one floating-point dtype.
template <unsigned compiled_orders = 2, class F, class... Xs>
  requires(sizeof...(Xs) > 0 && (std::convertible_to<const Xs&, Variable> && ...))
Variable fuse(F f, const Xs&... xs) {
  using Function = fused::detail::Compiled<F, sizeof...(Xs), 0, compiled_orders>;
  return fused::call(std::make_shared<const Function>(std::move(f)), {Variable(xs)...});
}

}  // namespace xtape
