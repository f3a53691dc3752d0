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
  check("safetensors, texts", file_of("{\"__metadata__\":{" + many.substr(1) + "}}", ""), safetensors);
  many.clear();
  for (int i = 0; i < 100'000; ++i) many += ",1";
  check("safetensors, numbers", file_of("{\"a\":[" + many.substr(1) + "]}", ""), safetensors);
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
