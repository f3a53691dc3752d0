// Images read at any places. Places are (batch, space..., d), where d is the number of axes of space, 2 or 3: each is
// (x, y) or (x, y, z), the last axis of space first, from -1 at one edge of the image to 1 at the other (Jaderberg et al.
// 2015, Spatial transformer networks).
#pragma once

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// What is read beyond the image: zeros, the pixel at the edge, or the image mirrored at its edges.
enum class GridPadding { zeros, border, reflection };

struct GridSampleOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  bool nearest = false;  ///< the nearest pixel instead of a linear mixture of those around the place
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;  ///< -1 and 1 are the centres of the outermost pixels, not their edges
};

/// The pixels of x (batch, channels, space...) at the places: (batch, channels, the places' space...).
/// @throws ShapeError for shapes that do not fit.
Variable grid_sample(const Variable& x, const Variable& places, const GridSampleOptions& options = {});

/// The places that an affine map gives those of an image of `shape` (batch, channels, space...): for matrices
/// (batch, d, d + 1), the matrix times (x, y, 1) or (x, y, z, 1).
/// @throws ShapeError for shapes that do not fit.
Variable affine_grid(const Variable& matrices, const Dims& shape, bool align_corners = false);

}  // namespace xtape
