#include <nn/data/memory_limit.hpp>

#include <autograd/error.hpp>

namespace xtape::nn {

void MemoryLimit::fail(const char* what) const {
  throw FileError(name_ + ": its " + what + " take more than " + std::to_string(most_) +
                  " bytes of memory, needs at most 80 MB and " + std::to_string(times_) +
                  " times the file; where it is compressed, decompress it before");
}

}  // namespace xtape::nn
