// The command line.
#pragma once

#include <filesystem>
#include <optional>

#include "checkpoint.hpp"

namespace mnist {

struct Options {
  std::filesystem::path data_dir, save, load, metrics, picture = "mnist.png";
  Settings settings;
  std::size_t epochs = 20;
  int threads = 0;                   ///< 0: as many as the matrix library chooses
  std::size_t stop_after_steps = 0;  ///< 0: not at all
  std::optional<Checkpoint> checkpoint;  ///< the content of `load`
};

/// Reads the command line; settings that it leaves open come from the checkpoint that --load names. Ends the program
/// after --help and for what it does not understand.
/// @throws xtape::Error for a checkpoint that cannot be read or contradicts an option, and where a file cannot be put.
Options parse_options(int argc, char** argv);

}  // namespace mnist
