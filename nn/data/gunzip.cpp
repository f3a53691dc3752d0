#include <nn/data/gunzip.hpp>

#include <autograd/error.hpp>
#include <nn/data/inflate.hpp>

namespace xtape::nn {
namespace {

bool begins_as_gzip(std::istream& source) {
  constexpr int id1 = 0x1f, id2 = 0x8b;
  if (source.peek() != id1) return false;
  source.get();
  bool gzip = source.peek() == id2;
  source.unget();
  return gzip;
}

std::size_t read_some(std::istream& source, std::span<char> out) {
  source.read(out.data(), static_cast<std::streamsize>(out.size()));
  return static_cast<std::size_t>(source.gcount());
}

}  // namespace

Gunzip::Gunzip(std::istream& source, std::string name) : source_(source), name_(std::move(name)) {
  if (begins_as_gzip(source_))
    inflate_ = std::make_unique<Inflate>([&](std::span<char> out) { return read_some(source_, out); },
                                         Inflate::Wrapper::gzip, name_);
}

Gunzip::~Gunzip() = default;

std::size_t Gunzip::read(std::span<std::uint8_t> out) {
  std::size_t done =
      inflate_ ? inflate_->read(out) : read_some(source_, {reinterpret_cast<char*>(out.data()), out.size()});
  if (source_.bad()) throw FileError(name_ + ": cannot be read");
  return done;
}

}  // namespace xtape::nn
