#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <autograd/atomic_file.hpp>
#include <autograd/memory_error.hpp>
#include <nn/saving/safetensors_format.hpp>
#include <nn/serialization.hpp>

namespace xtape::nn {
namespace {

using namespace safetensors;

const Format* format_of(DType dtype) {
  return std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return dtype_of(f.type) == dtype; });
}

// A tensor, and where it will be. The order is the alphabetical one of the names.
struct Placed {
  Array value;
  Entry entry;
};

std::vector<Placed> all_of(const StateDict& tensors) {
  std::vector<Placed> placed;
  for (const auto& [name, x] : tensors) {
    if (name == metadata_key) throw ValueError("save_safetensors: \"" + name + "\" names no tensor in this format");
    if (!x.defined()) throw ValueError("save_safetensors: \"" + name + "\" is an undefined Variable");
    if (x.rank() > most_axes)
      throw ValueError("save_safetensors: \"" + name + "\" has " + std::to_string(x.rank()) + " axes, needs at most " +
                       std::to_string(most_axes));
    placed.push_back({x.value(), {name, format_of(x.dtype()), x.shape(), 0, 0}});
  }
  return placed;
}

// One after the other, the widest elements first: each begins where its elements may lie. Gives that order.
std::vector<const Placed*> place(std::vector<Placed>& placed) {
  std::vector<const Placed*> order;
  std::uint64_t end = 0;
  for (std::size_t width : {8, 4, 1})
    for (Placed& tensor : placed) {
      if (item_size(tensor.value.dtype()) != width) continue;
      tensor.entry.begin = std::exchange(end, end + tensor.value.bytes());
      tensor.entry.end = end;
      order.push_back(&tensor);
    }
  return order;
}

std::string make_header(const std::vector<Placed>& placed, const std::vector<const Placed*>& order, Metadata metadata) {
  Crc32 crc;
  for (const Placed* tensor : order) crc.add(bytes_of(tensor->value), tensor->value.bytes());
  std::vector<Entry> entries;
  for (const Placed& tensor : placed) entries.push_back(tensor.entry);
  metadata[data_crc_key] = crc.text();
  metadata[header_crc_key] = header_crc(metadata, entries);
  std::string header;
  write_header(metadata, entries, [&](std::string_view text) { header += text; });
  return header;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) try {
  for (const char* reserved : {data_crc_key, header_crc_key})
    if (metadata.contains(reserved))
      throw ValueError(std::string("save_safetensors: the metadata \"") + reserved + "\" is for the checksum");
  if (metadata.size() > most_texts - 2)  // the checksums are two more
    throw ValueError("save_safetensors: " + std::to_string(metadata.size()) + " texts of metadata, needs at most " +
                     std::to_string(most_texts - 2));
  std::vector<Placed> placed = all_of(tensors);
  std::vector<const Placed*> order = place(placed);
  std::string header;
  try {
    header = make_header(placed, order, metadata);
  } catch (const nlohmann::json::exception& e) {
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
  for (const Placed* tensor : order) file.write(bytes_of(tensor->value), tensor->value.bytes());
  file.commit();
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("save_safetensors", "the header");
}

}  // namespace xtape::nn
