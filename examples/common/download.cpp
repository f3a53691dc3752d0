#include <examples/common/download.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <utility>

#include <autograd/error.hpp>
#include <autograd/atomic_file.hpp>
#include <nn/data/gunzip.hpp>

#include <examples/common/process.hpp>

using xtape::FileError;

namespace example {
namespace {

constexpr std::size_t size_limit = 32 << 20;  // the largest file of MNIST has 10 MB

// Gives up when there is no connection within ten seconds, or when it stalls for twenty.
std::string fetch(const std::string& url) {
  ProcessResult curl = run({"curl", "--fail", "--silent", "--show-error", "--location", "--proto", "=https",
                            "--connect-timeout", "10", "--speed-limit", "1000", "--speed-time", "20", "--max-time",
                            "600", "--max-filesize", std::to_string(size_limit), "--", url},
                           nullptr, size_limit);
  if (curl.exit_code != 0)
    throw FileError(url + ": cannot be downloaded (curl ended with code " + std::to_string(curl.exit_code) + ")");
  return std::move(curl.output);
}

}  // namespace

std::filesystem::path cache_folder(const std::string& name) {
  namespace fs = std::filesystem;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && fs::path(cache).is_absolute()) return fs::path(cache) / "xtape" / name;
  const char* home = std::getenv("HOME");
  if (home && *home) return fs::path(home) / ".cache" / "xtape" / name;
  throw FileError("no folder to keep " + name + " in: neither XDG_CACHE_HOME nor HOME is set");
}

std::string sha256_of_content(const std::string& bytes, const std::string& name) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> content(std::tmpfile(), std::fclose);
  if (!content) throw FileError(name + ": no temporary file to check it with");
  std::istringstream source(bytes);
  xtape::nn::Gunzip gunzip(source, name);
  std::array<std::uint8_t, 64 << 10> chunk;
  while (std::size_t count = gunzip.read(chunk))
    if (std::fwrite(chunk.data(), 1, count, content.get()) != count)
      throw FileError(name + ": the temporary file to check it with cannot be written");
  std::rewind(content.get());
  constexpr std::size_t digits = 64, output_limit = 1 << 10;
  ProcessResult sum = run({"sha256sum"}, content.get(), output_limit);
  if (sum.exit_code != 0) throw FileError(name + ": sha256sum failed");
  return sum.output.substr(0, digits);
}

void download(const RemoteFile& file, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::string reason;
  for (const std::string& url : file.urls) try {
      std::cout << "downloading " << url << std::endl;
      std::string bytes = fetch(url);
      if (std::string sum = sha256_of_content(bytes, url); sum != file.sha256)
        throw FileError(url + ": its content has sha256 " + sum + ", needs " + file.sha256);
      xtape::AtomicFile target(folder / file.name);
      target.write(bytes);
      target.commit();
      return;
    } catch (const FileError& error) {
      reason = error.what();
    }
  throw FileError(reason);
}

}  // namespace example
