// Images at another size. Arrays are (batch, channels, space...), with one, two or three axes of space.
#pragma once

#include <string>
#include <vector>

#include <autograd/ops/per_axis.hpp>
#include <autograd/variable.hpp>

namespace xtape {

/// What a pixel of the result is: the one that its place falls into (`nearest` takes the corner of the new pixel for
/// its place, `nearest_exact` the middle), a mean of the next two along each axis (linear), a cubic through four
/// (Keys 1981, with a = -0.75), or the mean of all that it covers (area). Those of one kind are named by the axes.
enum class Interpolation { nearest, nearest_exact, linear, bilinear, trilinear, bicubic, area };
std::string to_string(Interpolation mode);

struct InterpolateOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  PerAxis size = 0;                       ///< the result's extents, or
  std::vector<double> scale_factor = {};  ///< how many times x's they are, rounded down; one for all axes, or for each
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;           ///< of the linear ones and bicubic: pixels are points, the outermost ones stay
  bool recompute_scale_factor = false;  ///< whether places follow from the rounded extents, not from the scale factor
};

/// x (batch, channels, space...) at another size. The pixels are areas: the centre of pixel i of n is at (i + 0.5) / n,
/// or at (i + 0.5) / (extent scale_factor) where that is given.
/// @throws ShapeError for shapes that do not fit, ValueError for options that do not.
Variable interpolate(const Variable& x, const InterpolateOptions& options);

/// The same of x (batch, channels, height, width).
Variable interpolate(const Variable& x, std::size_t height, std::size_t width,
                     Interpolation mode = Interpolation::nearest, bool align_corners = false);

}  // namespace xtape
