#include <autograd/ops/interpolation.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/pooling.hpp>
#include <autograd/ops/space.hpp>

namespace xtape {

using namespace detail;

namespace {

// How an axis of `from` pixels becomes one of `to`, whose pixels are `step` old ones apart.
struct Resampling {
  std::size_t from, to;
  double step;
  bool align_corners;

  // Where pixel i stands, in pixels; below 0 perhaps.
  double place(std::size_t i) const {
    auto at = static_cast<double>(i);
    return align_corners ? at * step : (at + 0.5) * step - 0.5;
  }
};

// Each pixel of an axis is a sum of terms: a weight times the pixel at a place, which is that of the edge beyond it.
struct Term {
  std::vector<std::ptrdiff_t> from;
  std::vector<double> weights;  // empty for ones
};

// What ought to be whole is, once it is rounded.
std::ptrdiff_t whole_part(double x) { return static_cast<std::ptrdiff_t>(std::floor(static_cast<float>(x))); }

std::vector<Term> nearest(const Resampling& r, bool exact) {
  Term term;
  for (std::size_t i = 0; i < r.to; ++i)
    term.from.push_back(whole_part((static_cast<double>(i) + (exact ? 0.5 : 0)) * r.step));
  return {term};
}

// The terms of the pixels that begin `before` the one left of the place, weighed by their distance from the place.
template <class Weight>
std::vector<Term> weighed(const Resampling& r, std::ptrdiff_t before, std::size_t count, double least, Weight weight) {
  std::vector<Term> terms(count);
  for (std::size_t i = 0; i < r.to; ++i) {
    double place = std::max(r.place(i), least), left = std::floor(place);
    for (std::size_t k = 0; k < count; ++k) {
      std::ptrdiff_t shift = static_cast<std::ptrdiff_t>(k) - before;
      terms[k].from.push_back(static_cast<std::ptrdiff_t>(left) + shift);
      terms[k].weights.push_back(weight(std::abs(place - left - static_cast<double>(shift))));
    }
  }
  return terms;
}

double linear_weight(double distance) { return 1 - distance; }

double cubic_weight(double d) {
  constexpr double a = -0.75;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

std::vector<Term> terms_of(Interpolation mode, const Resampling& r) {
  switch (mode) {
    case Interpolation::nearest: return nearest(r, false);
    case Interpolation::nearest_exact: return nearest(r, true);
    case Interpolation::bicubic: return weighed(r, 1, 4, -1, cubic_weight);
    default: return weighed(r, 0, 2, 0, linear_weight);
  }
}

// The sum of the terms along an axis.
Variable sum_along(const Variable& x, std::size_t axis, const std::vector<Term>& terms) {
  Variable total;
  auto last = static_cast<std::ptrdiff_t>(x.shape()[axis]) - 1;
  for (const Term& term : terms) {
    Variable places = clip(Variable(xt::adapt(term.from, {term.from.size()})), 0, last);
    Variable part = take(x, places, static_cast<std::ptrdiff_t>(axis));
    if (term.weights.empty()) return part;
    Shape spread(x.rank() - axis, 1);
    spread[0] = term.weights.size();
    part = part * Variable(xt::adapt(term.weights, spread)).to(x.dtype());
    total = total.defined() ? total + part : part;
  }
  return total;
}

// Whether a mode is one for so many axes of space.
bool fits(Interpolation mode, std::size_t axes) {
  switch (mode) {
    case Interpolation::linear: return axes == 1;
    case Interpolation::bilinear:
    case Interpolation::bicubic: return axes == 2;
    case Interpolation::trilinear: return axes == 3;
    default: return true;
  }
}

bool has_corners(Interpolation mode) {
  return mode != Interpolation::nearest && mode != Interpolation::nearest_exact && mode != Interpolation::area;
}

std::vector<Resampling> resamplings(const InterpolateOptions& options, const Extents& space) {
  std::size_t axes = space.size();
  Extents size = options.size.of("interpolate", "size", axes);
  std::vector<double> scale = options.scale_factor;
  if (scale.size() == 1) scale.assign(axes, scale[0]);
  bool by_scale = !scale.empty();
  if (by_scale == (size != Extents(axes, 0)))
    throw ValueError("interpolate: needs either a size or a scale_factor");
  if (by_scale && scale.size() != axes)
    throw ShapeError("interpolate: " + std::to_string(scale.size()) + " numbers for scale_factor, needs one, or " +
                     std::to_string(axes));
  std::vector<Resampling> result;
  for (std::size_t i = 0; i < axes; ++i) {
    auto from = static_cast<double>(space[i]);
    double to = by_scale ? std::floor(from * scale[i]) : static_cast<double>(size[i]);
    if (!(to >= 1 && to < 0x1p31))
      throw ValueError("interpolate: an extent of " + std::to_string(space[i]) + " becomes " + std::to_string(to) +
                       ", needs 1 to 2^31 - 1");
    double step = options.align_corners                          ? (from - 1) / std::max(to - 1, 1.0)
                  : by_scale && !options.recompute_scale_factor ? 1 / scale[i]
                                                                 : from / to;
    result.push_back({space[i], static_cast<std::size_t>(to), step, options.align_corners});
  }
  return result;
}

}  // namespace

std::string to_string(Interpolation mode) {
  constexpr const char* names[] = {"nearest", "nearest_exact", "linear", "bilinear", "trilinear", "bicubic", "area"};
  return names[static_cast<std::size_t>(mode)];
}

Variable interpolate(const Variable& x, const InterpolateOptions& options) {
  require_floating("interpolate", x);
  if (x.rank() < 3 || x.rank() > 5 || std::count(x.shape().begin() + 1, x.shape().end(), 0u) > 0)
    throw ShapeError("interpolate: " + to_string(x.shape()) +
                     ", needs (batch, channels, space...), not empty, with one, two or three axes of space");
  std::size_t axes = x.rank() - 2;
  if (!fits(options.mode, axes))
    throw ValueError("interpolate: " + to_string(options.mode) + " for " + to_string(x.shape()) +
                     ", needs linear, bilinear or bicubic, or trilinear for one, two, or three axes of space");
  if (options.align_corners && !has_corners(options.mode))
    throw ValueError("interpolate: align_corners with " + to_string(options.mode) +
                     ", needs a linear mode or bicubic");
  std::vector<Resampling> along = resamplings(options, space_of(x.shape(), axes));
  if (options.mode == Interpolation::area) {
    Extents extents;
    for (const Resampling& r : along) extents.push_back(r.to);
    return (axes == 1 ? adaptive_avg_pool1d : axes == 2 ? adaptive_avg_pool2d : adaptive_avg_pool3d)(x, extents);
  }
  Variable result = x;
  for (std::size_t i = 0; i < axes; ++i) result = sum_along(result, i + 2, terms_of(options.mode, along[i]));
  return result;
}

Variable interpolate(const Variable& x, std::size_t height, std::size_t width, Interpolation mode, bool align_corners) {
  if (x.defined() && x.rank() != 4)
    throw ShapeError("interpolate: " + to_string(x.shape()) + ", needs (batch, channels, height, width)");
  return interpolate(x, {.size = {height, width}, .mode = mode, .align_corners = align_corners});
}

}  // namespace xtape
