#include <nn/transformer_stacks.hpp>

#include <nn/checks.hpp>
#include <nn/containers.hpp>

namespace xtape::nn {

template <class Layer>
detail::TransformerStack<Layer>::TransformerStack(const std::string& name, const Layer& layer, std::size_t num_layers) {
  require_some(name, "num_layers", num_layers);
  ModuleList list;
  for (std::size_t i = 0; i < num_layers; ++i) list.append(clone(layer));
  add("layers", list);
}

template <class Layer>
std::vector<const Layer*> detail::TransformerStack<Layer>::layers() const {
  std::vector<const Layer*> result;
  for (const auto& [name, child] : children().front().second->children()) {
    result.push_back(dynamic_cast<const Layer*>(child.get()));
    if (!result.back())
      throw Error(this->name() + ": layers." + name + " is a " + child->name() + ", needs one of the class of its first");
  }
  return result;
}

template <class Layer>
Variable detail::TransformerStack<Layer>::normed(const Variable& y) const {
  for (const auto& [name, child] : children())
    if (name == "norm") return (*child)(y);
  return y;
}

template class detail::TransformerStack<TransformerEncoderLayer>;
template class detail::TransformerStack<TransformerDecoderLayer>;

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer, std::size_t num_layers)
    : TransformerStack("TransformerEncoder", layer, num_layers) {}

Variable TransformerEncoder::forward(const Variable& src, const EncoderMasks& masks) {
  Variable x = src;
  for (const TransformerEncoderLayer* layer : layers()) x = (*layer)(x, masks);
  return normed(x);
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer, std::size_t num_layers)
    : TransformerStack("TransformerDecoder", layer, num_layers) {}

Variable TransformerDecoder::forward(const Variable& tgt, const Variable& memory, const DecoderMasks& masks) {
  Variable x = tgt;
  for (const TransformerDecoderLayer* layer : layers()) x = (*layer)(x, memory, masks);
  return normed(x);
}

}  // namespace xtape::nn
