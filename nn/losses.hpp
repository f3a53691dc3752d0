// What training makes small. Definitions and defaults are PyTorch's. Each loss is a composition of differentiable
// operations, and so has derivatives of any order. All of them throw Error naming the loss for operands that are
// undefined, ShapeError, DTypeError or ValueError for those that do not fit, and ShapeError for the mean of an empty
// batch, where PyTorch has NaN, which the next step would write into all parameters. The sum of an empty batch is 0.
// A sample that is NaN has a loss that is, and changes no other's.
#pragma once

#include <nn/losses/classification.hpp>
#include <nn/losses/ctc.hpp>
#include <nn/losses/embedding.hpp>
#include <nn/losses/reduction.hpp>
#include <nn/losses/regression.hpp>
