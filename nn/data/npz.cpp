#include <nn/data/npz.hpp>

#include <array>
#include <string_view>

#include <autograd/atomic_file.hpp>
#include <nn/data/elements.hpp>
#include <nn/data/memory_limit.hpp>
#include <nn/data/npy.hpp>
#include <nn/data/zip.hpp>

namespace xtape::nn {
namespace {

constexpr std::string_view ending = ".npy";

}  // namespace

void save_npz(const std::filesystem::path& path, const StateDict& arrays, const NpzOptions& options) {
  for (const auto& [name, x] : arrays) {
    if (!x.defined()) throw ValueError("save_npz: \"" + name + "\" is an undefined Variable");
    if (name.empty() || name.size() + ending.size() > 0xffff)
      throw ValueError("save_npz: a name of " + std::to_string(name.size()) + " bytes, needs 1 to 65,531");
  }
  AtomicFile file(path);
  ZipWriter zip(file);
  for (const auto& [name, x] : arrays) {
    std::string header = detail::npy_header(x.value());
    std::array pieces{std::as_bytes(std::span(header)), std::span(bytes_of(x.value()), x.value().bytes())};
    zip.add(name + std::string(ending), pieces, options.compressed);
  }
  zip.finish();
  file.commit();
}

StateDict load_npz(const std::filesystem::path& path) {
  InputFile file("load_npz", path);
  MemoryLimit limit(file.name(), file.size(), 100);
  StateDict arrays;
  for (const ZipMember& member : zip_members(file)) {
    std::string_view name = member.name;
    if (!name.ends_with(ending)) file.fail("\"" + member.name + "\" is no array: its name does not end in .npy");
    name.remove_suffix(ending.size());
    verify_zip_member(file, member);
    ZipContent content(file, member);
    Array value = detail::read_npy(file.name() + ": \"" + member.name + "\"", member.size,
                                   [&](void* out, std::size_t bytes) { content.read(out, bytes); }, &limit);
    content.finish();
    arrays.emplace(name, Variable(std::move(value)));
  }
  return arrays;
}

}  // namespace xtape::nn
