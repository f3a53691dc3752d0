// Derivatives of functions of scalars: what one asks of a function of a container of Reals.
//
//     auto f = []<class T>(const std::vector<T>& x) { return x[0] * sin(x[1]); };
//     std::vector<double> g = scalar::gradient(f, std::vector{2.0, 0.5});
//
// Containers are std::vector, std::array, and with scalar/xtensor.hpp xt::xarray and xt::xtensor. The function is
// called with a container of BasicReal<T>, where T is what the container holds: with Reals for doubles, and with
// numbers of the next level for Reals, so that derivatives nest. What an exception ends is forgotten. In a namespace of
// their own: those of Variables, in transforms.hpp, have the same names.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <autograd/scalar/program.hpp>
#include <autograd/scalar/real.hpp>

namespace xtape::scalar {

/// How a container is made for numbers of another type T: `of<T>`; `like<T>(x)`, one of the size of x; and
/// `matrix(elements, y, x)`, the derivatives of each of y by each of x, whose elements stand one row behind the other.
template <class C>
struct Container;

template <class X>
struct Container<std::vector<X>> {
  using value_type = X;
  template <class T>
  using of = std::vector<T>;
  template <class T>
  static of<T> like(const std::vector<X>& x) {
    return of<T>(x.size());
  }
  template <class T, class Y>
  static std::vector<std::vector<T>> matrix(const std::vector<T>& elements, const Y& y, const std::vector<X>& x) {
    return detail::rows(elements, y.size(), x.size());
  }
};

template <class X, std::size_t n>
struct Container<std::array<X, n>> {
  using value_type = X;
  template <class T>
  using of = std::array<T, n>;
  template <class T>
  static of<T> like(const std::array<X, n>&) {
    return {};
  }
  template <class T, class Y>
  static std::vector<std::vector<T>> matrix(const std::vector<T>& elements, const Y& y, const std::array<X, n>&) {
    return detail::rows(elements, y.size(), n);
  }
};

namespace detail {

// What derivatives are of: integers would be computed with as such.
template <class C>
using number_t = typename Container<C>::value_type;
template <class C>
concept Numbers = std::is_floating_point_v<number_t<C>> || is_number<number_t<C>>;

// The inputs as numbers of their own, recorded.
template <class C, class Section>
auto recorded(const C& x, const Section& section) {
  using T = typename Container<C>::value_type;
  auto inputs = Container<C>::template like<BasicReal<T>>(x);
  auto to = std::begin(inputs);
  for (const T& v : x) *to++ = Access::make<T>(v, section.add_input(), false);
  return inputs;
}

// The place of a number among those of a section; none for a constant.
template <class T, class Section>
std::size_t place_in(const Section& section, const BasicReal<T>& y) {
  const std::uint32_t place = Access::index(y) - section.first();
  return place < section.size() ? place : static_cast<std::size_t>(-1);
}

}  // namespace detail

/// A value, and its gradient.
template <class Value, class Gradient>
struct ValueAndGradient {
  Value value;
  Gradient gradient;
};

/// f(x) and its gradient, of the shape of x. f returns a number.
template <class F, detail::Numbers C>
auto value_and_gradient(F&& f, const C& x) {
  using T = typename Container<C>::value_type;
  typename Tape<T>::Section section;
  const auto inputs = detail::recorded(x, section);
  const BasicReal<T> y = f(inputs);
  auto gradient = Container<C>::template like<T>(x);
  if (std::size_t place = detail::place_in(section, y); place < section.size()) {
    std::vector<T>& adjoints = section.tape().adjoints;
    adjoints.assign(section.size(), T(0.0));
    adjoints[place] = T(1.0);
    section.sweep_back(adjoints);
    std::copy_n(adjoints.begin(), inputs.size(), std::begin(gradient));
  }
  return ValueAndGradient<T, decltype(gradient)>{y.value(), std::move(gradient)};
}

/// The gradient of f at x, of the shape of x. f returns a number.
template <class F, detail::Numbers C>
auto gradient(F&& f, const C& x) {
  return value_and_gradient(f, x).gradient;
}

namespace detail {

// The derivatives of the results, at these places of a section, by the inputs, which are its first; m rows of n.
template <class T>
std::vector<T> jacobian_of(const typename Tape<T>::Section& section, const std::vector<std::size_t>& places,
                           std::size_t n) {
  constexpr std::size_t lanes = std::is_same_v<T, double> ? 8 : 1;
  const std::size_t m = places.size();
  std::vector<T> result(m * n);
  const bool by_columns = n < m;
  const std::size_t seeds = by_columns ? n : m, others = by_columns ? m : n;
  std::vector<Lanes<T, lanes>> derivatives;
  for (std::size_t first = 0; first < seeds; first += lanes) {
    const std::size_t count = std::min(lanes, seeds - first);
    auto place = [&](std::size_t i, bool column) { return column ? i : places[i]; };
    derivatives.assign(section.size(), {});
    for (std::size_t k = 0; k < count; ++k)
      if (std::size_t at = place(first + k, by_columns); at < section.size()) derivatives[at].values[k] = T(1.0);
    if (by_columns) section.sweep_forward(derivatives);
    else section.sweep_back(derivatives);
    for (std::size_t i = 0; i < others; ++i)
      if (std::size_t at = place(i, !by_columns); at < section.size())
        for (std::size_t k = 0; k < count; ++k)
          result[by_columns ? i * n + first + k : (first + k) * n + i] = derivatives[at].values[k];
  }
  return result;
}

}  // namespace detail

/// The derivatives of each result of f by each input: row i is the gradient of result i. f returns a container of
/// numbers. By rows or by columns, whichever are fewer, eight at once.
template <class F, detail::Numbers C>
auto jacobian(F&& f, const C& x) {
  using T = typename Container<C>::value_type;
  typename Tape<T>::Section section;
  const auto inputs = detail::recorded(x, section);
  const auto y = f(inputs);
  std::vector<std::size_t> places;
  for (const BasicReal<T>& value : y) places.push_back(detail::place_in(section, value));
  return Container<C>::matrix(detail::jacobian_of<T>(section, places, inputs.size()), y, x);
}

/// The second derivatives of f, which returns a number: row i, column j by inputs i and j. For doubles f is called
/// once, with Reals, and written down; tangents are computed beside the walk back, eight columns at once (forward over
/// reverse).
template <class F, detail::Numbers C>
auto hessian(F&& f, const C& x) {
  using T = typename Container<C>::value_type;
  if constexpr (std::is_same_v<T, double>) {
    RecordedFunction recorded(
        [&](const std::vector<Real>& numbers) {
          auto inputs = Container<C>::template like<Real>(x);
          std::copy(numbers.begin(), numbers.end(), std::begin(inputs));
          return f(std::as_const(inputs));
        },
        std::vector<double>(std::begin(x), std::end(x)));
    return Container<C>::matrix(recorded.hessian_elements(std::vector<double>(std::begin(x), std::end(x))), x, x);
  } else {
    return jacobian([&](const auto& y) { return gradient(f, y); }, x);
  }
}

}  // namespace xtape::scalar
