// The program's own malloc takes the place of the C library's, for shared libraries and operator new as well; under
// the address sanitizer, which does that itself, its hooks are used.
#include <tests/nn/allocations.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <malloc.h>

namespace {

std::atomic<std::ptrdiff_t> live = 0, peak = 0;

void count(std::ptrdiff_t bytes) {
  std::ptrdiff_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::ptrdiff_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

}  // namespace

namespace xtape::testing {

PeakMemory::PeakMemory() : before_(live.load()) { peak.store(before_); }
std::size_t PeakMemory::bytes() const { return static_cast<std::size_t>(peak.load() - before_); }

}  // namespace xtape::testing

#if defined(__SANITIZE_ADDRESS__)

// Of the sanitizer's <sanitizer/allocator_interface.h>, which not every GCC brings along.
extern "C" {
std::size_t __sanitizer_get_allocated_size(const volatile void* block);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
}

namespace {

void note_malloc(const volatile void*, std::size_t bytes) { count(static_cast<std::ptrdiff_t>(bytes)); }
void note_free(const volatile void* block) {
  if (block) count(-static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(block)));
}

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(note_malloc, note_free);

}  // namespace

#else

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* block);

static void* counted(void* block) {
  count(static_cast<std::ptrdiff_t>(malloc_usable_size(block)));
  return block;
}

void* malloc(std::size_t bytes) { return counted(__libc_malloc(bytes)); }
void* calloc(std::size_t n, std::size_t bytes) { return counted(__libc_calloc(n, bytes)); }
void* memalign(std::size_t alignment, std::size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = counted(__libc_memalign(alignment, bytes));
  return *block ? 0 : ENOMEM;
}
void* realloc(void* block, std::size_t bytes) {
  count(-static_cast<std::ptrdiff_t>(malloc_usable_size(block)));
  void* moved = __libc_realloc(block, bytes);
  return counted(moved ? moved : bytes > 0 ? block : nullptr) == moved ? moved : nullptr;
}
void free(void* block) {
  count(-static_cast<std::ptrdiff_t>(malloc_usable_size(block)));
  __libc_free(block);
}

}  // extern "C"

#endif
