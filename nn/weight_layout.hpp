// Which axis of a weight belongs to the inputs. For nn's own use.
#pragma once

#include <string_view>

#include <nn/module.hpp>

namespace xtape::nn::detail {

/// Whether the parameter of this name is a matrix (inputs, outputs), as those of Dense, the recurrent layers and
/// MultiHeadAttention are: a row belongs to an input. In PyTorch it belongs to an output.
bool has_inputs_as_rows(const Module& module, std::string_view name);

}  // namespace xtape::nn::detail
