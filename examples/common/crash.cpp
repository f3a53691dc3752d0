// What examples/run links scripts with: where a script was when it crashed, or when an exception came up that nobody
// catches, by the script's own lines.
#include <backtrace.h>
#include <cxxabi.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

namespace {

backtrace_state* state = nullptr;

// Lines of files of the user's own, the innermost first; those of headers that were installed are not.
struct Lines {
  int count = 0;
  static constexpr int most = 8;
};

using Name = std::unique_ptr<char, decltype(&std::free)>;

Name demangled(const char* name) { return {abi::__cxa_demangle(name, nullptr, nullptr, nullptr), &std::free}; }

int print_line(void* data, std::uintptr_t, const char* file, int line, const char* function) {
  auto& lines = *static_cast<Lines*>(data);
  const char* script = std::getenv("XTAPE_SCRIPT_FOLDER");
  if (!file || !script || std::strncmp(file, script, std::strlen(script)) != 0) return 0;
  const Name name = demangled(function ? function : "");
  std::fprintf(stderr, "  %s %s:%d, in %s\n", lines.count == 0 ? "at" : "from", std::strrchr(file, '/') + 1, line,
               name ? name.get() : function ? function : "?");
  return ++lines.count == Lines::most;
}

void print_lines() {
  Lines lines;
  backtrace_full(state, 1, print_line, [](void*, const char*, int) {}, &lines);
}

void on_signal(int number) {
  alarm(2);  // where the memory is damaged, what follows may wait for a lock for ever
  std::fprintf(stderr, "%s\n", strsignal(number));
  print_lines();
  raise(number);  // its handler is the usual one now
}

void on_terminate() {
  std::fflush(stdout);
  std::string what = "std::terminate was called";
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    const Name name = demangled(type->name());
    what = name ? name.get() : type->name();
    try {
      throw;
    } catch (const std::exception& error) {
      what += std::string(": ") + error.what();
    } catch (...) {
    }
  }
  std::fprintf(stderr, "%s\n", what.c_str());
  print_lines();
  signal(SIGABRT, SIG_DFL);
  std::abort();
}

[[gnu::constructor]] void watch() {
  state = backtrace_create_state(nullptr, 0, [](void*, const char*, int) {}, nullptr);
  // A stack of its own: the other may be what ran out.
  static char memory[1 << 16];
  stack_t stack{};
  stack.ss_sp = memory, stack.ss_size = sizeof memory;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction before {};
    // A sanitizer has handlers of its own.
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) sigaction(number, &action, nullptr);
  }
  std::set_terminate(on_terminate);
}

}  // namespace
