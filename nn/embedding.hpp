// Vectors for indices.
#pragma once

#include <optional>

#include <nn/initializers.hpp>
#include <nn/module.hpp>

namespace xtape::nn {

struct EmbeddingOptions {
  std::optional<std::size_t> padding_idx = std::nullopt;  ///< a row that begins as zeros and gets no gradient
  Initializer weight_init = normal();
  DType dtype = default_dtype();
  Generator* generator = &default_generator();  ///< where the initializer takes its random numbers from
};

/// A table of vectors (rows, width): of int64 indices of any shape it makes the shape (..., width).
class Embedding : public Module {
 public:
  /// @throws ValueError unless both are 1 or more, or for a padding_idx beyond the rows.
  Embedding(std::size_t rows, std::size_t width, const EmbeddingOptions& options = {});
  /// @throws DTypeError unless int64, ValueError for an index out of range.
  Variable forward(const Variable& indices) override;
  std::string description() const override;

  Variable weight;

 private:
  std::optional<std::size_t> padding_idx_;
};

}  // namespace xtape::nn
