#include <nn/data/dataset.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include <autograd/error.hpp>
#include <nn/data/elements.hpp>

namespace xtape::nn {
namespace {

Array value_of(const Variable& x) { return x.defined() ? x.value() : Array(); }
Variable wrap(Array x) { return x.defined() ? Variable(std::move(x)) : Variable(); }

void copy_bytes(std::byte* to, const std::byte* from, std::size_t count) {
  if (count > 0) std::memcpy(to, from, count);
}

Shape row_shape(const Array& x) { return Shape(x.shape().begin() + 1, x.shape().end()); }

Array uninitialized_rows(std::size_t count, const Shape& row, DType dtype) {
  Shape shape(row.size() + 1);
  shape[0] = count;
  std::copy(row.begin(), row.end(), shape.begin() + 1);
  return Array(std::move(shape), dtype);
}

Array take_rows(const Array& x, Positions positions) {
  if (!x.defined()) return x;
  Array result = uninitialized_rows(positions.size(), row_shape(x), x.dtype());
  if (result.size() == 0) return result;
  std::size_t row = x.bytes() / x.shape()[0];
  const std::byte* from = bytes_of(x);
  std::byte* to = bytes_of(result);
  for (std::int64_t i : positions) to = std::copy_n(from + static_cast<std::size_t>(i) * row, row, to);
  return result;
}

// Where the rows of a result come from: row `i` of an array that has one row for `whole` arrays.
struct Row {
  const Array* source;
  std::size_t i;
  bool whole;  // the source is the row, without an axis of rows
};

Array join(const char* what, const std::vector<Row>& rows) {
  auto shape = [](const Row& row) { return row.whole ? row.source->shape() : row_shape(*row.source); };
  const Row& first = rows.front();
  for (const Row& row : rows) {
    const Array &a = *first.source, &b = *row.source;
    if (!a.defined() && !b.defined()) continue;
    if (a.defined() && b.defined() && a.dtype() == b.dtype() && shape(row) == shape(first)) continue;
    std::string text = std::string("data set: examples of one batch differ: ") + what + " is " +
                       describe(wrap(a)) + " and " + describe(wrap(b));
    if (a.defined() && b.defined() && a.dtype() != b.dtype()) throw DTypeError(text);
    throw ShapeError(text);
  }
  if (!first.source->defined()) return {};
  Array result = uninitialized_rows(rows.size(), shape(first), first.source->dtype());
  std::size_t bytes = result.bytes() / rows.size();
  std::byte* to = bytes_of(result);
  for (const Row& row : rows) {
    copy_bytes(to, bytes_of(*row.source) + row.i * bytes, bytes);
    to += bytes;
  }
  return result;
}

void require_rows(const Variable& x, std::size_t count) {
  if (!x.defined() || x.rank() == 0 || x.shape()[0] != count)
    throw ShapeError("data set: gather: gave " + describe(x) + " for " + std::to_string(count) +
                     " positions, needs a row for each");
}

void require_some(Positions positions) {
  if (positions.empty()) throw ValueError("data set: gather: no positions are given, needs 1 or more");
}

}  // namespace

Batch Dataset::gather(Positions positions) const {
  require_some(positions);
  require_positions("data set", positions);
  std::vector<Array> xs, ys;
  for (std::int64_t i : positions) {
    Batch example = get(static_cast<std::size_t>(i));
    xs.push_back(value_of(example.x));
    ys.push_back(value_of(example.y));
  }
  auto stack = [](const char* what, const std::vector<Array>& values) {
    std::vector<Row> rows;
    for (const Array& value : values) rows.push_back({&value, 0, true});
    return wrap(join(what, rows));
  };
  return {stack("x", xs), stack("y", ys)};
}

void Dataset::require_positions(const char* name, Positions positions) const {
  std::size_t count = size();
  for (std::int64_t i : positions)
    if (i < 0 || static_cast<std::size_t>(i) >= count)
      throw ValueError(std::string(name) + ": position " + std::to_string(i) + ", has " + std::to_string(count) +
                       " examples");
}

DatasetHandle::DatasetHandle(std::shared_ptr<const Dataset> dataset) : dataset_(std::move(dataset)) {
  if (!dataset_) throw ValueError("data set: the pointer to it is null");
}

void DatasetHandle::require_class(const Dataset& dataset, const std::type_info& known) {
  if (typeid(dataset) != known)
    throw ValueError("data set: it was passed as a reference to its base class, of which a copy would not be it; pass "
                     "it as what it is, or by a std::shared_ptr");
}

// Arrays

TensorDataset::TensorDataset(const Variable& x, const Variable& y) : x_(value_of(x)), y_(value_of(y)) {
  if (!x_.defined()) throw ValueError("TensorDataset: x is an undefined Variable");
  bool rows = x_.rank() > 0 && (!y_.defined() || (y_.rank() > 0 && x_.shape()[0] == y_.shape()[0]));
  if (!rows)
    throw ShapeError("TensorDataset: x is " + describe(x) + (y.defined() ? ", y is " + describe(y) : "") +
                     ": needs a first axis, of one row for each example");
}

Batch TensorDataset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  Batch row = gather({&position, 1});
  auto without_rows = [](const Variable& x) {
    return x.defined() ? Variable(x.value().reshaped(row_shape(x.value()))) : x;
  };
  return {without_rows(row.x), without_rows(row.y)};
}

Batch TensorDataset::gather(Positions positions) const {
  require_positions("TensorDataset", positions);
  return {wrap(take_rows(x_, positions)), wrap(take_rows(y_, positions))};
}

// Functions

FunctionDataset::FunctionDataset(std::size_t size, Function function) : size_(size), function_(std::move(function)) {
  if (!function_) throw ValueError("FunctionDataset: the function is empty");
}

Batch FunctionDataset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  require_positions("FunctionDataset", {&position, 1});
  return function_(i);
}

MapDataset::MapDataset(DatasetHandle dataset, Function function)
    : dataset_(std::move(dataset)), function_(std::move(function)) {
  if (!function_) throw ValueError("MapDataset: the function is empty");
}

Batch MapDataset::get(std::size_t i) const { return function_(dataset_->get(i)); }

// Parts

Subset::Subset(DatasetHandle dataset, std::vector<std::int64_t> positions)
    : dataset_(std::move(dataset)),
      positions_(std::make_shared<const std::vector<std::int64_t>>(std::move(positions))) {
  std::size_t count = dataset_->size();
  for (std::int64_t i : *positions_)
    if (i < 0 || static_cast<std::size_t>(i) >= count)
      throw ValueError("Subset: position " + std::to_string(i) + " of a data set of " + std::to_string(count) +
                       " examples");
}

Batch Subset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  require_positions("Subset", {&position, 1});
  return dataset_->get(static_cast<std::size_t>((*positions_)[i]));
}

Batch Subset::gather(Positions positions) const {
  require_positions("Subset", positions);
  std::vector<std::int64_t> inner(positions.size());
  std::transform(positions.begin(), positions.end(), inner.begin(),
                 [&](std::int64_t i) { return (*positions_)[static_cast<std::size_t>(i)]; });
  return dataset_->gather(inner);
}

std::vector<Subset> random_split(DatasetHandle dataset, const std::vector<double>& parts, Generator& generator) {
  std::size_t count = dataset->size();
  double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  bool valid = !parts.empty() && std::all_of(parts.begin(), parts.end(), [](double p) { return p >= 0; });
  bool fractions = std::abs(sum - 1) < 1e-9;
  bool whole = std::all_of(parts.begin(), parts.end(), [](double p) { return p == std::floor(p); });
  if (!valid || !(fractions || (whole && sum == static_cast<double>(count))))
    throw ValueError("random_split: " + std::to_string(parts.size()) + " parts that add up to " + std::to_string(sum) +
                     ": needs parts of 0 or more, which add up to 1 or are whole numbers that add up to the " +
                     std::to_string(count) + " examples");
  std::vector<std::size_t> sizes;
  std::size_t given = 0, taken = 0;
  for (double part : parts) {
    double size = fractions ? part * static_cast<double>(count) : part;
    sizes.push_back(std::min(static_cast<std::size_t>(size), count - given));
    given += sizes.back();
  }
  for (std::size_t i = 0; given < count; ++given, ++i) ++sizes[i % sizes.size()];

  Array order = generator.permutation(count);
  std::vector<Subset> result;
  for (std::size_t size : sizes) {
    const std::int64_t* first = order.data<std::int64_t>() + taken;
    result.emplace_back(dataset, std::vector<std::int64_t>(first, first + size));
    taken += size;
  }
  return result;
}

// One after the other

ConcatDataset::ConcatDataset(std::vector<DatasetHandle> datasets) : datasets_(std::move(datasets)) {
  if (datasets_.empty()) throw ValueError("ConcatDataset: there are no data sets, needs 1 or more");
  std::size_t end = 0;
  for (const DatasetHandle& dataset : datasets_) ends_.push_back(end += dataset->size());
}

std::size_t ConcatDataset::part_of(std::size_t i) const {
  return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), i) - ends_.begin());
}

Batch ConcatDataset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  require_positions("ConcatDataset", {&position, 1});
  std::size_t part = part_of(i);
  return datasets_[part]->get(i - begin_of(part));
}

// The parts gather theirs, and then the rows are put in order; when one part has all, its batch is the result.
Batch ConcatDataset::gather(Positions positions) const {
  require_some(positions);
  require_positions("ConcatDataset", positions);
  std::vector<std::vector<std::int64_t>> inner(datasets_.size());
  std::vector<std::pair<std::size_t, std::size_t>> places;  // of each row: its part, and the row there
  for (std::int64_t i : positions) {
    std::size_t part = part_of(static_cast<std::size_t>(i));
    places.emplace_back(part, inner[part].size());
    inner[part].push_back(i - static_cast<std::int64_t>(begin_of(part)));
  }
  std::vector<Array> xs(inner.size()), ys(inner.size());
  for (std::size_t part = 0; part < inner.size(); ++part) {
    if (inner[part].empty()) continue;
    Batch batch = datasets_[part]->gather(inner[part]);
    require_rows(batch.x, inner[part].size());
    if (batch.y.defined()) require_rows(batch.y, inner[part].size());
    if (inner[part].size() == positions.size()) return batch;
    xs[part] = value_of(batch.x);
    ys[part] = value_of(batch.y);
  }
  auto interleave = [&](const char* what, const std::vector<Array>& values) {
    std::vector<Row> rows;
    for (auto [part, i] : places) rows.push_back({&values[part], i, false});
    return wrap(join(what, rows));
  };
  return {interleave("x", xs), interleave("y", ys)};
}

}  // namespace xtape::nn
