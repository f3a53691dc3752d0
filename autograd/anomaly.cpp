#include <autograd/anomaly.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>
#include <utility>

#include <dlfcn.h>

#include <boost/stacktrace.hpp>

namespace xtape {
namespace {

thread_local bool enabled = false;

// The program or library that an address was loaded from, and where in it the address is.
struct Object {
  std::string file;
  std::ptrdiff_t offset = 0;
};
Object object_of(const void* address) {
  Dl_info info;
  if (!::dladdr(address, &info) || !info.dli_fname) return {};
  return {info.dli_fname, static_cast<const char*>(address) - static_cast<const char*>(info.dli_fbase)};
}

// "main.cpp:12 in main()", as far as it is known.
std::string describe(const void* address) {
  // A call is followed by the address that it returns to, which may belong to the next line.
  boost::stacktrace::frame frame(static_cast<const char*>(address) - 1);
  std::string name = frame.name(), file = frame.source_file();
  if (!file.empty()) return file + ":" + std::to_string(frame.source_line()) + (name.empty() ? "" : " in " + name);
  if (!name.empty()) return name;
  auto [object, offset] = object_of(address);
  std::ostringstream out;
  out << object << "+0x" << std::hex << offset;
  return out.str();
}

}  // namespace

DetectAnomaly::DetectAnomaly(bool on) : before_(std::exchange(enabled, on)) {}
DetectAnomaly::~DetectAnomaly() { enabled = before_; }

bool detail::detecting_anomaly() { return enabled; }

std::vector<const void*> detail::calls() {
  std::array<const void*, 64> frames{};
  std::size_t count = boost::stacktrace::safe_dump_to(frames.data(), sizeof frames);
  return std::vector<const void*>(frames.data(), frames.data() + std::min(count, frames.size()));
}

std::string detail::describe_calls(const std::vector<const void*>& calls) {
  const std::string own = object_of(reinterpret_cast<const void*>(&detail::describe_calls)).file;
  std::string result;
  for (const void* address : calls) {
    std::string object = object_of(address).file;
    if (object.empty() || object == own) continue;
    if (object.find("/libc.") != std::string::npos) break;  // what calls main
    result += "\n  at " + describe(address);
  }
  return result;
}

}  // namespace xtape
