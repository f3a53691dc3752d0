// Attention layers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nn/linear.hpp>

namespace xtape::nn {

struct MultiHeadAttentionOptions {
  double dropout = 0;        ///< in training, of the attention weights
  bool bias = true;          ///< of all four projections
  std::size_t kdim = 0;      ///< the width of the keys, 0: embed_dim
  std::size_t vdim = 0;      ///< the width of the values, 0: embed_dim
  bool batch_first = false;  ///< (batch, steps, width) instead of (steps, batch, width)
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< of the initial weights and dropout
};

/// What a call is told besides: first of all what a query may look at. As in scaled_dot_product_attention, and for the
/// steps that recurrent layers go through, a mask of dtype bool is true where it may look; a mask of the layer's dtype is
/// added to the scores. (The masks of PyTorch's MultiheadAttention say the opposite, so a mask of keys has another name
/// here: `key_mask = !key_padding_mask`.) A query that may look at nothing gets zeros.
struct AttentionArguments {
  Variable key_mask = {};     ///< (batch, keys), false for the keys that are padding
  Variable attn_mask = {};    ///< (queries, keys), or (batch * heads, queries, keys)
  bool is_causal = false;     ///< query i sees the keys 0 to i only
  bool need_weights = false;  ///< return the attention weights, too; in PyTorch, true unless told otherwise
  bool average_attn_weights = true;  ///< as their mean over the heads
};

/// `auto [output, weights] = attention(query, key, value);`
struct AttentionResult {
  Variable output;   ///< (queries, batch, embed_dim), or (batch, queries, embed_dim)
  Variable weights;  ///< undefined unless asked for: (batch, queries, keys), or (batch, heads, queries, keys)
};

/// Attention in several heads (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.2): the projected
/// queries, keys and values are cut into `num_heads` parts of equal width d; each part of a query looks at those of the
/// keys by softmax(q k' / sqrt(d)), and what it sees of the values is joined and projected.
///
/// The parameters are PyTorch's:
///
///     in_proj_weight (3 * embed_dim, embed_dim), whose blocks of rows are for queries, keys and values
///     in_proj_bias   (3 * embed_dim)
///     out_proj       a Dense: out_proj.weight (embed_dim, embed_dim), out_proj.bias (embed_dim)
///
/// With a kdim or vdim of their own, q_proj_weight (embed_dim, embed_dim), k_proj_weight (embed_dim, kdim) and
/// v_proj_weight (embed_dim, vdim) stand in place of the first.
class MultiHeadAttention : public Module {
 public:
  /// @throws ValueError unless the heads divide the width, for widths of 0, or a dropout outside of [0, 1].
  MultiHeadAttention(std::size_t embed_dim, std::size_t num_heads, const MultiHeadAttentionOptions& options = {});

  /// Self-attention: x is query, key and value.
  Variable forward(const Variable& x) override;
  /// @throws ShapeError for inputs or masks of other shapes, DTypeError for a mask that is neither bool nor of the
  /// parameters' dtype.
  AttentionResult forward(const Variable& query, const Variable& key, const Variable& value,
                          const AttentionArguments& arguments = {});
  using Module::operator();
  AttentionResult operator()(const Variable& query, const Variable& key, const Variable& value,
                             const AttentionArguments& arguments = {}) const {
    return const_cast<MultiHeadAttention*>(this)->forward(query, key, value, arguments);
  }
  std::string description() const override;
  std::size_t num_heads() const { return num_heads_; }

 private:
  void check(const Variable& query, const Variable& key, const Variable& value,
             const AttentionArguments& arguments) const;
  std::vector<Variable> heads_of(const Variable& query, const Variable& key, const Variable& value) const;
  std::vector<Variable> masks_of(const AttentionArguments& arguments, std::size_t queries, std::size_t keys) const;

  std::size_t embed_dim_, num_heads_;
  std::string name_;
  MultiHeadAttentionOptions options_;
  Parameter in_proj_weight_, q_proj_weight_, k_proj_weight_, v_proj_weight_, in_proj_bias_;
  Dense out_proj_;
};

}  // namespace xtape::nn
