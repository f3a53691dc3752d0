#include <optim/cosine.hpp>

#include <cmath>
#include <limits>
#include <numbers>

namespace xtape::optim {
namespace {

// 2 at the beginning, 0 at the end of the descent.
double one_plus_cosine(std::int64_t t, std::int64_t end) {
  return 1 + std::cos(std::numbers::pi * static_cast<double>(t) / static_cast<double>(end));
}

}  // namespace

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : RateSchedule("CosineAnnealingLR", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> CosineAnnealingLR::options() {
  return {{"T_max", &options_.T_max, {.low = 1}}, {"eta_min", &options_.eta_min}};
}

double CosineAnnealingLR::rate(const At& at) const {
  auto [T_max, eta_min] = options_;
  if (at.t == 0) return at.current;
  // The step before was at the lowest point, where there is no factor from one rate to the next.
  if ((at.t - 1 - T_max) % (2 * T_max) == 0)
    return at.current + (at.base - eta_min) * (1 - std::cos(std::numbers::pi / static_cast<double>(T_max))) / 2;
  return one_plus_cosine(at.t, T_max) / one_plus_cosine(at.t - 1, T_max) * (at.current - eta_min) + eta_min;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer,
                                                         const CosineAnnealingWarmRestartsOptions& options)
    : RateSchedule("CosineAnnealingWarmRestarts", optimizer), options_(options) {
  check_options();
  start();
}

std::vector<Schedule::Entry> CosineAnnealingWarmRestarts::options() {
  return {{"T_0", &options_.T_0, {.low = 1}}, {"T_mult", &options_.T_mult, {.low = 1}},
          {"eta_min", &options_.eta_min}};
}

double CosineAnnealingWarmRestarts::rate(const At& at) const {
  auto [T_0, T_mult, eta_min] = options_;
  constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();  // no run gets to the end of it
  std::int64_t t = at.t, length = T_0;
  if (T_mult == 1) t %= T_0;
  else
    for (; t >= length; length = length > longest / T_mult ? longest : length * T_mult) t -= length;
  return eta_min + (at.base - eta_min) * one_plus_cosine(t, length) / 2;
}

}  // namespace xtape::optim
