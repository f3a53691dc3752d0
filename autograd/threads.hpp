// How many threads xtape computes with.
#pragma once

namespace xtape {

/// Computes with up to `count` threads from here on, in the whole process: everything that is large enough to gain by it,
/// matrix products among them. Results are the same bits for any number. Before the first call, it is XTAPE_NUM_THREADS,
/// or else the number of cores that the process may use. @throws ValueError unless count >= 1.
void set_num_threads(int count);

/// With how many threads a call from this thread computes. @throws ValueError for an XTAPE_NUM_THREADS that is no number.
int num_threads();

/// The same for calls from this thread alone, while the object lives: `NumThreads one(1);` in each of a program's own
/// threads keeps them from competing.
class NumThreads {
 public:
  /// @throws ValueError unless count >= 1.
  explicit NumThreads(int count);
  ~NumThreads();
  NumThreads(const NumThreads&) = delete;
  NumThreads& operator=(const NumThreads&) = delete;

 private:
  int before_;
};

}  // namespace xtape
