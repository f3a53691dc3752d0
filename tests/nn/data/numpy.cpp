// .npy and .npz files: what is written comes back, what others write is read, and what is wrong is named.
#include <cmath>
#include <cstdint>
#include <cstring>

#include <nn/data/npy.hpp>
#include <nn/data/npz.hpp>
#include <nn/data/zip.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::run_python;
using xtape::testing::same;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

// A .npy file by the format's description.
std::string npy(const std::string& header, const std::string& elements, int version = 1) {
  std::string text = std::string("\x93NUMPY") + static_cast<char>(version) + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) text += static_cast<char>(header.size() >> 8 * i & 0xff);
  return text + header + elements;
}

std::string dictionary(const std::string& descr, const std::string& shape, bool fortran = false) {
  std::string order = fortran ? "True" : "False";
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

Variable read(const std::string& text) {
  TemporaryDirectory directory;
  put(directory / "x.npy", text);
  return nn::load_npy(directory / "x.npy");
}

void refuses(const std::string& text, std::initializer_list<const char*> parts) {
  throws<FileError>([&] { read(text); }, {"load_npy: ", "x.npy"});
  throws<FileError>([&] { read(text); }, parts);
}

std::string bytes(std::initializer_list<int> values) { return std::string(values.begin(), values.end()); }

StateDict all_kinds() {
  return {{"weight", Variable{{1, 2}, {3, -4}}},
          {"double", Variable({1e300, -0.0}, float64)},
          {"count", Variable({-7, 1LL << 40}, int64)},
          {"mask", Variable({{1, 0, 1}}, boolean)},
          {"scalar", full({}, 5)},
          {"empty", zeros({3, 0})},
          {"a/b.c \xc3\xbc", ones({1})}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(numpy)

BOOST_AUTO_TEST_CASE(npy_comes_back) {
  TemporaryDirectory directory;
  for (const auto& [name, x] : all_kinds()) {
    nn::save_npy(directory / "x", x);
    close(nn::load_npy(directory / "x"), x);
    std::string text = content(directory / "x");
    std::size_t header = 10 + static_cast<unsigned char>(text[8]) + 256u * static_cast<unsigned char>(text[9]);
    BOOST_TEST(header % 64 == 0);
    BOOST_TEST(text[header - 1] == '\n');
    BOOST_TEST(text.size() == header + x.value().bytes());
  }
  BOOST_TEST(directory.entries() == 1);
  throws<ValueError>([&] { nn::save_npy(directory / "x", Variable()); }, {"save_npy", "undefined"});
  throws<FileError>([&] { nn::save_npy(directory / "no" / "x", ones({1})); }, {"cannot write"});
}

BOOST_AUTO_TEST_CASE(npy_of_every_element_type) {
  close(read(npy(dictionary("<f8", "(1,)"), bytes({0, 0, 0, 0, 0, 0, 0xf8, 0x3f}))), Variable({1.5}, float64));
  close(read(npy(dictionary(">f4", "(1,)"), bytes({0xc0, 0x20, 0, 0}))), Variable{-2.5});
  close(read(npy(dictionary("<i4", "(2,)"), bytes({1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff}))), Variable({1, -2}, int64));
  close(read(npy(dictionary(">i2", "(2,)"), bytes({1, 2, 0xff, 0xff}))), Variable({258, -1}, int64));
  close(read(npy(dictionary("|u1", "(2,)"), bytes({1, 255}))), Variable({1, 255}, int64));
  close(read(npy(dictionary("|i1", "(2,)"), bytes({1, 255}))), Variable({1, -1}, int64));
  close(read(npy(dictionary("<u4", "(1,)"), bytes({0, 0, 0, 0x80}))), Variable({2147483648.0}, int64));
  close(read(npy(dictionary("<u8", "(1,)"), bytes({5, 0, 0, 0, 0, 0, 0, 0}))), Variable({5}, int64));
  close(read(npy(dictionary("|b1", "(2,)"), bytes({1, 0}))), Variable({1, 0}, boolean));
  refuses(npy(dictionary("<u8", "(1,)"), bytes({0, 0, 0, 0, 0, 0, 0, 0x80})), {"9223372036854775808", "int64"});
  refuses(npy(dictionary("|b1", "(2,)"), bytes({1, 2})), {"element 1 is 2", "0 or 1"});
  for (const char* descr : {"<c8", "<U4", "|O", "<f3", "<f16", "<i9", "|S1", "f4", "<M8[s]", "", "<b2"})
    refuses(npy(dictionary(descr, "(1,)"), std::string(16, '\0')), {"dtype", descr, "needs"});
  refuses(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd"), {"records"});
}

BOOST_AUTO_TEST_CASE(npy_halves) {
  // IEEE 754: 1, -2, the greatest, the least normal, the least subnormal, -0, infinity.
  Variable halves = read(npy(dictionary("<f2", "(8,)"), bytes({0, 0x3c, 0, 0xc0, 0xff, 0x7b, 0, 0x04, 1, 0, 0, 0x80, 0,
                                                               0x7c, 1, 0x7e})));
  close(halves[range(0, 6)], Variable{1, -2, 65504, 0x1p-14, 0x1p-24, 0});
  BOOST_TEST(std::signbit(halves.value().at(5)));
  BOOST_TEST(std::isinf(halves.value().at(6)));
  BOOST_TEST(std::isnan(halves.value().at(7)));
}

BOOST_AUTO_TEST_CASE(npy_headers_as_others_write_them) {
  std::string six = bytes({1, 2, 3, 4, 5, 6});
  Variable expected({{1, 2, 3}, {4, 5, 6}}, int64);
  for (int version : {1, 2, 3}) close(read(npy(dictionary("|u1", "(2, 3)"), six, version)), expected);
  close(read(npy("{\"shape\":(2L,3L),\"descr\":\"|u1\",\"fortran_order\":False}   \n", six)), expected);
  close(read(npy(dictionary("|u1", "(3, 2)", true), six)), Variable({{1, 4}, {2, 5}, {3, 6}}, int64));
  close(read(npy(dictionary("|u1", "(1, 2, 3)", true), six)), Variable({{{1, 3, 5}, {2, 4, 6}}}, int64));
  close(read(npy(dictionary("|u1", "()"), "\7")), full({}, 7, int64));
  close(read(npy(dictionary("<f4", "(0, 5)"), "")), zeros({0, 5}));
}

BOOST_AUTO_TEST_CASE(npy_that_is_damaged) {
  std::string good = npy(dictionary("<f4", "(2, 3)"), std::string(24, '\0'));
  for (std::size_t size = 0; size < good.size(); ++size)
    BOOST_CHECK_THROW(read(good.substr(0, size)), FileError);
  refuses(good + "x", {"shape (2, 3)", "need"});
  refuses("\x92" + good.substr(1), {".npy"});
  refuses(npy(dictionary("<f4", "(1,)"), "abcd", 4), {"version 4.0"});
  for (const char* header : {"", "{}", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'shape': (1,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
                             "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': ''}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} more", "{'descr: (1,)}"})
    refuses(npy(header, "abcd"), {"the header is", "needs a dictionary"});
  refuses(npy(dictionary("<f4", "(99999999999, 99999999999)"), "abcd"), {"more elements than memory can address"});
  refuses(npy(dictionary("<f4", "(999999999999999999999999,)"), "abcd"), {"the header is"});
  refuses(npy(dictionary("<f4", "(1000000000000,)"), "abcd"), {"4000000000"});
  TemporaryDirectory directory;
  throws<FileError>([&] { nn::load_npy(directory / "absent"); }, {"load_npy", "absent", "No such file"});
}

BOOST_AUTO_TEST_CASE(npz_comes_back) {
  TemporaryDirectory directory;
  for (bool compressed : {false, true}) {
    nn::save_npz(directory / "x", all_kinds(), {.compressed = compressed});
    same(all_kinds(), nn::load_npz(directory / "x"));
    nn::save_npz(directory / "x", {}, {.compressed = compressed});
    BOOST_TEST(nn::load_npz(directory / "x").empty());
  }
  StateDict large{{"x", arange(0.0, 1e5, 1, float64)}};
  nn::save_npz(directory / "x", large);
  auto stored = content(directory / "x").size();
  nn::save_npz(directory / "x", large, {.compressed = true});
  same(large, nn::load_npz(directory / "x"));
  BOOST_TEST(content(directory / "x").size() < stored / 2);
  throws<ValueError>([&] { nn::save_npz(directory / "x", {{"a", Variable()}}); }, {"save_npz", "\"a\"", "undefined"});
  throws<ValueError>([&] { nn::save_npz(directory / "x", {{"", ones({1})}}); }, {"save_npz", "name"});
  same(large, nn::load_npz(directory / "x"));
  BOOST_TEST(directory.entries() == 1);
}

BOOST_AUTO_TEST_CASE(zip_with_fields_of_64_bits) {
  TemporaryDirectory directory;
  std::string text = "some content, some content";
  for (std::uint64_t wide_from : {std::uint64_t{0}, std::uint64_t{30}, std::uint64_t{0xffffffff}}) {
    AtomicFile file(directory / "x.zip");
    nn::ZipWriter zip(file, wide_from);
    std::array pieces{std::as_bytes(std::span(text)), std::as_bytes(std::span(text))};
    zip.add("stored", pieces, false);
    zip.add("deflated", pieces, true);
    zip.finish();
    file.commit();
    nn::InputFile input("test", directory / "x.zip");
    auto members = nn::zip_members(input);
    BOOST_REQUIRE(members.size() == 2);
    for (const auto& entry : members) {
      nn::verify_zip_member(input, entry);
      nn::ZipContent content(input, entry);
      std::string out(entry.size, '\0');
      content.read(out.data(), out.size());
      content.finish();
      BOOST_TEST(out == text + text);
    }
    BOOST_TEST(run_python("nn/data/formats.py", {"check_zip", directory / "x.zip", text + text}));
  }
}

BOOST_AUTO_TEST_CASE(npz_that_is_damaged) {
  TemporaryDirectory directory;
  const StateDict state{{"a", Variable{1, 2}}, {"b", Variable({3}, int64)}};
  for (bool compressed : {false, true}) {
    nn::save_npz(directory / "x", state, {.compressed = compressed});
    std::string good = content(directory / "x");
    for (std::size_t size = 0; size < good.size(); ++size) {
      put(directory / "bad", good.substr(0, size));
      BOOST_CHECK_THROW(nn::load_npz(directory / "bad"), FileError);
    }
    // Each flip is either noticed, or leaves the arrays as they were: their names have no checksum.
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 0x10);
      put(directory / "bad", bad);
      try {
        StateDict got = nn::load_npz(directory / "bad");
        BOOST_TEST(got.size() == state.size());
        for (const auto& [name, x] : state)
          if (auto found = got.find(name); found != got.end()) close(found->second, x);
      } catch (const FileError& error) {
        BOOST_TEST((std::string(error.what()).find("load_npz: ") == 0));
      }
    }
  }
  put(directory / "bad", "no zip file at all, but long enough to be one");
  throws<FileError>([&] { nn::load_npz(directory / "bad"); }, {"load_npz", "no .zip file"});
  put(directory / "bad", "");
  throws<FileError>([&] { nn::load_npz(directory / "bad"); }, {"no .zip file"});
}

// Large ones are put together from parts.
BOOST_AUTO_TEST_CASE(npy_in_fortran_order) {
  for (const Shape& shape : {Shape{3, 70'000}, Shape{70'000, 3}, Shape{1, 150'000}, Shape{150'000, 1}, Shape{200'000},
                             Shape{300, 2, 500}, Shape{400, 500, 1}, Shape{2, 100'000, 2}, Shape{5, 4, 3}, Shape{}}) {
    std::size_t count = element_count(shape);
    std::string elements(2 * count, '\0');
    std::vector<std::int64_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = static_cast<std::int64_t>(i % 65'521);
      elements[2 * i] = static_cast<char>(values[i] & 0xff);
      elements[2 * i + 1] = static_cast<char>(values[i] >> 8);
    }
    std::vector<std::size_t> reversed(shape.rbegin(), shape.rend());
    Variable expected = transpose(reshape(Variable(xt::adapt(values, {count})), reversed));
    std::string text = npy(dictionary("<u2", to_string(shape), true), elements);
    BOOST_TEST_CONTEXT(to_string(shape)) { close(read(text), expected); }
  }
  std::string truths(200'000, '\1');
  truths[199'998] = '\2';
  refuses(npy(dictionary("|b1", "(1000, 200)", true), truths), {"element 199998 is 2, needs 0 or 1"});
  truths = std::string(800'000, '\0');
  truths.back() = '\xff';
  refuses(npy(dictionary("<u8", "(1000, 100)", true), truths), {"element 99999 is 18374686479671623680"});
}

BOOST_AUTO_TEST_CASE(npy_without_elements) {
  constexpr std::size_t most = 4294967295;
  for (bool fortran : {false, true}) {
    Variable x = read(npy(dictionary("<f4", "(0, 4294967295, 4294967295, 4294967295)", fortran), ""));
    BOOST_TEST((x.shape() == Shape{0, most, most, most}));
    BOOST_TEST((transpose(x).shape() == Shape{most, most, most, 0}));
    TemporaryDirectory directory;
    nn::save_npy(directory / "x", transpose(x));
    BOOST_TEST((nn::load_npy(directory / "x").shape() == Shape{most, most, most, 0}));
  }
  refuses(npy(dictionary("<f4", "(4294967295, 4294967295, 4294967295)", true), ""), {"more elements than memory"});
  std::string ones_of;
  for (int i = 0; i < 1024; ++i) ones_of += "1,";
  BOOST_TEST(read(npy(dictionary("|b1", "(" + ones_of + ")", true), "\1")).rank() == 1024u);
  refuses(npy(dictionary("|b1", "(" + ones_of + "1,)"), "\1"), {"needs a dictionary"});
  TemporaryDirectory directory;
  throws<ValueError>([&] { nn::save_npy(directory / "x", ones(Shape(1025, 1))); }, {"save_npy", "1025 axes", "1024"});
}

BOOST_AUTO_TEST_CASE(npz_of_other_writers) {
  // Written by Python's zipfile and struct; by NumPy as well, where it is installed.
  TemporaryDirectory directory;
  BOOST_REQUIRE(run_python("nn/data/formats.py", {"write_npz", directory / "folder"}));
  StateDict expected{{"half", Variable{{1.5, -2}}},
                     {"long", Variable({{1, 4}, {2, 5}, {3, 6}}, int64)},
                     {"byte", Variable({0, 255}, int64)},
                     {"truth", Variable({1, 0}, boolean)},
                     {"double", Variable({0.1}, float64)},
                     {"scalar", full({}, 3.5)}};
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "folder")) {
    BOOST_TEST_CONTEXT(entry.path()) { same(expected, nn::load_npz(entry.path())); }
    ++files;
  }
  BOOST_TEST(files >= 3);
}

BOOST_AUTO_TEST_CASE(npz_for_other_readers) {
  TemporaryDirectory directory;
  nn::save_npz(directory / "stored.npz", all_kinds());
  nn::save_npz(directory / "deflated.npz", all_kinds(), {.compressed = true});
  for (const char* name : {"stored.npz", "deflated.npz"})
    BOOST_TEST(run_python("nn/data/formats.py", {"check_npz", directory / name}));
}

BOOST_AUTO_TEST_CASE(zip_files_that_lie) {
  TemporaryDirectory directory;
  BOOST_REQUIRE(run_python("nn/data/formats.py", {"write_bad_zips", directory / "folder"}));
  auto refused = [&](const std::string& name, std::initializer_list<const char*> parts) {
    throws<FileError>([&] { nn::load_npz(directory / "folder" / (name + ".npz")); }, parts);
  };
  refused("twice", {"\"a.npy\" twice"});
  refused("text", {"\"readme.txt\" is no array"});
  refused("encrypted", {"encrypted"});
  refused("bzip2", {"method 12", "needs 0 (stored) or 8 (deflated)"});
  refused("overlap", {"reaches into what follows"});
  refused("crc", {"checksum"});
  refused("longer", {"cut short"});
  refused("shorter", {"goes on after"});
  refused("bomb", {"16 MiB and 100 times"});
}

BOOST_AUTO_TEST_SUITE_END()
