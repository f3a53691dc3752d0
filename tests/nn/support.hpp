// What the tests of modules, files and optimizers share.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <zlib.h>

#include <autograd/autograd.hpp>

namespace xtape::testing {

/// That f throws an E whose message has all the parts.
template <class E>
void throws(const std::function<void()>& f, std::initializer_list<const char*> parts) {
  try {
    f();
    BOOST_ERROR("nothing was thrown, expected: " << *parts.begin());
  } catch (const E& error) {
    for (const char* part : parts)
      BOOST_TEST((std::string(error.what()).find(part) != std::string::npos), error.what() << " lacks " << part);
  }
}

/// That two Variables have one shape and dtype, and elements within `tolerance` of each other.
inline void close(const Variable& a, const Variable& b, double tolerance = 0) {
  BOOST_REQUIRE(a.shape() == b.shape());
  BOOST_REQUIRE(a.dtype() == b.dtype());
  for (std::size_t i = 0; i < a.size(); ++i)
    BOOST_TEST(std::abs(a.value().at(i) - b.value().at(i)) <= tolerance,
               "element " << i << ": " << a.value().at(i) << " and " << b.value().at(i));
}

/// A directory of its own for each test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "xtape-test-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::size_t entries() const {
    std::filesystem::directory_iterator begin(path_), end;
    return static_cast<std::size_t>(std::distance(begin, end));
  }

 private:
  std::filesystem::path path_;
};

inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// zlib's one-shot compressor, as another implementation of the format than the streaming reader under test.
inline std::string gzip(std::string content) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

/// Whether a Python script below tests/ succeeds with these arguments.
inline bool run_python(const std::string& script, const std::vector<std::string>& arguments) {
  auto quoted = [](const std::string& text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
  };
  std::string command = "python3 " + quoted(std::string(XTAPE_SOURCE_DIR) + "/tests/" + script);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  return std::system(command.c_str()) == 0;
}

}  // namespace xtape::testing
