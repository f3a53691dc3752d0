#include "networks.hpp"

#include <autograd/threads.hpp>

#include "vision.hpp"

namespace bench {
namespace {

#ifdef XTAPE_BENCH_TORCH
constexpr Work (*peers[])() = {torch_lenet, torch_lstm, torch_generator, torch_small};
#else
constexpr Work (*peers[4])() = {};
#endif

}  // namespace

const std::vector<Network>& networks() {
  static const std::vector<Network> all{{"lenet", "LeNet step, batch 64", xtape_lenet, peers[0]},
                                        {"lstm", "LSTM step, 64 steps, batch 32", xtape_lstm, peers[1]},
                                        {"generator", "DCGAN generator step, batch 32", xtape_generator, peers[2]},
                                        {"small", "4-64-64-2 step, batch 32", xtape_small, peers[3]}};
  return all;
}

void set_threads(int count) {
  xtape::set_num_threads(count);
#ifdef XTAPE_BENCH_TORCH
  set_torch_threads(count);
#endif
}

}  // namespace bench
