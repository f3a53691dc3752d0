#include <algorithm>
#include <utility>
#include <vector>

#include <autograd/atomic_file.hpp>
#include <nn/saving/safetensors_format.hpp>
#include <nn/serialization.hpp>

namespace xtape::nn {
namespace {

using namespace safetensors;

const char* format_name(DType dtype) {
  return std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return dtype_of(f.type) == dtype; })->name;
}

struct Placed {
  std::string name;
  Array value;
  std::size_t begin = 0;
};

// One after the other, the widest elements first: each begins where its elements may lie.
std::vector<Placed> place(const StateDict& tensors) {
  std::vector<Placed> placed;
  for (const auto& [name, x] : tensors) {
    if (name == metadata_key) throw ValueError("save_safetensors: \"" + name + "\" names no tensor in this format");
    if (!x.defined()) throw ValueError("save_safetensors: \"" + name + "\" is an undefined Variable");
    placed.push_back({name, x.value()});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return item_size(a.value.dtype()) > item_size(b.value.dtype());
  });
  std::size_t end = 0;
  for (Placed& tensor : placed) tensor.begin = std::exchange(end, end + tensor.value.bytes());
  return placed;
}

Json make_header(const std::vector<Placed>& placed, const std::map<std::string, std::string>& metadata) {
  Json header = {{metadata_key, metadata}};
  Crc32 crc;
  for (const Placed& tensor : placed) {
    const Array& value = tensor.value;
    header[tensor.name] = {{"dtype", format_name(value.dtype())},
                           {"shape", std::vector<std::size_t>(value.shape().begin(), value.shape().end())},
                           {"data_offsets", {tensor.begin, tensor.begin + value.bytes()}}};
    crc.add(bytes_of(value), value.bytes());
  }
  header[metadata_key][data_crc_key] = crc.text();
  header[metadata_key][header_crc_key] = header_crc(header);
  return header;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) {
  for (const char* reserved : {data_crc_key, header_crc_key})
    if (metadata.contains(reserved))
      throw ValueError(std::string("save_safetensors: the metadata \"") + reserved + "\" is for the checksum");
  std::vector<Placed> placed = place(tensors);
  std::string header;
  try {
    header = make_header(placed, metadata).dump();
  } catch (const Json::exception& e) {
    throw ValueError(std::string("save_safetensors: names and metadata need to be UTF-8: ") + e.what());
  }
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (header.size() > longest_header)
    throw ValueError("save_safetensors: names and metadata make a header of " + std::to_string(header.size()) +
                     " bytes, needs at most " + std::to_string(longest_header));
  std::uint64_t length = header.size();

  AtomicFile file(path);
  file.write(&length, length_bytes);
  file.write(header);
  for (const Placed& tensor : placed) file.write(bytes_of(tensor.value), tensor.value.bytes());
  file.commit();
}

}  // namespace xtape::nn
