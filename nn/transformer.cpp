#include <nn/transformer.hpp>

#include <cmath>
#include <sstream>

#include <autograd/autograd.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {
namespace {

std::string title(const char* name, std::size_t d_model, std::size_t nhead) {
  return std::string(name) + "(" + detail::text(d_model) + ", " + detail::text(nhead) + ")";
}

// Checks first what none of the parts would, or would by another name.
TransformerOptions checked(const std::string& name, std::size_t d_model, std::size_t nhead,
                           const TransformerOptions& options) {
  detail::require_widths(name, {d_model});
  detail::require_some(name, "nhead", nhead);
  detail::require_some(name, "dim_feedforward", options.dim_feedforward);
  if (d_model % nhead != 0) throw ValueError(name + ": the heads do not divide the width");
  detail::require_between(name, "dropout", options.dropout, 0, 1);
  detail::require_positive(name, "layer_norm_eps", options.layer_norm_eps);
  detail::require_floating(name, options.dtype);
  return options;
}

MultiHeadAttention attention(std::size_t d_model, std::size_t nhead, const TransformerOptions& options) {
  return {d_model, nhead, {.dropout = options.dropout, .batch_first = options.batch_first, .dtype = options.dtype,
                           .generator = options.generator}};
}

// Begins as PyTorch's Linear does.
Dense dense(std::size_t in, std::size_t out, const TransformerOptions& options) {
  Initializer init = uniform(-1 / std::sqrt(static_cast<double>(in)), 1 / std::sqrt(static_cast<double>(in)));
  return {in, out, {.weight_init = init, .bias_init = init, .dtype = options.dtype, .generator = options.generator}};
}

LayerNorm norm(std::size_t d_model, const TransformerOptions& options) {
  return LayerNorm(d_model, {.epsilon = options.layer_norm_eps, .dtype = options.dtype});
}

std::string describe(std::size_t d_model, std::size_t nhead, const TransformerOptions& options) {
  std::ostringstream out;
  out << d_model << ", " << nhead << ", dim_feedforward " << options.dim_feedforward
      << (options.norm_first ? ", pre-norm" : ", post-norm")
      << (options.activation == TransformerActivation::relu ? ", relu" : ", gelu");
  if (options.dropout > 0) out << ", dropout " << options.dropout;
  if (options.batch_first) out << ", batch first";
  return out.str();
}

// What both kinds of layers do around their parts.
struct Block {
  const TransformerOptions& options;
  bool training;

  Variable drop(const Variable& x) const { return training ? dropout(x, options.dropout, options.generator) : x; }

  /// x + f(norm(x)), or norm(x + f(x)).
  template <class F>
  Variable residual(const Variable& x, const LayerNorm& norm, F f) const {
    return options.norm_first ? x + drop(f(norm(x))) : norm(x + drop(f(x)));
  }

  Variable feed_forward(const Variable& x, const Dense& first, const Dense& second) const {
    Variable inner = first(x);
    return second(drop(options.activation == TransformerActivation::relu ? relu(inner) : gelu(inner)));
  }
};

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::size_t d_model, std::size_t nhead,
                                                 const TransformerOptions& options)
    : options_(checked(title("TransformerEncoderLayer", d_model, nhead), d_model, nhead, options)),
      self_attn(attention(d_model, nhead, options)),
      linear1(dense(d_model, options.dim_feedforward, options)),
      linear2(dense(options.dim_feedforward, d_model, options)),
      norm1(norm(d_model, options)),
      norm2(norm(d_model, options)) {
  add("self_attn", self_attn);
  add("linear1", linear1);
  add("linear2", linear2);
  add("norm1", norm1);
  add("norm2", norm2);
}

Variable TransformerEncoderLayer::forward(const Variable& src, const EncoderMasks& masks) {
  Block block{options_, training()};
  Variable x = block.residual(src, norm1, [&](const Variable& x) {
    return self_attn(x, x, x, {masks.src_key_mask, masks.src_mask, masks.is_causal}).output;
  });
  return block.residual(x, norm2, [&](const Variable& x) { return block.feed_forward(x, linear1, linear2); });
}

std::string TransformerEncoderLayer::description() const {
  return describe(norm1.weight.size(), self_attn.num_heads(), options_);
}

TransformerDecoderLayer::TransformerDecoderLayer(std::size_t d_model, std::size_t nhead,
                                                 const TransformerOptions& options)
    : options_(checked(title("TransformerDecoderLayer", d_model, nhead), d_model, nhead, options)),
      self_attn(attention(d_model, nhead, options)),
      multihead_attn(attention(d_model, nhead, options)),
      linear1(dense(d_model, options.dim_feedforward, options)),
      linear2(dense(options.dim_feedforward, d_model, options)),
      norm1(norm(d_model, options)),
      norm2(norm(d_model, options)),
      norm3(norm(d_model, options)) {
  add("self_attn", self_attn);
  add("multihead_attn", multihead_attn);
  add("linear1", linear1);
  add("linear2", linear2);
  add("norm1", norm1);
  add("norm2", norm2);
  add("norm3", norm3);
}

Variable TransformerDecoderLayer::forward(const Variable& tgt, const Variable& memory, const DecoderMasks& masks) {
  Block block{options_, training()};
  Variable x = block.residual(tgt, norm1, [&](const Variable& x) {
    return self_attn(x, x, x, {masks.tgt_key_mask, masks.tgt_mask, masks.tgt_is_causal}).output;
  });
  x = block.residual(x, norm2, [&](const Variable& x) {
    return multihead_attn(x, memory, memory,
                          {masks.memory_key_mask, masks.memory_mask, masks.memory_is_causal}).output;
  });
  return block.residual(x, norm3, [&](const Variable& x) { return block.feed_forward(x, linear1, linear2); });
}

std::string TransformerDecoderLayer::description() const {
  return describe(norm1.weight.size(), self_attn.num_heads(), options_);
}

}  // namespace xtape::nn
