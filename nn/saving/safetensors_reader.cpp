#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include <nn/data/input_file.hpp>
#include <nn/saving/safetensors_format.hpp>
#include <nn/serialization.hpp>

namespace xtape::nn {
namespace {

using namespace safetensors;

// Refuses a name that occurs twice in one object, which the parser would not mind, and needless depth.
class StrictParsing {
 public:
  explicit StrictParsing(const InputFile& file) : file_(file) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 3) file_.fail("the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) names_.emplace_back();
    if (event == Json::parse_event_t::object_end) names_.pop_back();
    if (event == Json::parse_event_t::key && !names_.back().insert(parsed.get<std::string>()).second)
      file_.fail("the header has \"" + parsed.get<std::string>() + "\" twice");
    return true;
  }

 private:
  const InputFile& file_;
  std::vector<std::set<std::string>> names_;
};

Json read_header(InputFile& file) {
  std::uint64_t length = 0;
  file.read(&length, length_bytes);
  if (length > file.left())
    file.fail("the header is said to have " + std::to_string(length) + " bytes, but " + std::to_string(file.left()) +
              " are left: the file is cut short or no safetensors file");
  if (length > longest_header)
    file.fail("the header has " + std::to_string(length) + " bytes, needs at most " + std::to_string(longest_header));
  std::string text(length, '\0');
  file.read(text.data(), text.size());
  std::size_t end = text.find_last_not_of(' ') + 1;
  if (end == 0 || text.front() != '{' || text[end - 1] != '}') file.fail("the header is no JSON object");
  Json header;
  try {
    header = Json::parse(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                         [strict = StrictParsing(file)](int depth, Json::parse_event_t event, Json& parsed) mutable {
                           return strict(depth, event, parsed);
                         });
  } catch (const Json::exception& e) {
    file.fail(std::string("the header is no JSON: ") + e.what());
  }
  return header;
}

// Takes the texts out of the header, and leaves the tensors.
std::map<std::string, std::string> take_metadata(const InputFile& file, Json& header) {
  std::map<std::string, std::string> metadata;
  if (!header.contains(metadata_key)) return metadata;
  const Json& texts = header[metadata_key];
  if (!texts.is_object()) file.fail("the metadata is no JSON object");
  for (const auto& [name, text] : texts.items()) {
    if (!text.is_string()) file.fail("the metadata \"" + name + "\" is no text");
    metadata[name] = text.get<std::string>();
  }
  if (metadata.contains(header_crc_key) != metadata.contains(data_crc_key))
    file.fail("the header is damaged: one of its two checksums is missing");
  if (metadata.contains(header_crc_key) && metadata[header_crc_key] != header_crc(header))
    file.fail("the header is damaged: its checksum does not match");
  metadata.erase(header_crc_key);
  header.erase(metadata_key);
  return metadata;
}

struct Entry {
  std::string name;
  ElementType type;
  Shape shape;
  std::uint64_t begin, end;
};

std::vector<std::uint64_t> numbers(const InputFile& file, const std::string& name, const Json& list) {
  bool all = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& n) {
    return n.is_number_unsigned();
  });
  if (!all) file.fail("tensor \"" + name + "\": its shape and offsets need to be lists of whole numbers");
  return list.get<std::vector<std::uint64_t>>();
}

std::string format_names() {
  std::string names;
  for (const Format& format : formats) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return names;
}

Entry parse_entry(const InputFile& file, const std::string& name, const Json& json) {
  auto refuse = [&](const std::string& what) { file.fail("tensor \"" + name + "\": " + what); };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    refuse("needs exactly dtype, shape and data_offsets");
  auto format = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return json["dtype"] == f.name; });
  if (format == formats.end()) refuse("dtype " + json["dtype"].dump() + ", needs one of " + format_names());
  auto extents = numbers(file, name, json["shape"]);
  auto offsets = numbers(file, name, json["data_offsets"]);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) refuse("needs two data_offsets in order");
  Entry entry{name, format->type, Shape(extents.begin(), extents.end()), offsets[0], offsets[1]};
  std::size_t count = 0;
  try {
    count = element_count(entry.shape);
  } catch (const ShapeError& e) {
    refuse(e.what());
  }
  if (count * entry.type.bytes != entry.end - entry.begin)
    refuse("shape " + to_string(entry.shape) + " does not fill its " + std::to_string(entry.end - entry.begin) +
           " bytes");
  return entry;
}

// In the order of their places, which must leave nothing out and nothing over.
std::vector<Entry> parse_entries(const InputFile& file, const Json& header) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) entries.push_back(parse_entry(file, name, json));
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end)
      file.fail("tensor \"" + entry.name + "\" begins at byte " + std::to_string(entry.begin) + ", needs " +
                std::to_string(end) + ", where the one before it ends");
    end = entry.end;
  }
  if (end != file.left())
    file.fail("the tensors have " + std::to_string(end) + " bytes, the file " + std::to_string(file.left()) +
              ": it is cut short or has something behind its end");
  return entries;
}

Array read_tensor(InputFile& file, const Entry& entry, Crc32& crc) {
  Array value(entry.shape, dtype_of(entry.type));
  read_elements(file.name() + ": tensor \"" + entry.name + "\"", entry.type, value, [&](void* out, std::size_t bytes) {
    file.read(out, bytes);
    crc.add(out, bytes);
  });
  return value;
}

}  // namespace

Safetensors load_safetensors(const std::filesystem::path& path) {
  InputFile file("load_safetensors", path);
  Json header = read_header(file);
  Safetensors result;
  result.metadata = take_metadata(file, header);
  Crc32 crc;
  for (const Entry& entry : parse_entries(file, header))
    result.tensors.emplace(entry.name, Variable(read_tensor(file, entry, crc)));
  auto expected = result.metadata.find(data_crc_key);
  if (expected == result.metadata.end()) return result;
  if (expected->second != crc.text()) file.fail("the tensors are damaged: their checksum does not match");
  result.metadata.erase(expected);
  result.checked = true;
  return result;
}

}  // namespace xtape::nn
