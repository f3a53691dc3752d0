#include <autograd/shape.hpp>

#include <algorithm>
#include <limits>
#include <ostream>

#include <autograd/error.hpp>

namespace xtape {

std::size_t element_count(const Shape& shape) {
  // Bytes are counted with the widest dtype, and pointer differences are signed.
  constexpr std::size_t limit = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double);
  std::size_t count = 1;
  bool too_large = false;
  for (std::size_t extent : shape) {
    if (extent == 0) return 0;
    too_large = too_large || count > limit / extent;
    count *= extent;
  }
  if (too_large) throw ShapeError("shape: " + to_string(shape) + " has more elements than memory can address");
  return count;
}

std::string to_string(const Shape& shape) { return detail::tuple_text(shape); }
std::string Dims::text() const { return detail::tuple_text(extents_); }

void Dims::too_large(std::uint64_t extent) {
  throw ShapeError("shape: an extent of " + std::to_string(extent) + " is more than memory can address");
}

Shape Dims::shape(const char* operation) const {
  for (std::ptrdiff_t extent : extents_)
    if (extent < 0) throw ShapeError(std::string(operation) + ": shape " + text() + " has a negative extent");
  return Shape(extents_.begin(), extents_.end());
}

Shape Dims::shape(const char* operation, std::size_t size) const {
  std::vector<std::ptrdiff_t> extents = extents_;
  auto unknown = std::find(extents.begin(), extents.end(), -1);
  if (unknown != extents.end()) *unknown = 1;
  Shape result = Dims(extents).shape(operation);
  std::size_t known = element_count(result);
  if (unknown != extents.end() && known != 0 && size % known == 0)
    result[static_cast<std::size_t>(unknown - extents.begin())] = size / known;
  if (element_count(result) != size || (unknown != extents.end() && known == 0))
    throw ShapeError(std::string(operation) + ": " + std::to_string(size) + " elements do not fit shape " + text());
  return result;
}

Shape broadcast_shapes(const char* operation, const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  std::size_t lead = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::size_t& extent = result[lead + i];
    if (extent == shorter[i] || shorter[i] == 1) continue;
    if (extent != 1)
      throw ShapeError(std::string(operation) + ": shapes " + to_string(a) + " and " + to_string(b) +
                       " do not broadcast: axis " + std::to_string(lead + i) + " is " + std::to_string(extent) +
                       " against " + std::to_string(shorter[i]) + ", needs equal extents or a 1");
    extent = shorter[i];
  }
  return result;
}

std::size_t normalize_axis(const char* operation, std::ptrdiff_t axis, std::size_t rank) {
  auto signed_rank = static_cast<std::ptrdiff_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank)
    throw ShapeError(std::string(operation) + ": axis " + std::to_string(axis) + " is out of range for " +
                     std::to_string(rank) + " dimensions");
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::vector<bool> axes_mask(const char* operation, const Axes& axes, std::size_t rank) {
  std::vector<bool> mask(rank, axes.empty());
  for (std::ptrdiff_t axis : axes) {
    if (rank == 0 && (axis == 0 || axis == -1)) continue;  // as in PyTorch, what is 0-d counts as one element along one axis
    std::size_t i = normalize_axis(operation, axis, rank);
    if (mask[i]) throw ShapeError(std::string(operation) + ": axis " + std::to_string(axis) + " is named twice");
    mask[i] = true;
  }
  return mask;
}

}  // namespace xtape

namespace xt {

std::ostream& operator<<(std::ostream& out, const xtape::Shape& shape) { return out << xtape::to_string(shape); }

}  // namespace xt
