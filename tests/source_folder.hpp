// Where tests that read the project's own files find them.
#pragma once

#include <cstdlib>
#include <string>

namespace xtape::testing {

/// What a variable of the environment says, if it is set.
inline std::string from_environment(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value ? value : otherwise;
}

/// The project's folder, which Meson sets; the current one where a test is run by hand.
inline std::string source_folder() { return from_environment("XTAPE_SOURCE_DIR", "."); }

}  // namespace xtape::testing
