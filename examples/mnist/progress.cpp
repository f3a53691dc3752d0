#include "progress.hpp"

#include <unistd.h>

namespace mnist {

using namespace xtape::nn;

Progress::Progress(const Work& work, std::size_t done) : work_(work), done_before_(done), line_(STDOUT_FILENO) {}

void Progress::update(std::size_t epoch, std::size_t step, double loss) {
  if (!line_.due()) return;
  std::size_t done = epoch * work_.steps + step;
  double steps_per_second = static_cast<double>(done - done_before_) / watch_.seconds();
  double seconds_left = static_cast<double>(work_.epochs * work_.steps - done) / steps_per_second;
  line_.draw({.head = epoch_of(epoch + 1, work_.epochs),
              .done = static_cast<double>(step) / static_cast<double>(work_.steps),
              .details = {"loss " + fixed(loss, 4), clock_time(seconds_left) + " left",
                          fixed(steps_per_second * static_cast<double>(work_.batch), 0) + " images/s"}});
}

void Progress::print_epoch(std::size_t epoch, double loss, double accuracy, double seconds) {
  print(epoch_of(epoch + 1, work_.epochs) + "  loss " + fixed(loss, 4) + "  test accuracy " + fixed(accuracy, 4) +
        "  " + fixed(seconds, 1) + " s");
}

}  // namespace mnist
