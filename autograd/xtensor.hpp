// The one place that includes xtensor: it finds the headers of either layout
// (xtensor 0.26 moved its containers into a folder of their own).
#pragma once

#include <cstddef>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xstorage.hpp>
#if defined(__clang__) && __clang_major__ >= 19
namespace xt {
// The type of an array's strides. Of xtensor 0.24's own specializations clang 19 finds that two fit, as C++17 has it (P0522).
template <>
struct rebind_container<std::ptrdiff_t, svector<std::size_t, 4>> {
  using type = svector<std::ptrdiff_t, 4>;
};
}  // namespace xt
#endif
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#endif
