#include <autograd/threads.hpp>

#include <string>

#include <autograd/error.hpp>

extern "C" {
void openblas_set_num_threads(int count);
int openblas_get_num_threads();
}

namespace xtape {

void set_num_threads(int count) {
  if (count < 1) throw ValueError("set_num_threads: " + std::to_string(count) + " threads, needs 1 or more");
  openblas_set_num_threads(count);
}

int num_threads() { return openblas_get_num_threads(); }

}  // namespace xtape
