// A training that can be interrupted: all that it takes to go on as if nothing had happened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <autograd/state_dict.hpp>

namespace mnist {

/// What determines a training, besides the number of epochs.
struct Settings {
  std::string network = "dense";
  std::uint64_t seed = 0;
  std::size_t batch_size = 128;
  double lr = 1e-3;
  std::size_t lr_step = 10;  ///< epochs after which the learning rate is divided by ten, each time; 0: never
  bool synthetic = false;  ///< the images are drawn by the program, so many:
  std::size_t synthetic_train = 60000, synthetic_test = 10000;
};

/// Where a training stands.
struct Standing {
  std::size_t epoch = 0;  ///< epochs done
  std::size_t step = 0;   ///< steps done in the epoch after those
  double loss_sum = 0;    ///< over the images of those steps
  double seconds = 0;     ///< that those steps took
  std::string generator = {};  ///< the state of the random generator at the beginning of that epoch
};

/// What a checkpoint file holds.
struct Checkpoint {
  Settings settings;
  std::uint32_t data_checksum = 0;  ///< of the images and labels
  Standing standing;
  xtape::StateDict network, optimizer, schedule;
};

/// @throws xtape::FileError when the file cannot be written; one that was there stays as it was.
void save(const std::filesystem::path& file, const Checkpoint& checkpoint);

/// @throws xtape::FileError when the file is missing, damaged, or no checkpoint of this program.
Checkpoint load(const std::filesystem::path& file);

}  // namespace mnist
