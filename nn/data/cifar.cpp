#include <nn/data/cifar.hpp>

#include <array>
#include <string>

#include <autograd/error.hpp>
#include <nn/data/gunzip.hpp>
#include <nn/data/input_file.hpp>

namespace xtape::nn {
namespace {

constexpr std::size_t image_bytes = 3 * 32 * 32;

struct Format {
  const char* name;
  std::size_t label_bytes;  // in front of each image
  std::size_t label;        // which of them is the class
  std::array<std::size_t, 2> classes;  // of each label byte

  std::size_t record_bytes() const { return label_bytes + image_bytes; }
};

// Goes through a file record by record, and returns their number.
template <class F>
std::size_t each_record(const Format& format, const std::filesystem::path& path, F&& f) {
  InputFile file(format.name, path);
  Gunzip content(file.stream(), file.name());
  std::array<std::uint8_t, image_bytes + 2> buffer;
  std::span record(buffer.data(), format.record_bytes());
  std::size_t count = 0;
  for (; std::size_t bytes = content.read(record); ++count) {
    if (bytes < record.size())
      file.fail("is cut short: image " + std::to_string(count) + " has " + std::to_string(bytes) + " bytes, needs " +
                std::to_string(record.size()));
    for (std::size_t i = 0; i < format.label_bytes; ++i)
      if (record[i] >= format.classes[i])
        file.fail("image " + std::to_string(count) + " is of class " + std::to_string(record[i]) + ", needs 0 to " +
                  std::to_string(format.classes[i] - 1));
    f(record);
  }
  if (count == 0) file.fail("is empty, needs an image or more");
  return count;
}

// Memory is taken only once the files are known to hold what is in them, which takes a pass of its own.
LabeledImages read(const Format& format, const std::vector<std::filesystem::path>& files) {
  if (files.empty()) throw ValueError(std::string(format.name) + ": no files are given, needs 1 or more");
  std::size_t count = 0;
  for (const auto& file : files) count += each_record(format, file, [](auto) {});
  LabeledImages result{.images = xt::xarray<std::uint8_t>::from_shape({count, 3, 32, 32}),
                       .labels = xt::xarray<std::uint8_t>::from_shape({count})};
  std::size_t next = 0;
  for (const auto& file : files)
    each_record(format, file, [&](std::span<const std::uint8_t> record) {
      if (next == count)
        throw FileError(std::string(format.name) + ": " + file.string() + ": changed while it was read");
      result.labels.data()[next] = record[format.label];
      std::copy(record.begin() + static_cast<std::ptrdiff_t>(format.label_bytes), record.end(),
                result.images.data() + next++ * image_bytes);
    });
  if (next != count) throw FileError(std::string(format.name) + ": the files changed while they were read");
  return result;
}

}  // namespace

LabeledImages load_cifar10(const std::vector<std::filesystem::path>& files) {
  return read({.name = "load_cifar10", .label_bytes = 1, .label = 0, .classes = {10, 0}}, files);
}

LabeledImages load_cifar100(const std::vector<std::filesystem::path>& files, CifarLabels labels) {
  std::size_t label = labels == CifarLabels::coarse ? 0 : 1;
  return read({.name = "load_cifar100", .label_bytes = 2, .label = label, .classes = {20, 100}}, files);
}

}  // namespace xtape::nn
