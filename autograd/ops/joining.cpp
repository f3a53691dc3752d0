#include <autograd/ops/joining.hpp>

#include <algorithm>
#include <string>

#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>

namespace xtape {

using detail::require_defined;

namespace {

// With leading axes of extent 1 up to that rank.
Variable at_least(const char* operation, std::size_t rank, const Variable& x) {
  require_defined(operation, x);
  if (x.rank() >= rank) return detail::same_value(operation, x);
  Shape shape(rank, 1);
  std::copy(x.shape().begin(), x.shape().end(), shape.end() - static_cast<std::ptrdiff_t>(x.rank()));
  return reshape(x, shape);
}

std::vector<Variable> all_at_least(const char* operation, std::size_t rank, const std::vector<Variable>& xs) {
  std::vector<Variable> result;
  for (const Variable& x : xs) result.push_back(at_least(operation, rank, x));
  return result;
}

// A negative number is a huge one here.
void require_count(const char* operation, std::size_t parts, const Variable& x) {
  if (parts == 0 || parts > 0x7fffffff)
    throw ValueError(std::string(operation) + ": " + std::to_string(static_cast<std::ptrdiff_t>(parts)) + " parts of " +
                     to_string(x.shape()) + ", needs 1 to 2^31 - 1");
}

}  // namespace

Variable hstack(const std::vector<Variable>& xs) {
  detail::Calling calling("hstack");
  std::vector<Variable> parts = all_at_least("hstack", 1, xs);
  return concatenate(parts, !parts.empty() && parts[0].rank() > 1);
}

Variable vstack(const std::vector<Variable>& xs) {
  detail::Calling calling("vstack");
  return concatenate(all_at_least("vstack", 2, xs), 0);
}

Variable dstack(const std::vector<Variable>& xs) {
  detail::Calling calling("dstack");
  std::vector<Variable> parts = all_at_least("dstack", 2, xs);
  for (Variable& x : parts)
    if (x.rank() == 2) x = expand_dims(x, -1);
  return concatenate(parts, 2);
}

Variable block_diag(const std::vector<Variable>& xs) {
  detail::Calling calling("block_diag");
  std::vector<Variable> blocks = all_at_least("block_diag", 2, xs);
  std::size_t columns = 0, before = 0;
  for (const Variable& x : blocks) {
    if (x.rank() > 2) throw ShapeError("block_diag: " + to_string(x.shape()) + ", needs matrices");
    columns += x.shape()[1];
  }
  for (Variable& x : blocks) {
    std::size_t width = x.shape()[1], after = columns - before - width;
    x = pad(x, {{0, 0}, {static_cast<std::ptrdiff_t>(before), static_cast<std::ptrdiff_t>(after)}});
    before += width;
  }
  return concatenate(blocks);
}

std::vector<Variable> chunk(const Variable& x, std::size_t chunks, std::ptrdiff_t axis) {
  detail::Calling calling("chunk");
  require_defined("chunk", x);
  require_count("chunk", chunks, x);
  std::size_t extent = x.shape()[normalize_axis("chunk", axis, x.rank())];
  std::size_t size = extent / chunks + (extent % chunks != 0);
  if (size == 0) return split(x, std::vector<std::size_t>(chunks, 0), axis);
  std::vector<std::size_t> sizes(extent / size, size);
  if (extent % size != 0) sizes.push_back(extent % size);
  return split(x, sizes, axis);
}

std::vector<Variable> array_split(const Variable& x, std::size_t sections, std::ptrdiff_t axis) {
  detail::Calling calling("array_split");
  require_defined("array_split", x);
  require_count("array_split", sections, x);
  std::size_t extent = x.shape()[normalize_axis("array_split", axis, x.rank())];
  std::vector<std::size_t> sizes(sections, extent / sections);
  for (std::size_t i = 0; i < extent % sections; ++i) ++sizes[i];
  return split(x, sizes, axis);
}

Variable unflatten(const Variable& x, std::ptrdiff_t axis, const Dims& shape) {
  detail::Calling calling("unflatten");
  require_defined("unflatten", x);
  std::size_t i = normalize_axis("unflatten", axis, x.rank());
  Shape result(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(i));
  for (std::size_t extent : shape.shape("unflatten", x.shape()[i])) result.push_back(extent);
  result.insert(result.end(), x.shape().begin() + static_cast<std::ptrdiff_t>(i) + 1, x.shape().end());
  return reshape(x, result);
}

Variable ravel(const Variable& x) {
  detail::Calling calling("ravel");
  return reshape(x, {-1});
}

Variable expand(const Variable& x, const Dims& shape) {
  detail::Calling calling("expand");
  require_defined("expand", x);
  return broadcast_to(x, shape.shape("expand", x.shape()));
}

Variable rot90(const Variable& x, std::ptrdiff_t k, std::ptrdiff_t axis1, std::ptrdiff_t axis2) {
  detail::Calling calling("rot90");
  require_defined("rot90", x);
  axes_mask("rot90", {axis1, axis2}, x.rank());  // throws where they are one
  switch ((k % 4 + 4) % 4) {
    case 1: return swapaxes(flip(x, axis2), axis1, axis2);
    case 2: return flip(x, {axis1, axis2});
    case 3: return flip(swapaxes(x, axis1, axis2), axis2);
    default: return positive(x);
  }
}

}  // namespace xtape
