// Saving and loading Variables in the safetensors format (https://huggingface.co/docs/safetensors), which PyTorch,
// NumPy and others read as well.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <autograd/state_dict.hpp>

namespace xtape::nn {

/// What a safetensors file holds.
struct Safetensors {
  StateDict tensors;
  std::map<std::string, std::string> metadata;  ///< texts by name, as the writer chose
};

/// Writes Variables of any dtype. The file replaces an older one as a whole, and carries checksums.
/// @throws ValueError for a name that the format reserves, an undefined Variable or text that is no UTF-8; FileError
/// when the file cannot be written.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// Reads F32, F64, I64 and BOOL tensors. Checksums are compared where the file has them.
/// @throws FileError when the file is missing, cut short, damaged, not in the format, or has other dtypes.
Safetensors load_safetensors(const std::filesystem::path& path);

}  // namespace xtape::nn
