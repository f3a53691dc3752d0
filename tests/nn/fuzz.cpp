// Thousands of damaged files for each reader: an error that names the file, or the right content; never a crash, a
// hang, or more memory than the file's size times a small number.
//
// XTAPE_FUZZ_SEED and XTAPE_FUZZ_FILES choose other files, and their number for each reader.
#include <iostream>

#include <unistd.h>

#include <nn/nn.hpp>
#include <tests/nn/allocations.hpp>
#include <tests/nn/file_texts.hpp>
#include <tests/nn/mutations.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::buffers;
using xtape::testing::bytes;
using xtape::testing::content;
using xtape::testing::file_of;
using xtape::testing::gzip;
using xtape::testing::mutate;
using xtape::testing::PeakMemory;
using xtape::testing::put;
using xtape::testing::Random;
using xtape::testing::TemporaryDirectory;
using xtape::testing::zipped;
namespace fs = std::filesystem;

namespace {

using Texts = std::vector<std::string>;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Files are flushed to the disk as they are saved, which takes its time; what is in memory needs no flushing.
struct FilesInMemory {
  FilesInMemory() {
    if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  }
};

// Reads damaged files; `wrap` makes a file of each mutated text, and `times` is the bound on memory per byte of it.
// `read` throws for what is damaged, and returns what is wrong with content that it should not have returned.
struct Reader {
  const char* operation;  // what its errors begin with
  Texts good;
  std::function<std::string(const std::string& file)> read;
  std::size_t times;
  std::function<std::string(const std::string& text)> wrap = [](const std::string& text) { return text; };
};

void fuzz(const Reader& reader) {
  std::uint64_t seed = from_environment("XTAPE_FUZZ_SEED", 2026), files = from_environment("XTAPE_FUZZ_FILES", 1250);
  std::cout << reader.operation << files << " files from seed " << seed << std::endl;
  TemporaryDirectory directory;
  std::string path = directory / "file";
  for (const std::string& text : reader.good) {
    put(path, reader.wrap(text));
    BOOST_REQUIRE_EQUAL(reader.read(path), "");
  }
  Random random(seed);
  std::size_t refused = 0, read = 0, most_times = 0;
  for (std::uint64_t i = 0; i < files; ++i) {
    ::alarm(60);  // a hang ends the program
    std::string text = reader.wrap(mutate(reader.good, random));
    put(path, text);
    PeakMemory memory;
    std::string problem;
    try {
      problem = reader.read(path);
      ++read;
    } catch (const FileError& error) {
      std::string what = error.what();
      if (!what.starts_with(reader.operation) || what.find(path) == std::string::npos) problem = "message: " + what;
      ++refused;
    } catch (const std::exception& error) {
      problem = std::string("no FileError: ") + error.what();
    }
    std::size_t bytes = memory.bytes();
    if (bytes > buffers)
      most_times = std::max(most_times, (bytes - buffers) / std::max<std::size_t>(text.size(), 1) + 1);
    if (bytes > buffers + reader.times * text.size())
      problem = "takes " + std::to_string(bytes) + " bytes for a file of " + std::to_string(text.size());
    if (problem.empty()) continue;
    BOOST_ERROR(reader.operation << ", seed " << seed << ", file " << i << ": " << problem);
    fs::copy_file(path, fs::temp_directory_path() / ("xtape-fuzz-" + std::to_string(i)),
                  fs::copy_options::overwrite_existing);
  }
  ::alarm(0);
  std::cout << "  " << refused << " refused, " << read << " read, memory up to 512 KiB and " << most_times
            << " times the file" << std::endl;
  BOOST_TEST(refused > files / 4);
}

bool same(const Variable& a, const Variable& b) {
  auto bytes = [](const Variable& x) {
    return visit(x.dtype(), [&]<class T>(T) {
      return std::string_view(reinterpret_cast<const char*>(x.data<T>()), x.value().bytes());
    });
  };
  return a.dtype() == b.dtype() && a.shape() == b.shape() && bytes(a) == bytes(b);
}

bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

std::vector<StateDict> states() {
  return {{{"weight", Variable{{1, 2}, {3, -4}}}, {"count", Variable({7}, int64)}, {"mask", Variable({1, 0}, boolean)}},
          {{"a", Variable({0.1, 0.2, 0.3}, float64)}, {"b.c", zeros({0, 3})}, {"d", full({}, 5)}},
          {}};
}

template <class Save>
Texts saved(Save save) {
  TemporaryDirectory directory;
  Texts texts;
  for (const StateDict& state : states()) {
    save(directory / "x", state);
    texts.push_back(content(directory / "x"));
  }
  return texts;
}

// "" when the state is one of those that were saved.
std::string one_of_ours(const StateDict& state) {
  for (const StateDict& other : states())
    if (same(state, other)) return "";
  return "wrong content";
}

// Files without our checksums.
Texts foreign_safetensors() {
  return {file_of(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                  R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},)"
                  R"("c":{"dtype":"U64","shape":[],"data_offsets":[22,30]},)"
                  R"("d":{"dtype":"BOOL","shape":[2],"data_offsets":[30,32]}}   )",
                  std::string(32, '\1')),
          file_of(R"({"__metadata__":{"step":"3","part.m":"","text.t":"x"},)"
                  R"("m.w":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]}} )",
                  std::string(16, '\2'))};
}

Texts idx_files() {
  return {bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 128}),
          bytes({0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28}),
          bytes({0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1}) + std::string(256, '\7')};
}

// What the format says, computed once more.
std::string check_idx(const std::string& text, const xt::xarray<std::uint8_t>& got) {
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::size_t extent = 0;
    for (std::size_t i = 0; i < 4; ++i) extent = extent << 8 | static_cast<unsigned char>(text[4 + 4 * axis + i]);
    if (got.shape(axis) != extent) return "wrong shape";
    count *= extent;
  }
  if (got.size() != count || text.size() != 16 + count) return "wrong size";
  return std::equal(got.begin(), got.end(), text.begin() + 16,
                    [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); })
             ? ""
             : "wrong elements";
}

Texts npy_files() {
  Texts texts = saved([](const fs::path& path, const StateDict& state) {
    nn::save_npy(path, state.empty() ? ones({3}) : state.begin()->second);
  });
  std::string header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
  std::string begin = "\x93NUMPY" + bytes({2, 0, static_cast<int>(header.size()), 0, 0, 0});
  texts.push_back(begin + header + std::string(12, '\3'));
  return texts;
}

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(FilesInMemory);

BOOST_AUTO_TEST_SUITE(fuzz_files)

BOOST_AUTO_TEST_CASE(safetensors_files) {
  fuzz({"load_safetensors: ", saved([](const auto& path, const auto& state) { nn::save_safetensors(path, state); }),
        [](const std::string& path) {
          nn::Safetensors got = nn::load_safetensors(path);
          return got.checked ? one_of_ours(got.tensors) : "";  // without the checksums' names it is another's file
        },
        64});
}

BOOST_AUTO_TEST_CASE(safetensors_files_without_checksums) {
  fuzz({"load_safetensors: ", foreign_safetensors(),
        [](const std::string& path) {
          std::size_t all = 0, file = fs::file_size(path);
          for (const auto& [name, x] : nn::load_safetensors(path).tensors) all += x.size();
          return all <= file ? "" : "more elements than bytes";
        },
        64});
}

BOOST_AUTO_TEST_CASE(npz_files) {
  Texts good = saved([](const auto& path, const auto& state) { nn::save_npz(path, state); });
  Texts deflated = saved([](const auto& path, const auto& state) { nn::save_npz(path, state, {.compressed = true}); });
  good.insert(good.end(), deflated.begin(), deflated.end());
  fuzz({"load_npz: ", good,
        [](const std::string& path) {
          for (const auto& [name, x] : nn::load_npz(path)) {  // the checksums are of the arrays, not of the names
            bool known = false;
            for (const StateDict& state : states())
              for (const auto& [other_name, other] : state) known = known || same(x, other);
            if (!known) return "wrong content";
          }
          return "";
        },
        64});
}

BOOST_AUTO_TEST_CASE(npz_files_with_checksums_that_are_right) {
  for (bool deflate : {false, true})
    fuzz({"load_npz: ", npy_files(),
          [](const std::string& path) { return nn::load_npz(path).size() == 1 ? "" : "wrong number"; }, 64,
          [deflate](const std::string& text) { return zipped(text, deflate); }});
}

BOOST_AUTO_TEST_CASE(npy_files_alone) {
  fuzz({"load_npy: ", npy_files(),
        [](const std::string& path) {
          return nn::load_npy(path).size() <= fs::file_size(path) ? "" : "more elements than bytes";
        },
        64});
}

BOOST_AUTO_TEST_CASE(idx_files_plain_and_compressed) {
  fuzz({"load_idx_bytes: ", idx_files(),
        [](const std::string& path) { return check_idx(content(path), nn::load_idx_bytes(path, 3)); }, 64});
  std::string text;  // inside the gzip file
  fuzz({"load_idx_bytes: ", idx_files(), [&](const std::string& path) { return check_idx(text, nn::load_idx_bytes(path, 3)); }, 64,
        [&](const std::string& mutated) { return gzip(text = mutated); }});
  Texts compressed;
  for (const std::string& file : idx_files()) compressed.push_back(gzip(file));
  fuzz({"load_idx_bytes: ", compressed, [](const std::string& path) {
          auto got = nn::load_idx_bytes(path, 3);
          for (const std::string& file : idx_files())
            if (check_idx(file, got).empty()) return "";
          return "wrong content";
        },
        64});
}

BOOST_AUTO_TEST_CASE(idx_files_of_all_types) {
  Texts files;
  for (auto [code, size] : {std::pair(8, 6), {9, 6}, {11, 12}, {12, 24}, {13, 24}, {14, 48}})
    files.push_back(bytes({0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3}) + std::string(static_cast<std::size_t>(size), 'x'));
  fuzz({"load_idx: ", files,
        [](const std::string& path) {
          return nn::load_idx(path).size() <= fs::file_size(path) ? "" : "more elements than bytes";
        },
        64});
}

BOOST_AUTO_TEST_CASE(csv_files) {
  for (nn::Missing missing : {nn::Missing::error, nn::Missing::nan})
    fuzz({"load_csv: ",
          {"a,b,c\n1,2.5,-3e5\n4,5,6\n", "\"a\",\"b \"\"x\"\"\",c\r\n\"1\",2,\"3\"\r\n",
           missing == nn::Missing::nan ? "a,b,c\n\n1,,NA\n" : "a\n1\n2"},
          [missing](const std::string& path) {
            nn::CsvTable table = nn::load_csv(path, {.missing = missing, .dtype = float64});
            std::string text = content(path);
            auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
            bool fits = table.values.rank() == 2 && table.values.shape()[1] == table.columns.size() &&
                        table.values.shape()[0] <= lines && table.values.size() <= text.size() + 1;
            return fits ? "" : "more numbers than the text has";
          },
          64});
}

BOOST_AUTO_TEST_CASE(checkpoint_files) {
  Texts good = saved([](const auto& path, const auto& state) {
    nn::Checkpoint checkpoint;
    checkpoint.states["model"] = state;
    checkpoint.generators["random"] = Generator(3).state().substr(0, 100);
    checkpoint.texts["note"] = "text";
    checkpoint.save(path);
  });
  fuzz({"load", good,
        [](const std::string& path) {
          nn::Checkpoint checkpoint = nn::Checkpoint::load(path);
          return checkpoint.texts.at("note") == "text" ? one_of_ours(checkpoint.states.at("model")) : "wrong text";
        },
        64});
  // Checksums that are right: the names and texts are what is damaged.
  fuzz({"load", {"step=3;part.m=;text.t=x;generator.g=1 2", "step=-12;part.m=;part.n="},
        [](const std::string& path) {
          nn::Checkpoint checkpoint = nn::Checkpoint::load(path);
          return checkpoint.states.contains("m") ? "" : "lost a part";  // as the tensor m.w is there
        },
        64, [](const std::string& text) {
          std::map<std::string, std::string> metadata;
          for (std::size_t at = 0; at < text.size();) {
            std::string line = text.substr(at, text.find(';', at) - at);
            std::replace_if(line.begin(), line.end(), [](char c) { return c < 0; }, '?');
            metadata[line.substr(0, line.find('='))] = line.substr(std::min(line.find('='), line.size() - 1) + 1);
            at += line.size() + 1;
          }
          TemporaryDirectory directory;
          nn::save_safetensors(directory / "x", {{"m.w", ones({2})}}, metadata);
          return content(directory / "x");
        }});
}

BOOST_AUTO_TEST_CASE(cifar_files) {
  std::string image = std::string(1, '\3') + std::string(3072, '\5');
  fuzz({"load_cifar10: ", {image, image + image},
        [](const std::string& path) {
          auto set = nn::load_cifar10({path});
          return set.size() * 3073 == fs::file_size(path) ? "" : "wrong number of images";
        },
        64});
}

BOOST_AUTO_TEST_SUITE_END()
