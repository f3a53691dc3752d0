// Elementwise functions of one's own, at the speed of a hand-written kernel. Not part of <autograd/autograd.hpp>: it
// brings the vector registers along, and so more to compile.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/fused/activations.hpp>
#include <autograd/fused/arithmetic.hpp>
#include <autograd/fused/beta.hpp>
#include <autograd/fused/function.hpp>
#include <autograd/fused/number.hpp>
#include <autograd/fused/special.hpp>
#include <autograd/fused/transcendental.hpp>
#include <autograd/kernels/map_sums.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>

namespace xtape {

/// The n equal parts of x along its last axis: n operands of `fuse` that are not copied out of x.
template <std::size_t n>
struct Blocks {
  static_assert(n > 0);
  Variable x;
};
template <std::size_t n>
Blocks<n> blocks(const Variable& x) {
  return {x};
}

namespace fused {
namespace detail {

/// The number of inputs and results of the derivative of this order of a function of n inputs with m results.
struct Arity {
  std::size_t inputs, results;
  constexpr Arity derivative() const { return {inputs + results, inputs}; }
};
constexpr Arity arity(std::size_t n, std::size_t m, unsigned order) {
  return order == 0 ? Arity{n, m} : arity(n, m, order - 1).derivative();
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

/// The results of the derivative of this order, see Function::gradient. The first n inputs are those of f, which has m
/// results.
template <unsigned order, std::size_t n, std::size_t m, class F, class... Xs>
auto derivative(const F& f, const std::tuple<Xs...>& inputs) {
  if constexpr (order == 0) {
    return std::tuple(std::apply(f, inputs));  // of what f returns, or what f returns if that is one
  } else {
    constexpr Arity below = arity(n, m, order - 1);
    constexpr int L = level_of<Xs...> + 1;
    using R = register_of<Xs...>;
    auto xs = part<0, below.inputs>(inputs);
    auto hs = part<below.inputs, below.results>(inputs);
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      auto ys = derivative<order - 1, n, m>(f, std::tuple(seeded<L, K, below.inputs, R>(std::get<K>(xs))...));
      return std::tuple(weighted<L, K>(ys, hs)...);
    }(std::make_index_sequence<below.inputs>());
  }
}

template <class R, class X>
R to_register(const X& x) {
  if constexpr (std::same_as<X, Zero>) return R(0);
  else return lanes<R>(x);
}

/// The inputs and results of a function: of how many blocks each is. Each block is a number.
template <class Inputs, class Results>
struct Layout;
template <std::size_t... I, std::size_t... R>
struct Layout<std::index_sequence<I...>, std::index_sequence<R...>> {
  using Derivative = Layout<std::index_sequence<I..., R...>, std::index_sequence<I...>>;
  static constexpr std::array<std::size_t, sizeof...(I)> inputs{I...};
  static constexpr std::array<std::size_t, sizeof...(R)> results{R...};
  static constexpr Arity numbers{(I + ... + 0), (R + ... + 0)};
};

template <class L, unsigned order>
struct LayoutOf : LayoutOf<typename L::Derivative, order - 1> {};
template <class L>
struct LayoutOf<L, 0> {
  using type = L;
};

template <std::size_t numbers, std::size_t arrays>
constexpr auto parts(const std::array<std::size_t, arrays>& blocks) {
  std::array<kernels::Part, numbers> result{};
  std::size_t k = 0;
  for (std::size_t array = 0; array < arrays; ++array)
    for (std::size_t block = 0; block < blocks[array]; ++block) result[k++] = {array, block, blocks[array]};
  return result;
}

/// A row of the derivative of this order of f, a function of numbers with this layout.
template <class R, class F, class L, unsigned order>
void fused_row(const F& f, const kernels::Place* places, const std::ptrdiff_t* step, std::size_t n) {
  constexpr Arity own = arity(L::numbers.inputs, L::numbers.results, order);
  // Whole, as hand-written code would be: the compiler's own limit leaves calls that pass registers by memory.
  auto kernel = [f]<class... Rs>(const Rs&... registers) __attribute__((flatten)) {
    auto ys = derivative<order, L::numbers.inputs, L::numbers.results>(f, std::tuple(Dual<0, Rs>{registers, {}}...));
    return std::apply([](const auto&... y) { return std::array{to_register<R>(y)...}; }, ys);
  };
  kernels::map_sums_row<R, own.inputs, own.results>(kernel, places, step, n);
}

/// The rows that the calling program compiles. The processor is part of their name: code for several of them may meet in
/// one program.
template <class Processor = xsimd::default_arch>
struct RowsOfProgram {
  template <class T, class F, class L, unsigned order>
  static constexpr auto row() {
    return &fused_row<xsimd::batch<T, Processor>, F, L, order>;
  }
};

/// A function of registers, with its layout, and its derivatives up to the order `last`, of which this is the one of
/// `order`.
template <class F, class L, unsigned order, unsigned last, class Rows>
class Compiled final : public Function {
  using Own = typename LayoutOf<L, order>::type;
  static constexpr std::size_t n = L::numbers.inputs, m = L::numbers.results;

 public:
  explicit Compiled(F f) : Function(Own::inputs, Own::results), f_(std::move(f)) {}

  void evaluate(const Shape& common, std::span<const Array> inputs, std::span<Array> results) const override {
    static constexpr auto from = parts<Own::numbers.inputs>(Own::inputs);
    static constexpr auto to = parts<Own::numbers.results>(Own::results);
    visit_floating("fuse", inputs[0].dtype(), [&]<class T>(T) {
      auto row = Rows::template row<T, F, L, order>();
      kernels::LoopsWithSums(common, inputs, from, results, to)
          .run([&](const kernels::Place* places, const std::ptrdiff_t* step, std::size_t count) {
            row(f_, places, step, count);
          });
    });
  }

  std::vector<Variable> compose(const Shape& common, std::span<const Variable> inputs) const override {
    if constexpr (order == 0) {
      std::vector<Variable> xs;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (Own::inputs[i] == 1) xs.push_back(inputs[i]);
        else for (Variable& block : split(inputs[i], Own::inputs[i], -1)) xs.push_back(std::move(block));
      }
      return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return std::apply([&](const auto&... y) { return std::vector{broadcast_to(Variable(y), common)...}; },
                          std::tuple(f_(xs[K]...)));
      }(std::make_index_sequence<n>());
    } else {
      return compose_gradient(Compiled<F, L, order - 1, last, Rows>(f_), common, inputs);
    }
  }

  FunctionPtr gradient() const override {
    if constexpr (order < last) return std::make_shared<Compiled<F, L, order + 1, last, Rows>>(f_);
    else return nullptr;
  }

 private:
  F f_;
};

template <class X>
struct Operand {
  static_assert(std::convertible_to<const X&, Variable>, "fuse: an operand is a Variable, a scalar, or blocks of one");
  static constexpr std::size_t blocks = 1;
  static Variable variable(const X& x) { return Variable(x); }
};
template <std::size_t n>
struct Operand<Blocks<n>> {
  static constexpr std::size_t blocks = n;
  static const Variable& variable(const Blocks<n>& x) { return x.x; }
};

template <std::size_t>
using SomeNumber = Dual<0, kernels::Batch<float>>;

/// What a function of n numbers returns.
template <class F, std::size_t n>
auto result_of() {
  return []<std::size_t... K>(std::index_sequence<K...>) {
    return std::type_identity<decltype(std::declval<const F&>()(std::declval<SomeNumber<K>>()...))>();
  }(std::make_index_sequence<n>());
}

template <class Y>
struct Results {
  static constexpr bool several = false;
  using Blocks = std::index_sequence<1>;
};
template <class... Ys>
struct Results<std::tuple<Ys...>> {
  static constexpr bool several = true;
  using Blocks = std::index_sequence<(sizeof(Ys) > 0 ? 1 : 0)...>;
};

template <class Rows, unsigned compiled_orders, class F, class... Xs>
auto fuse_with(F f, const Xs&... xs) {
  using Returned = typename decltype(result_of<F, (Operand<Xs>::blocks + ...)>())::type;
  using L = Layout<std::index_sequence<Operand<Xs>::blocks...>, typename Results<Returned>::Blocks>;
  auto results = call(std::make_shared<const Compiled<F, L, 0, compiled_orders, Rows>>(std::move(f)),
                      {Operand<Xs>::variable(xs)...});
  if constexpr (Results<Returned>::several) {
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return std::array{std::move(results[J])...};
    }(std::make_index_sequence<L::numbers.results>());
  } else {
    return std::move(results[0]);
  }
}

}  // namespace detail
}  // namespace fused

/// An elementwise function of one's own, computed in one pass over the operands, which broadcast:
///
///     Variable y = fuse([](auto x, auto s) { return tanh(x * s) + s; }, x, s);
///
/// `f` is a generic lambda of as many numbers as there are operands. It computes with arithmetic, comparisons, `where`,
/// and all the functions of <autograd/ops/elementwise.hpp> and <autograd/ops/activations.hpp> but glu (the first operand
/// of gammainc and gammaincc is a C++ scalar); C++ scalars may be operands, captured, or written down. It is called with
/// vector registers, with dual numbers that carry its derivatives, and with Variables, and has no side effects. A
/// variable that it assigns to anew may not come to depend on more operands than it did before.
///
/// A function that returns a std::tuple has several results, which are an array of Variables; and an operand may be the
/// equal parts of a Variable along its last axis, each of which is a number:
///
///     auto [h, c] = fuse([](auto i, auto f, auto g, auto o, auto c) {
///       auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
///       return std::tuple(sigmoid(o) * tanh(next), next);
///     }, blocks<4>(gates), c);
///
/// The call is one node of the tape, and so are its derivatives up to the order `compiled_orders`, each of one pass.
/// Beyond, they are composed of differentiable operations: any order works. The elements are computed by the vector
/// instructions of the processor that the calling program is compiled for (as by -march=native).
/// @throws ShapeError for operands that do not broadcast or do not divide into blocks, DTypeError unless they are of
/// one floating-point dtype.
template <unsigned compiled_orders = 2, class F, class... Xs>
  requires(sizeof...(Xs) > 0)
auto fuse(F f, const Xs&... xs) {
  return fused::detail::fuse_with<fused::detail::RowsOfProgram<>, compiled_orders>(std::move(f), xs...);
}

}  // namespace xtape
