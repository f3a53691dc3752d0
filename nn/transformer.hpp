// Transformer layers (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762).
#pragma once

#include <functional>
#include <string>

#include <nn/attention.hpp>
#include <nn/dropout.hpp>
#include <nn/linear.hpp>
#include <nn/normalization.hpp>

namespace xtape::nn {

enum class TransformerActivation { relu, gelu };

struct TransformerOptions {
  std::size_t dim_feedforward = 2048;
  double dropout = 0.1;  ///< of the attention weights, within the feed-forward part, and of what is added to x
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< (batch, steps, width) instead of (steps, batch, width)
  bool norm_first = false;   ///< x + f(norm(x)), pre-norm, instead of norm(x + f(x)), post-norm
  DType dtype = default_dtype();
  std::reference_wrapper<Generator> generator = default_generator();  ///< of the initial weights and dropout
};

/// Masks of an encoder layer, as AttentionArguments has them.
struct EncoderMasks {
  Variable src_mask = {}, src_key_mask = {};
  bool is_causal = false;
};

/// Masks of a decoder layer, as AttentionArguments has them: of the target's attention to itself, and to the memory.
struct DecoderMasks {
  Variable tgt_mask = {}, memory_mask = {}, tgt_key_mask = {}, memory_key_mask = {};
  bool tgt_is_causal = false, memory_is_causal = false;
};

/// Self-attention, and a feed-forward part of two Dense layers, each with a residual connection and a layer norm. The
/// children are PyTorch's, by name: self_attn, linear1, linear2, norm1, norm2.
class TransformerEncoderLayer : public Module {
 public:
  /// @throws ValueError unless the heads divide the width, for widths of 0, or options out of range.
  TransformerEncoderLayer(std::size_t d_model, std::size_t nhead, const TransformerOptions& options = {});
  Variable forward(const Variable& src) override { return forward(src, EncoderMasks()); }
  /// @throws ShapeError and DTypeError as MultiHeadAttention does.
  Variable forward(const Variable& src, const EncoderMasks& masks);
  using Module::operator();
  Variable operator()(const Variable& src, const EncoderMasks& masks) const {
    return const_cast<TransformerEncoderLayer*>(this)->forward(src, masks);
  }
  std::string description() const override;

 private:
  TransformerOptions options_;  // checked before the parts are made

 public:
  MultiHeadAttention self_attn;
  Dense linear1, linear2;
  LayerNorm norm1, norm2;
};

/// Self-attention, attention to an encoder's output (the memory), and a feed-forward part, each with a residual
/// connection and a layer norm. The children are PyTorch's, by name: self_attn, multihead_attn, linear1, linear2,
/// norm1, norm2, norm3.
class TransformerDecoderLayer : public Module {
 public:
  /// @throws ValueError unless the heads divide the width, for widths of 0, or options out of range.
  TransformerDecoderLayer(std::size_t d_model, std::size_t nhead, const TransformerOptions& options = {});
  using Module::forward;
  using Module::operator();
  /// @throws ShapeError and DTypeError as MultiHeadAttention does.
  Variable forward(const Variable& tgt, const Variable& memory, const DecoderMasks& masks = {});
  Variable operator()(const Variable& tgt, const Variable& memory, const DecoderMasks& masks = {}) const {
    return const_cast<TransformerDecoderLayer*>(this)->forward(tgt, memory, masks);
  }
  std::string description() const override;

 private:
  TransformerOptions options_;  // checked before the parts are made

 public:
  MultiHeadAttention self_attn, multihead_attn;
  Dense linear1, linear2;
  LayerNorm norm1, norm2, norm3;
};

}  // namespace xtape::nn
