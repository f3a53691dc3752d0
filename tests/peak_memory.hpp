// How much memory something takes.
#pragma once

#include <functional>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace xtape::testing {

/// The memory that f takes at its peak, in bytes, beyond that of this process: in a process of its own.
inline double peak_memory(const std::function<void()>& f) {
  auto run = [](const std::function<void()>& work) {
    pid_t child = ::fork();
    if (child == 0) {
      try {
        work();
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    rusage usage{};
    if (::wait4(child, &status, 0, &usage) != child || status != 0)
      throw std::runtime_error("peak_memory: the process that was to be measured failed");
    return static_cast<double>(usage.ru_maxrss) * 1024;
  };
  return run(f) - run([] {});
}

}  // namespace xtape::testing
