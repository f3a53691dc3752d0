// Pooling over one, two or three axes of space. Arrays are (batch, channels, space...), as in PyTorch; a single image
// may do without the batch.
#pragma once

#include <optional>

#include <autograd/ops/per_axis.hpp>
#include <autograd/ops/with_indices.hpp>
#include <autograd/variable.hpp>

namespace xtape {

struct PoolOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis stride = 0;      ///< 0: the extent of the window
  PerAxis padding = 0;     ///< at most half of the window
  PerAxis dilation = 1;    ///< of max_pool only
  bool ceil_mode = false;  ///< whether a last window may reach beyond the end
};

struct AvgPoolOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis stride = 0;
  PerAxis padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;               ///< whether zeros of the padding count
  std::optional<std::ptrdiff_t> divisor_override = std::nullopt;  ///< what sums are divided by, instead of their count
};

/// The greatest element of each window; of equal ones the first takes the gradient. NaN is the greatest; of several the
/// last takes the gradient, as in PyTorch.
/// @throws ShapeError for shapes that do not fit, ValueError for a window or dilation of 0 or too large a padding.
Variable max_pool1d(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
Variable max_pool2d(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
Variable max_pool3d(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
/// The same, and where each stands, as int64, counted over the axes of space together: PyTorch's return_indices.
WithIndices max_pool1d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
WithIndices max_pool2d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
WithIndices max_pool3d_with_indices(const Variable& x, const PerAxis& window, const PoolOptions& options = {});
/// The mean of each window. @throws as max_pool1d.
Variable avg_pool1d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options = {});
Variable avg_pool2d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options = {});
Variable avg_pool3d(const Variable& x, const PerAxis& window, const AvgPoolOptions& options = {});

/// Pooling to a result of these extents: window i of n begins at floor(i s / n) and ends at ceil((i + 1) s / n).
/// An axis stays as it is (None in PyTorch) for its own extent: `{x.shape(-2), 7}`.
Variable adaptive_max_pool1d(const Variable& x, const PerAxis& extents);
Variable adaptive_max_pool2d(const Variable& x, const PerAxis& extents);
Variable adaptive_max_pool3d(const Variable& x, const PerAxis& extents);
WithIndices adaptive_max_pool1d_with_indices(const Variable& x, const PerAxis& extents);
WithIndices adaptive_max_pool2d_with_indices(const Variable& x, const PerAxis& extents);
WithIndices adaptive_max_pool3d_with_indices(const Variable& x, const PerAxis& extents);
Variable adaptive_avg_pool1d(const Variable& x, const PerAxis& extents);
Variable adaptive_avg_pool2d(const Variable& x, const PerAxis& extents);
Variable adaptive_avg_pool3d(const Variable& x, const PerAxis& extents);

}  // namespace xtape
