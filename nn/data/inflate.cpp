#include <nn/data/inflate.hpp>

#include <algorithm>
#include <limits>
#include <new>

#include <zlib.h>

#include <autograd/error.hpp>

namespace xtape::nn {
namespace {

constexpr int largest_window = 15, gzip_only = 16;  // added up, as zlib wants it; negative: no wrapper

z_stream_s* new_stream(Inflate::Wrapper wrapper) {
  auto stream = std::make_unique<z_stream>();
  int window = wrapper == Inflate::Wrapper::gzip ? largest_window + gzip_only : -largest_window;
  if (inflateInit2(stream.get(), window) != Z_OK)
    throw MemoryError("inflate: no memory to unfold compressed data");
  return stream.release();
}

void delete_stream(z_stream_s* stream) {
  inflateEnd(stream);
  delete stream;
}

const char* kind(Inflate::Wrapper wrapper) { return wrapper == Inflate::Wrapper::gzip ? "gzip" : "deflated"; }

}  // namespace

Inflate::Inflate(Source source, Wrapper wrapper, std::string name)
    : source_(std::move(source)), wrapper_(wrapper), name_(std::move(name)), input_(64 << 10),
      stream_(new_stream(wrapper), delete_stream) {}

bool Inflate::refill() {
  if (stream_->avail_in > 0) return true;
  std::size_t count = source_(input_);
  stream_->next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_->avail_in = static_cast<uInt>(count);
  taken_ += count;
  return count > 0;
}

// Tapes and block devices fill up what is behind a member.
void Inflate::skip_zeros() {
  while (refill() && *stream_->next_in == 0) {
    ++stream_->next_in;
    --stream_->avail_in;
  }
}

void Inflate::require_within_limit() const {
  if (given_ > inflate_limit(taken_))
    throw FileError(name_ + ": " + std::to_string(taken_) + " bytes of " + kind(wrapper_) + " data grow to more than " +
                    std::to_string(given_) + ", needs at most 16 MiB and 100 times as many; decompress it before, if " +
                    "that is meant");
}

std::size_t Inflate::read(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (member_ended_ && wrapper_ == Wrapper::gzip) skip_zeros();
    if (!refill()) {
      if (member_ended_) break;
      throw FileError(name_ + ": the " + kind(wrapper_) + " data is cut short");
    }
    if (member_ended_ && wrapper_ == Wrapper::none) throw FileError(name_ + ": the deflated data ends too early");
    if (member_ended_) inflateReset(stream_.get());
    auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max()));
    stream_->next_out = out.data() + done;
    stream_->avail_out = room;
    int status = ::inflate(stream_.get(), Z_NO_FLUSH);
    done += room - stream_->avail_out;
    given_ += room - stream_->avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw FileError(name_ + ": the " + kind(wrapper_) + " data is damaged: " +
                      (stream_->msg ? stream_->msg : zError(status)));
    require_within_limit();
    member_ended_ = status == Z_STREAM_END;
  }
  return done;
}

}  // namespace xtape::nn
