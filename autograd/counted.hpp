// Reference counts without atomic read-modify-write operations where there can be no race.
#pragma once

#include <atomic>
#include <cstdint>

namespace xtape::detail {

/// Counts one more owner. What has none yet is known to no other thread.
inline void add_reference(std::atomic<std::uint32_t>& count) noexcept {
  if (count.load(std::memory_order_relaxed) == 0) count.store(1, std::memory_order_relaxed);
  else count.fetch_add(1, std::memory_order_relaxed);
}

/// Counts one owner less; true when that was the last. A sole owner has nobody to race with.
inline bool drop_reference(std::atomic<std::uint32_t>& count) noexcept {
  return count.load(std::memory_order_acquire) == 1 || count.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace xtape::detail
