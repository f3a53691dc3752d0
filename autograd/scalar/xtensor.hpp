// xtensor's containers for the derivatives of functions of scalars: xt::xarray and xt::xtensor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <autograd/scalar/derivatives.hpp>
#include <autograd/xtensor.hpp>

namespace xtape::scalar {

namespace detail {

// What xtensor's containers have in common. For a y of shape (a, b) and an x of shape (c), the matrix is (a, b, c).
template <class X>
struct XtensorContainer {
  using value_type = typename X::value_type;

  template <class T, class Y>
  static xt::xarray<T> matrix(const std::vector<T>& elements, const Y& y, const X& x) {
    std::vector<std::size_t> shape;
    if constexpr (requires { y.shape(); }) shape.assign(y.shape().begin(), y.shape().end());
    else shape.push_back(y.size());
    shape.insert(shape.end(), x.shape().begin(), x.shape().end());
    xt::xarray<T> result = xt::xarray<T>::from_shape(shape);
    std::copy(elements.begin(), elements.end(), result.begin());
    return result;
  }
};

}  // namespace detail

template <class EC, xt::layout_type L, class SC, class Tag>
struct Container<xt::xarray_container<EC, L, SC, Tag>>
    : detail::XtensorContainer<xt::xarray_container<EC, L, SC, Tag>> {
  template <class T>
  using of = xt::xarray<T, L>;
  template <class T>
  static of<T> like(const xt::xarray_container<EC, L, SC, Tag>& x) {
    return of<T>(x.shape());
  }
};

template <class EC, std::size_t N, xt::layout_type L, class Tag>
struct Container<xt::xtensor_container<EC, N, L, Tag>>
    : detail::XtensorContainer<xt::xtensor_container<EC, N, L, Tag>> {
  template <class T>
  using of = xt::xtensor<T, N, L>;
  template <class T>
  static of<T> like(const xt::xtensor_container<EC, N, L, Tag>& x) {
    return of<T>(x.shape());
  }
};

}  // namespace xtape::scalar
