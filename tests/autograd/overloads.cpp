// That the samples call every overload of every operation: what the library exports is compared with what their object
// files refer to.
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "declarations.hpp"

namespace {

// What `nm` says of a file, names as they are written in C++.
std::string symbols(const std::string& options, const std::string& file) {
  std::string command = "nm -C " + options + " '" + file + "'", text(1 << 16, '\0'), result;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  BOOST_REQUIRE(pipe);
  while (std::size_t n = std::fread(text.data(), 1, text.size(), pipe.get())) result.append(text, 0, n);
  BOOST_REQUIRE_MESSAGE(!result.empty(), command << " found nothing");
  return result;
}

std::string name_of(const std::string& function) {
  return function.substr(0, function.find_first_of(function.starts_with("operator") ? "(" : "(<"));
}

// The functions of the namespace xtape, each as its name and parameters, that are defined or referred to: of a line such
// as "00000000001a2b30 T xtape::sum(xtape::Variable const&)" what follows the namespace.
std::set<std::string> functions(const std::string& listing) {
  std::set<std::string> result;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    std::size_t kind = line.find_first_of("TUWV", line.find(' '));
    if (kind == std::string::npos || line.compare(kind, 2, line.substr(kind, 1) + " ") != 0) continue;
    std::string function = line.substr(kind + 2);
    for (const char* prefix : {"xtape::Variable xtape::", "xtape::"})  // templates come with what they return
      if (function.starts_with(prefix)) {
        function.erase(0, std::string(prefix).size());
        if (name_of(function).find_first_of(":{ ") == std::string::npos) result.insert(function);
        break;
      }
  }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(overloads)

BOOST_AUTO_TEST_CASE(each_has_its_sample) {
  const std::string library = xtape::testing::from_environment("XTAPE_LIBRARY", "build/libxtape.so");
  const std::string samples = xtape::testing::from_environment("XTAPE_SAMPLES", "build/tests/libsamples.a");
  auto exported = functions(symbols(library.ends_with(".a") ? "--defined-only" : "-D --defined-only", library));
  auto called = functions(symbols("", samples));
  std::set<std::string> names;
  for (const std::string& function : called) names.insert(name_of(function));
  std::size_t checked = 0;
  for (const std::string& name : declared_operations()) BOOST_TEST(names.contains(name), "no sample calls " << name);
  for (const std::string& function : exported) {
    std::string name = name_of(function);
    // Which instances of a template the library exports depends on the optimizer: those are checked by name.
    if (!declared_operations().contains(name) || function.compare(name.size(), 1, "<") == 0) continue;
    BOOST_TEST(called.contains(function), "no sample calls " << function);
    ++checked;
  }
  BOOST_TEST(checked > 300);
}

BOOST_AUTO_TEST_SUITE_END()
