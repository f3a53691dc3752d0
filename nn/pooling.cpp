#include <nn/pooling.hpp>

#include <autograd/ops/reductions.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

using detail::text;

detail::Windowed::Windowed(const char* name, std::size_t axes, const PerAxis& window, const PerAxis& stride,
                           const PerAxis& padding)
    : window_(window.of(name, "the window", axes)), stride_(stride.of(name, "stride", axes)),
      padding_(padding.of(name, "padding", axes)) {
  detail::require_not_negative(name, "the window", window_);
  detail::require_not_negative(name, "stride", stride_);
  detail::require_not_negative(name, "padding", padding_);
  for (std::size_t i = 0; i < axes; ++i)
    if (window_[i] == 0 || 2 * padding_[i] > window_[i])
      throw ValueError(std::string(name) + ": a window of " + text(window_) + " and a padding of " + text(padding_) +
                       ", needs a window of 1 or more, and at most half of it as padding");
}

std::string detail::Windowed::description() const {
  std::vector<std::size_t> none(window_.size(), 0);
  return text(window_) + (stride_ == none ? "" : ", stride " + text(stride_)) +
         (padding_ == none ? "" : ", padding " + text(padding_));
}

detail::AdaptivePooling::AdaptivePooling(const char* name, std::size_t axes, const PerAxis& extents)
    : extents_(extents.of(name, "the extents", axes)) {
  detail::require_not_negative(name, "the extent", extents_);
  for (std::size_t extent : extents_)
    if (extent == 0) throw ValueError(std::string(name) + ": extents of " + text(extents_) + ", needs 1 or more");
}

std::string detail::AdaptivePooling::description() const { return text(extents_); }

Variable GlobalAvgPool::forward(const Variable& x) {
  if (!x.defined() || x.rank() < 3) detail::refuse_input("GlobalAvgPool", x, "(batch, channels, space...)");
  std::vector<std::ptrdiff_t> space;
  for (std::size_t i = 2; i < x.rank(); ++i) space.push_back(static_cast<std::ptrdiff_t>(i));
  if (x.size() == 0 && x.shape(0) > 0 && x.shape(1) > 0)
    detail::refuse_input("GlobalAvgPool", x, "one element or more of space");
  return mean(x, space);
}

}  // namespace xtape::nn
