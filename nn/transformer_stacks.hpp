// Stacks of transformer layers.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include <nn/transformer.hpp>

namespace xtape::nn {

namespace detail {

/// Layers of one class, one after the other, as the child "layers", and what stands behind them as the child "norm".
template <class Layer>
class TransformerStack : public Module {
 public:
  std::string description() const override { return std::to_string(layers().size()) + " layers"; }

 protected:
  TransformerStack(const std::string& name, const Layer& layer, std::size_t num_layers);
  /// @throws Error where another layer was put in the place of one that is of another class.
  std::vector<const Layer*> layers() const;
  /// y, or what "norm" makes of it.
  Variable normed(const Variable& y) const;
};

extern template class TransformerStack<TransformerEncoderLayer>;
extern template class TransformerStack<TransformerDecoderLayer>;

}  // namespace detail

/// Encoder layers one after the other, each with the same masks:
///
///     nn::TransformerEncoder encoder(nn::TransformerEncoderLayer(512, 8), 6, nn::LayerNorm(512));
///     Variable memory = encoder(src, {.src_key_mask = known});
///
/// All are clones of the one that is given, as in PyTorch, and begin with its weights. A norm behind the last one is
/// for layers that are pre-norm. The children are PyTorch's, by name: layers.0, layers.1, ..., norm.
class TransformerEncoder : public detail::TransformerStack<TransformerEncoderLayer> {
 public:
  /// @throws ValueError for 0 layers.
  TransformerEncoder(const TransformerEncoderLayer& layer, std::size_t num_layers);
  template <std::derived_from<Module> Norm>
  TransformerEncoder(const TransformerEncoderLayer& layer, std::size_t num_layers, const Norm& norm)
      : TransformerEncoder(layer, num_layers) {
    add("norm", norm);
  }
  Variable forward(const Variable& src) override { return forward(src, EncoderMasks()); }
  /// @throws as TransformerEncoderLayer.
  Variable forward(const Variable& src, const EncoderMasks& masks);
  using Module::operator();
  Variable operator()(const Variable& src, const EncoderMasks& masks) const {
    return const_cast<TransformerEncoder*>(this)->forward(src, masks);
  }
};

/// The same of decoder layers, which all attend to one memory: `decoder(tgt, memory, {.tgt_is_causal = true})`.
class TransformerDecoder : public detail::TransformerStack<TransformerDecoderLayer> {
 public:
  /// @throws ValueError for 0 layers.
  TransformerDecoder(const TransformerDecoderLayer& layer, std::size_t num_layers);
  template <std::derived_from<Module> Norm>
  TransformerDecoder(const TransformerDecoderLayer& layer, std::size_t num_layers, const Norm& norm)
      : TransformerDecoder(layer, num_layers) {
    add("norm", norm);
  }
  using Module::forward;
  using Module::operator();
  /// @throws as TransformerDecoderLayer.
  Variable forward(const Variable& tgt, const Variable& memory, const DecoderMasks& masks = {});
  Variable operator()(const Variable& tgt, const Variable& memory, const DecoderMasks& masks = {}) const {
    return const_cast<TransformerDecoder*>(this)->forward(tgt, memory, masks);
  }
};

}  // namespace xtape::nn
