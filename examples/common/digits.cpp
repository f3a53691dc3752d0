#include <examples/common/digits.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <optional>

#include <zlib.h>

#include <autograd/error.hpp>

#include <examples/common/download.hpp>
#include <examples/common/synthetic_digits.hpp>

namespace fs = std::filesystem;
using xtape::FileError;
using xtape::nn::LabeledImages;

namespace example {
namespace {

// The names that the files have where people keep them.
std::optional<fs::path> find(const fs::path& folder, const RemoteFile& file) {
  std::string dotted = file.name;
  dotted.replace(dotted.find("-idx"), 1, ".");
  for (const std::string& name : {file.name, dotted})
    for (const char* ending : {"", ".gz"})
      if (fs::path path = folder / (name + ending); fs::exists(path)) return path;
  return {};
}

LabeledImages load(const fs::path& images, const fs::path& labels) {
  LabeledImages set = xtape::nn::load_labeled_images(images, labels, 10);
  if (set.size() == 0 || set.images.shape(1) != 28 || set.images.shape(2) != 28)
    throw FileError(images.string() + ": holds " + std::to_string(set.size()) + " images of " +
                    std::to_string(set.images.shape(1)) + " x " + std::to_string(set.images.shape(2)) +
                    ", needs one or more of 28 x 28");
  return set;
}

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && fs::path(cache).is_absolute()) return fs::path(cache) / "xtape" / "mnist";
  const char* home = std::getenv("HOME");
  if (home && *home) return fs::path(home) / ".cache" / "xtape" / "mnist";
  throw FileError("no folder to keep MNIST in: neither XDG_CACHE_HOME nor HOME is set");
}

}  // namespace

std::uint32_t DataSet::checksum() const {
  uLong sum = crc32(0, nullptr, 0);
  for (const auto* bytes : {&train.images, &train.labels, &test.images, &test.labels})
    sum = crc32_z(sum, bytes->data(), bytes->size());
  return static_cast<std::uint32_t>(sum);
}

DataSet load_folder(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw FileError(folder.string() + ": no such folder");
  std::array<fs::path, 4> paths;
  std::string missing;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (std::optional<fs::path> path = find(folder, mnist_files()[i])) paths[i] = *path;
    else missing += (missing.empty() ? "" : ", ") + mnist_files()[i].name + "[.gz]";
  }
  if (!missing.empty()) throw FileError(folder.string() + ": lacks " + missing);
  DataSet data{.train = load(paths[0], paths[1]), .test = load(paths[2], paths[3])};
  data.source = "MNIST from " + folder.string();
  return data;
}

DataSet load_mnist() {
  fs::path cache = cache_folder();
  try {
    return load_folder(cache);
  } catch (const FileError&) {
    // Not there yet, or damaged.
  }
  for (const RemoteFile& file : mnist_files()) download(file, cache);
  return load_folder(cache);
}

DataSet draw_digits(std::size_t train, std::size_t test, std::uint64_t seed) {
  xtape::Generator generator(seed);
  DataSet data{.train = synthetic_digits(train, generator), .test = synthetic_digits(test, generator)};
  data.source = "digits drawn by this program (seed " + std::to_string(seed) + "), not MNIST";
  return data;
}

Digits::Digits(const LabeledImages& set) {
  xtape::Array pixels({set.size(), set.images.size() / set.size()}, xtape::float32);
  std::transform(set.images.begin(), set.images.end(), pixels.mutable_data<float>(),
                 [](std::uint8_t level) { return level * (1 / 255.0f); });
  images = xtape::Variable(std::move(pixels));
  xtape::Array answers({set.size()}, xtape::int64);
  std::copy(set.labels.begin(), set.labels.end(), answers.mutable_data<std::int64_t>());
  labels = xtape::Variable(std::move(answers));
}

DataSet digits_for(const Program& program, const fs::path& folder) {
  auto load = [&] {
    if (!folder.empty()) return load_folder(folder);
    if (!program.quick()) try {
        return load_mnist();
      } catch (const std::exception& error) {
        std::cout << "MNIST is not to be had: " << error.what() << "\nPut its four files into a folder and name that with "
                  << "--data-dir. Without them, results are others.\n";
      }
    return draw_digits(program.usual_or_quick(60'000, 2'000), program.usual_or_quick(10'000, 500), 0);
  };
  DataSet data = load();
  std::cout << data.source << ": " << data.train.size() << " images to train on, " << data.test.size() << " to test on"
            << std::endl;
  return data;
}

}  // namespace example
