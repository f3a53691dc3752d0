// Vectors for indices.
#pragma once

#include <functional>
#include <optional>

#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct EmbeddingOptions {
  std::optional<std::size_t> padding_idx = std::nullopt;  ///< a row that begins as zeros and gets no gradient
  std::optional<double> max_norm = std::nullopt;  ///< a longer row is scaled to this length, in place, when it is used
  double norm_type = 2;             ///< the p of that norm
  bool scale_grad_by_freq = false;  ///< the gradient of a row is divided by how often the call uses it
  Initializer weight_init = normal();
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializer takes its random numbers from
};

namespace detail {

/// A table of vectors.
class Table : public Module {
 public:
  std::string description() const override;

  Parameter weight;  ///< (rows, width)

 protected:
  Table(const std::string& name, std::size_t rows, std::size_t width, const EmbeddingOptions& options);
  /// The rows of these indices, and before that, what max_norm asks for.
  Variable rows_of(const Variable& indices) const;

  EmbeddingOptions options_;
};

}  // namespace detail

/// A table of vectors (rows, width): of int64 indices of any shape it makes the shape (..., width).
class Embedding : public detail::Table {
 public:
  /// @throws ValueError unless both are 1 or more, for a padding_idx beyond the rows, or for a max_norm or norm_type
  /// that is not above 0.
  Embedding(std::size_t rows, std::size_t width, const EmbeddingOptions& options = {})
      : Table("Embedding", rows, width, options) {}
  /// @throws DTypeError unless int64, ValueError for an index out of range.
  Variable forward(const Variable& indices) override { return rows_of(indices); }
};

enum class BagMode { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::size_t> padding_idx = std::nullopt;  ///< a row that begins as zeros, and does not count in a bag
  std::optional<double> max_norm = std::nullopt;  ///< a longer row is scaled to this length, in place, when it is used
  double norm_type = 2;              ///< the p of that norm
  bool scale_grad_by_freq = false;   ///< the gradient of a row is divided by how often the call uses it; not for max
  bool include_last_offset = false;  ///< offsets end with the number of indices
  Initializer weight_init = normal();
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< where the initializer takes its random numbers from
};

/// The sums, means or greatest elements of the rows of a table (rows, width) that stand in bags: PyTorch's. An empty
/// bag gives zeros.
class EmbeddingBag : public detail::Table {
 public:
  /// @throws as Embedding, and ValueError for scale_grad_by_freq with max.
  EmbeddingBag(std::size_t rows, std::size_t width, const EmbeddingBagOptions& options = {});
  /// Indices (bags, indices in each): (bags, width). @throws ShapeError for others, DTypeError unless int64, ValueError
  /// for an index out of range.
  Variable forward(const Variable& indices) override { return forward(indices, {}); }
  /// Indices one bag after the other, (n), with the position where each begins as offsets, (bags), int64; or as before,
  /// with offsets undefined. Of sums, rows may have weights, of the indices' shape and the table's dtype.
  /// @throws ShapeError, DTypeError and ValueError, for offsets, too, that do not begin with 0 and rise to at most n.
  Variable forward(const Variable& indices, const Variable& offsets, const Variable& per_sample_weights = {});
  using Module::operator();
  Variable operator()(const Variable& indices, const Variable& offsets, const Variable& per_sample_weights = {}) const {
    return const_cast<EmbeddingBag*>(this)->forward(indices, offsets, per_sample_weights);
  }
  std::string description() const override;

 private:
  std::vector<std::size_t> ends_of_bags(const Variable& indices, const Variable& offsets) const;
  void check_weights(const Variable& indices, const Variable& per_sample_weights) const;

  BagMode mode_;
  bool include_last_offset_;
};

}  // namespace xtape::nn
