// NumPy's .npz files: several .npy files in a .zip file.
#pragma once

#include <filesystem>

#include <autograd/state_dict.hpp>

namespace xtape::nn {

struct NpzOptions {
  bool compressed = false;  ///< deflated, as numpy.savez_compressed does
};

/// Writes Variables of any dtype, as numpy.load reads them. The file replaces an older one as a whole.
/// @throws ValueError for an undefined Variable or an empty name, FileError when the file cannot be written.
void save_npz(const std::filesystem::path& file, const StateDict& arrays, const NpzOptions& options = {});

/// Reads what numpy.savez or savez_compressed wrote; the dtypes are those of `load_npy`. Memory is taken only once the
/// file is known to hold what it declares. Deflated arrays may take 16 MiB, and 100 times their deflated bytes beyond; in
/// memory, all arrays together may take 80 MB and 100 times the file.
/// @throws FileError when the file is missing, cut short or damaged, or has something other than arrays.
StateDict load_npz(const std::filesystem::path& file);

}  // namespace xtape::nn
