// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <autograd/variable.hpp>

namespace xtape::nn {

class MemoryLimit;

/// Reads an array of a .npy file, of the format's versions 1 to 3, in C or Fortran order and either byte order. f8
/// gives float64, f4 and f2 float32, i1 to i8 and u1 to u8 int64, b1 bool.
/// @throws FileError when the file is missing, cut short, has something behind its end, holds other elements (complex
/// numbers, texts, records), more than 1,024 axes, or an integer beyond int64.
Variable load_npy(const std::filesystem::path& file);

/// Writes an array as f4, f8, i8 or b1 in C order, version 1 of the format. The file replaces an older one as a whole.
/// @throws ValueError for an undefined Variable or more than 1,024 axes, FileError when the file cannot be written.
void save_npy(const std::filesystem::path& file, const Variable& x);

namespace detail {

/// The array of `size` bytes that `read` gives one after the other; errors begin with `name`. Its elements are taken
/// from `limit`, if there is one.
Array read_npy(const std::string& name, std::uint64_t size, const std::function<void(void*, std::size_t)>& read,
               MemoryLimit* limit = nullptr);
/// What stands before the elements of an array.
std::string npy_header(const Array& x);

}  // namespace detail

}  // namespace xtape::nn
