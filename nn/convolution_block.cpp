#include <nn/convolution_block.hpp>

#include <typeinfo>

#include <nn/activations.hpp>

namespace xtape::nn::detail {
namespace {

// Of these very classes: one that derives from them may do something else.
template <class M>
bool is_a(const Module& module) {
  return typeid(module) == typeid(M);
}

bool fits(const Module& convolution, const Module& norm) {
  return (is_a<Conv1D>(convolution) && is_a<BatchNorm1D>(norm)) ||
         (is_a<Conv2D>(convolution) && is_a<BatchNorm2D>(norm)) ||
         (is_a<Conv3D>(convolution) && is_a<BatchNorm3D>(norm));
}

// What does not fit together is left to the layers, which say so.
bool goes_into(const BatchNorm& norm, const Convolution& convolution, const Variable& x) {
  const Parameter& weight = convolution.weight;
  return !norm.by_input() && weight.size() > 0 && x.defined() && x.rank() == weight.rank() &&
         norm.running_mean.shape() == Shape{weight.shape(0)} && norm.running_mean.dtype() == weight.dtype();
}

}  // namespace

ConvolutionBlock::ConvolutionBlock(std::span<const NamedLayer> layers, const Variable& x) : first_(*layers[0].second) {
  if (!(is_a<Conv1D>(first_) || is_a<Conv2D>(first_) || is_a<Conv3D>(first_))) return;
  std::size_t next = 1;
  if (next < layers.size() && fits(first_, *layers[next].second)) {
    const auto& norm = static_cast<const BatchNorm&>(*layers[next].second);
    if (!goes_into(norm, static_cast<const Convolution&>(first_), x)) return;
    norm_ = &norm;
    ++next;
  }
  relu_ = next < layers.size() && is_a<ReLU>(*layers[next].second);
}

Variable ConvolutionBlock::operator()(const Variable& x) const {
  if (layers() == 1) return first_(x);
  auto [scale, shift] = norm_ ? norm_->scale_and_shift() : std::pair<Variable, Variable>();
  return static_cast<Convolution&>(first_).forward_with(x, scale, shift, relu_);
}

}  // namespace xtape::nn::detail
