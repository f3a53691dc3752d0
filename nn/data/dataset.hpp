// Data sets: examples by position, and what can be made of other data sets.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <autograd/random.hpp>
#include <autograd/variable.hpp>
#include <nn/data/batch.hpp>

namespace xtape::nn {

using Positions = std::span<const std::int64_t>;

/// Base of all data sets. One of one's own overrides `size` and `get`; where there is a faster way to many examples
/// than one by one, `gather` as well. A loader with several workers calls these from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// The number of examples.
  virtual std::size_t size() const = 0;
  /// Example `i`, without an axis of examples.
  virtual Batch get(std::size_t i) const = 0;
  /// The examples at these positions along a first axis.
  /// @throws ShapeError or DTypeError when examples differ in shape or dtype, ValueError for a position out of range.
  virtual Batch gather(Positions positions) const;

 protected:
  /// @throws ValueError naming the class unless each position is below size().
  void require_positions(const char* name, Positions positions) const;
};

/// A data set that is kept: a copy of one of any class, or a pointer to it. Copies share it.
class DatasetHandle {
 public:
  template <std::derived_from<Dataset> D>
    requires std::copy_constructible<D>
  DatasetHandle(const D& dataset) : dataset_(std::make_shared<D>(dataset)) { require_class(dataset, typeid(D)); }
  /// @throws ValueError for a null pointer.
  DatasetHandle(std::shared_ptr<const Dataset> dataset);
  template <std::derived_from<Dataset> D>
  DatasetHandle(std::shared_ptr<D> dataset) : DatasetHandle(std::shared_ptr<const Dataset>(std::move(dataset))) {}

  const Dataset* operator->() const { return dataset_.get(); }
  const Dataset& operator*() const { return *dataset_; }

 private:
  static void require_class(const Dataset& dataset, const std::type_info& known);
  std::shared_ptr<const Dataset> dataset_;
};

/// Arrays whose rows (along the first axis) belong together: `TensorDataset(images, masks, labels)`.
class TensorDataset : public Dataset {
 public:
  /// @throws ValueError for an undefined array, unless it is the second and last; ShapeError for a 0-d array, or when
  /// one has not as many rows as x.
  template <std::convertible_to<const Variable&>... More>
  explicit TensorDataset(const Variable& x, const Variable& y = {}, const More&... more)
      : TensorDataset(std::vector<Variable>{x, y, more...}) {}
  explicit TensorDataset(const std::vector<Variable>& arrays);
  std::size_t size() const override { return arrays_[0].shape()[0]; }
  Batch get(std::size_t i) const override;
  Batch gather(Positions positions) const override;

 private:
  std::vector<Array> arrays_;
};

/// Examples that a function computes from their positions:
/// `FunctionDataset(1000, [](std::size_t i) { return Batch{image(i), full({}, label(i), int64)}; })`.
class FunctionDataset : public Dataset {
 public:
  using Function = std::function<Batch(std::size_t)>;
  /// @throws ValueError for an empty function.
  FunctionDataset(std::size_t size, Function function);
  std::size_t size() const override { return size_; }
  Batch get(std::size_t i) const override;

 private:
  std::size_t size_;
  Function function_;
};

/// The examples of another data set, each changed by a function.
class MapDataset : public Dataset {
 public:
  using Function = std::function<Batch(Batch)>;
  /// @throws ValueError for an empty function.
  MapDataset(DatasetHandle dataset, Function function);
  std::size_t size() const override { return dataset_->size(); }
  Batch get(std::size_t i) const override;

 private:
  DatasetHandle dataset_;
  Function function_;
};

/// The examples of another data set at some positions, in their order; one may occur several times.
class Subset : public Dataset {
 public:
  /// @throws ValueError for a position that the other does not have.
  Subset(DatasetHandle dataset, std::vector<std::int64_t> positions);
  std::size_t size() const override { return positions_->size(); }
  Batch get(std::size_t i) const override;
  Batch gather(Positions positions) const override;
  /// The positions in the other data set.
  const std::vector<std::int64_t>& positions() const { return *positions_; }

 private:
  DatasetHandle dataset_;
  std::shared_ptr<const std::vector<std::int64_t>> positions_;
};

/// Data sets one after the other.
class ConcatDataset : public Dataset {
 public:
  /// @throws ValueError when there is none.
  explicit ConcatDataset(std::vector<DatasetHandle> datasets);
  std::size_t size() const override { return ends_.back(); }
  Batch get(std::size_t i) const override;
  Batch gather(Positions positions) const override;

 private:
  std::size_t part_of(std::size_t i) const;
  std::size_t begin_of(std::size_t part) const { return part == 0 ? 0 : ends_[part - 1]; }

  std::vector<DatasetHandle> datasets_;
  std::vector<std::size_t> ends_;  // of each part
};

/// Divides a data set at random: `random_split(data, {50000, 10000})` by numbers of examples, `random_split(data,
/// {0.8, 0.2})` by fractions that add up to 1 (and are rounded down; what is left over goes to the first parts, one
/// each), as PyTorch does. Together the parts have each example once.
/// @throws ValueError unless the parts are 0 or more and add up to the data set or to 1.
std::vector<Subset> random_split(DatasetHandle dataset, const std::vector<double>& parts,
                                 Generator& generator = default_generator());

}  // namespace xtape::nn
