#include <nn/attention.hpp>

#include <cmath>
#include <sstream>

#include <autograd/autograd.hpp>
#include <autograd/ops/attention_weights.hpp>
#include <autograd/ops/matrix_product.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {
namespace {

MultiHeadAttentionOptions checked(const std::string& name, std::size_t embed_dim, std::size_t num_heads,
                                  MultiHeadAttentionOptions options) {
  detail::require_widths(name, {embed_dim});
  detail::require_some(name, "num_heads", num_heads);
  if (embed_dim % num_heads != 0)
    throw ValueError(name + ": " + std::to_string(num_heads) + " heads do not divide the width " +
                     std::to_string(embed_dim));
  detail::require_not_negative(name, "kdim", {options.kdim});
  detail::require_not_negative(name, "vdim", {options.vdim});
  detail::require_between(name, "dropout", options.dropout, 0, 1);
  detail::require_floating(name, options.dtype);
  if (options.kdim == 0) options.kdim = embed_dim;
  if (options.vdim == 0) options.vdim = embed_dim;
  return options;
}

// What a query may look at that sees nothing behind its own place.
Variable earlier(std::size_t queries, std::size_t keys) {
  return expand_dims(arange(keys), 0) <= expand_dims(arange(queries), 1);
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::size_t embed_dim, std::size_t num_heads,
                                       const MultiHeadAttentionOptions& options)
    : embed_dim_(embed_dim), num_heads_(num_heads),
      name_("MultiHeadAttention(" + detail::text(embed_dim) + ", " + detail::text(num_heads) + ")"),
      options_(checked(name_, embed_dim, num_heads, options)),
      // PyTorch's begin: Linear's for the weight of the last projection, Xavier's for the others, no bias.
      out_proj_(embed_dim, embed_dim, {.weight_init = uniform(-1 / std::sqrt(static_cast<double>(embed_dim)),
                                                              1 / std::sqrt(static_cast<double>(embed_dim))),
                                       .bias = options.bias, .dtype = options.dtype, .generator = options.generator}) {
  auto weight = [&](const std::string& name, std::size_t in, std::size_t out) {
    return add(name, initialized(name_ + ": " + name, xavier_uniform(), {out, in}, options_.dtype,
                                 options_.generator));
  };
  if (options_.kdim == embed_dim && options_.vdim == embed_dim) {
    in_proj_weight_ = weight("in_proj_weight", embed_dim, 3 * embed_dim);
  } else {
    q_proj_weight_ = weight("q_proj_weight", embed_dim, embed_dim);
    k_proj_weight_ = weight("k_proj_weight", options_.kdim, embed_dim);
    v_proj_weight_ = weight("v_proj_weight", options_.vdim, embed_dim);
  }
  if (options_.bias) in_proj_bias_ = add("in_proj_bias", parameter(xtape::zeros({3 * embed_dim}, options_.dtype)));
  add("out_proj", out_proj_);
}

std::string MultiHeadAttention::description() const {
  std::ostringstream out;
  out << embed_dim_ << ", " << num_heads_;
  if (options_.dropout > 0) out << ", dropout " << options_.dropout;
  if (!options_.bias) out << ", no bias";
  if (!in_proj_weight_.defined()) out << ", keys of " << options_.kdim << ", values of " << options_.vdim;
  if (options_.batch_first) out << ", batch first";
  return out.str();
}

Variable MultiHeadAttention::forward(const Variable& x) { return forward(x, x, x).output; }

void MultiHeadAttention::check(const Variable& query, const Variable& key, const Variable& value,
                               const AttentionArguments& arguments) const {
  for (const Variable* x : {&query, &key, &value})
    if (!x->defined() || x->rank() != 3)
      throw ShapeError(name_ + ": query " + describe(query) + ", key " + describe(key) + ", value " + describe(value) +
                       ", needs three axes each");
  DType dtype = out_proj_.weight.dtype();
  for (const Variable* x : {&query, &key, &value})
    if (x->dtype() != dtype)
      throw DTypeError(name_ + ": got " + describe(*x) + ", the parameters are " + to_string(dtype) +
                       "; convert with .to()");
  std::size_t batch_axis = options_.batch_first ? 0 : 1, step_axis = 1 - batch_axis;
  std::size_t batch = query.shape()[batch_axis], queries = query.shape()[step_axis], keys = key.shape()[step_axis];
  if (query.shape()[2] != embed_dim_ || key.shape()[2] != options_.kdim || value.shape()[2] != options_.vdim ||
      key.shape()[batch_axis] != batch || value.shape()[batch_axis] != batch || value.shape()[step_axis] != keys ||
      keys == 0)
    throw ShapeError(name_ + ": query " + describe(query) + ", key " + describe(key) + ", value " + describe(value) +
                     ", needs widths " + std::to_string(embed_dim_) + ", " + std::to_string(options_.kdim) + ", " +
                     std::to_string(options_.vdim) + ", one batch, and as many keys as values, 1 or more");
  for (const Variable* mask : {&arguments.key_mask, &arguments.attn_mask})
    if (mask->defined() && mask->dtype() != DType::boolean && mask->dtype() != dtype)
      throw DTypeError(name_ + ": a mask " + describe(*mask) + ", needs bool or " + to_string(dtype));
  if (arguments.key_mask.defined() && arguments.key_mask.shape() != Shape{batch, keys})
    throw ShapeError(name_ + ": key_mask " + describe(arguments.key_mask) + ", needs (batch, keys), " +
                     to_string(Shape{batch, keys}));
  Shape plain{queries, keys}, each{batch * num_heads_, queries, keys};
  if (arguments.attn_mask.defined() && arguments.attn_mask.shape() != plain && arguments.attn_mask.shape() != each)
    throw ShapeError(name_ + ": attn_mask " + describe(arguments.attn_mask) + ", needs (queries, keys) or " +
                     "(batch * heads, queries, keys), " + to_string(plain) + " or " + to_string(each));
}

// Queries, keys and values through their projections, each (batch, heads, steps, width of a head). Those that are one
// input take one product, and are put in order together.
std::vector<Variable> MultiHeadAttention::heads_of(const Variable& query, const Variable& key,
                                                   const Variable& value) const {
  const std::size_t width = embed_dim_ / num_heads_;
  bool self = query.impl() == key.impl() && key.impl() == value.impl();
  if (in_proj_weight_.defined() && self) {
    Variable all = linear(query, in_proj_weight_, in_proj_bias_);
    all = reshape(all, {query.shape()[0], query.shape()[1], 3, num_heads_, width});
    return unbind(transpose(all, options_.batch_first ? Axes{2, 0, 3, 1, 4} : Axes{2, 1, 3, 0, 4}));
  }
  std::vector<Variable> weights{q_proj_weight_, k_proj_weight_, v_proj_weight_};
  if (in_proj_weight_.defined()) weights = split(in_proj_weight_, 3);
  std::vector<Variable> biases(3);
  if (in_proj_bias_.defined()) biases = split(in_proj_bias_, 3);
  std::vector<Variable> results;
  for (const Variable* x : {&query, &key, &value}) {
    std::size_t i = results.size();
    Variable parts = reshape(linear(*x, weights[i], biases[i]), {x->shape()[0], x->shape()[1], num_heads_, width});
    results.push_back(transpose(parts, options_.batch_first ? Axes{0, 2, 1, 3} : Axes{1, 2, 0, 3}));
  }
  return results;
}

// For the scores (batch, heads, queries, keys).
std::vector<Variable> MultiHeadAttention::masks_of(const AttentionArguments& arguments, std::size_t queries,
                                                   std::size_t keys) const {
  std::vector<Variable> masks;
  const Variable &of_keys = arguments.key_mask, &own = arguments.attn_mask;
  if (arguments.is_causal) masks.push_back(earlier(queries, keys));
  if (of_keys.defined()) masks.push_back(expand_dims(of_keys, {1, 2}));
  if (own.defined()) masks.push_back(own.rank() == 3 ? reshape(own, {-1, num_heads_, queries, keys}) : own);
  return masks;
}

AttentionResult MultiHeadAttention::forward(const Variable& query, const Variable& key, const Variable& value,
                                            const AttentionArguments& arguments) {
  check(query, key, value, arguments);
  const std::vector<Variable> heads = heads_of(query, key, value);
  std::size_t queries = heads[0].shape()[2], keys = heads[1].shape()[2];
  double scale = 1 / std::sqrt(static_cast<double>(embed_dim_ / num_heads_));
  Variable scores = xtape::detail::product(heads[0] * scale, heads[1], false, true);
  Variable weights = xtape::detail::attention_weights(scores, masks_of(arguments, queries, keys));
  Variable used = training() ? dropout(weights, options_.dropout, options_.generator) : weights;
  Variable seen = transpose(matmul(used, heads[2]), options_.batch_first ? Axes{0, 2, 1, 3} : Axes{2, 0, 1, 3});
  Shape joined{seen.shape()[0], seen.shape()[1], embed_dim_};
  AttentionResult result{out_proj_(reshape(seen, joined)), {}};
  if (arguments.need_weights) result.weights = arguments.average_attn_weights ? mean(used, 1) : used;
  return result;
}

}  // namespace xtape::nn
