#include <autograd/small_blocks.hpp>

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace xtape::detail {
namespace {

constexpr std::size_t step = 16, greatest = 256, kept_bytes = 256 << 10;

struct FreeBlock {
  FreeBlock* next;
};

struct FreeList {
  FreeBlock* first;
  std::size_t room;  // for so many more
};

// The sanitizers see what malloc and free see.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define XTAPE_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define XTAPE_SANITIZED
#endif
#ifdef XTAPE_SANITIZED
constexpr bool keeps_blocks = false;
#else
constexpr bool keeps_blocks = true;
#endif

// Zero until the thread's first free, and again after its last: then malloc and free serve.
constinit thread_local std::array<FreeList, greatest / step> lists{};

// Opens the lists of a thread, and empties them at its end.
struct Keeper {
  Keeper() {
    for (std::size_t i = 0; i < lists.size(); ++i) lists[i].room = kept_bytes / ((i + 1) * step);
  }
  ~Keeper() {
    for (FreeList& list : lists) {
      list.room = 0;
      while (list.first) std::free(std::exchange(list.first, list.first->next));
    }
  }
};

FreeList& list_of(std::size_t bytes) { return lists[(bytes - 1) / step]; }

}  // namespace

void* allocate_block(std::size_t bytes) noexcept {
  if (!keeps_blocks || bytes > greatest) return std::malloc(bytes);
  FreeList& list = list_of(bytes);
  if (!list.first) return std::malloc((bytes + step - 1) / step * step);
  ++list.room;
  return std::exchange(list.first, list.first->next);
}

void free_block(void* block, std::size_t bytes) noexcept {
  if (!keeps_blocks || bytes > greatest) return std::free(block);
  FreeList& list = list_of(bytes);
  if (list.room == 0) {
    thread_local Keeper keeper;
    if (list.room == 0) return std::free(block);
  }
  --list.room;
  list.first = new (block) FreeBlock{list.first};
}

}  // namespace xtape::detail
