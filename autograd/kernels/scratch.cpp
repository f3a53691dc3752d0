#include <autograd/kernels/scratch.hpp>

#include <array>
#include <memory>
#include <new>

namespace xtape::kernels {
namespace {

constexpr std::align_val_t alignment{64};

struct Free {
  void operator()(void* memory) const { ::operator delete(memory, alignment); }
};

struct Room {
  std::unique_ptr<void, Free> memory;
  std::size_t bytes = 0;
};

}  // namespace

void* scratch(Scratch use, std::size_t bytes) {
  static thread_local std::array<Room, 3> rooms;
  Room& room = rooms[static_cast<std::size_t>(use)];
  if (room.bytes < bytes) {
    room = {};
    room = {std::unique_ptr<void, Free>(::operator new(bytes, alignment)), bytes};
  }
  return room.memory.get();
}

}  // namespace xtape::kernels
