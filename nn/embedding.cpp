#include <nn/embedding.hpp>

#include <algorithm>

#include <autograd/ops/neural.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {

Embedding::Embedding(std::size_t rows, std::size_t width, const EmbeddingOptions& options)
    : padding_idx_(options.padding_idx) {
  std::string name = "Embedding(" + detail::text(rows) + ", " + detail::text(width) + ")";
  detail::require_widths(name, {rows, width});
  detail::require_generator(name, options.generator);
  detail::require_floating(name, options.dtype);
  if (padding_idx_ && *padding_idx_ >= rows)
    throw ValueError(name + ": padding_idx is " + detail::text(*padding_idx_) + ", needs 0 to " +
                     detail::text(rows - 1));
  weight = initialized(name + ": weight", options.weight_init, {rows, width}, options.dtype, *options.generator);
  if (padding_idx_)
    visit_floating("Embedding", options.dtype, [&]<class T>(T) {
      std::fill_n(weight.mutable_data<T>() + *padding_idx_ * width, width, T(0));
    });
  add("weight", weight);
}

Variable Embedding::forward(const Variable& indices) {
  return embedding(weight, indices, padding_idx_);
}

std::string Embedding::description() const {
  return std::to_string(weight.shape(0)) + ", " + std::to_string(weight.shape(1)) +
         (padding_idx_ ? ", padding " + std::to_string(*padding_idx_) : "");
}

}  // namespace xtape::nn
