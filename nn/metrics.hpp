// How good predictions are. Definitions are scikit-learn's; the order of arguments is that of losses, predictions
// first. All of them take whole arrays, compute in double, and throw Error naming the metric for operands that are
// undefined, empty or do not fit.
#pragma once

#include <nn/metrics/classification.hpp>
#include <nn/metrics/regression.hpp>
#include <nn/metrics/roc.hpp>
