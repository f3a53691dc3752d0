// Memory to compute in.
#pragma once

#include <cstddef>

namespace xtape::kernels {

/// What needs room at once in one thread.
enum class Scratch { left, right, result };

/// At least `bytes`, aligned for any register, for this thread until its next call for the same use. It is kept, so that
/// no call in a loop allocates.
void* scratch(Scratch use, std::size_t bytes);

}  // namespace xtape::kernels
