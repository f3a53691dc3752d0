#include <autograd/ops/grid_sample.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape {
namespace {

// Mirrored at both edges until it is within.
Variable reflected(const Variable& place, double low, double high) {
  if (low == high) return place * 0;
  double extent = high - low;
  Variable beyond = abs(place - low), turns = floor(beyond / extent), rest = beyond - turns * extent;
  Variable back = equal(remainder(turns, 2), 1);
  return where(back, extent - rest, rest) + low;
}

// Coordinates from -1 to 1 as numbers of pixels of an axis, within the image unless there are zeros around it.
Variable in_pixels(const Variable& coordinate, std::size_t pixels, const GridSampleOptions& options) {
  auto n = static_cast<double>(pixels);
  Variable place = options.align_corners ? (coordinate + 1) * ((n - 1) / 2) : ((coordinate + 1) * n - 1) / 2;
  if (options.padding == GridPadding::zeros) return place;
  if (options.padding == GridPadding::reflection)
    place = options.align_corners ? reflected(place, 0, n - 1) : reflected(place, -0.5, n - 0.5);
  // The derivative beyond the edge, and on it, is 0.
  return where(place > 0 && place < n - 1, place, clip(place.detach(), 0, n - 1));
}

// A pixel of an axis for each place, and how much of it is read there.
struct Reading {
  Variable pixel, weight;
};

std::vector<Reading> readings(const Variable& place, bool nearest) {
  if (nearest) return {{round(place.detach()), ones_like(place)}};
  Variable before = floor(place.detach()), way = place - before;
  return {{before, 1 - way}, {before + 1, way}};
}

}  // namespace

Variable grid_sample(const Variable& x, const Variable& places, const GridSampleOptions& options) {
  detail::Calling calling("grid_sample");
  detail::require_floating("grid_sample", x);
  detail::require_floating("grid_sample", places);
  std::size_t axes = x.rank() < 2 ? 0 : x.rank() - 2;
  if ((axes != 2 && axes != 3) || places.rank() != x.rank() || places.shape(0) != x.shape(0) || places.shape(-1) != axes)
    throw ShapeError("grid_sample: images of " + to_string(x.shape()) + " at places of " + to_string(places.shape()) +
                     ": needs (batch, channels, space...) and (batch, space..., d) with two or three axes of space");
  for (std::size_t i = 0; i < axes; ++i)
    if (x.shape()[2 + i] == 0) throw ShapeError("grid_sample: images of " + to_string(x.shape()) + " have no pixels");

  // All combinations of the readings along each axis: the pixel's number in the image, and how much of it is read.
  Shape flat{x.shape()[0], 1, places.size() / std::max<std::size_t>(x.shape()[0] * axes, 1)};
  std::vector<Reading> all{{zeros(flat, int64), ones(flat, x.dtype())}};
  for (std::size_t i = 0; i < axes; ++i) {
    std::size_t pixels = x.shape()[2 + i];
    auto last = static_cast<double>(pixels - 1);
    Variable coordinate = reshape(places[{ellipsis, axes - 1 - i}], flat);
    std::vector<Reading> more;
    for (const Reading& along : readings(in_pixels(coordinate, pixels, options), options.nearest)) {
      Variable inside = (along.pixel >= 0 && along.pixel <= last).to(x.dtype());
      Variable pixel = nan_to_num(clip(along.pixel, 0, last)).to(int64);
      for (const Reading& before : all)
        more.push_back({before.pixel * pixels + pixel, before.weight * along.weight * inside});
    }
    all = std::move(more);
  }

  std::size_t size = element_count(Shape(x.shape().begin() + 2, x.shape().end()));
  Variable image = reshape(x, {x.shape()[0], x.shape()[1], size}), result;
  for (const Reading& reading : all) {
    Variable part = take_along_axis(image, reading.pixel, -1) * reading.weight;
    result = result.defined() ? result + part : part;
  }
  Shape shape{x.shape()[0], x.shape()[1]};
  shape.insert(shape.end(), places.shape().begin() + 1, places.shape().end() - 1);
  return reshape(result, shape);
}

Variable affine_grid(const Variable& matrices, const Dims& dims, bool align_corners) {
  detail::Calling calling("affine_grid");
  detail::require_floating("affine_grid", matrices);
  Shape shape = dims.shape("affine_grid");
  std::size_t axes = shape.size() < 2 ? 0 : shape.size() - 2;
  if ((axes != 2 && axes != 3) || matrices.shape() != Shape{shape[0], axes, axes + 1})
    throw ShapeError("affine_grid: matrices of " + to_string(matrices.shape()) + " for images of " + to_string(shape) +
                     ": needs (batch, d, d + 1) and (batch, channels, space...) with two or three axes of space");
  // The coordinates along each axis of space, the last one first, and ones.
  Shape space(shape.begin() + 2, shape.end());
  std::vector<Variable> coordinates;
  for (std::size_t i = axes; i-- > 0;) {
    auto n = static_cast<double>(space[i]);
    double edge = align_corners ? 1 : (n - 1) / n;
    Variable along = space[i] == 1 ? zeros({1}, matrices.dtype()) : linspace(-edge, edge, space[i], matrices.dtype());
    Shape spread(axes - i, 1);
    spread[0] = space[i];
    coordinates.push_back(broadcast_to(reshape(along, spread), space));
  }
  coordinates.push_back(ones(space, matrices.dtype()));
  Variable points = reshape(stack(coordinates, -1), {1, -1, axes + 1});
  Shape result{shape[0]};
  result.insert(result.end(), space.begin(), space.end());
  result.push_back(axes);
  return reshape(matmul(points, swapaxes(matrices, -1, -2)), result);
}

}  // namespace xtape
