#include <autograd/profile.hpp>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <map>
#include <new>
#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include <autograd/atomic_file.hpp>
#include <autograd/memory_error.hpp>

namespace xtape {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Event {
  const char* name;
  bool backward;
  double start, seconds, within;  // within: what took place in it, and counts for itself
  std::size_t bytes;
  bool aside = false;  // beside the operations
};

// What this thread is doing: the operations that have begun and not ended, outermost first.
struct Open {
  bool backward;
  double within = 0;
};
thread_local std::vector<Open> open;

}  // namespace

struct Profile::Log {
  double start = now();
  std::vector<Event> events;
};

namespace {
thread_local std::vector<std::vector<Event>*> logs;

// Called by destructors: where there is no memory, a measurement is lost.
void write_down(const Event& event) noexcept try {
  for (std::vector<Event>* log : logs) log->push_back(event);
} catch (const std::bad_alloc&) {
}

}  // namespace

std::atomic<int> detail::profile_count = 0;

Profile::Profile() try : log_(std::make_shared<Log>()) {
  logs.push_back(&log_->events);
  ++detail::profile_count;
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("Profile", "the measurements");
}

Profile::~Profile() { stop(); }

void Profile::stop() {
  if (std::erase(logs, &log_->events) > 0) --detail::profile_count;
}

detail::Timer::Timer(const char* name, bool backward)
    : name_(name), backward_(backward || (!open.empty() && open.back().backward)), start_(now()) {
  open.push_back({backward_});
}

detail::Timer::~Timer() {
  double seconds = now() - start_, within = open.back().within;
  open.pop_back();
  if (!open.empty()) open.back().within += seconds;
  write_down({name_, backward_, start_, seconds, within, bytes_});
}

detail::Aside::Aside(const char* name, std::size_t bytes) : name_(name), bytes_(bytes), start_(profiling() ? now() : 0) {}

void detail::Aside::end() {
  if (const char* name = std::exchange(name_, nullptr); name && profiling() && start_ > 0)
    write_down({name, true, start_, now() - start_, 0, bytes_, true});
}

std::vector<Profile::Row> Profile::rows() const {
  std::map<std::string, Row> by_name;
  // An event is logged when it ends: those within a backward stand before it, and are skipped with it.
  double inside_until = 0, inside_from = 0;
  for (auto event = log_->events.rbegin(); event != log_->events.rend(); ++event) {
    if (event->aside) continue;
    bool inside = event->start >= inside_from && event->start < inside_until;
    if (event->backward && inside) continue;
    if (event->backward) {
      inside_from = event->start;
      inside_until = event->start + event->seconds;
    }
    Row& row = by_name[event->name];
    row.operation = event->name;
    Part& part = event->backward ? row.backward : row.forward;
    ++part.count;
    part.seconds += event->backward ? event->seconds : event->seconds - event->within;
    part.bytes += event->bytes;
  }
  std::vector<Row> result;
  for (auto& [name, row] : by_name) result.push_back(row);
  auto seconds = [](const Row& row) { return row.forward.seconds + row.backward.seconds; };
  std::ranges::stable_sort(result, std::greater(), seconds);
  return result;
}

std::string Profile::chrome_trace() const {
  nlohmann::json events = nlohmann::json::array();
  for (const Event& event : log_->events)
    events.push_back({{"name", event.name},
                      {"cat", event.aside ? "communication" : event.backward ? "backward" : "forward"},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", event.aside ? 2 : 1},
                      {"ts", (event.start - log_->start) * 1e6},
                      {"dur", event.seconds * 1e6},
                      {"args", {{"bytes", event.bytes}}}});
  return nlohmann::json{{"traceEvents", events}, {"displayTimeUnit", "ms"}}.dump(1) + "\n";
}

void Profile::save_chrome_trace(const std::string& path) const {
  write_file_atomically(path, chrome_trace());
}

namespace {

std::string bytes_text(std::size_t bytes) {
  std::ostringstream out;
  auto value = static_cast<double>(bytes);
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  out << std::fixed << std::setprecision(unit ? 1 : 0) << value << " " << units[unit];
  return out.str();
}

void print_part(std::ostream& out, const Profile::Part& part) {
  if (part.count == 0) {
    out << std::setw(34) << "";
    return;
  }
  out << std::setw(9) << part.count << std::setw(13) << std::fixed << std::setprecision(3) << part.seconds * 1e3
      << std::setw(12) << bytes_text(part.bytes);
}

void print_row(std::ostream& out, const std::string& name, std::size_t width, const Profile::Part& forward,
               const Profile::Part& backward) {
  out << std::left << std::setw(static_cast<int>(width)) << name << std::right;
  print_part(out, forward);
  out << "   ";
  print_part(out, backward);
  out << "\n";
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Profile& profile) {
  std::vector<Profile::Row> rows = profile.rows();
  Profile::Row total{"total", {}, {}};
  std::size_t width = 9;
  for (const auto& row : rows) {
    width = std::max(width, row.operation.size());
    for (auto [sum, part] : {std::pair(&total.forward, &row.forward), std::pair(&total.backward, &row.backward)}) {
      sum->count += part->count;
      sum->seconds += part->seconds;
      sum->bytes += part->bytes;
    }
  }
  std::ostringstream out;  // which leaves the stream's own format alone
  out << std::left << std::setw(static_cast<int>(width)) << "" << std::right << std::setw(34) << "forward" << "   "
      << std::setw(34) << "backward" << "\n"
      << std::left << std::setw(static_cast<int>(width)) << "operation" << std::right;
  for (const char* gap : {"", "   "})
    out << gap << std::setw(9) << "calls" << std::setw(13) << "ms" << std::setw(12) << "results";
  out << "\n";
  for (const auto& row : rows) print_row(out, row.operation, width, row.forward, row.backward);
  print_row(out, "total", width, total.forward, total.backward);
  return stream << out.str();
}

}  // namespace xtape
