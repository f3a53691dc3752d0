// Work in numbered pieces that threads do ahead of those who ask for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <nn/data/dataset.hpp>

namespace xtape::nn {

/// Makes the batches of a range in several threads, in any order, and hands them out in theirs. The threads keep a
/// bounded number ready, and end with this.
class Prefetch {
 public:
  struct Range {
    std::size_t begin, end;
  };
  struct Workers {
    std::size_t count;  ///< 0: no threads; `take` makes the batch
    std::size_t ahead;  ///< how many batches each of them may be ahead
  };

  Prefetch(std::function<Batch(std::size_t)> make, Range range, Workers workers);

  /// Batch `k`, where k goes through the range in order. @throws what making it threw.
  Batch take(std::size_t k);

 private:
  struct Made {
    Batch batch;
    std::exception_ptr failure;
    bool there = false;
  };
  Made& place_of(std::size_t k) { return made_[k % made_.size()]; }
  void work(std::stop_token stop);

  std::function<Batch(std::size_t)> make_;
  std::size_t next_, end_, ahead_;  // batches from next_ on are not begun
  std::size_t wanted_;              // the one that is handed out next
  std::mutex mutex_;
  std::condition_variable made_change_;
  std::condition_variable_any room_change_;
  std::vector<Made> made_;  // a place for each that may be ready, so that the threads need no memory for them
  std::vector<std::jthread> threads_;  // the last, so that they end first
};

}  // namespace xtape::nn
