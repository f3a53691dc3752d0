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

// How errors name array `i` of a batch.
std::string name_of(std::size_t i) { return i == 0 ? "x" : i == 1 ? "y" : "array " + std::to_string(i); }

// The arrays 0, 1, ... as a batch, which `array` gives; a second that is undefined is there all the same.
template <class F>
Batch batch_of(std::size_t count, F array) {
  Batch batch{array(0), count > 1 ? array(1) : Variable()};
  for (std::size_t i = 2; i < count; ++i) batch.more.push_back(array(i));
  return batch;
}

// Array `i`, or an undefined one.
Array array_of(const Batch& batch, std::size_t i) { return i < batch.size() ? value_of(batch[i]) : Array(); }

void require_as_many(const Batch& a, const Batch& b) {
  if (a.more.size() != b.more.size())
    throw ShapeError("data set: examples of one batch differ: " + std::to_string(a.size()) + " arrays and " +
                     std::to_string(b.size()));
}
Variable wrap(Array x) { return x.defined() ? Variable(std::move(x)) : Variable(); }

void copy_bytes(std::byte* to, const std::byte* from, std::size_t count) {
  if (count > 0) std::memcpy(to, from, count);
}

Shape row_shape(const Array& x) { return Shape(x.shape().begin() + 1, x.shape().end()); }

Array uninitialized_rows(std::size_t count, const Shape& row, DType dtype) {
  Shape shape(row.size() + 1);
  shape[0] = count;
  std::copy(row.begin(), row.end(), shape.begin() + 1);
  return Array(shape, dtype);
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

Array join(const std::string& what, const std::vector<Row>& rows) {
  auto shape = [](const Row& row) { return row.whole ? row.source->shape() : row_shape(*row.source); };
  const Row& first = rows.front();
  for (const Row& row : rows) {
    const Array &a = *first.source, &b = *row.source;
    if (!a.defined() && !b.defined()) continue;
    if (a.defined() && b.defined() && a.dtype() == b.dtype() && shape(row) == shape(first)) continue;
    std::string text = "data set: examples of one batch differ: " + what + " is " +
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
  std::vector<Batch> examples;
  for (std::int64_t i : positions) {
    examples.push_back(get(static_cast<std::size_t>(i)));
    require_as_many(examples.front(), examples.back());
  }
  return batch_of(2 + examples.front().more.size(), [&](std::size_t i) {
    std::vector<Array> values;
    std::vector<Row> rows;
    for (const Batch& example : examples) values.push_back(array_of(example, i));
    for (const Array& value : values) rows.push_back({&value, 0, true});
    return wrap(join(name_of(i), rows));
  });
}

const Variable& Batch::operator[](std::size_t i) const {
  if (i >= std::max<std::size_t>(size(), 2))
    throw ValueError("batch: array " + std::to_string(i) + " of " + std::to_string(size()));
  return i == 0 ? x : i == 1 ? y : more[i - 2];
}

void Batch::require_size(std::size_t n) const {
  if (size() != n)
    throw ValueError("batch: has " + std::to_string(size()) + " arrays, and " + std::to_string(n) + " are asked for");
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

TensorDataset::TensorDataset(const std::vector<Variable>& arrays) {
  if (arrays.empty()) throw ValueError("TensorDataset: there are no arrays, needs 1 or more");
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Variable& x = arrays[i];
    if (i == 1 && arrays.size() == 2 && !x.defined()) break;
    if (!x.defined()) throw ValueError("TensorDataset: " + name_of(i) + " is an undefined Variable");
    if (x.rank() == 0 || x.shape(0) != arrays[0].shape(0))
      throw ShapeError("TensorDataset: x is " + describe(arrays[0]) +
                       (i > 0 ? ", " + name_of(i) + " is " + describe(x) : "") +
                       ": needs a first axis, of one row for each example");
    arrays_.push_back(x.value());
  }
}

Batch TensorDataset::get(std::size_t i) const {
  auto position = static_cast<std::int64_t>(i);
  Batch row = gather({&position, 1});
  auto without_rows = [](const Variable& x) {
    return x.defined() ? Variable(x.value().reshaped(row_shape(x.value()))) : x;
  };
  return batch_of(arrays_.size(), [&](std::size_t i) { return without_rows(row[i]); });
}

Batch TensorDataset::gather(Positions positions) const {
  require_positions("TensorDataset", positions);
  return batch_of(arrays_.size(), [&](std::size_t i) { return wrap(take_rows(arrays_[i], positions)); });
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
  std::vector<Batch> batches(inner.size());
  const Batch& first = batches[places.front().first];
  for (std::size_t part = 0; part < inner.size(); ++part) {
    if (inner[part].empty()) continue;
    Batch& batch = batches[part] = datasets_[part]->gather(inner[part]);
    for (std::size_t i = 0; i < batch.size(); ++i) require_rows(batch[i], inner[part].size());
    if (inner[part].size() == positions.size()) return batch;
  }
  for (std::size_t part = 0; part < inner.size(); ++part)
    if (!inner[part].empty()) require_as_many(first, batches[part]);
  return batch_of(2 + first.more.size(), [&](std::size_t i) {
    std::vector<Array> values;
    std::vector<Row> rows;
    for (const Batch& batch : batches) values.push_back(array_of(batch, i));
    for (auto [part, row] : places) rows.push_back({&values[part], row, false});
    return wrap(join(name_of(i), rows));
  });
}

}  // namespace xtape::nn
