#include <optim/state.hpp>

#include <cmath>
#include <cstdio>

namespace xtape::optim::detail {

std::string text(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", value);
  return digits;
}

void refuse_misfits(const std::string& who, const std::string& lines) {
  if (!lines.empty()) throw ValueError(who + ": load_state_dict: the state does not fit" + lines);
}

std::string out_of_range(const std::string& option, double value, const Range& range) {
  bool inside = (range.low_included ? value >= range.low : value > range.low) &&
                (range.high_included ? value <= range.high : value < range.high);
  if (inside && (std::isfinite(value) || !range.finite) && (!range.whole || value == std::floor(value))) return "";
  std::string needs = range.whole ? "an integer of " : "";
  needs += range.low_included ? text(range.low) + " or more" : "more than " + text(range.low);
  if (std::isfinite(range.high)) needs += (range.high_included ? ", at most " : ", below ") + text(range.high);
  return option + " is " + text(value) + ", needs " + needs;
}

void require_in_range(const std::string& who, const std::string& option, double value, const Range& range) {
  std::string problem = out_of_range(option, value, range);
  if (!problem.empty()) throw ValueError(who + ": " + problem);
}

}  // namespace xtape::optim::detail
