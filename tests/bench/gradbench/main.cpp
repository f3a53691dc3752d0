// GradBench's evaluations: `gradbench` times them, or those that it is given by name, `gradbench --check` compares the
// derivatives of small sizes with others.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "evaluation.hpp"

namespace {

using namespace gradbench;

constexpr Evaluation (*evaluations[])(bool) = {hello, det, lstm, ode, llsq, lse, gmm, kmeans, ht_simple,
                                               ht_complicated, ba, ba_by_blocks, particle, saddle};

// The least of some runs, in seconds; short ones are repeated.
class Timer {
 public:
  explicit Timer(const std::function<Vector()>& f) : f_(f) {
    if (f_) repeats_ = std::max(1.0, 2e-3 / std::max(once(1), 1e-9));
  }
  void run() {
    if (f_) best_ = std::min(best_, once(static_cast<std::size_t>(repeats_)));
  }
  double best() const { return best_; }

 private:
  double once(std::size_t repeats) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < repeats; ++i) f_();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / static_cast<double>(repeats);
  }

  const std::function<Vector()>& f_;
  double repeats_ = 1, best_ = INFINITY;
};

void print_time(double seconds) {
  if (seconds < INFINITY) std::printf(" %.4g |", 1e3 * seconds);
  else std::printf(" - |");
}

void print_row(const Evaluation& e) {
  Timer primal(e.primal), derivative(e.derivative), adolc(e.adolc), by_hand(e.by_hand);
  for (int turn = 0; turn < 7; ++turn) primal.run(), derivative.run(), adolc.run(), by_hand.run();
  std::printf("| %s | %s | %.4g | %.4g | %.2g |", e.name.c_str(), e.size.c_str(), 1e3 * primal.best(),
              1e3 * derivative.best(), derivative.best() / primal.best());
  print_time(adolc.best());
  print_time(by_hand.best());
  std::puts("");
}

// Of the evaluations of these names, or of all.
void print_table(const std::vector<std::string>& names) {
  std::puts("| evaluation | size | primal, ms | derivative, ms | ratio | ADOL-C, ms | by hand, ms |");
  std::puts("| --- | --- | --- | --- | --- | --- | --- |");
  for (auto make : evaluations)
    if (names.empty() || std::ranges::count(names, make(true).name)) print_row(make(false));
}

double difference(const Vector& a, const Vector& b) {
  if (a.size() != b.size()) return INFINITY;
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]) / (1 + std::abs(b[i]));
    if (!(off <= result)) result = off;
    if (std::isnan(off)) break;
  }
  return result;
}

bool passes(const Evaluation& e) {
  const Vector found = e.derivative();
  bool passed = true;
  std::printf("%s (%s):", e.name.c_str(), e.size.c_str());
  auto compare = [&](const char* with, const std::function<Vector()>& other, double tolerance) {
    if (!other) return;
    const double off = difference(found, other());
    std::printf(" off by %.1g from %s;", off, with);
    passed = passed && off < tolerance;
  };
  compare("what is expected", e.expected, 1e-9);
  compare("ADOL-C", e.adolc, 1e-12);
  compare("what is done by hand", e.by_hand, 1e-12);
  std::puts(passed ? " passed" : " FAILED");
  return passed;
}

int check() {
  return static_cast<int>(std::ranges::count_if(evaluations, [](auto make) { return !passes(make(true)); }));
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::current_path(std::filesystem::temp_directory_path());  // where ADOL-C leaves what it writes to files
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"--check"}) return check();
  print_table(arguments);
}
