// Fused functions of the library itself, compiled for each target.
#pragma once

#include <autograd/fuse.hpp>
#include <autograd/kernels/target.hpp>

namespace xtape::fused {

/// Each that is called must be of a CompiledFusion of a source in a folder of targets.
template <kernels::Target target, class T, class F, class L, unsigned order>
void fused_row_on(const F& f, const kernels::Place* places, const std::ptrdiff_t* step, std::size_t n);

struct RowsOfTargets {
  template <class T, class F, class L, unsigned order>
  static auto row() {
    return kernels::with_target([]<kernels::Target target>() { return &fused_row_on<target, T, F, L, order>; });
  }
};

/// As `fuse`, for an f of a type that has a name.
template <unsigned compiled_orders, class F, class... Xs>
auto fuse_on_targets(const F& f, const Xs&... xs) {
  return detail::fuse_with<RowsOfTargets, compiled_orders>(f, xs...);
}

}  // namespace xtape::fused
