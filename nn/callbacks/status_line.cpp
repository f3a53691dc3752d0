#include <nn/callbacks/status_line.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace xtape::nn {
namespace {

bool draws(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) && term && std::strcmp(term, "dumb") != 0;
}

// What the user's own locale says; the program's stays as it is.
bool is_utf8() {
  locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (!locale) return false;
  bool result = std::strcmp(::nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
  ::freelocale(locale);
  return result;
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string repeated(const char* symbol, std::size_t times) {
  std::string text;
  while (times-- > 0) text += symbol;
  return text;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class... Parts>
std::string text(const char* format, Parts... parts) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, format, parts...);
  return buffer;
}

}  // namespace

Stopwatch::Stopwatch(double before) : start_(now() - before) {}

double Stopwatch::seconds() const { return now() - start_; }

std::string fixed(double value, int digits) {
  bool lost = value != 0 && std::abs(value) < std::pow(10, -digits);
  return text(lost ? "%.*e" : "%.*f", lost ? 1 : digits, value);
}

std::string clock_time(double seconds) {
  auto s = static_cast<long>(std::ceil(std::clamp(seconds, 0.0, 1e9)));
  return s >= 3600 ? text("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60) : text("%ld:%02ld", s / 60, s % 60);
}

std::string epoch_of(std::size_t epoch, std::size_t epochs) {
  return text("epoch %*zu/%zu", static_cast<int>(std::to_string(epochs).size()), epoch, epochs);
}

std::string progress_line(const Progress& progress, std::size_t width, bool unicode) {
  constexpr std::size_t shortest = 8, longest = 60, gap = 2;
  bool known = progress.done >= 0;
  double done = std::min(progress.done, 1.0);
  std::vector<std::string> parts = progress.details;
  if (known) parts.insert(parts.begin(), text("%3d%%", static_cast<int>(100 * done)));
  std::string details;
  for (const std::string& part : parts) {
    if (progress.head.size() + details.size() + gap + part.size() > width) break;
    details += "  " + part;
  }
  std::size_t taken = progress.head.size() + gap + details.size();
  if (!known || taken + shortest > width) return (progress.head + details).substr(0, width);
  std::size_t length = std::min(width - taken, longest);
  auto filled = static_cast<std::size_t>(done * static_cast<double>(length));
  return progress.head + "  " + repeated(unicode ? "━" : "#", filled) + repeated(unicode ? "─" : "-", length - filled) +
         details;
}

StatusLine::StatusLine(int descriptor) : descriptor_(descriptor), terminal_(draws(descriptor)), unicode_(is_utf8()) {}

StatusLine::StatusLine(StatusLine&& other) noexcept
    : descriptor_(other.descriptor_), terminal_(other.terminal_), unicode_(other.unicode_),
      drawn_(std::exchange(other.drawn_, false)), watch_(other.watch_), next_drawing_(other.next_drawing_) {}

bool StatusLine::due() const { return terminal_ && watch_.seconds() >= next_drawing_; }

void StatusLine::draw(const Progress& progress) {
  constexpr double interval = 0.1;
  if (!terminal_) return;
  next_drawing_ = watch_.seconds() + interval;
  // Over the old line, whose rest is cleared: no flicker. One column stays free: some terminals wrap when the last one
  // is written.
  write("\r" + progress_line(progress, terminal_width(descriptor_) - 1, unicode_) + "\x1b[K");
  drawn_ = true;
}

void StatusLine::print(const std::string& line) {
  clear();
  write(line + "\n");
}

void StatusLine::clear() {
  if (drawn_) write("\r\x1b[K");
  drawn_ = false;
}

void StatusLine::write(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return;  // a terminal that is gone
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

}  // namespace xtape::nn
