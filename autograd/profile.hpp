// Where the time goes: what each operation took, forward and backward.
#pragma once

#include <atomic>
#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace xtape {

/// Measures the operations of this thread from its construction to its end, or to `stop`:
///
///     Profile profile;
///     loss(net(x), y).backward();
///     std::cout << profile;
class Profile {
 public:
  /// One way of one operation.
  struct Part {
    std::size_t count = 0;
    double seconds = 0;     ///< its own: what operations within it took counts for them
    std::size_t bytes = 0;  ///< of its results; on the way back, of the gradients
  };
  struct Row {
    std::string operation;
    Part forward, backward;
  };

  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Ends the measurement; what was measured stays.
  void stop();
  /// One row for each operation, the one that took longest first. The operations of which a vector-Jacobian product is
  /// made count as part of it: as backward, under the name of the operation that they are the derivative of.
  std::vector<Row> rows() const;
  /// Every call, in the Trace Event Format that chrome://tracing and Perfetto read. What went on beside the operations, such
  /// as sums of gradients over processes, stands in a line of its own, and in no row.
  std::string chrome_trace() const;
  /// The same as a file. @throws FileError when it can not be written; an old one is untouched then.
  void save_chrome_trace(const std::string& path) const;

 private:
  struct Log;
  std::shared_ptr<Log> log_;
};

/// The rows as a table.
std::ostream& operator<<(std::ostream& out, const Profile& profile);

namespace detail {

/// How many profiles there are, in all threads.
extern std::atomic<int> profile_count;
inline bool profiling() { return profile_count.load(std::memory_order_relaxed) > 0; }

/// The time of a scope, for the profiles of this thread.
class Timer {
 public:
  /// `name` must live as long as the profile.
  Timer(const char* name, bool backward);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void add_bytes(std::size_t bytes) { bytes_ += bytes; }

 private:
  const char* name_;
  bool backward_;
  double start_;
  std::size_t bytes_ = 0;
};

/// Something that goes on beside this thread's operations, from its construction to its end, for the profiles of this
/// thread.
class Aside {
 public:
  /// `name` must live as long as the profile.
  Aside(const char* name, std::size_t bytes);
  /// Logs it; a second call does nothing.
  void end();

 private:
  const char* name_;
  std::size_t bytes_;
  double start_;
};

}  // namespace detail
}  // namespace xtape
