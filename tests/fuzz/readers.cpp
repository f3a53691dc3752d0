// Files of data and weights, as bytes of any kind. What is read is written again and has to be read as the same.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/fuzz/files.hpp>
#include <tests/fuzz/targets.hpp>
#include <tests/nn/file_texts.hpp>

namespace xtape::fuzz {
namespace {

using testing::gzip;

bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && fuzz::same(x.second, y.second); });
}

// The text itself, or packed as a gzip file.
std::string maybe_packed(Input& input, const std::string& text) { return input.flag() ? gzip(text) : text; }

// The fields of a line without quotes.
std::vector<std::string> fields(const std::string& line, char delimiter) {
  std::vector<std::string> result;
  std::size_t begin = 0;
  for (std::size_t end; (end = line.find(delimiter, begin)) != std::string::npos; begin = end + 1)
    result.push_back(line.substr(begin, end - begin));
  result.push_back(line.substr(begin));
  return result;
}

// The numbers of a table of which nothing is quoted, as the C library reads them.
void check_plain_table(const std::string& text, const nn::CsvOptions& options, const nn::CsvTable& table) {
  if (text.find_first_of("\"\r\xef") != std::string::npos || text.find('\0') != std::string::npos) return;
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : fields(text, '\n'))
    if (!line.empty()) rows.push_back(fields(line, options.delimiter));
  if (rows.empty() || rows[0].size() < 2) return;  // an empty line counts where there is one column
  if (options.header) rows.erase(rows.begin());
  if (!options.columns.empty() || !options.texts.empty()) return;
  require(table.values.shape() == Shape{rows.size(), table.columns.size()}, "a table of another shape");
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      double got = at(table.values, row * table.columns.size() + column);
      if (std::isnan(got)) continue;  // missing
      double expected = std::strtod(rows[row].at(column).c_str(), nullptr);
      if (options.dtype == float32) expected = std::strtof(rows[row].at(column).c_str(), nullptr);
      require(got == expected, "read " + std::to_string(got) + " of \"" + rows[row][column] + "\"");
    }
}

}  // namespace

void npy(Input& input) {
  File file(input.rest());
  allowed([&] {
    Variable x = nn::load_npy(file.path());
    require(x.size() <= file.size(), "more elements than bytes");
    nn::save_npy(file.path(), x);
    require(fuzz::same(x, nn::load_npy(file.path())), "not read as written");
  });
}

void npz(Input& input) {
  // The container as it is, or a member of any content, whose checksum is right.
  std::size_t kind = input.below(3);
  std::string text = input.rest();
  File file(kind == 0 ? text : testing::zipped(text, kind == 1));
  allowed([&] {
    StateDict arrays = nn::load_npz(file.path());
    nn::save_npz(file.path(), arrays, {.compressed = kind == 1});
    require(same(arrays, nn::load_npz(file.path())), "not read as written");
  });
}

void csv(Input& input) {
  nn::CsvOptions options;
  options.header = input.flag();
  options.delimiter = static_cast<char>(input.pick({',', ';', '\t', ' ', '|', static_cast<char>(input.byte())}));
  options.missing = input.flag() ? nn::Missing::nan : nn::Missing::error;
  options.dtype = input.dtype();
  if (input.flag()) options.columns = {"a", input.text(1)};
  if (input.flag()) options.texts = {options.header ? "b" : "1"};
  bool packed = input.flag();
  std::string text = input.rest();
  File file(packed ? gzip(text) : text);
  allowed([&] {
    nn::CsvTable table = nn::load_csv(file.path(), options);
    std::size_t rows = table.values.shape(0);
    require(table.values.rank() == 2 && table.values.shape(1) == table.columns.size(), "columns without a name");
    require(table.values.size() <= text.size() + 1, "more numbers than the text has");
    for (const auto& [name, texts] : table.texts) {
      require(texts.size() == rows, "a column of another length");
      nn::Classes classes = nn::class_indices(texts);
      for (std::size_t i = 0; i < rows; ++i)
        require(classes.names.at(static_cast<std::size_t>(at(classes.indices, i))) == texts[i], "another class");
    }
    check_plain_table(text, options, table);
  });
}

void idx(Input& input) {
  std::optional<std::size_t> rank;
  if (input.flag()) rank = input.below(4);
  std::size_t kind = input.below(3);
  std::string text = maybe_packed(input, input.rest());
  File file(text);
  if (kind == 0)
    allowed([&] {
      auto bytes = nn::load_idx_bytes(file.path(), rank);
      require(!rank || bytes.dimension() == *rank, "another rank");
      require(fuzz::same(Variable(bytes), nn::load_idx(file.path())), "two readers disagree");
    });
  if (kind == 1)
    allowed([&] { require(nn::load_idx(file.path()).size() <= 1100 * file.size() + 100, "more elements than bytes"); });
  if (kind == 2)
    allowed([&] {
      nn::LabeledImages images = nn::load_labeled_images(file.path(), file.path(), 10);
      require(images.images.shape(0) == images.labels.size(), "images without labels");
    });
}

void cifar(Input& input) {
  // Images are long and have no structure: so many bytes of them, of which the input says the first ones.
  bool hundred = input.flag(), packed = input.flag();
  std::size_t image = 3073 + hundred;
  auto size = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(input.below(3) * image) + input.between(-2, 2));
  if (size > 3 * image) size = 0;
  std::string text = input.rest();
  text.resize(size, '\3');
  File file(packed ? gzip(text) : text);
  allowed([&] {
    nn::LabeledImages set = hundred ? nn::load_cifar100({file.path(), file.path()}) : nn::load_cifar10({file.path()});
    require(set.size() * image == text.size() * (1 + hundred), "another number of images");
    for (std::size_t i = 0; i < set.size(); ++i)
      require(set.labels(i) == static_cast<std::uint8_t>(text[i * image % text.size() + hundred]), "another label");
  });
}

void safetensors(Input& input) {
  // The bytes as they are, or a header of which the length is right, with so many bytes of elements.
  bool raw = input.flag();
  std::size_t elements = input.byte();
  std::string text = input.rest();
  File file(raw ? text : testing::file_of(text, std::string(elements, '\1')));
  allowed([&] {
    nn::Safetensors read = nn::load_safetensors(file.path());
    nn::save_safetensors(file.path(), read.tensors, read.metadata);
    nn::Safetensors again = nn::load_safetensors(file.path());
    require(same(read.tensors, again.tensors) && again.checked, "not read as written");
    require(read.metadata == again.metadata, "other texts than were written");
  });
}

}  // namespace xtape::fuzz
