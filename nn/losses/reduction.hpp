// What becomes of the losses of samples or elements.
#pragma once

namespace xtape::nn {

/// The mean of all losses, their sum, each by itself, or their sum divided by the extent of the first axis, the batch.
enum class Reduction { mean, sum, none, batchmean };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

}  // namespace xtape::nn
