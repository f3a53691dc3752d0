#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <nn/data/input_file.hpp>
#include <autograd/memory_error.hpp>
#include <nn/saving/safetensors_format.hpp>
#include <nn/serialization.hpp>

namespace xtape::nn {
namespace {

using namespace safetensors;
using Json = nlohmann::json;

struct Header {
  std::optional<Metadata> metadata;
  std::vector<Entry> entries;
};

std::string format_names() {
  std::string names;
  for (const Format& format : formats) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return names;
}

// Takes the header as the parser reads it. A tree of its values would take much more memory, and time.
class HeaderParser : public Json::json_sax_t {
 public:
  explicit HeaderParser(const InputFile& file) : file_(file) {}

  Header take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (++depth_ == 1) return true;
    if (depth_ > 2) misplaced();
    if (in_metadata_) header_.metadata.emplace();
    else tensor_ = {};
    return true;
  }

  bool end_object() override {
    if (--depth_ == 1 && !std::exchange(in_metadata_, false)) add_entry();
    return true;
  }

  bool key(std::string& text) override {
    key_ = std::move(text);
    if (depth_ == 1) begin_entry();
    else if (in_metadata_) begin_text();
    else begin_field();
    return true;
  }

  bool string(std::string& text) override {
    if (depth_ == 2 && in_metadata_) header_.metadata->emplace(key_, std::move(text));
    else if (depth_ == 2 && key_ == "dtype") tensor_.format = find_format(text);
    else misplaced();
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_) misplaced();
    if (numbers_) fail_numbers();
    numbers_ = key_ == "shape" ? &tensor_.extents : key_ == "data_offsets" ? &tensor_.offsets : nullptr;
    if (!numbers_) misplaced();
    numbers_->emplace();
    return true;
  }

  bool end_array() override {
    numbers_ = nullptr;
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (!numbers_) misplaced();
    if ((*numbers_)->size() == most_axes)
      fail_tensor("a list of more than " + std::to_string(most_axes) + " numbers in its shape or offsets");
    (*numbers_)->push_back(number);
    return true;
  }

  bool null() override { misplaced(); }
  bool boolean(bool) override { misplaced(); }
  bool number_integer(number_integer_t) override { misplaced(); }
  bool number_float(number_float_t, const std::string&) override { misplaced(); }
  bool binary(binary_t&) override { misplaced(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    file_.fail("the header is no JSON: " + std::string(error.what()).substr(0, 200));
  }

 private:
  using Numbers = std::optional<std::vector<std::uint64_t>>;
  struct Tensor {
    const Format* format = nullptr;
    Numbers extents, offsets;
  };

  void begin_entry() {
    name_ = std::move(key_);
    in_metadata_ = name_ == metadata_key;
    if (in_metadata_ && header_.metadata) fail_twice(name_);
  }

  void begin_text() {
    if (header_.metadata->contains(key_)) fail_twice(key_);
    if (header_.metadata->size() == most_texts)
      file_.fail("the metadata has more than " + std::to_string(most_texts) + " texts");
  }

  void begin_field() {
    bool known = key_ == "dtype" || key_ == "shape" || key_ == "data_offsets";
    if (!known) fail_fields();
    if ((key_ == "dtype" && tensor_.format) || (key_ == "shape" && tensor_.extents) ||
        (key_ == "data_offsets" && tensor_.offsets))
      fail_twice(key_);
  }

  void add_entry() {
    if (!tensor_.format || !tensor_.extents || !tensor_.offsets) fail_fields();
    const auto& extents = *tensor_.extents;
    const auto& offsets = *tensor_.offsets;
    if (offsets.size() != 2 || offsets[0] > offsets[1]) fail_tensor("needs two data_offsets in order");
    Entry entry{name_, tensor_.format, Shape(extents.begin(), extents.end()), offsets[0], offsets[1]};
    require_filled(entry);
    header_.entries.push_back(std::move(entry));
  }

  void require_filled(const Entry& entry) const {
    std::size_t count = 0;
    try {
      count = element_count(entry.shape);
    } catch (const ShapeError& error) {
      fail_tensor(error.what());
    }
    if (count * entry.format->type.bytes != entry.end - entry.begin)
      fail_tensor("shape " + to_string(entry.shape) + " does not fill its " + std::to_string(entry.end - entry.begin) +
                  " bytes");
  }

  const Format* find_format(const std::string& name) const {
    auto found = std::find_if(formats.begin(), formats.end(), [&](const Format& f) { return name == f.name; });
    if (found == formats.end()) fail_tensor("dtype " + shown(name) + ", needs one of " + format_names());
    return &*found;
  }

  // A value that nothing may be at its place.
  [[noreturn]] void misplaced() const {
    if (in_metadata_ && depth_ == 1) file_.fail("the metadata is no JSON object");
    if (in_metadata_) file_.fail("the metadata " + shown(key_) + " is no text");
    if (depth_ == 2 && key_ == "dtype") fail_tensor("its dtype is no text, needs one of " + format_names());
    if (depth_ >= 2) fail_numbers();
    fail_fields();
  }
  [[noreturn]] void fail_numbers() const {
    fail_tensor("its shape and offsets need to be lists of whole numbers");
  }
  [[noreturn]] void fail_fields() const { fail_tensor("needs exactly dtype, shape and data_offsets"); }
  [[noreturn]] void fail_tensor(const std::string& what) const { file_.fail("tensor " + shown(name_) + ": " + what); }
  [[noreturn]] void fail_twice(const std::string& name) const {
    file_.fail("the header has " + shown(name) + " twice");
  }

  const InputFile& file_;
  Header header_;
  int depth_ = 0;  // of objects
  bool in_metadata_ = false;
  std::string name_, key_;  // of the tensor, and of what stands within it
  Tensor tensor_;
  Numbers* numbers_ = nullptr;  // the list that is read, if it is one
};

std::string read_header_text(InputFile& file) {
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
  text.resize(end);
  return text;
}

// Sorted by name, of which there are no two the same.
Header read_header(InputFile& file) {
  HeaderParser parser(file);
  {
    std::string text = read_header_text(file);
    Json::sax_parse(text.begin(), text.end(), &parser);
  }
  Header header = parser.take();
  auto& entries = header.entries;
  entries.shrink_to_fit();
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                  [](const Entry& a, const Entry& b) { return a.name == b.name; });
  if (twice != entries.end()) file.fail("the header has " + shown(twice->name) + " twice");
  return header;
}

// The texts without the header's checksum, which is compared.
Metadata checked_metadata(const InputFile& file, Header& header) {
  if (!header.metadata) return {};
  Metadata metadata = std::move(*header.metadata);
  auto crc = metadata.find(header_crc_key);
  if ((crc != metadata.end()) != metadata.contains(data_crc_key))
    file.fail("the header is damaged: one of its two checksums is missing");
  if (crc == metadata.end()) return metadata;
  std::string expected = std::move(crc->second);
  metadata.erase(crc);
  if (expected != header_crc(metadata, header.entries))
    file.fail("the header is damaged: its checksum does not match");
  return metadata;
}

// Puts the tensors in the order of their places, which must leave nothing out and nothing over.
void sort_by_place(const InputFile& file, std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end)
      file.fail("tensor " + shown(entry.name) + " begins at byte " + std::to_string(entry.begin) + ", needs " +
                std::to_string(end) + ", where the one before it ends");
    end = entry.end;
  }
  if (end != file.left())
    file.fail("the tensors have " + std::to_string(end) + " bytes, the file " + std::to_string(file.left()) +
              ": it is cut short or has something behind its end");
}

Array read_tensor(InputFile& file, const Entry& entry, Crc32& crc) {
  Array value(entry.shape, dtype_of(entry.format->type));
  std::string name = file.name() + ": tensor " + shown(entry.name);
  read_elements(name, entry.format->type, value, [&](void* out, std::size_t bytes) {
    file.read(out, bytes);
    crc.add(out, bytes);
  });
  return value;
}

}  // namespace

Safetensors load_safetensors(const std::filesystem::path& path) try {
  InputFile file("load_safetensors", path);
  Header header = read_header(file);
  Safetensors result;
  result.metadata = checked_metadata(file, header);
  sort_by_place(file, header.entries);
  Crc32 crc;
  for (Entry& entry : header.entries) {
    Variable value(read_tensor(file, entry, crc));
    result.tensors.emplace(std::move(entry.name), std::move(value));
  }
  auto expected = result.metadata.find(data_crc_key);
  if (expected == result.metadata.end()) return result;
  if (expected->second != crc.text()) file.fail("the tensors are damaged: their checksum does not match");
  result.metadata.erase(expected);
  result.checked = true;
  return result;
} catch (const std::bad_alloc&) {
  throw xtape::detail::OutOfMemory("load_safetensors", "the names of the tensors");
}

}  // namespace xtape::nn
