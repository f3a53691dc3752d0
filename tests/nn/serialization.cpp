// Files: what is written comes back, and every way of being damaged is noticed.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>

#include <sys/stat.h>
#include <unistd.h>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::run_python;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

// A safetensors file with this header, by the format's description: length, header, elements.
std::string file_of(const std::string& header, const std::string& elements = "") {
  std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header + elements;
}

StateDict small_state() {
  return {{"weight", Variable{{1, 2}, {3, -4}}}, {"count", Variable({7}, int64)}, {"mask", Variable({1, 0}, boolean)}};
}

void refuses(const std::string& text, std::initializer_list<const char*> parts) {
  TemporaryDirectory directory;
  put(directory / "x.safetensors", text);
  throws<FileError>([&] { nn::load_safetensors(directory / "x.safetensors"); }, parts);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(serialization)

BOOST_AUTO_TEST_CASE(every_dtype_and_shape_comes_back) {
  TemporaryDirectory directory;
  StateDict state = small_state();
  state.emplace("double", Variable({1e300, -0.0, std::numeric_limits<double>::denorm_min()}, float64));
  state.emplace("scalar", Variable(Array::scalar(5, float64)));
  state.emplace("empty", zeros({3, 0, 2}));
  state.emplace("name with \"quotes\" and \xc3\xbc", ones({1}));
  nn::save_safetensors(directory / "x", state, {{"epoch", "3"}, {"text", "a\nb"}});
  nn::Safetensors loaded = nn::load_safetensors(directory / "x");
  BOOST_REQUIRE(loaded.tensors.size() == state.size());
  for (const auto& [name, x] : state) close(loaded.tensors.at(name), x);
  BOOST_TEST(std::signbit(loaded.tensors.at("double").value().at(1)));
  BOOST_TEST((loaded.metadata == std::map<std::string, std::string>{{"epoch", "3"}, {"text", "a\nb"}}));
  BOOST_TEST(directory.entries() == 1);
  nn::save_safetensors(directory / "x", {});
  BOOST_TEST(nn::load_safetensors(directory / "x").tensors.empty());
}

BOOST_AUTO_TEST_CASE(the_bytes_are_those_of_the_format) {
  TemporaryDirectory directory;
  nn::save_safetensors(directory / "x", small_state());
  std::string text = content(directory / "x");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), sizeof length);
  BOOST_TEST(length % 8 == 0);
  BOOST_REQUIRE(text.size() == 8 + length + 8 + 16 + 2);
  std::string header = text.substr(8, length);
  BOOST_TEST(header.front() == '{');
  for (const char* part : {R"("weight":{"data_offsets":[8,24],"dtype":"F32","shape":[2,2]})",
                           R"("count":{"data_offsets":[0,8],"dtype":"I64","shape":[1]})",
                           R"("mask":{"data_offsets":[24,26],"dtype":"BOOL","shape":[2]})", R"("__metadata__":{)"})
    BOOST_TEST((header.find(part) != std::string::npos), header << " lacks " << part);
  float weight[4];
  std::memcpy(weight, text.data() + 8 + length + 8, sizeof weight);
  BOOST_TEST(weight[3] == -4);
}

BOOST_AUTO_TEST_CASE(files_of_other_writers_are_read) {
  TemporaryDirectory directory;
  // As the format's own library writes it: no checksums, spaces between, names in any order.
  put(directory / "x", file_of(R"({"b": {"dtype": "F32", "shape": [], "data_offsets": [2, 6]},
                                   "a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}   )",
                               std::string("\1\0\0\0\x80\x3f", 6)));
  nn::Safetensors loaded = nn::load_safetensors(directory / "x");
  close(loaded.tensors.at("a"), Variable({1, 0}, boolean));
  BOOST_TEST(loaded.tensors.at("b").item() == 1);
  BOOST_TEST(loaded.metadata.empty());
}

BOOST_AUTO_TEST_CASE(files_of_an_independent_writer_are_read) {
  TemporaryDirectory directory;
  BOOST_REQUIRE(run_python("nn/data/formats.py", {"write_safetensors", directory / "x"}));
  nn::Safetensors loaded = nn::load_safetensors(directory / "x");
  BOOST_TEST((loaded.metadata == std::map<std::string, std::string>{{"format", "pt"}}));
  StateDict expected{{"f64", Variable({0.1}, float64)},     {"i64", Variable({-5}, int64)},
                     {"u64", Variable({5}, int64)},         {"f32", Variable{{0.5, -3}}},
                     {"i32", Variable({7, -7}, int64)},     {"u32", Variable({4294967295.0}, int64)},
                     {"bf16", Variable{1.5, -2}},           {"f16", Variable{1.5, -2}},
                     {"i16", Variable({-300}, int64)},      {"u16", Variable({65535}, int64)},
                     {"bool", Variable({1, 0}, boolean)},   {"i8", Variable({1, -1}, int64)},
                     {"u8", full({}, 255, int64)},          {"none", zeros({0, 3})}};
  BOOST_REQUIRE(loaded.tensors.size() == expected.size());
  for (const auto& [name, x] : expected) close(loaded.tensors.at(name), x);
}

BOOST_AUTO_TEST_CASE(an_independent_reader_accepts_our_files) {
  TemporaryDirectory directory;
  StateDict state{{"weight", Variable{{1, 2}, {3, -4}}},
                  {"double", Variable({1e300, 0}, float64)},
                  {"count", Variable({-7, 1LL << 40}, int64)},
                  {"mask", Variable({{1, 0, 1}}, boolean)},
                  {"scalar", full({}, 5)},
                  {"empty", zeros({3, 0})},
                  {"a/b.c \xc3\xbc", ones({1})}};
  nn::save_safetensors(directory / "x", state, {{"epoch", "3"}});
  BOOST_TEST(run_python("nn/data/formats.py", {"check_safetensors", directory / "x"}));
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_noticed) {
  TemporaryDirectory directory;
  nn::save_safetensors(directory / "x", small_state(), {{"epoch", "3"}});
  const std::string good = content(directory / "x");
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int flip : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x29}) {  // 0x29 makes a tab of a space
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      put(directory / "bad", bad);
      BOOST_CHECK_EXCEPTION(nn::load_safetensors(directory / "bad"), FileError, [](const FileError&) { return true; });
    }
}

BOOST_AUTO_TEST_CASE(every_cut_is_noticed) {
  TemporaryDirectory directory;
  nn::save_safetensors(directory / "x", small_state());
  std::string text = content(directory / "x");
  for (std::size_t size = 0; size < text.size(); ++size) {
    put(directory / "bad", text.substr(0, size));
    BOOST_CHECK_THROW(nn::load_safetensors(directory / "bad"), FileError);
  }
  refuses(text.substr(0, 5), {"cut short"});
  refuses(text.substr(0, text.size() - 1), {"cut short"});
  refuses(text + "x", {"behind its end"});
}

BOOST_AUTO_TEST_CASE(damage_is_named) {
  TemporaryDirectory directory;
  nn::save_safetensors(directory / "x", small_state(), {{"epoch", "3"}});
  std::string good = content(directory / "x"), bad = good;
  bad[good.size() - 5] ^= 1;
  refuses(bad, {"tensors are damaged", "checksum"});
  bad = good;
  bad[good.find(R"("epoch":"3")") + 9] = '4';
  refuses(bad, {"header is damaged", "checksum"});
  bad = good;
  bad[good.find("xtape.crc32.header")] = 'y';
  refuses(bad, {"checksums is missing"});
}

BOOST_AUTO_TEST_CASE(absurd_lengths_allocate_nothing) {
  std::string absurd(8, '\xff');
  refuses(absurd, {"18446744073709551615", "cut short or no safetensors"});
  refuses(std::string("\0\0\0\0\0\1\0\0{}", 10), {"1099511627776"});
  // Tensors of terabytes, whose offsets agree.
  refuses(file_of(R"({"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}})"),
          {"4398046511104", "cut short"});
  refuses(file_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}})"),
          {"\"a\"", "more elements than memory can address"});
  refuses(file_of(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})"), {"\"a\""});
  refuses(file_of(R"({"a":{"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,0]}})"), {"whole numbers"});
}

BOOST_AUTO_TEST_CASE(entries_that_do_not_fit) {
  auto entry = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string("{\"dtype\":\"") + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  };
  auto one = [&](const char* dtype, const char* shape, const char* offsets) {
    return file_of("{\"a\":" + entry(dtype, shape, offsets) + "}", std::string(8, '\0'));
  };
  refuses(one("F8_E4M3", "[8]", "[0,8]"), {"\"a\"", "F8_E4M3", "needs one of F64, F32, F16, BF16, I64"});
  refuses(one("C64", "[1]", "[0,8]"), {"C64"});
  refuses(one("F32", "[3]", "[0,8]"), {"shape (3,) does not fill its 8 bytes"});
  refuses(one("F32", "[2]", "[8,0]"), {"two data_offsets in order"});
  refuses(one("F32", "[2]", "[0]"), {"two data_offsets in order"});
  refuses(one("F32", "[-2]", "[0,8]"), {"whole numbers"});
  refuses(one("F32", "[2.0]", "[0,8]"), {"whole numbers"});
  refuses(one("F32", "2", "[0,8]"), {"lists of whole numbers"});
  refuses(one("F32", "[1]", "[4,8]"), {"begins at byte 4, needs 0"});
  refuses(one("F32", "[1]", "[0,4]"), {"have 4 bytes, the file 8"});
  refuses(file_of("{\"a\":1}"), {"needs exactly dtype, shape and data_offsets"});
  auto two = [&](const char* first, const char* second, const char* names = "ab") {
    return file_of(std::string("{\"") + names[0] + "\":" + entry("F32", "[1]", first) + ",\"" + names[1] + "\":" +
                   entry("F32", "[1]", second) + "}", std::string(8, '\0'));
  };
  nn::Safetensors swapped = [&] {
    TemporaryDirectory directory;
    put(directory / "x", two("[4,8]", "[0,4]"));
    return nn::load_safetensors(directory / "x");
  }();
  BOOST_TEST(swapped.tensors.size() == 2);
  refuses(two("[0,4]", "[0,4]"), {"\"b\" begins at byte 0, needs 4"});
  refuses(two("[0,4]", "[4,8]", "aa"), {"has \"a\" twice"});
  refuses(file_of("{\"__metadata__\":{\"a\":1}}"), {"\"a\" is no text"});
  refuses(file_of("{\"a\":[[[[]]]]}"), {"\"a\"", "needs exactly dtype, shape and data_offsets"});
  refuses(file_of("{\"a\":" + entry("U64", "[1]", "[0,8]") + "}", std::string(8, '\xff')), {"\"a\"", "int64"});
  refuses(file_of("{\"a\":" + entry("BOOL", "[1]", "[0,1]") + "}", "\2"), {"\"a\"", "0 or 1"});
}

// Each value within the header once walked through all that came before: this took minutes.
BOOST_AUTO_TEST_CASE(time_is_proportional_to_the_number_of_tensors) {
  TemporaryDirectory directory;
  std::string header = "{", elements(400'000, '\0');
  for (int i = 0; i < 100'000; ++i)
    header += (i > 0 ? ",\"layer" : "\"layer") + std::to_string(i) + R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" +
              std::to_string(4 * i) + "," + std::to_string(4 * i + 4) + "]}";
  put(directory / "x", file_of(header + "}", elements));
  auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(nn::load_safetensors(directory / "x").tensors.size() == 100'000u);
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < 20);
}

BOOST_AUTO_TEST_CASE(names_sort_around_the_metadata) {
  TemporaryDirectory directory;
  StateDict state{{"A", ones({1})}, {"__metadata", ones({1})}, {"__metadata__.a", ones({2})}, {"z", ones({3})}};
  nn::save_safetensors(directory / "x", state, {{"a", "b"}});
  BOOST_TEST((content(directory / "x").find(R"("__metadata":{"data_offsets":[4,8],"dtype":"F32","shape":[1]},)"
                                            R"("__metadata__":{"a":"b","xtape.crc32.data":)") != std::string::npos));
  nn::Safetensors loaded = nn::load_safetensors(directory / "x");
  BOOST_TEST(loaded.checked);
  BOOST_TEST(loaded.tensors.size() == 4u);
}

BOOST_AUTO_TEST_CASE(values_at_wrong_places) {
  auto field = [](const std::string& text) { return file_of("{\"a\":{" + text + "}}"); };
  refuses(field(R"("dtype":1)"), {"\"a\"", "dtype is no text"});
  refuses(field(R"("dtype":["F32"])"), {"\"a\"", "dtype is no text"});
  refuses(field(R"("dtype":"F32","dtype":"F32")"), {"\"dtype\" twice"});
  refuses(field(R"("shape":[[1]])"), {"lists of whole numbers"});
  refuses(field(R"("shape":[{}])"), {"lists of whole numbers"});
  refuses(field(R"("shape":["1"])"), {"lists of whole numbers"});
  refuses(field(R"("shape":[true])"), {"lists of whole numbers"});
  refuses(field(R"("shape":null)"), {"lists of whole numbers"});
  refuses(field(R"("shape":[1],"shape":[1])"), {"\"shape\" twice"});
  refuses(field(R"("more":1)"), {"needs exactly dtype"});
  refuses(field(R"("dtype":"F32","shape":[1])"), {"needs exactly dtype"});
  refuses(file_of("{}x}"), {"no JSON"});
  refuses(file_of("{\"__metadata__\":1}"), {"metadata is no JSON object"});
  refuses(file_of("{\"__metadata__\":[]}"), {"metadata is no JSON object"});
  refuses(file_of("{\"__metadata__\":{\"a\":{}}}"), {"\"a\" is no text"});
  refuses(file_of("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"), {"\"a\" twice"});
  refuses(file_of("{\"__metadata__\":{},\"__metadata__\":{}}"), {"\"__metadata__\" twice"});
}

BOOST_AUTO_TEST_CASE(more_than_a_header_may_hold) {
  std::string many = "1", name(1000, 'x');
  for (int i = 0; i < 1024; ++i) many += ",1";
  refuses(file_of("{\"a\":{\"shape\":[" + many + "]}}"), {"\"a\"", "more than 1024 numbers"});
  throws<FileError>(
      [&] {
        TemporaryDirectory directory;
        put(directory / "x", file_of("{\"" + name + "\":1}"));
        try {
          nn::load_safetensors(directory / "x");
        } catch (const FileError& error) {
          BOOST_TEST(std::string(error.what()).size() < 500u);  // long names are cut
          throw;
        }
      },
      {"xxx...\""});
  TemporaryDirectory directory;
  throws<ValueError>([&] { nn::save_safetensors(directory / "x", {{"a", ones(Shape(1025, 1))}}); },
                     {"\"a\" has 1025 axes", "1024"});
  for (const char* reserved : {"xtape.crc32.data", "xtape.crc32.header"})
    throws<ValueError>([&] { nn::save_safetensors(directory / "x", {}, {{reserved, "0"}}); },
                       {"save_safetensors", reserved, "for the checksum"});
  throws<ValueError>([&] { nn::save_safetensors(directory / "x", {}, {{"text", std::string(100'000'000, 'x')}}); },
                     {"save_safetensors", "needs at most 100000000"});
  BOOST_TEST(!std::filesystem::exists(directory / "x"));
  StateDict most{{"a", ones(Shape(1024, 1))}};
  nn::save_safetensors(directory / "x", most);
  close(nn::load_safetensors(directory / "x").tensors.at("a"), most.at("a"));
}

BOOST_AUTO_TEST_CASE(headers_that_do_not_hold_what_they_say) {
  std::string four(4, '\0'), eight(8, '\0');
  refuses(file_of(""), {"no JSON object"});
  refuses(file_of("[]"), {"no JSON object"});
  refuses(file_of("{\"a\":}"), {"no JSON"});
  refuses(file_of("{\"a\":\"\xff\"}"), {"no JSON"});
}

BOOST_AUTO_TEST_SUITE_END()
