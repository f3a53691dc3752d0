#include <nn/saving/safetensors_format.hpp>

#include <zlib.h>

namespace xtape::nn::safetensors {

void Crc32::add(const void* data, std::size_t bytes) {
  if (bytes > 0) value_ = ::crc32_z(value_, static_cast<const Bytef*>(data), bytes);
}

std::string Crc32::text() const {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", value_);
  return digits;
}

std::string header_crc(Json header) {
  header[metadata_key].erase(header_crc_key);
  std::string text = header.dump();
  Crc32 crc;
  crc.add(text.data(), text.size());
  return crc.text();
}

}  // namespace xtape::nn::safetensors
