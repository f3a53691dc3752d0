// GradBench's evaluations: `gradbench` times them, `gradbench --check` compares the derivatives of small sizes with
// others.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "evaluation.hpp"

namespace {

using namespace gradbench;

constexpr Evaluation (*evaluations[])(bool) = {hello, det, lstm, ode, llsq, lse, particle, saddle};

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

void print_table() {
  std::puts("| evaluation | size | primal, ms | derivative, ms | ratio | ADOL-C, ms |\n| --- | --- | --- | --- | --- | --- |");
  for (auto make : evaluations) {
    const Evaluation e = make(false);
    Timer primal(e.primal), derivative(e.derivative), adolc(e.adolc);
    for (int turn = 0; turn < 7; ++turn) primal.run(), derivative.run(), adolc.run();
    std::printf("| %s | %s | %.4g | %.4g | %.2g | ", e.name.c_str(), e.size.c_str(), 1e3 * primal.best(),
                1e3 * derivative.best(), derivative.best() / primal.best());
    if (e.adolc) std::printf("%.4g |\n", 1e3 * adolc.best());
    else std::puts("- |");
  }
}

double difference(const Vector& a, const Vector& b) {
  if (a.size() != b.size()) return INFINITY;
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
  return result;
}

int check() {
  int failures = 0;
  for (auto make : evaluations) {
    const Evaluation e = make(true);
    const Vector found = e.derivative();
    const double off = difference(found, e.expected()), off_adolc = e.adolc ? difference(found, e.adolc()) : 0;
    const bool passed = off < 1e-9 && off_adolc < 1e-12;
    std::printf("%s: %s (off by %.1g, from ADOL-C by %.1g)\n", e.name.c_str(), passed ? "passed" : "FAILED", off, off_adolc);
    failures += !passed;
  }
  return failures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--check") return check();
  print_table();
}
