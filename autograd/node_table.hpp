// Numbers of nodes for the time of a walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace xtape {

class Node;

namespace detail {

/// Numbers of nodes, found by their addresses: a hash table with open addressing and linear probing, at most half full.
/// Marks in the nodes would be found faster, but several threads may walk over a node at once.
class NodeTable {
 public:
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

  /// The number of a node, or none.
  std::uint32_t find(const Node* node) const {
    if (count_ == 0) return none;
    for (std::size_t i = home(node); slots_[i].node; i = after(i))
      if (slots_[i].node == node) return slots_[i].number;
    return none;
  }

  /// The number that a node has; it gets this one if it has none.
  std::uint32_t insert(const Node* node, std::uint32_t number) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    std::size_t i = home(node);
    for (; slots_[i].node; i = after(i))
      if (slots_[i].node == node) return slots_[i].number;
    slots_[i] = {node, number};
    ++count_;
    return number;
  }

  /// Forgets a node that has a number. Those that had to make way for it move back.
  void erase(const Node* node) {
    std::size_t free = home(node);
    while (slots_[free].node != node) free = after(free);
    for (std::size_t i = after(free); slots_[i].node; i = after(i)) {
      const std::size_t wished = home(slots_[i].node), mask = slots_.size() - 1;
      if (((i - wished) & mask) < ((i - free) & mask)) continue;
      slots_[free] = slots_[i];
      free = i;
    }
    slots_[free].node = nullptr;
    --count_;
  }

 private:
  struct Slot {
    const Node* node = nullptr;
    std::uint32_t number = 0;
  };

  // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
  std::size_t home(const Node* node) const {
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(node) * 0x9e3779b97f4a7c15u >> shift_);
  }
  std::size_t after(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void grow() {
    std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 16 : 2 * slots_.size()));
    shift_ = slots_.size() == 16 ? 60 : shift_ - 1;
    count_ = 0;
    for (const Slot& slot : before)
      if (slot.node) insert(slot.node, slot.number);
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  int shift_ = 60;
};

}  // namespace detail
}  // namespace xtape
