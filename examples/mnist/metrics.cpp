#include "metrics.hpp"

#include <cstdio>
#include <string>

#include <autograd/error.hpp>
#include <autograd/atomic_file.hpp>

namespace mnist {
namespace {

const std::string header = "epoch,train_loss,test_accuracy,seconds\n";

// The lines of a table up to epoch `last`. Those of later epochs will be written again.
std::string lines_until(std::size_t last, const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line, lines;
  if (!in || !std::getline(in, line)) return header;
  if (line + '\n' != header)
    throw xtape::FileError(file.string() + ": begins with \"" + line + "\", needs the header \"" +
                           header.substr(0, header.size() - 1) + "\" to go on after it");
  while (std::getline(in, line) && !in.eof())
    if (std::stoul(line) <= last) lines += line + '\n';
  return header + lines;
}

}  // namespace

Metrics::Metrics(const std::filesystem::path& file, std::size_t done) : file_(file) {
  if (file.empty()) return;
  xtape::AtomicFile start(file);
  start.write(done > 0 ? lines_until(done, file) : header);
  start.commit();
  out_.open(file, std::ios::app);
  if (!out_) throw xtape::FileError(file.string() + ": cannot be written");
}

void Metrics::write(std::size_t epoch, double train_loss, double test_accuracy, double seconds) {
  if (!out_.is_open()) return;
  char line[128];
  std::snprintf(line, sizeof line, "%zu,%.6f,%.4f,%.3f\n", epoch, train_loss, test_accuracy, seconds);
  out_ << line << std::flush;
  if (!out_) throw xtape::FileError(file_.string() + ": cannot be written");
}

}  // namespace mnist
