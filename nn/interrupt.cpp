#include <nn/interrupt.hpp>

#include <atomic>
#include <csignal>
#include <mutex>

namespace xtape::nn::detail {
namespace {

std::atomic<unsigned> interrupts = 0;
static_assert(std::atomic<unsigned>::is_always_lock_free);  // so that a handler may use it

void note(int) { interrupts.fetch_add(1); }

// The handler is the process's, so all scopes share it: the first sets it, the last takes it back.
std::mutex mutex;
unsigned scopes = 0;

bool is_handled_by(const struct sigaction& action, void (*handler)(int)) {
  return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == handler;
}

void set_handler() {
  struct sigaction present {}, own {};
  ::sigaction(SIGINT, nullptr, &present);
  if (!is_handled_by(present, SIG_DFL)) return;
  own.sa_handler = note;
  own.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // a second one finds the default, which ends the program
  ::sigemptyset(&own.sa_mask);
  ::sigaction(SIGINT, &own, nullptr);
}

void take_back() {
  struct sigaction present {};
  ::sigaction(SIGINT, nullptr, &present);
  if (is_handled_by(present, note)) ::signal(SIGINT, SIG_DFL);
}

}  // namespace

InterruptScope::InterruptScope(bool wanted) : wanted_(wanted), before_(interrupts) {
  if (!wanted_) return;
  std::scoped_lock lock(mutex);
  if (scopes++ == 0) set_handler();
}

InterruptScope::~InterruptScope() {
  if (!wanted_) return;
  std::scoped_lock lock(mutex);
  if (--scopes == 0) take_back();
}

bool InterruptScope::interrupted() const { return wanted_ && interrupts != before_; }

}  // namespace xtape::nn::detail
