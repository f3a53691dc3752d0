// Ctrl-C while something runs that can end well. For nn's own use.
#pragma once

namespace xtape::nn::detail {

/// While one is alive, the first Ctrl-C (SIGINT) does not end the program but is noted; a second one ends it. A handler
/// that the program has set itself stays, and then nothing is noted. Several may be alive at once, in any threads.
class InterruptScope {
 public:
  /// Where not `wanted`, it does nothing.
  explicit InterruptScope(bool wanted);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  /// Whether Ctrl-C was pressed in its lifetime.
  bool interrupted() const;

 private:
  bool wanted_;
  unsigned before_;
};

}  // namespace xtape::nn::detail
