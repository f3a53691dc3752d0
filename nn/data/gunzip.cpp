#include <nn/data/gunzip.hpp>

#include <algorithm>
#include <limits>
#include <new>

#include <zlib.h>

#include <autograd/error.hpp>

namespace xtape::nn {
namespace {

constexpr int gzip_window = 15 + 16;  // the largest window, and the gzip wrapper only

bool begins_as_gzip(std::istream& source) {
  constexpr int id1 = 0x1f, id2 = 0x8b;
  if (source.peek() != id1) return false;
  source.get();
  bool gzip = source.peek() == id2;
  source.unget();
  return gzip;
}

}  // namespace

Gunzip::Gunzip(std::istream& source, std::string name) : source_(source), name_(std::move(name)) {
  if (!begins_as_gzip(source_)) return;
  input_.resize(64 << 10);
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), gzip_window) != Z_OK) throw std::bad_alloc();
  stream_ = {stream.release(), [](z_stream* s) {
               inflateEnd(s);
               delete s;
             }};
}

std::size_t Gunzip::read(std::span<std::uint8_t> out) {
  std::size_t done = stream_ ? inflate(out) : copy(out);
  if (source_.bad()) throw FileError(name_ + ": cannot be read");
  return done;
}

std::size_t Gunzip::copy(std::span<std::uint8_t> out) {
  source_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  return static_cast<std::size_t>(source_.gcount());
}

bool Gunzip::refill() {
  if (stream_->avail_in > 0) return true;
  source_.read(input_.data(), static_cast<std::streamsize>(input_.size()));
  stream_->next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_->avail_in = static_cast<uInt>(source_.gcount());
  return stream_->avail_in > 0;
}

std::size_t Gunzip::inflate(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (!refill()) {
      if (between_members_ || source_.bad()) break;
      throw FileError(name_ + ": the gzip data is cut short");
    }
    if (between_members_) inflateReset(stream_.get());
    auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max()));
    stream_->next_out = out.data() + done;
    stream_->avail_out = room;
    int status = ::inflate(stream_.get(), Z_NO_FLUSH);
    done += room - stream_->avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw FileError(name_ + ": the gzip data is damaged: " + (stream_->msg ? stream_->msg : zError(status)));
    between_members_ = status == Z_STREAM_END;
  }
  return done;
}

}  // namespace xtape::nn
