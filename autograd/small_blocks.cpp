#include <autograd/small_blocks.hpp>

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace xtape::detail {
namespace {

// Of the sizes that malloc hands out: 8, 24, 40, ... bytes.
constexpr std::size_t sizes = 16, kept_bytes = 256 << 10;
constexpr std::size_t size_number(std::size_t bytes) { return (bytes + 7) / 16; }
constexpr std::size_t size_of(std::size_t number) { return 16 * number + 8; }

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

// Zero until the thread's first free, and again after its last: then malloc and free serve. Initial-exec: found without
// a call, in 256 bytes of the room that the loader keeps for libraries that are loaded later.
[[gnu::tls_model("initial-exec")]] constinit thread_local std::array<FreeList, sizes> lists{};

// Opens the lists of a thread, and empties them at its end.
struct Keeper {
  Keeper() {
    for (std::size_t i = 0; i < lists.size(); ++i) lists[i].room = kept_bytes / size_of(i);
  }
  ~Keeper() {
    for (FreeList& list : lists) {
      list.room = 0;
      while (list.first) std::free(std::exchange(list.first, list.first->next));
    }
  }
};

}  // namespace

void* allocate_block(std::size_t bytes) noexcept {
  std::size_t number = size_number(bytes);
  if (!keeps_blocks || number >= sizes) return std::malloc(bytes);
  FreeList& list = lists[number];
  if (!list.first) return std::malloc(size_of(number));
  ++list.room;
  return std::exchange(list.first, list.first->next);
}

void free_block(void* block, std::size_t bytes) noexcept {
  std::size_t number = size_number(bytes);
  if (!keeps_blocks || number >= sizes) return std::free(block);
  FreeList& list = lists[number];
  if (list.room == 0) {
    thread_local Keeper keeper;
    if (list.room == 0) return std::free(block);
  }
  --list.room;
  list.first = new (block) FreeBlock{list.first};
}

}  // namespace xtape::detail
