#include <nn/callbacks/csv_log.hpp>

#include <charconv>
#include <fstream>

#include <autograd/atomic_file.hpp>
#include <nn/callbacks/numbers.hpp>

namespace xtape::nn {
namespace {

// A name as a field: quoted where it must be, by RFC 4180.
std::string field(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// The lines of a table up to epoch `last`. Those of later epochs will be written again.
std::string lines_until(std::size_t last, const std::string& header, const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in || in.peek() == std::ifstream::traits_type::eof()) return header;
  std::string line, lines, start(header.size(), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  if (start != header)
    throw FileError(file.string() + ": begins with \"" + start.substr(0, start.find('\n')) +
                    "\", needs the header \"" + header.substr(0, header.size() - 1) + "\" to go on after it");
  while (std::getline(in, line) && !in.eof()) {
    std::size_t epoch = 0;
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), epoch);
    if (error != std::errc() || *end != ',')
      throw FileError(file.string() + ": has the line \"" + line + "\", needs one that begins with an epoch");
    if (epoch <= last) lines += line + '\n';
  }
  return header + lines;
}

}  // namespace

EpochTable::EpochTable(const std::filesystem::path& file, const std::vector<std::string>& columns, std::size_t done)
    : file_(file) {
  std::string header = "epoch";
  for (const std::string& column : columns) header += ',' + field(column);
  header += '\n';
  write_file_atomically(file, done > 0 ? lines_until(done, header, file) : header);
  out_ = std::make_unique<std::ofstream>(file, std::ios::app);
  if (!*out_) throw FileError(file.string() + ": cannot be written");
}

EpochTable::~EpochTable() = default;
EpochTable::EpochTable(EpochTable&&) noexcept = default;

void EpochTable::write(std::size_t epoch, const std::vector<double>& values) {
  std::string line = std::to_string(epoch);
  for (double value : values) line += ',' + detail::shortest(value);
  *out_ << line + '\n' << std::flush;
  if (!*out_) throw FileError(file_.string() + ": cannot be written");
}

void CSVLog::on_fit_begin(Training& training) {
  std::vector<std::string> columns;
  for (const auto& [name, value] : training.scores) columns.push_back(name);
  table_ = std::make_unique<EpochTable>(file_, columns, training.epoch);
}

void CSVLog::on_epoch_end(Training& training) {
  std::vector<double> values;
  for (const auto& [name, value] : training.scores) values.push_back(value);
  table_->write(training.epoch, values);
}

void CSVLog::on_fit_end(Training&) { table_.reset(); }

}  // namespace xtape::nn
