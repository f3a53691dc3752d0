// Runs other programs.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace example {

struct ProcessResult {
  int exit_code;       ///< what the program returned; 128 + n when signal n ended it
  std::string output;  ///< what it wrote to standard output
};

/// Runs a program, found through PATH, with these arguments and without a shell. Its standard input is `input`, which
/// may be null: nothing. It is stopped by a closed pipe once it has written more than `output_limit` bytes.
/// @throws xtape::Error when it cannot be started.
ProcessResult run(std::vector<std::string> arguments, std::FILE* input, std::size_t output_limit);

}  // namespace example
