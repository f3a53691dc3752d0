// What libFuzzer calls. XTAPE_FUZZ_TARGET names the target.
#include <cstdlib>
#include <iostream>

#include <tests/fuzz/targets.hpp>

// As in tests/main.cpp; and what is far too large for any of these arrays is refused at once.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=1024"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto target = [] {
    const char* name = std::getenv("XTAPE_FUZZ_TARGET");
    auto found = xtape::fuzz::targets.find(name ? name : "");
    if (found != xtape::fuzz::targets.end()) return found->second;
    std::cerr << "XTAPE_FUZZ_TARGET has to be one of";
    for (const auto& [known, function] : xtape::fuzz::targets) std::cerr << ' ' << known;
    std::cerr << std::endl;
    std::exit(2);
  }();
  try {
    xtape::fuzz::Input input({bytes, size});
    target(input);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    std::abort();
  }
  return 0;
}
