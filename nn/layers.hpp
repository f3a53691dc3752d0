// All layers.
#pragma once

#include <nn/activations.hpp>
#include <nn/attention.hpp>
#include <nn/containers.hpp>
#include <nn/convolution.hpp>
#include <nn/dropout.hpp>
#include <nn/embedding.hpp>
#include <nn/linear.hpp>
#include <nn/normalization.hpp>
#include <nn/pooling.hpp>
#include <nn/positional.hpp>
#include <nn/recurrent.hpp>
#include <nn/recurrent_cells.hpp>
#include <nn/shaping.hpp>
#include <nn/transformer.hpp>
#include <nn/transformer_stacks.hpp>
#include <nn/weight_norm.hpp>
