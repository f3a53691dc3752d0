#include <nn/data/csv.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <deque>
#include <optional>
#include <set>

#include <nn/data/gunzip.hpp>
#include <nn/data/input_file.hpp>
#include <nn/data/memory_limit.hpp>

namespace xtape::nn {
namespace {

/// The fields of one line, one behind the other: a string for each would take many times the memory of the line.
struct Fields {
  std::string text;
  std::vector<std::size_t> ends;
  std::size_t count = 0;  // with those that are not kept

  void clear() {
    text.clear();
    ends.clear();
    count = 0;
  }
  std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
  std::string_view operator[](std::size_t i) const {
    return std::string_view(text).substr(begin_of(i), ends[i] - begin_of(i));
  }
};

/// One line after the other, as fields.
class CsvLines {
 public:
  CsvLines(const std::filesystem::path& path, char delimiter)
      : file_("load_csv", path), content_(file_.stream(), file_.name()),
        delimiter_(static_cast<unsigned char>(delimiter)) {  // as a byte is, of which `end` is none
    for (int expected : {0xef, 0xbb, 0xbf}) {  // the byte order mark of UTF-8
      if (peek() != expected) break;
      ++position_;
    }
  }

  /// Reads the next line's fields; false at the end of the file. Calls `begin_field` for each before it is read; where
  /// that returns false, the field is counted, and not kept.
  template <class F>
  bool next(Fields& fields, F begin_field) {
    line_ = next_line_;
    fields.clear();
    if (peek() == end) return false;
    do {
      bool keep = begin_field(fields.count);
      count_ = ++fields.count;
      read_field(fields.text);
      if (keep) fields.ends.push_back(fields.text.size());
      else fields.text.resize(fields.begin_of(fields.ends.size()));
    } while (at_delimiter_);
    return true;
  }

  /// Where errors are: "line 3" of the line that was read last.
  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    file_.fail("line " + std::to_string(line_) + where + ": " + what);
  }
  const InputFile& file() const { return file_; }

 private:
  static constexpr int end = -1;

  int peek() {
    if (position_ == filled_) {
      filled_ = content_.read(chunk_);
      position_ = 0;
    }
    return position_ == filled_ ? end : chunk_[position_];
  }

  int get() {
    int c = peek();
    if (c != end) ++position_;
    if (c == '\n') ++next_line_;
    return c;
  }

  void read_field(std::string& out) {
    if (peek() == '"') read_quoted(out);
    else read_plain(out);
    int c = get();
    if (c == '\r') c = get();
    at_delimiter_ = c == delimiter_;
  }

  // Up to the delimiter or the end of the line.
  void read_plain(std::string& out) {
    while (!ends_field(peek())) {
      if (peek() == '"') fail_here("a quote within a field that does not begin with one");
      out += static_cast<char>(get());
      if (out.back() == '\r' && peek() == '\n') return out.pop_back();
      if (out.back() == '\r') fail_here("a carriage return that ends no line");
    }
  }

  void read_quoted(std::string& out) {
    get();
    while (true) {
      int c = get();
      if (c == end) fail_here("a quoted field that does not end");
      if (c == '"' && peek() != '"') break;
      if (c == '"') get();
      out += static_cast<char>(c);
    }
    if (!ends_field(peek()) && peek() != '\r') fail_here("text behind the closing quote");
  }

  bool ends_field(int c) const { return c == end || c == '\n' || c == delimiter_; }
  [[noreturn]] void fail_here(const std::string& what) { fail(", column " + std::to_string(count_), what); }

  InputFile file_;
  Gunzip content_;
  int delimiter_;
  std::vector<std::uint8_t> chunk_ = std::vector<std::uint8_t>(64 << 10);
  std::size_t position_ = 0, filled_ = 0;
  std::size_t line_ = 1, next_line_ = 1;
  std::size_t count_ = 0;  // of the line's fields so far
  bool at_delimiter_ = false;
};

std::string_view trimmed(std::string_view text) {
  std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return {};
  // from_chars does not say which end of the range, 0 or infinity
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

/// Numbers, one after the other, in blocks: growing as one piece would take three times their memory.
class Numbers {
 public:
  void add(double value) {
    if (blocks_.empty() || blocks_.back().size() == block) blocks_.emplace_back().reserve(block);
    blocks_.back().push_back(value);
  }

  /// Gives back the memory as it goes.
  template <class T>
  void move_to(T* out) {
    for (; !blocks_.empty(); blocks_.pop_front())
      out = std::transform(blocks_.front().begin(), blocks_.front().end(), out,
                           [](double v) { return static_cast<T>(v); });
  }

 private:
  static constexpr std::size_t block = 4096;
  std::deque<std::vector<double>> blocks_;
};

/// A column that is read as it is.
struct TextColumn {
  std::size_t index;
  std::string name;
  std::deque<std::string> texts = {};

  /// Gives back the memory as it goes.
  std::vector<std::string> take() {
    std::vector<std::string> result;
    result.reserve(texts.size());
    for (; !texts.empty(); texts.pop_front()) result.push_back(std::move(texts.front()));
    return result;
  }
};

// What a string takes beside itself.
std::size_t bytes_behind(std::string_view text) { return text.size() < 16 ? 0 : text.size() + 24; }

/// Reads one table.
class CsvReader {
 public:
  CsvReader(const std::filesystem::path& path, const CsvOptions& options)
      : options_(options), lines_(path, options.delimiter),
        limit_(lines_.file().name(), lines_.file().size(), 8),
        numbers_limit_(lines_.file().name(), lines_.file().size(), 100) {}

  CsvTable read() {
    bool any = next_line();
    if (!any) lines_.file().fail("is empty, needs a line or more");
    read_names();
    choose_columns();
    if (options_.header) any = next_line();
    std::size_t rows = 0;
    for (; any; any = next_line(), ++rows) read_row();

    Array values({rows, numbers_.size()}, options_.dtype);
    visit_floating("load_csv", options_.dtype, [&]<class T>(T) { values_.move_to(values.mutable_data<T>()); });
    table_.values = Variable(std::move(values));
    for (TextColumn& column : texts_) table_.texts[column.name] = column.take();
    return std::move(table_);
  }

 private:
  // Without empty lines, where these cannot be a row. Later lines cannot make more fields than the first.
  bool next_line() {
    auto keep = [this](std::size_t count) {
      if (names_.empty() && count > 0) limit_.take(bytes_of_a_name, "columns");
      return names_.empty() || count < names_.size();
    };
    while (lines_.next(fields_, keep))
      if (fields_.count > 1 || !fields_[0].empty() || names_.size() == 1) return true;
    return false;
  }

  void read_names() {
    names_.reserve(fields_.count);
    for (std::size_t i = 0; i < fields_.count; ++i) {
      if (options_.header) limit_.take(2 * bytes_behind(fields_[i]), "columns");
      names_.push_back(options_.header ? std::string(fields_[i]) : std::to_string(i));
    }
  }

  std::size_t find(const std::string& name) const {
    auto found = std::find(names_.begin(), names_.end(), name);
    std::string needed = "the column " + shown(name);
    if (found == names_.end()) {
      std::string all;
      for (std::size_t i = 0; i < names_.size() && all.size() < 1000; ++i) all += (i > 0 ? ", " : "") + shown(names_[i]);
      lines_.file().fail("lacks " + needed + ", has " + all.substr(0, 1000));
    }
    if (std::find(found + 1, names_.end(), name) != names_.end()) lines_.file().fail("has " + needed + " twice");
    return static_cast<std::size_t>(found - names_.begin());
  }

  void choose_columns() {
    std::set<std::size_t> taken;
    for (const std::string& name : options_.texts) {
      texts_.push_back({find(name), name});
      taken.insert(texts_.back().index);
    }
    numbers_.reserve(options_.columns.empty() ? names_.size() : options_.columns.size());
    for (const std::string& name : options_.columns) numbers_.push_back(find(name));
    if (options_.columns.empty())
      for (std::size_t i = 0; i < names_.size(); ++i)
        if (!taken.contains(i)) numbers_.push_back(i);
    table_.columns.reserve(numbers_.size());
    for (std::size_t i : numbers_) table_.columns.push_back(names_[i]);
  }

  void read_row() {
    if (fields_.count != names_.size())
      lines_.fail("", std::to_string(fields_.count) + " fields, needs " + std::to_string(names_.size()) +
                          " as the first line has");
    numbers_limit_.take(numbers_.size() * (sizeof(double) + item_size(options_.dtype)), "numbers");
    for (std::size_t i : numbers_) values_.add(number(i));
    for (TextColumn& column : texts_) {
      std::string_view text = fields_[column.index];
      limit_.take(2 * sizeof(std::string) + bytes_behind(text), "texts");
      column.texts.emplace_back(text);
    }
  }

  double number(std::size_t i) const {
    std::string_view text = trimmed(fields_[i]);
    const auto& marks = options_.missing_marks;
    bool missing = std::find(marks.begin(), marks.end(), text) != marks.end();
    std::optional<double> value = missing ? NAN : parse_number(text);
    if (value && (std::isnan(*value) ? options_.missing == Missing::nan : is_finite(*value))) return *value;
    std::string name = options_.header ? " (" + shown(names_[i]) + ")" : "";
    lines_.fail(", column " + std::to_string(i + 1) + name,
                missing  ? "the number is missing"
                : !value ? shown(fields_[i]) + ", needs a number"
                         : shown(fields_[i]) + ", needs a finite " + to_string(options_.dtype));
  }

  bool is_finite(double value) const {
    return std::isfinite(options_.dtype == float32 ? static_cast<float>(value) : value);
  }

  // Its name, as it is kept and as it is handed out; its place in the line and in the list of columns.
  static constexpr std::size_t bytes_of_a_name = 2 * sizeof(std::string) + 4 * sizeof(std::size_t);

  const CsvOptions& options_;
  CsvLines lines_;
  MemoryLimit limit_, numbers_limit_;
  Fields fields_;
  std::vector<std::string> names_;
  std::vector<std::size_t> numbers_;  // the columns of the file that are read as such
  std::vector<TextColumn> texts_;
  Numbers values_;
  CsvTable table_;
};

}  // namespace

CsvTable load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  if (std::string_view("\" \r\n+-.").find(options.delimiter) != std::string_view::npos ||
      std::isalnum(static_cast<unsigned char>(options.delimiter)))
    throw ValueError(std::string("load_csv: the delimiter is '") + options.delimiter +
                     "', needs one that is no quote, space, line break, letter, digit, '+', '-' or '.'");
  if (!is_floating(options.dtype))
    throw DTypeError(std::string("load_csv: dtype ") + to_string(options.dtype) + ", needs float32 or float64");
  return CsvReader(path, options).read();
}

Classes class_indices(const std::vector<std::string>& texts) {
  std::set<std::string> sorted(texts.begin(), texts.end());
  Classes result{.indices = {}, .names = {sorted.begin(), sorted.end()}};
  Array indices({texts.size()}, int64);
  std::transform(texts.begin(), texts.end(), indices.mutable_data<std::int64_t>(), [&](const std::string& text) {
    return std::lower_bound(result.names.begin(), result.names.end(), text) - result.names.begin();
  });
  result.indices = Variable(std::move(indices));
  return result;
}

}  // namespace xtape::nn
