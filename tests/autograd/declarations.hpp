// The operations that the public headers declare.
#pragma once

#include <fstream>
#include <regex>
#include <set>
#include <string>

#include <tests/source_folder.hpp>

/// The names of all functions in <autograd/ops/...> of <autograd/autograd.hpp> that return Variables, or whether such
/// are close, and of all operators.
inline std::set<std::string> declared_operations() {
  std::set<std::string> declared;
  const std::regex declaration(
      R"(^(?:inline )?(?:std::vector<Variable>|bool|(?!Range)[A-Z]\w*) (\w+|operator\S+?)\()");
  std::ifstream umbrella(xtape::testing::source_folder() + "/autograd/autograd.hpp");
  const std::regex include(R"(#include <(autograd/ops/\w+\.hpp)>)");
  std::smatch match;
  for (std::string line; std::getline(umbrella, line);) {
    if (!std::regex_search(line, match, include)) continue;
    std::ifstream header(xtape::testing::source_folder() + "/" + match[1].str());
    for (std::string text; std::getline(header, text);)
      if (std::smatch name; std::regex_search(text, name, declaration)) declared.insert(name[1]);
  }
  declared.erase("from_blob");  // takes no Variable
  return declared;
}
