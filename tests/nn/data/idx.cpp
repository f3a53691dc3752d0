#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include <autograd/error.hpp>
#include <nn/data/idx.hpp>
#include <tests/nn/support.hpp>

using xtape::FileError;
using xtape::float64;
using xtape::int64;
using xtape::Variable;
using xtape::testing::gzip;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("xtape-idx-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }
};

std::string bytes(std::initializer_list<int> values) { return std::string(values.begin(), values.end()); }

std::string header(std::initializer_list<std::uint32_t> extents) {
  std::string result = bytes({0, 0, 8, static_cast<int>(extents.size())});
  for (std::uint32_t e : extents)
    for (int shift : {24, 16, 8, 0}) result += static_cast<char>(e >> shift & 0xff);
  return result;
}

// Checks that the call throws a FileError that names the file and says `part`.
template <class F>
void check_error(F&& call, const fs::path& file, const std::string& part) {
  BOOST_CHECK_EXCEPTION(call(), FileError, [&](const FileError& e) {
    std::string what = e.what();
    BOOST_TEST_CONTEXT("the message is: " << what) {
      BOOST_TEST(what.find(file.string()) != std::string::npos);
      BOOST_TEST(what.find(part) != std::string::npos);
    }
    return true;
  });
}

void check_read_error(const fs::path& file, std::size_t rank, const std::string& part) {
  check_error([&] { xtape::nn::load_idx_bytes(file, rank); }, file, part);
}

const std::string two_images = header({2, 2, 3}) + bytes({0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 128});

long peak_memory_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(idx_elements_in_order, Folder) {
  auto images = xtape::nn::load_idx_bytes(write("images", two_images), 3);
  BOOST_TEST(images.dimension() == 3u);
  BOOST_TEST(images.shape(0) == 2u);
  BOOST_TEST(images.shape(1) == 2u);
  BOOST_TEST(images.shape(2) == 3u);
  BOOST_TEST(int(images(0, 1, 2)) == 255);
  BOOST_TEST(int(images(1, 0, 0)) == 6);
  BOOST_TEST(int(images(1, 1, 2)) == 128);
}

// Each type by the bytes of the format's description: two of its numbers, one of them negative.
BOOST_FIXTURE_TEST_CASE(idx_elements_of_all_types, Folder) {
  auto check = [&](int code, const std::string& elements, const Variable& expected) {
    std::string text = bytes({0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 1}) + elements;
    for (const std::string& file : {text, gzip(text)})
      xtape::testing::same(xtape::nn::load_idx(write("x", file)), expected);
    check_error([&] { xtape::nn::load_idx(write("x", text.substr(0, text.size() - 1))); }, path / "x",
                std::to_string(elements.size() - 1) + " bytes follow the header, which declares " +
                    std::to_string(elements.size()));
  };
  check(0x08, bytes({1, 255}), Variable({{1}, {255}}, int64));
  check(0x09, bytes({1, 255}), Variable({{1}, {-1}}, int64));
  check(0x0b, bytes({1, 2, 255, 254}), Variable({{258}, {-2}}, int64));
  check(0x0c, bytes({1, 2, 3, 4, 255, 255, 255, 254}), Variable({{16909060}, {-2}}, int64));
  check(0x0d, bytes({0x3f, 0x80, 0, 0, 0xbe, 0x80, 0, 0}), Variable{{1}, {-0.25}});
  check(0x0e, bytes({0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xbf, 0xd0, 0, 0, 0, 0, 0, 0}), Variable({{1}, {-0.25}}, float64));
  for (int code : {0x00, 0x07, 0x0a, 0x0f})
    check_error([&] { xtape::nn::load_idx(write("x", bytes({0, 0, code, 1, 0, 0, 0, 0}))); }, path / "x",
                ", needs 00 00, one of 08, 09, 0b, 0c, 0d and 0e, and the number of axes (IDX)");
}

BOOST_FIXTURE_TEST_CASE(idx_of_any_rank, Folder) {
  auto images = write("images", two_images);
  BOOST_TEST((xtape::nn::load_idx_bytes(images) == xtape::nn::load_idx_bytes(images, 3)));
  BOOST_TEST((xtape::nn::load_idx(images).shape() == xtape::Shape{2, 2, 3}));
  check_error([&] { xtape::nn::load_idx_bytes(write("floats", bytes({0, 0, 13, 1, 0, 0, 0, 0}))); }, path / "floats",
              "begins with 00 00 0d 01, needs 00 00 08 and the number of axes (IDX, unsigned bytes)");
}

BOOST_FIXTURE_TEST_CASE(idx_gzip_reads_as_plain, Folder) {
  auto plain = xtape::nn::load_idx_bytes(write("images", two_images), 3);
  BOOST_TEST((plain == xtape::nn::load_idx_bytes(write("images.gz", gzip(two_images)), 3)));
  // The content decides, not the name; members follow each other as from `cat a.gz b.gz`.
  auto members = gzip(two_images.substr(0, 9)) + gzip(two_images.substr(9));
  BOOST_TEST((plain == xtape::nn::load_idx_bytes(write("members", members), 3)));
  // Zeros behind a member are padding, as gzip(1) and Python take them; other bytes are not.
  for (std::size_t count : {1, 511, 100000}) {
    std::string zeros(count, '\0');
    BOOST_TEST((plain == xtape::nn::load_idx_bytes(write("padded", gzip(two_images) + zeros), 3)));
    auto apart = gzip(two_images.substr(0, 9)) + zeros + gzip(two_images.substr(9)) + zeros;
    BOOST_TEST((plain == xtape::nn::load_idx_bytes(write("apart", apart), 3)));
    check_error([&] { xtape::nn::load_idx_bytes(write("padded", gzip(two_images) + zeros + "x"), 3); }, path / "padded",
                "gzip data");
  }
}

BOOST_FIXTURE_TEST_CASE(idx_larger_than_the_buffers, Folder) {
  std::string content = header({300000});
  for (int i = 0; i < 300000; ++i) content += static_cast<char>(i * 31 % 251);
  for (const std::string& file : {content, gzip(content)}) {
    auto values = xtape::nn::load_idx_bytes(write("large", file), 1);
    bool equal = true;
    for (int i = 0; i < 300000; ++i) equal = equal && values(i) == i * 31 % 251;
    BOOST_TEST(equal);
  }
}

BOOST_FIXTURE_TEST_CASE(idx_without_elements, Folder) {
  BOOST_TEST(xtape::nn::load_idx_bytes(write("none", header({0, 28, 28})), 3).size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(idx_file_that_is_not_there, Folder) {
  check_read_error(path / "absent", 3, "No such file");
  check_read_error(path, 3, "no regular file");
}

BOOST_FIXTURE_TEST_CASE(idx_wrong_magic, Folder) {
  check_read_error(write("png", "\x89PNG\r\n\x1a\n"), 3, "begins with 89 50 4e 47, needs 00 00 08 03");
  // Floats, and labels where images are expected.
  check_read_error(write("floats", bytes({0, 0, 13, 3}) + two_images.substr(4)), 3, "begins with 00 00 0d 03");
  check_read_error(write("images", two_images), 1, "begins with 00 00 08 03, needs 00 00 08 01");
}

BOOST_FIXTURE_TEST_CASE(idx_cut_short, Folder) {
  check_read_error(write("empty", ""), 3, "ends within the header, after 0 bytes");
  for (std::size_t length = 1; length < two_images.size(); ++length) {
    bool in_header = length < 16;
    std::string part = in_header ? "ends within the header, after " + std::to_string(length) + " bytes"
                                 : std::to_string(length - 16) + " bytes follow the header, which declares 12";
    check_read_error(write("cut", two_images.substr(0, length)), 3, part);
    check_read_error(write("cut.gz", gzip(two_images.substr(0, length))), 3, part);
  }
}

BOOST_FIXTURE_TEST_CASE(idx_goes_on, Folder) {
  check_read_error(write("long", two_images + "x"), 3, "goes on after the 12 bytes");
  check_read_error(write("long.gz", gzip(two_images + "x")), 3, "goes on after the 12 bytes");
}

BOOST_FIXTURE_TEST_CASE(idx_damaged_gzip, Folder) {
  std::string good = gzip(two_images);
  for (std::size_t length = 2; length < good.size(); ++length)
    check_read_error(write("cut.gz", good.substr(0, length)), 3, "the gzip data is cut short");
  check_read_error(write("trailing.gz", good + "trailing"), 3, "the gzip data is damaged");
  for (std::size_t i = good.size() - 8; i < good.size(); ++i) {  // the checksum and the length
    std::string flipped = good;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    check_read_error(write("flipped.gz", flipped), 3, "the gzip data is damaged");
  }
}

BOOST_FIXTURE_TEST_CASE(idx_counts_that_overflow, Folder) {
  constexpr std::uint32_t most = 0xffffffff;
  check_read_error(write("overflow", header({most, most, most}) + "abc"), 3, "more elements than memory can address");
  // 2^16 * 2^16 * 2^32 elements would be counted as 0.
  check_read_error(write("none", header({0, most, most})), 3, "more elements than memory can address");
  check_read_error(write("wrap", header({1 << 16, 1 << 16, 1u << 31, 2})), 4, "more elements than memory can address");
}

BOOST_FIXTURE_TEST_CASE(idx_takes_no_memory_for_what_is_not_there, Folder) {
  constexpr long allowed_kb = 8 << 10;
  long before = peak_memory_kb();
  check_read_error(write("huge", header({0x7fffffff, 1, 1}) + "abc"), 3,
                   "3 bytes follow the header, which declares 2147483647");
  BOOST_TEST(peak_memory_kb() - before < allowed_kb);

  // 512 MB of zeros in half a megabyte, of which the header declares 10 bytes.
  std::string bomb = gzip(header({10}) + std::string(16 << 20, '\0')), zeros = gzip(std::string(16 << 20, '\0'));
  for (int i = 1; i < 32; ++i) bomb += zeros;
  long prepared = peak_memory_kb();
  check_read_error(write("bomb.gz", bomb), 1, "goes on after the 10 bytes");
  BOOST_TEST(peak_memory_kb() - prepared < allowed_kb);
}

BOOST_FIXTURE_TEST_CASE(labeled_images, Folder) {
  auto images = write("images", two_images);
  auto set = xtape::nn::load_labeled_images(images, write("labels", header({2}) + bytes({3, 9})), 10);
  BOOST_TEST(set.size() == 2u);
  BOOST_TEST(int(set.labels(1)) == 9);

  auto fewer = write("fewer", header({1}) + bytes({3}));
  auto fewer_labels = [&] { xtape::nn::load_labeled_images(images, fewer, 10); };
  check_error(fewer_labels, images, "2 images");
  check_error(fewer_labels, fewer, "1 labels");

  auto wrong = write("wrong", header({2}) + bytes({3, 10}));
  check_error([&] { xtape::nn::load_labeled_images(images, wrong, 10); }, wrong,
              "label 10 at position 1, needs labels from 0 to 9");
}
