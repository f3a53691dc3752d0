// A function of one sample as a function of a batch.
#pragma once

#include <optional>
#include <vector>

#include <autograd/by_name.hpp>
#include <autograd/typed_function.hpp>

namespace xtape {

/// Options of `vmap`.
struct VmapOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  /// The axis of each input along which its samples lie; `none` for an input that is the same for all of them. One number
  /// does for all inputs. Those of a tree are counted in the order of `tree_leaves`.
  std::vector<std::optional<std::ptrdiff_t>> in_axes = {0};
  /// The axis of each result along which its samples are to lie; one number does for all.
  std::vector<std::ptrdiff_t> out_axes = {0};
};

namespace detail {
std::vector<Variable> flat_vmap(const FlatCall& call, const VmapOptions& options);
}

/// f of each sample: of the slices of `inputs` along an axis, whose results are stacked. Inputs and results are what they
/// are for the transforms of transforms.hpp: lists, Variables alone, trees.
///
///     // The gradient of the loss for each of many samples (x[i], y[i]).
///     auto of_one = [&](const Variable& x, const Variable& y) {
///       return grad([&](auto& w) { return loss(w, x, y); }, w);
///     };
///     Variable gradients = vmap(of_one, {xs, ys});
///
/// f is called once, with Variables of the shape of one sample that stand for all: the operations that it does are done
/// for all samples at once. Where that cannot be, f is called once more for each sample, in their order: where it reads
/// elements (`item()`, an `if` on a value), draws random numbers, writes to a Variable that it captured, or uses an
/// operation that has no rule for it. So the results are always those of the loop. What else f does, such as to count its
/// calls, it may do more often or less.
///
/// It nests with itself and all other transforms, and derivatives of the results are those of the loop, too. What the
/// function captures that needs a gradient, it records; within NoGrad, it takes less time and memory.
/// @throws ValueError unless there is an axis for each input and one of them has samples, ShapeError when they differ in
/// the number of samples, or the results in their shapes; and what f throws.
template <detail::NoVariables F, Tree T = std::vector<Variable>>
auto vmap(F&& f, const T& inputs, const VmapOptions& options = {}) {
  const detail::Input<T>& at = inputs;
  detail::TypedFunction<std::remove_reference_t<F>, detail::Input<T>> typed("vmap", f, at);
  static_assert(!typed.has_aux, "what differs from sample to sample is a result of vmap as any other");
  return typed.as_value(detail::flat_vmap(typed.flat(), options));
}

}  // namespace xtape
