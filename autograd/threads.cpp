#include <autograd/threads.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <autograd/error.hpp>

namespace xtape {
namespace {

std::atomic<int> of_process = 0;       // 0: not set yet
thread_local int of_this_thread = 0;  // 0: that of the process

int checked(const char* what, int count) {
  if (count < 1) throw ValueError(std::string(what) + ": " + std::to_string(count) + " threads, needs 1 or more");
  return count;
}

// The share of the cores that a container grants, "quota period" in microseconds; infinity where there is no limit.
double granted_cores() {
  std::string group, line, quota;
  std::ifstream groups("/proc/self/cgroup");
  while (std::getline(groups, line))
    if (line.starts_with("0::")) group = line.substr(3);
  double least = INFINITY, period;
  // The limits of all groups that contain this one hold.
  for (;; group.erase(group.rfind('/'))) {
    std::ifstream limit("/sys/fs/cgroup" + group + "/cpu.max");
    if (limit >> quota >> period && quota != "max") least = std::min(least, std::strtod(quota.c_str(), nullptr) / period);
    if (group.rfind('/') == std::string::npos) return least;
  }
}

int cores() {
  cpu_set_t set;
  int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                            : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, static_cast<int>(std::min<double>(allowed, std::ceil(granted_cores()))));
}

int from_outside() {
  const char* text = std::getenv("XTAPE_NUM_THREADS");
  if (!text || !*text) return cores();
  std::string_view digits = text;
  int count = 0;
  auto [end, error] = std::from_chars(digits.begin(), digits.end(), count);
  if (error != std::errc() || end != digits.end() || count < 1)
    throw ValueError("XTAPE_NUM_THREADS is \"" + std::string(text) + "\", needs a number of threads, 1 or more");
  return count;
}

}  // namespace

void set_num_threads(int count) { of_process = checked("set_num_threads", count); }

int num_threads() {
  if (of_this_thread) return of_this_thread;
  if (of_process == 0) {
    int unset = 0;
    of_process.compare_exchange_strong(unset, from_outside());
  }
  return of_process;
}

NumThreads::NumThreads(int count) : before_(std::exchange(of_this_thread, checked("NumThreads", count))) {}
NumThreads::~NumThreads() { of_this_thread = before_; }

}  // namespace xtape
