// What xtape's training steps have in common.
#pragma once

#include <memory>

#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "contestants.hpp"

namespace bench::own {

/// One training step: `loss()` is that of the network whose parameters the optimizer has.
template <class Loss>
Work step(std::shared_ptr<xtape::optim::Optimizer> optimizer, Loss loss) {
  return [=] {
    optimizer->zero_grad();
    loss().backward();
    optimizer->step();
  };
}

inline std::shared_ptr<xtape::optim::Optimizer> adam(const xtape::nn::Module& net) {
  return std::make_shared<xtape::optim::Adam>(net.parameters(), xtape::optim::AdamOptions{.lr = 1e-3});
}

}  // namespace bench::own
