#include <autograd/ops/convolution.hpp>

#include <algorithm>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/convolution.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/padding.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/space.hpp>
#include <autograd/ops/views.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using namespace detail;
using kernels::Windows;

namespace {

// Which convolution it is, but for its operands.
struct Convolution {
  const char* name;
  std::size_t axes, groups;
  Windows windows;
  bool transposed = false, relu = false;

  // The elements along an axis, padding included, beyond those that the windows cover. Negative where "same" padding is
  // uneven.
  std::ptrdiff_t rest(std::size_t axis) const {
    std::size_t covered = (windows.positions[axis] - 1) * windows.stride[axis] + reach(windows, axis);
    return static_cast<std::ptrdiff_t>(windows.space[axis] + 2 * windows.padding[axis]) -
           static_cast<std::ptrdiff_t>(covered);
  }

  Attributes attributes() const {
    std::vector<std::ptrdiff_t> rests;
    for (std::size_t axis = 3 - axes; axis < 3; ++axis) rests.push_back(rest(axis));
    Attributes result{{"stride", last_of(windows.stride, axes)},
                      {"padding", last_of(windows.padding, axes)},
                      {"dilation", last_of(windows.dilation, axes)},
                      {"groups", groups}};
    if (relu) result.emplace_back("relu", relu);
    if (transposed) result.emplace_back("output_padding", rests);
    else if (std::ranges::any_of(rests, [](std::ptrdiff_t r) { return r < 0; })) result[1] = {"padding", "same"};
    return result;
  }
};

// Three maps, each linear in both of its operands: y of x and w, and the adjoints of that in x and in w. The derivatives
// of each are the other two.
Variable convolve(const Convolution& c, const Variable& x, const Variable& w, const Variable& bias = {});
Variable convolve_input(const Convolution& c, const Variable& g, const Variable& w, const Variable& bias = {});
Variable convolve_weight(const Convolution& c, const Variable& x, const Variable& g);

using Map = Variable (*)(const Convolution&, const Variable&, const Variable&, const Variable&);

// A map of images in many samples: all at once where they share the kernel and the bias.
Variable mapped_images(const Batch& batch, const Convolution& c, Map map) {
  const bool has_bias = batch.operands() == 3;
  if (!batch.is_mapped(1) && !(has_bias && batch.is_mapped(2)))
    return batch.apart(map(c, batch.joined(0), batch.as_given(1), has_bias ? batch.as_given(2) : Variable()),
                       batch[0].shape()[1]);
  return batch.each([&](const std::vector<Variable>& xs) { return map(c, xs[0], xs[1], has_bias ? xs[2] : Variable()); });
}

// A map that adds a bias to each channel, unless that is undefined.
template <class Forward, class A, class B, class TA, class TB>
Variable record_with_bias(const Convolution& c, Map map, const Forward& forward, Wrt<A, TA> a, Wrt<B, TB> b,
                          const Variable& bias) {
  auto in_each = [map](const Batch& batch, const Convolution& c) { return mapped_images(batch, c, map); };
  if (!bias.defined()) {
    auto unbiased = [forward](const Array& x, const Array& w, const Convolution& c) { return forward(x, w, Array(), c); };
    return record(op(c.name, c).mapped(in_each), unbiased, std::move(a), std::move(b));
  }
  return record(op(c.name, c).mapped(in_each), forward, std::move(a), std::move(b),
                wrt(bias, [](const Variable& g) {
                  std::vector<std::ptrdiff_t> axes{0};
                  for (std::size_t i = 2; i < g.rank(); ++i) axes.push_back(static_cast<std::ptrdiff_t>(i));
                  return sum(g, axes);
                }, [axes = c.axes](const Variable& t) {
                  Shape shape(axes + 1, 1);
                  shape[0] = t.size();
                  return reshape(t, shape);
                }));
}

Variable convolve(const Convolution& c, const Variable& x, const Variable& w, const Variable& bias) {
  return record_with_bias(
      c, convolve,
      [](const Array& x, const Array& w, const Array& b, const Convolution& c) {
        return kernels::convolve(x, w, b, c.groups, c.windows,
                                 images_shape(x.shape()[0], w.shape()[0], c.windows.positions, c.axes), c.relu);
      },
      wrt(x, [c, w = save(w)](const Variable& g) { return convolve_input(c, g, w()); },
          [c, w = save(w)](const Variable& t) { return convolve(c, t, w()); }),
      wrt(w, [c, x = save(x)](const Variable& g) { return convolve_weight(c, x(), g); },
          [c, x = save(x)](const Variable& t) { return convolve(c, x(), t); }), bias);
}

Variable convolve_input(const Convolution& c, const Variable& g, const Variable& w, const Variable& bias) {
  return record_with_bias(
      c, convolve_input,
      [](const Array& g, const Array& w, const Array& b, const Convolution& c) {
        return kernels::convolve_input(g, w, b, c.groups, c.windows,
                                       images_shape(g.shape()[0], w.shape()[1] * c.groups, c.windows.space, c.axes));
      },
      wrt(g, [c, w = save(w)](const Variable& h) { return convolve(c, h, w()); },
          [c, w = save(w)](const Variable& t) { return convolve_input(c, t, w()); }),
      wrt(w, [c, g = save(g)](const Variable& h) { return convolve_weight(c, h, g()); },
          [c, g = save(g)](const Variable& t) { return convolve_input(c, g(), t); }), bias);
}

Variable convolve_weight(const Convolution& c, const Variable& x, const Variable& g) {
  auto in_each = [](const Batch& batch, const Convolution& c) {
    return batch.each([&](const std::vector<Variable>& xs) { return convolve_weight(c, xs[0], xs[1]); });
  };
  return record(
      op(c.name, c).mapped(in_each),
      [](const Array& x, const Array& g, const Convolution& c) {
        Shape shape = images_shape(g.shape()[1], x.shape()[1] / c.groups, c.windows.extent, c.axes);
        return kernels::convolve_weight(x, g, c.groups, c.windows, shape);
      },
      wrt(x, [c, g = save(g)](const Variable& v) { return convolve_input(c, g(), v); },
          [c, g = save(g)](const Variable& t) { return convolve_weight(c, t, g()); }),
      wrt(g, [c, x = save(x)](const Variable& v) { return convolve(c, x(), v); },
          [c, x = save(x)](const Variable& t) { return convolve_weight(c, x(), t); }));
}

// The checks that both kinds of convolution make, of images as they were given and as a batch x.
void require_fitting(const char* operation, std::size_t axes, const Variable& images, const Variable& x,
                     const Variable& w, const Variable& bias, std::size_t groups, std::size_t w_channels_axis) {
  require_floating(operation, w);
  std::string text = std::string(operation) + ": " + to_string(images.shape()) + " with a kernel " + to_string(w.shape());
  if (groups == 0) throw ValueError(text + ": 0 groups, needs 1 or more");
  if (w.rank() != axes + 2) throw ShapeError(text + ": needs a kernel of " + std::to_string(axes + 2) + " axes");
  bool forward = w_channels_axis == 1;
  std::size_t in = w.shape()[w_channels_axis] * (forward ? groups : 1);
  std::size_t out = w.shape()[1 - w_channels_axis] * (forward ? 1 : groups);
  if (in != x.shape(1) || in == 0 || out == 0 || in % groups != 0 || out % groups != 0)
    throw ShapeError(text + ": channels do not fit, in " + std::to_string(groups) + " groups");
  if (bias.defined() && (bias.rank() != 1 || bias.shape(0) != out))
    throw ShapeError(text + ": a bias " + to_string(bias.shape()) + " for " + std::to_string(out) + " channels");
  for (auto& [what, operand] : {std::pair("kernel", &w), std::pair("bias", &bias)})
    if (operand->defined() && operand->dtype() != x.dtype())
      throw DTypeError(text + ": a " + what + " of " + to_string(operand->dtype()) + " for images of " +
                       to_string(x.dtype()) + "; convert one with .to()");
}

Variable forward(const char* operation, std::size_t axes, const Variable& images, const Variable& w,
                 const Variable& bias, const ConvOptions& options) {
  return for_batch(operation, axes, images, [&](const Variable& x) {
    require_fitting(operation, axes, images, x, w, bias, options.groups, 1);
    const Padding& padding = options.padding;
    Windows windows = windows_of(operation, space_of(w.shape(), axes), options.stride, padding.numbers(),
                                 options.dilation);
    if (padding.same()) lay_evenly(operation, windows, axes, images.shape());
    else lay_over(operation, windows, axes, images.shape());
    Convolution c{operation, axes, options.groups, windows};
    c.relu = options.relu && !recording(x, w) && !(bias.defined() && recording(bias));
    Variable y = convolve(c, x, w, bias);
    return options.relu && !c.relu ? relu(y) : y;
  });
}

Variable transposed(const char* operation, std::size_t axes, const Variable& images, const Variable& w,
                    const Variable& bias, const ConvTransposeOptions& options) {
  return for_batch(operation, axes, images, [&](const Variable& x) {
    require_fitting(operation, axes, images, x, w, bias, options.groups, 0);
    Windows windows =
        windows_of(operation, space_of(w.shape(), axes), options.stride, options.padding, options.dilation);
    Extents positions = space_of(x.shape(), axes), more = options.output_padding.of(operation, "output_padding", axes);
    require_space(operation, x.shape(), axes);
    set_last(windows.positions, positions);
    for (std::size_t k = 0; k < axes; ++k) {
      std::size_t i = 3 - axes + k, padding = windows.padding[i];
      if (more[k] >= std::max(windows.stride[i], windows.dilation[i]))
        throw ValueError(std::string(operation) + ": an output_padding of " + std::to_string(more[k]) +
                         ", needs less than the stride or the dilation");
      std::size_t full = (positions[k] - 1) * windows.stride[i] + reach(windows, i) + more[k];
      if (2 * padding >= full)
        throw ShapeError(std::string(operation) + ": a padding of " + std::to_string(padding) + " cuts off all " +
                         std::to_string(full) + " elements of axis " + std::to_string(images.rank() - axes + k));
      windows.space[i] = full - 2 * padding;
    }
    return convolve_input({operation, axes, options.groups, windows, true}, x, w, bias);
  });
}

}  // namespace

Variable conv1d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return forward("conv1d", 1, x, kernel, bias, options);
}
Variable conv2d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return forward("conv2d", 2, x, kernel, bias, options);
}
Variable conv3d(const Variable& x, const Variable& kernel, const Variable& bias, const ConvOptions& options) {
  return forward("conv3d", 3, x, kernel, bias, options);
}

Variable conv_transpose1d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return transposed("conv_transpose1d", 1, x, kernel, bias, options);
}
Variable conv_transpose2d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return transposed("conv_transpose2d", 2, x, kernel, bias, options);
}
Variable conv_transpose3d(const Variable& x, const Variable& kernel, const Variable& bias,
                          const ConvTransposeOptions& options) {
  return transposed("conv_transpose3d", 3, x, kernel, bias, options);
}

namespace {

// The windows' elements in images with their padding: a view of shape (batch, channels, extents..., positions...),
// which reads what overlaps more than once.
kernels::View windows_view(const Shape& padded, const Windows& w) {
  kernels::Strides strides = kernels::dense_strides(padded);
  kernels::View view{{padded[0], padded[1]}, {strides[0], strides[1]}, 0};
  for (std::size_t i : {1, 2}) {
    view.shape.push_back(w.extent[i]);
    view.strides.push_back(strides[i + 1] * static_cast<std::ptrdiff_t>(w.dilation[i]));
  }
  for (std::size_t i : {1, 2}) {
    view.shape.push_back(w.positions[i]);
    view.strides.push_back(strides[i + 1] * static_cast<std::ptrdiff_t>(w.stride[i]));
  }
  return view;
}

Shape padded_shape(std::size_t batch, std::size_t channels, const Windows& w) {
  return {batch, channels, w.space[1] + 2 * w.padding[1], w.space[2] + 2 * w.padding[2]};
}

}  // namespace

Variable unfold(const Variable& images, const PerAxis& window, const UnfoldOptions& options) {
  return for_batch("unfold", 2, images, [&](const Variable& x) {
    Windows w = windows_of("unfold", window.of("unfold", "window", 2), options.stride, options.padding, options.dilation);
    lay_over("unfold", w, 2, images.shape());
    Variable source = pad(x, {{0, 0}, {0, 0}, {w.padding[1], w.padding[1]}, {w.padding[2], w.padding[2]}});
    Variable columns = read_part("unfold", source, windows_view(source.shape(), w));
    return reshape(columns, {x.shape(0), x.shape(1) * w.elements(), w.windows()});
  });
}

Variable fold(const Variable& columns, const PerAxis& extents, const PerAxis& window, const UnfoldOptions& options) {
  require_floating("fold", columns);
  if (columns.rank() == 2) return squeeze(fold(expand_dims(columns, 0), extents, window, options), 0);
  Windows w = windows_of("fold", window.of("fold", "window", 2), options.stride, options.padding, options.dilation);
  if (columns.rank() != 3 || columns.shape(1) % w.elements() != 0)
    throw ShapeError("fold: " + to_string(columns.shape()) + ", needs (batch, channels * " +
                     std::to_string(w.elements()) + ", windows)");
  Shape images{columns.shape(0), columns.shape(1) / w.elements()};
  for (std::size_t extent : extents.of("fold", "extents", 2)) images.push_back(extent);
  lay_over("fold", w, 2, images);
  if (columns.shape(2) != w.windows())
    throw ShapeError("fold: " + to_string(columns.shape()) + " has " + std::to_string(columns.shape(2)) +
                     " windows, needs the " + std::to_string(w.windows()) + " of " + to_string(images));
  Shape padded = padded_shape(images[0], images[1], w);
  kernels::View view = windows_view(padded, w);
  std::vector<Index> inside{range(), range()};
  for (std::size_t i : {1, 2})
    inside.push_back(range(static_cast<std::ptrdiff_t>(w.padding[i]),
                           static_cast<std::ptrdiff_t>(w.padding[i] + w.space[i])));
  return slice(write_part("fold", reshape(columns, view.shape), padded, view), inside);
}

}  // namespace xtape
