// Whether operations are recorded: a switch for each thread.
#pragma once

namespace xtape {

/// Whether this thread records operations.
bool grad_enabled();

/// Switches recording on or off until the end of the scope, for this thread only.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

/// Records nothing until the end of the scope: for evaluation, and for updating parameters.
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};

/// Records again, within a NoGrad scope.
struct EnableGrad : GradMode {
  EnableGrad() : GradMode(true) {}
};

}  // namespace xtape
