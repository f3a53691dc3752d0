#include <nn/callbacks/tensor_board.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <fstream>

#include <unistd.h>

namespace xtape::nn {
namespace detail {

std::uint32_t crc32c(std::string_view bytes) {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // its bits backwards
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> result{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
      result[i] = value;
    }
    return result;
  }();
  std::uint32_t crc = ~std::uint32_t{0};
  for (char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

}  // namespace detail

namespace {

template <class T>
std::string little_endian(T value) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Protocol buffers (https://protobuf.dev/programming-guides/encoding): each field is a number with its wire type, and
// its value.
enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}
std::string key(std::uint32_t field, Wire wire) { return varint(field << 3 | static_cast<std::uint32_t>(wire)); }
std::string number(std::uint32_t field, double value) { return key(field, Wire::fixed64) + little_endian(value); }
std::string number(std::uint32_t field, float value) { return key(field, Wire::fixed32) + little_endian(value); }
std::string number(std::uint32_t field, std::int64_t value) {
  return key(field, Wire::varint) + varint(static_cast<std::uint64_t>(value));
}
std::string bytes(std::uint32_t field, std::string_view value) {
  return key(field, Wire::bytes) + varint(value.size()) + std::string(value);
}

// The fields that are used of Event, Summary and Summary.Value.
namespace event {
constexpr std::uint32_t wall_time = 1, step = 2, file_version = 3, summary = 5;
}
namespace summary {
constexpr std::uint32_t value = 1, tag = 1, simple_value = 2;
}

std::string begun_event() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return number(event::wall_time, std::chrono::duration<double>(now).count());
}

// A checksum as it stands in a file whose bytes may be checksummed again (leveldb's masking).
std::string masked_crc(std::string_view data) {
  std::uint32_t crc = detail::crc32c(data);
  return little_endian(std::rotr(crc, 15) + std::uint32_t{0xa282ead8});
}

std::string new_name() {
  static std::atomic<unsigned> count = 0;
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return "events.out.tfevents." + std::to_string(seconds.count()) + "." + host + "." + std::to_string(::getpid()) +
         "." + std::to_string(++count);
}

}  // namespace

EventWriter::EventWriter(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  path_ = directory / new_name();
  out_ = std::make_unique<std::ofstream>(path_, std::ios::binary | std::ios::app);
  append(begun_event() + bytes(event::file_version, "brain.Event:2"));
}

EventWriter::~EventWriter() = default;
EventWriter::EventWriter(EventWriter&&) noexcept = default;

void EventWriter::write(const Scores& scalars, std::int64_t step) {
  std::string values;
  for (const auto& [tag, value] : scalars)
    values += bytes(summary::value,
                    bytes(summary::tag, tag) + number(summary::simple_value, static_cast<float>(value)));
  append(begun_event() + number(event::step, step) + bytes(event::summary, values));
}

// A frame of TFRecord: the length and its checksum, the record and its checksum.
void EventWriter::append(std::string_view event) {
  std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  *out_ << length + masked_crc(length) + std::string(event) + masked_crc(event) << std::flush;
  if (!*out_) throw FileError(path_.string() + ": cannot be written");
}

void TensorBoard::on_fit_begin(Training&) { writer_ = std::make_unique<EventWriter>(directory_); }

void TensorBoard::on_epoch_end(Training& training) {
  writer_->write(training.scores, static_cast<std::int64_t>(training.epoch));
}

void TensorBoard::on_fit_end(Training&) { writer_.reset(); }

}  // namespace xtape::nn
