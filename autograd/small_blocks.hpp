// Memory for the small objects of which a graph is made.
#pragma once

#include <cstddef>

namespace xtape::detail {

/// A block of at least `bytes`, aligned for everything; null when there is no memory. Each thread keeps the small blocks
/// that it frees, a few hundred kilobytes of each size, for the next that it asks for: a step of training asks for the
/// same again and again, and malloc takes a fifth of its time where arrays have few elements.
void* allocate_block(std::size_t bytes) noexcept;
/// Gives it back; `bytes` as when it was taken, and by any thread.
void free_block(void* block, std::size_t bytes) noexcept;

}  // namespace xtape::detail
