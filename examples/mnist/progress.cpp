#include "progress.hpp"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <sstream>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace mnist {
namespace {

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) && term && std::strcmp(term, "dumb") != 0;
}

bool is_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string repeated(const char* symbol, std::size_t times) {
  std::string text;
  while (times-- > 0) text += symbol;
  return text;
}

// "0:41", "1:02:03"
std::string clock_time(double seconds) {
  auto s = static_cast<long>(std::ceil(seconds));
  std::ostringstream text;
  text << std::setfill('0');
  if (s >= 3600) text << s / 3600 << ':' << std::setw(2);
  text << s / 60 % 60 << ':' << std::setw(2) << s % 60;
  return text.str();
}

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  out << std::fixed;
  (out << ... << parts);
  return out.str();
}

// "epoch  3/20"
std::string epoch_of(std::size_t epoch, std::size_t epochs) {
  return text("epoch ", std::setw(static_cast<int>(std::to_string(epochs).size())), epoch + 1, '/', epochs);
}

}  // namespace

std::string progress_line(const Work& work, const Moment& at, std::size_t width, bool unicode) {
  constexpr std::size_t shortest = 8, longest = 60, gap = 2;
  double done = static_cast<double>(at.step) / static_cast<double>(work.steps);
  std::string line = epoch_of(at.epoch, work.epochs), details;
  for (const std::string& detail : {text("  ", std::setw(3), static_cast<int>(100 * done), '%'),
                                    text("  loss ", std::setprecision(4), at.loss),
                                    text("  ", clock_time(at.seconds_left), " left"),
                                    text("  ", std::setprecision(0), at.images_per_second, " images/s")}) {
    if (line.size() + details.size() + detail.size() > width) break;
    details += detail;
  }
  std::size_t taken = line.size() + gap + details.size();
  if (taken + shortest > width) return (line + details).substr(0, width);
  std::size_t length = std::min(width - taken, longest);
  auto filled = static_cast<std::size_t>(done * static_cast<double>(length));
  return line + "  " + repeated(unicode ? "━" : "#", filled) + repeated(unicode ? "─" : "-", length - filled) + details;
}

Progress::Progress(const Work& work, std::size_t done)
    : work_(work), done_before_(done), terminal_(is_terminal()), unicode_(is_utf8()) {}

void Progress::update(std::size_t epoch, std::size_t step, double loss) {
  constexpr double interval = 0.1;
  double seconds = watch_.seconds();
  if (!terminal_ || seconds < next_drawing_) return;
  next_drawing_ = seconds + interval;
  std::size_t done = epoch * work_.steps + step;
  double steps_per_second = static_cast<double>(done - done_before_) / seconds;
  Moment at{.epoch = epoch, .step = step, .loss = loss,
            .images_per_second = steps_per_second * static_cast<double>(work_.batch),
            .seconds_left = static_cast<double>(work_.epochs * work_.steps - done) / steps_per_second};
  // One column stays free: some terminals wrap when the last one is written.
  std::cout << '\r' << progress_line(work_, at, terminal_width() - 1, unicode_) << "\x1b[K" << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::cout << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

void Progress::print(const std::string& line) {
  clear();
  std::cout << line << std::endl;
}

void Progress::print_epoch(std::size_t epoch, double loss, double accuracy, double seconds) {
  print(text(epoch_of(epoch, work_.epochs), std::setprecision(4), "  loss ", loss, "  test accuracy ", accuracy,
             std::setprecision(1), "  ", seconds, " s"));
}

}  // namespace mnist
