// How much memory reading a file takes at most: a small multiple of its size, and of compressed data, a fixed limit.
#include <iostream>

#include <nn/data/inflate.hpp>
#include <nn/nn.hpp>
#include <tests/nn/allocations.hpp>
#include <tests/nn/file_texts.hpp>

using namespace xtape;
using xtape::testing::buffers;
using xtape::testing::bytes;
using xtape::testing::content;
using xtape::testing::file_of;
using xtape::testing::gzip;
using xtape::testing::PeakMemory;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;
using xtape::testing::zipped;

BOOST_AUTO_TEST_SUITE(file_memory)

BOOST_AUTO_TEST_CASE(memory_is_counted) {
  PeakMemory memory;
  { Array x({100'000}, float64); }
  { std::vector<char> x(10'000); }
  BOOST_TEST(memory.bytes() >= 800'000);
  BOOST_TEST(memory.bytes() < 1'000'000);
}

// Where nothing is small beside the buffers: each byte of these files takes as much memory as one can.
BOOST_AUTO_TEST_CASE(memory_of_large_files) {
  TemporaryDirectory directory;
  auto check = [&](const char* what, const std::string& text, const std::function<void()>& read,
                   std::size_t times = 64) {
    put(directory / "x", text);
    PeakMemory memory;
    try {
      read();
    } catch (const FileError&) {
    }
    std::cout << "  " << what << ": " << memory.bytes() / text.size() << " times the file" << std::endl;
    BOOST_TEST(memory.bytes() <= buffers + times * text.size());
  };
  std::string path = directory / "x", many;
  auto safetensors = [&] { nn::load_safetensors(path); };
  for (int i = 0; i < 10'000; ++i) many += ",\"" + std::to_string(i) + "\":1";
  check("safetensors, names", file_of("{" + many.substr(1) + "}", ""), safetensors);
  many.clear();
  for (int i = 0; i < 10'000; ++i) many += ",\"" + std::to_string(i) + "\":\"\"";
  check("safetensors, texts", file_of("{\"__metadata__\":{" + many.substr(1) + "}}", ""), safetensors);
  many.clear();
  for (int i = 0; i < 100'000; ++i) many += ",1";
  check("safetensors, numbers", file_of("{\"a\":{\"shape\":[" + many.substr(1) + "]}}", ""), safetensors);
  many.clear();
  for (int i = 0; i < 4'000; ++i)
    many += ",\"" + std::to_string(i) + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
  check("safetensors, empty tensors", file_of("{" + many.substr(1) + "}", ""), safetensors);
  std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (1000, 1000), }";
  std::string begin = "\x93NUMPY" + bytes({1, 0, static_cast<int>(header.size()), 0});
  check("npy, bytes", begin + header + std::string(1'000'000, '\1'), [&] { nn::load_npy(path); });
  std::string lines;
  for (int i = 0; i < 300'000; ++i) lines += "1\n";
  check("csv, numbers", lines, [&] { nn::load_csv(path, {.header = false}); });
  check("csv, texts", lines, [&] { nn::load_csv(path, {.header = false, .texts = {"0"}}); });
  check("csv, columns", std::string(300'000, ','), [&] { nn::load_csv(path); }, 128);  // a name for each byte
  StateDict scalars;
  for (int i = 0; i < 3'000; ++i) scalars.emplace(std::to_string(i), full({}, 1));
  nn::save_npz(path, scalars);
  check("npz, arrays", content(path), [&] { nn::load_npz(path); });
}

// Of files of any size: ten times what is in them, and 100 MB. What is compressed may grow by more than that.
BOOST_AUTO_TEST_CASE(ten_times_the_content) {
  TemporaryDirectory directory;
  std::string path = directory / "x";
  auto check = [&](const std::string& what, std::size_t content, const std::function<void()>& read,
                   const char* error = nullptr) {
    PeakMemory memory;
    if (error) throws<FileError>(read, {error, path.c_str()});
    else read();
    std::cout << "  " << what << ": " << memory.bytes() / 1'000'000 << " MB for " << content / 1'000'000 << std::endl;
    BOOST_TEST(memory.bytes() <= 100'000'000 + 10 * content);
  };
  auto repeated = [](const std::string& text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  auto csv = [&] { nn::load_csv(path, {.header = false, .dtype = float64}); };
  auto csv_names = [&] { nn::load_csv(path); };
  auto csv_texts = [&] { nn::load_csv(path, {.header = false, .texts = {"0"}}); };
  for (const auto& [line, name] :
       {std::pair(repeated("1,", 8'000'000) + "1\n", "line"), {repeated(",", 16'000'000), "names"}}) {
    put(path, gzip(line));
    for (const auto& read : {std::function<void()>(csv), std::function<void()>(csv_names)})
      check(std::string("csv.gz, ") + name, std::filesystem::file_size(path), read, "its columns take more than");
  }
  put(path, gzip(repeated("a name of many letters,", 700'000)));
  check("csv.gz, long names", std::filesystem::file_size(path), csv_names, "its columns take more than");
  put(path, gzip(repeated("1\n", 8'000'000)));
  check("csv.gz, rows of numbers", std::filesystem::file_size(path), csv, "its numbers take more than");
  check("csv.gz, rows of texts", std::filesystem::file_size(path), csv_texts, "its texts take more than");

  put(path, repeated("1\n", (1 << 23) + 1));  // a number more than lists that double would hold
  check("csv, rows of numbers", 2 << 23, csv);
  put(path, repeated("a\n", 10'000'000));
  check("csv, rows of texts", 20'000'000, csv_texts, "its texts take more than");
  put(path, repeated("1,2.5,3,4,5,6,7,a\n", 1'000'000));
  check("csv, a text among numbers", 18'000'000, [&] { nn::load_csv(path, {.header = false, .texts = {"7"}}); });
  put(path, repeated("1,", 4'000'000) + "1\n");
  check("csv, a line", 8'000'000, csv, "its columns take more than");

  std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (8000000, 4), }";
  put(path, "\x93NUMPY" + bytes({1, 0, static_cast<int>(header.size()), 0}) + header + std::string(32'000'000, '\1'));
  check("npy, columns of bytes", 32'000'000, [&] { nn::load_npy(path); });
  put(path, zipped(content(path), false));
  check("npz, columns of bytes", 32'000'000, [&] { nn::load_npz(path); });

  header = "{'descr': '|u1', 'fortran_order': False, 'shape': (16000000,), }";
  put(path, zipped("\x93NUMPY" + bytes({1, 0, static_cast<int>(header.size()), 0}) + header +
                       std::string(16'000'000, '\1'), true));
  check("npz, compressed bytes", std::filesystem::file_size(path), [&] { nn::load_npz(path); },
        "its arrays take more than");
  put(path, gzip(bytes({0, 0, 8, 1, 0, 240, 0, 0}) + std::string(0xf00000, '\1')));
  check("idx.gz, bytes", std::filesystem::file_size(path), [&] { nn::load_idx(path); }, "its elements take more than");
}

BOOST_AUTO_TEST_CASE(ten_times_a_header) {
  TemporaryDirectory directory;
  std::string path = directory / "x";
  auto check = [&](const char* what, const std::string& text) {
    put(path, text);
    PeakMemory memory;
    try {
      nn::load_safetensors(path);
    } catch (const FileError&) {
    }
    std::cout << "  " << what << ": " << memory.bytes() / 1'000'000 << " MB for " << text.size() / 1'000'000 << std::endl;
    BOOST_TEST(memory.bytes() <= 100'000'000 + 10 * text.size());
  };
  std::string tensors = "{\"0\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
  std::string texts = "{\"__metadata__\":{\"a\":\"\"";
  for (int i = 1; i < 300'000; ++i)
    tensors += ",\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
  check("safetensors, empty tensors", file_of(tensors + "}", ""));
  for (int i = 0; i < 1'500'000; ++i) texts += ",\"" + std::to_string(i) + "\":\"\"";
  check("safetensors, texts", file_of(texts + "}}", ""));
  texts = "1";
  for (int i = 0; i < 10'000'000; ++i) texts += ",1";
  check("safetensors, numbers", file_of("{\"a\":{\"shape\":[" + texts + "]}}", ""));
}

// Small files of data that inflate a thousand times: the limit holds, and says so.
BOOST_AUTO_TEST_CASE(bombs) {
  TemporaryDirectory directory;
  std::string header = bytes({0, 0, 8, 1, 4, 0, 0, 0});  // 64 MiB, which are really there
  put(directory / "idx.gz", gzip(header + std::string(64 << 20, '\0')));
  std::string array = "{'descr': '|b1', 'fortran_order': False, 'shape': (67108864,)}";
  array = "\x93NUMPY" + bytes({1, 0, static_cast<int>(array.size()), 0}) + array + std::string(64 << 20, '\0');
  put(directory / "x.npz", zipped(array, true));
  put(directory / "x.csv.gz", gzip("a\n" + std::string(64 << 20, '1')));
  put(directory / "x.bin.gz", gzip(std::string(64 << 20, '\0')));
  array.clear();
  const std::vector<std::function<void()>> reads{[&] { nn::load_idx_bytes(directory / "idx.gz", 1); },
                                                 [&] { nn::load_npz(directory / "x.npz"); },
                                                 [&] { nn::load_csv(directory / "x.csv.gz"); },
                                                 [&] { nn::load_cifar10({directory / "x.bin.gz"}); }};
  for (const auto& read : reads) {
    PeakMemory memory;
    throws<FileError>(read, {"16 MiB and 100 times"});
    BOOST_TEST(memory.bytes() <= 3 * nn::inflate_limit(64 << 10));
  }
}

BOOST_AUTO_TEST_SUITE_END()
