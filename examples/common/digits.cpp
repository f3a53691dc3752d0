#include <examples/common/digits.hpp>

#include <algorithm>
#include <array>
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

struct IdxFile {
  std::string name, sha256;
};

// Training images and labels, test images and labels.
const std::array<IdxFile, 4> mnist_files{{
    {"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};

// Mirrors keep the files with gzip.
RemoteFile remote(const IdxFile& file) {
  return {file.name + ".gz", file.sha256,
          {"https://ossci-datasets.s3.amazonaws.com/mnist/" + file.name + ".gz",
           "https://storage.googleapis.com/cvdf-datasets/mnist/" + file.name + ".gz"}};
}

// The names that the files have where people keep them.
std::optional<fs::path> find(const fs::path& folder, const IdxFile& file) {
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
    if (std::optional<fs::path> path = find(folder, mnist_files[i])) paths[i] = *path;
    else missing += (missing.empty() ? "" : ", ") + mnist_files[i].name + "[.gz]";
  }
  if (!missing.empty()) throw FileError(folder.string() + ": lacks " + missing);
  DataSet data{.train = load(paths[0], paths[1]), .test = load(paths[2], paths[3])};
  data.source = "MNIST from " + folder.string();
  return data;
}

DataSet load_mnist() {
  fs::path cache = cache_folder("mnist");
  try {
    return load_folder(cache);
  } catch (const FileError&) {
    // Not there yet, or damaged.
  }
  for (const IdxFile& file : mnist_files) download(remote(file), cache);
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
