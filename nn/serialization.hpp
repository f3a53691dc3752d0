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
  bool checked = false;  ///< whether the file carries our checksums, which then agree
};

/// Writes Variables of any dtype. The file replaces an older one as a whole, and carries checksums.
/// @throws ValueError for a name that the format reserves, an undefined Variable or one of more than 1,024 axes, text that
/// is no UTF-8 or more than a million texts; FileError when the file cannot be written.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {});

/// Reads tensors: F64 gives float64; F32, F16 and BF16 float32; integers of any width int64; BOOL bool. Checksums are
/// compared where the file has them. Memory is taken only once the header is known to agree with the file's size.
/// @throws FileError when the file is missing, cut short, damaged, not in the format, has other dtypes, an integer beyond
/// int64, a tensor of more than 1,024 axes, or more than a million texts.
Safetensors load_safetensors(const std::filesystem::path& path);

}  // namespace xtape::nn
