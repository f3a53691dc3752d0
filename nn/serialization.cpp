// A safetensors file: the length of the header as 8 bytes, the header as JSON padded with spaces to a multiple of 8,
// then the elements of all tensors, one after the other. Numbers are little-endian. The header says of each tensor
// its dtype, shape, and place among the elements; "__metadata__" holds texts. We put two checksums among these: one
// of the elements, and one of the header without it.
#include <nn/serialization.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>
#include <autograd/atomic_file.hpp>
#include <zlib.h>

namespace xtape::nn {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the elements are written as they lie in memory");

constexpr const char* metadata_key = "__metadata__";
constexpr const char* data_crc_key = "xtape.crc32.data";
constexpr const char* header_crc_key = "xtape.crc32.header";
constexpr std::size_t length_bytes = 8;

struct Format {
  DType dtype;
  const char* name;
};
constexpr std::array<Format, 4> formats{{{float32, "F32"}, {float64, "F64"}, {int64, "I64"}, {boolean, "BOOL"}}};

const char* format_name(DType dtype) {
  return std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return f.dtype == dtype; })->name;
}

const std::byte* bytes_of(const Array& array) {
  return visit(array.dtype(), [&]<class T>(T) { return reinterpret_cast<const std::byte*>(array.data<T>()); });
}

class Crc32 {
 public:
  void add(const void* data, std::size_t bytes) {
    value_ = ::crc32_z(value_, static_cast<const Bytef*>(data), bytes);
  }
  std::string text() const {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08lx", value_);
    return digits;
  }

 private:
  uLong value_ = ::crc32(0, nullptr, 0);
};

// Independent of spaces and of the order of names, so that it survives other programs' writing.
std::string header_crc(Json header) {
  header[metadata_key].erase(header_crc_key);
  std::string text = header.dump();
  Crc32 crc;
  crc.add(text.data(), text.size());
  return crc.text();
}

// Writing

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

// Reading

// Reads a file, and says in its errors what is wrong with it.
class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path) {
    std::error_code error;
    if (!fs::exists(path, error)) fail("there is no such file");
    if (!fs::is_regular_file(path, error)) fail("it is no regular file");
    left_ = fs::file_size(path, error);
    file_.open(path, std::ios::binary);
    if (error || !file_) fail("it cannot be opened");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError("load_safetensors: " + path_.string() + ": " + what);
  }

  std::uintmax_t left() const { return left_; }

  void read(void* out, std::size_t bytes) {
    if (bytes > left_ || !file_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes)))
      fail("it is cut short");
    left_ -= bytes;
  }

 private:
  fs::path path_;
  std::ifstream file_;
  std::uintmax_t left_ = 0;
};

// Refuses a name that occurs twice in one object, which the parser would not mind, and needless depth.
class StrictParsing {
 public:
  explicit StrictParsing(const Reader& reader) : reader_(reader) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > 3) reader_.fail("the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) names_.emplace_back();
    if (event == Json::parse_event_t::object_end) names_.pop_back();
    if (event == Json::parse_event_t::key && !names_.back().insert(parsed.get<std::string>()).second)
      reader_.fail("the header has \"" + parsed.get<std::string>() + "\" twice");
    return true;
  }

 private:
  const Reader& reader_;
  std::vector<std::set<std::string>> names_;
};

Json read_header(Reader& reader) {
  std::uint64_t length = 0;
  reader.read(&length, length_bytes);
  if (length > reader.left())
    reader.fail("the header is said to have " + std::to_string(length) + " bytes, but " +
                std::to_string(reader.left()) + " are left: the file is cut short or no safetensors file");
  std::string text(length, '\0');
  reader.read(text.data(), text.size());
  std::size_t end = text.find_last_not_of(' ') + 1;
  if (end == 0 || text.front() != '{' || text[end - 1] != '}') reader.fail("the header is no JSON object");
  Json header;
  try {
    header = Json::parse(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                         [strict = StrictParsing(reader)](int depth, Json::parse_event_t event, Json& parsed) mutable {
                           return strict(depth, event, parsed);
                         });
  } catch (const Json::exception& e) {
    reader.fail(std::string("the header is no JSON: ") + e.what());
  }
  return header;
}

// Takes the texts out of the header, and leaves the tensors.
std::map<std::string, std::string> take_metadata(const Reader& reader, Json& header) {
  std::map<std::string, std::string> metadata;
  if (!header.contains(metadata_key)) return metadata;
  const Json& texts = header[metadata_key];
  if (!texts.is_object()) reader.fail("the metadata is no JSON object");
  for (const auto& [name, text] : texts.items()) {
    if (!text.is_string()) reader.fail("the metadata \"" + name + "\" is no text");
    metadata[name] = text.get<std::string>();
  }
  if (metadata.contains(header_crc_key) != metadata.contains(data_crc_key))
    reader.fail("the header is damaged: one of its two checksums is missing");
  if (metadata.contains(header_crc_key) && metadata[header_crc_key] != header_crc(header))
    reader.fail("the header is damaged: its checksum does not match");
  metadata.erase(header_crc_key);
  header.erase(metadata_key);
  return metadata;
}

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;
};

std::vector<std::uint64_t> numbers(const Reader& reader, const std::string& name, const Json& list) {
  bool all = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& n) {
    return n.is_number_unsigned();
  });
  if (!all) reader.fail("tensor \"" + name + "\": its shape and offsets need to be lists of whole numbers");
  return list.get<std::vector<std::uint64_t>>();
}

Entry parse_entry(const Reader& reader, const std::string& name, const Json& json) {
  auto refuse = [&](const std::string& what) { reader.fail("tensor \"" + name + "\": " + what); };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    refuse("needs exactly dtype, shape and data_offsets");
  auto format = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return json["dtype"] == f.name; });
  if (format == formats.end()) refuse("dtype " + json["dtype"].dump() + ", needs F32, F64, I64 or BOOL");
  auto extents = numbers(reader, name, json["shape"]);
  auto offsets = numbers(reader, name, json["data_offsets"]);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) refuse("needs two data_offsets in order");
  Entry entry{name, format->dtype, Shape(extents.begin(), extents.end()), offsets[0], offsets[1]};
  std::size_t count = 0;
  try {
    count = element_count(entry.shape);
  } catch (const ShapeError& e) {
    refuse(e.what());
  }
  if (count * item_size(entry.dtype) != entry.end - entry.begin)
    refuse("shape " + to_string(entry.shape) + " does not fill its " + std::to_string(entry.end - entry.begin) +
           " bytes");
  return entry;
}

// In the order of their places, which must leave nothing out and nothing over.
std::vector<Entry> parse_entries(const Reader& reader, const Json& header) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) entries.push_back(parse_entry(reader, name, json));
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end)
      reader.fail("tensor \"" + entry.name + "\" begins at byte " + std::to_string(entry.begin) + ", needs " +
                  std::to_string(end) + ", where the one before it ends");
    end = entry.end;
  }
  if (end != reader.left())
    reader.fail("the tensors have " + std::to_string(end) + " bytes, the file " + std::to_string(reader.left()) +
                ": it is cut short or has something behind its end");
  return entries;
}

Array read_tensor(Reader& reader, const Entry& entry, Crc32& crc) {
  Array value(entry.shape, entry.dtype);
  visit(entry.dtype, [&]<class T>(T) {
    auto* bytes = reinterpret_cast<unsigned char*>(value.mutable_data<T>());
    reader.read(bytes, value.bytes());
    crc.add(bytes, value.bytes());
    if (std::is_same_v<T, bool> && std::any_of(bytes, bytes + value.bytes(), [](unsigned char b) { return b > 1; }))
      reader.fail("tensor \"" + entry.name + "\": a BOOL that is neither 0 nor 1");
  });
  return value;
}

}  // namespace

void save_safetensors(const fs::path& path, const StateDict& tensors,
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
  std::uint64_t length = header.size();

  AtomicFile file(path);
  file.write(&length, length_bytes);
  file.write(header);
  for (const Placed& tensor : placed) file.write(bytes_of(tensor.value), tensor.value.bytes());
  file.commit();
}

Safetensors load_safetensors(const fs::path& path) {
  Reader reader(path);
  Json header = read_header(reader);
  Safetensors result;
  result.metadata = take_metadata(reader, header);
  Crc32 crc;
  for (const Entry& entry : parse_entries(reader, header))
    result.tensors.emplace(entry.name, Variable(read_tensor(reader, entry, crc)));
  auto expected = result.metadata.find(data_crc_key);
  if (expected == result.metadata.end()) return result;
  if (expected->second != crc.text()) reader.fail("the tensors are damaged: their checksum does not match");
  result.metadata.erase(expected);
  return result;
}

}  // namespace xtape::nn
