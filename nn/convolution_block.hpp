// A convolution with what follows it, in one pass.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include <nn/convolution.hpp>
#include <nn/normalization.hpp>

namespace xtape::nn::detail {

using NamedLayer = std::pair<std::string, std::shared_ptr<Module>>;

/// The first of some layers, or where that is a convolution, with it the batch norm by running statistics and the ReLU that
/// may follow: the scale goes into the weights, and the rest into the pass of the convolution.
class ConvolutionBlock {
 public:
  ConvolutionBlock(std::span<const NamedLayer> layers, const Variable& x);

  std::size_t layers() const { return 1u + (norm_ != nullptr) + relu_; }
  Variable operator()(const Variable& x) const;

 private:
  Module& first_;
  const BatchNorm* norm_ = nullptr;
  bool relu_ = false;
};

}  // namespace xtape::nn::detail
