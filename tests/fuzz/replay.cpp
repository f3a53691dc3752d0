// All inputs that the fuzzers kept, and those that once found a fault, once more.
#include <boost/test/data/test_case.hpp>
#include <sys/resource.h>

#include <tests/fuzz/targets.hpp>
#include <tests/nn/allocations.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;

namespace {

// An array of gigabytes is refused, rather than filled. (Sanitizers need that room for themselves; for the address
// sanitizer, see tests/main.cpp.)
struct LimitedMemory {
  LimitedMemory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    rlimit limit{std::size_t{4} << 30, RLIM_INFINITY};
    BOOST_REQUIRE(::setrlimit(RLIMIT_AS, &limit) == 0);
#endif
  }
};

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, target] : fuzz::targets) names.push_back(name);
  return names;
}

// Of hexadecimal digits; "-" is nothing.
std::vector<std::uint8_t> bytes_of(const std::string& line) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < line.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
  return bytes;
}

void replay(const std::string& name, const std::string& line) {
  const std::vector<std::uint8_t> bytes = bytes_of(line);
  fuzz::Input input(bytes);
  testing::PeakMemory memory;
  try {
    fuzz::targets.at(name)(input);
  } catch (const std::exception& error) {
    BOOST_ERROR(line << ": " << error.what());
  }
  BOOST_TEST(memory.bytes() < (std::size_t{100} << 20) + 10 * bytes.size(),
             line << " takes " << memory.bytes() << " bytes");
}

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(LimitedMemory);

BOOST_AUTO_TEST_SUITE(fuzz_corpus)

BOOST_DATA_TEST_CASE(target, boost::unit_test::data::make(names())) {
  std::size_t inputs = 0;
  std::ifstream corpus(testing::source_folder() + "/tests/fuzz/corpus/" + sample + ".hex");
  for (std::string line; std::getline(corpus, line); ++inputs) {
    ::alarm(60);  // a hang ends the program
    replay(sample, line);
  }
  ::alarm(0);
  BOOST_TEST(inputs > 0);
}

BOOST_AUTO_TEST_SUITE_END()
