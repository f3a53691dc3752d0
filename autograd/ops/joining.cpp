#include <autograd/ops/joining.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/kernels/strided.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/padding.hpp>
#include <autograd/tape.hpp>

namespace xtape {

using detail::require_defined;

namespace {

// The slice [start, stop) along one axis.
std::vector<Index> along(std::size_t axis, std::size_t start, std::size_t stop) {
  std::vector<Index> indices(axis, Index(range()));
  indices.push_back(range(static_cast<std::ptrdiff_t>(start), static_cast<std::ptrdiff_t>(stop)));
  return indices;
}

// In the dtype that they have in common.
std::vector<Variable> promoted(const char* operation, const std::vector<Variable>& xs) {
  if (xs.empty()) throw ShapeError(std::string(operation) + ": got no arrays, needs one or more");
  DType dtype = detail::common_dtype(operation, detail::pointers_to(xs));
  std::vector<Variable> result;
  for (const Variable& x : xs) result.push_back(detail::in_dtype(operation, x, dtype));
  return result;
}

}  // namespace

Variable concatenate(const std::vector<Variable>& given, std::ptrdiff_t axis) {
  const std::vector<Variable> xs = promoted("concatenate", given);
  std::size_t along_axis = normalize_axis("concatenate", axis, xs[0].rank());
  Shape shape = xs[0].shape();
  std::vector<std::size_t> starts{0};
  for (const Variable& x : xs) {
    Shape expected = shape;
    if (x.rank() == shape.size()) expected[along_axis] = x.shape()[along_axis];
    if (x.shape() != expected)
      throw ShapeError("concatenate: " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) +
                       " differ in more than axis " + std::to_string(axis));
    starts.push_back(starts.back() + x.shape()[along_axis]);
  }
  shape[along_axis] = starts.back();
  auto join = [shape, starts](std::span<const Array> parts, std::size_t axis) {
    Array result(shape, parts[0].dtype());
    kernels::Strides strides = kernels::dense_strides(shape);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto offset = static_cast<std::ptrdiff_t>(starts[i]) * strides[axis];
      kernels::assign_part(result, kernels::View{parts[i].shape(), strides, offset}, parts[i]);
    }
    return result;
  };
  auto all_joined = [](const detail::Batch& b, std::size_t axis) {
    std::vector<Variable> parts;
    for (std::size_t k = 0; k < b.operands(); ++k) parts.push_back(b[k]);
    return concatenate(parts, static_cast<std::ptrdiff_t>(axis + 1));
  };
  return record_list(op("concatenate", attribute("axis", along_axis)).mapped(all_joined), join, xs,
                     [along_axis, starts](std::size_t i, const Variable& g) {
                       return slice(g, along(along_axis, starts[i], starts[i + 1]));
                     },
                     [shape, along_axis, starts](std::span<const Variable> tangents) {
                       auto given = std::ranges::find_if(tangents, &Variable::defined);
                       std::vector<Variable> parts(tangents.begin(), tangents.end());
                       for (std::size_t i = 0; i < parts.size(); ++i) {
                         if (parts[i].defined()) continue;
                         Shape part = shape;
                         part[along_axis] = starts[i + 1] - starts[i];
                         parts[i] = zeros(part, given->dtype());
                       }
                       return concatenate(parts, static_cast<std::ptrdiff_t>(along_axis));
                     });
}

Variable stack(const std::vector<Variable>& given, std::ptrdiff_t axis) {
  detail::Calling calling("stack");
  const std::vector<Variable> xs = promoted("stack", given);
  std::vector<Variable> expanded;
  for (const Variable& x : xs) {
    if (x.shape() != xs[0].shape())
      throw ShapeError("stack: shapes " + to_string(xs[0].shape()) + " and " + to_string(x.shape()) + " differ");
    expanded.push_back(expand_dims(x, axis));
  }
  return concatenate(expanded, axis);
}

std::vector<Variable> split(const Variable& x, const Dims& given, std::ptrdiff_t axis) {
  detail::Calling calling("split");
  require_defined("split", x);
  const Shape sizes = given.shape("split");
  std::size_t i = normalize_axis("split", axis, x.rank());
  std::size_t total = 0;
  for (std::size_t size : sizes) total += std::min(size, SIZE_MAX - total);  // not beyond the end, to begin at 0 again
  if (total != x.shape()[i])
    throw ShapeError("split: parts of " + std::to_string(total) + " in all, axis " + std::to_string(axis) + " of " +
                     to_string(x.shape()) + " is " + std::to_string(x.shape()[i]));
  std::vector<Variable> parts;
  std::size_t start = 0;
  for (std::size_t size : sizes) {
    parts.push_back(slice(x, along(i, start, start + size)));
    start += size;
  }
  return parts;
}

std::vector<Variable> split(const Variable& x, std::size_t sections, std::ptrdiff_t axis) {
  detail::Calling calling("split");
  require_defined("split", x);
  std::size_t extent = x.shape()[normalize_axis("split", axis, x.rank())];
  if (sections == 0 || sections > 0x7fffffff || extent % sections != 0)
    throw ShapeError("split: axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " does not divide into " +
                     std::to_string(sections) + " equal parts");
  return detail::naming("split", [&] {
    return split(x, std::vector<std::size_t>(sections, extent / sections), axis);
  });
}

namespace {

// The rows of an array: one node, whose gradient is made in one piece.
class Unbind final : public ConstantOperation {
 public:
  Unbind() : ConstantOperation("unbind") {}

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = operands[0].row(i);
  }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override {
    const Node::Result& row_type = node.result_type(0);
    std::vector<Variable> rows(outputs.begin(), outputs.end());
    for (Variable& row : rows)
      if (!row.defined()) row = zeros(row_type.shape(), row_type.dtype);
    inputs[0].value = stack(rows);
  }

  void jvp(const Node&, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    std::vector<Variable> rows = unbind(tangents[0]);
    for (std::size_t i = 0; i < rows.size(); ++i) results[i].value = rows[i];
  }

  bool map(const detail::Batch& batch, std::span<Variable> results) const override {
    std::ranges::move(unbind(batch[0], 1), results.begin());
    return true;
  }
};

}  // namespace

std::vector<Variable> unbind(const Variable& x, std::ptrdiff_t axis) {
  detail::Calling calling("unbind");
  require_defined("unbind", x);
  if (std::size_t i = normalize_axis("unbind", axis, x.rank()); i != 0) return unbind(movedim(x, axis, 0));
  static Unbind operation;
  std::vector<Array> values(x.shape()[0]);
  std::vector<Variable> rows;
  if (values.empty()) return rows;
  NodePtr node = detail::perform(operation, std::array{&x}, values);
  for (std::uint32_t i = 0; i < values.size(); ++i) rows.push_back(detail::output_of(node, std::move(values[i]), i));
  return rows;
}

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
  return detail::naming("chunk", [&] {
    if (size == 0) return split(x, std::vector<std::size_t>(chunks, 0), axis);
    std::vector<std::size_t> sizes(extent / size, size);
    if (extent % size != 0) sizes.push_back(extent % size);
    return split(x, sizes, axis);
  });
}

std::vector<Variable> array_split(const Variable& x, std::size_t sections, std::ptrdiff_t axis) {
  detail::Calling calling("array_split");
  require_defined("array_split", x);
  require_count("array_split", sections, x);
  std::size_t extent = x.shape()[normalize_axis("array_split", axis, x.rank())];
  return detail::naming("array_split", [&] {
    std::vector<std::size_t> sizes(sections, extent / sections);
    for (std::size_t i = 0; i < extent % sections; ++i) ++sizes[i];
    return split(x, sizes, axis);
  });
}

}  // namespace xtape
