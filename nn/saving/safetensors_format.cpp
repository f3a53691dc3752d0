#include <nn/saving/safetensors_format.hpp>

#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>
#include <zlib.h>

namespace xtape::nn::safetensors {
namespace {

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

std::string metadata_text(const Metadata& metadata) {
  std::string text = quoted(metadata_key) + ":{";
  for (const auto& [name, value] : metadata) {
    if (text.back() != '{') text += ',';
    text += quoted(name) + ':' + quoted(value);
  }
  return text + '}';
}

std::string entry_text(const Entry& entry) {
  std::string extents;
  for (std::size_t extent : entry.shape) extents += (extents.empty() ? "" : ",") + std::to_string(extent);
  return quoted(entry.name) + ":{\"data_offsets\":[" + std::to_string(entry.begin) + ',' + std::to_string(entry.end) +
         "],\"dtype\":\"" + entry.format->name + "\",\"shape\":[" + extents + "]}";
}

}  // namespace

void Crc32::add(const void* data, std::size_t bytes) {
  if (bytes > 0) value_ = ::crc32_z(value_, static_cast<const Bytef*>(data), bytes);
}

std::string Crc32::text() const {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", value_);
  return digits;
}

void write_header(const Metadata& metadata, const std::vector<Entry>& entries,
                  const std::function<void(std::string_view)>& write) {
  const char* before = "{";
  auto add = [&](const std::string& text) {
    write(std::exchange(before, ","));
    write(text);
  };
  bool metadata_written = false;
  for (const Entry& entry : entries) {
    if (!metadata_written && entry.name > metadata_key) {
      add(metadata_text(metadata));
      metadata_written = true;
    }
    add(entry_text(entry));
  }
  if (!metadata_written) add(metadata_text(metadata));
  write("}");
}

std::string header_crc(Metadata metadata, const std::vector<Entry>& entries) {
  metadata.erase(header_crc_key);
  Crc32 crc;
  write_header(metadata, entries, [&](std::string_view text) { crc.add(text); });
  return crc.text();
}

}  // namespace xtape::nn::safetensors
