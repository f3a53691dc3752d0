// The course of a training for TensorBoard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include <nn/callbacks/callback.hpp>

namespace xtape::nn {

/// An event file: records in TFRecord's frames, each a protocol buffer `Event` of TensorFlow
/// (tensorflow/core/util/event.proto), with CRC-32C checksums.
class EventWriter {
 public:
  /// Makes the directory, and a new file "events.out.tfevents.TIME.HOST.PID.N" in it.
  /// @throws FileError when it cannot be written.
  explicit EventWriter(const std::filesystem::path& directory);
  ~EventWriter();
  EventWriter(EventWriter&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  /// Appends scalars of one step, and hands them to the operating system. @throws FileError when it cannot.
  void write(const Scores& scalars, std::int64_t step);

 private:
  void append(std::string_view event);

  std::filesystem::path path_;
  std::unique_ptr<std::ofstream> out_;
};

/// Writes the scores of each epoch to an event file of its own in a directory, for `tensorboard --logdir`.
class TensorBoard : public Callback {
 public:
  /// At the beginning of the training, @throws FileError when the file cannot be written.
  explicit TensorBoard(std::filesystem::path directory) : directory_(std::move(directory)) {}
  bool on_main_process_only() const override { return true; }
  void on_fit_begin(Training& training) override;
  void on_epoch_end(Training& training) override;
  void on_fit_end(Training& training) override;

 private:
  std::filesystem::path directory_;
  std::unique_ptr<EventWriter> writer_;
};

namespace detail {

/// The checksum of Castagnoli's polynomial (RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace detail

}  // namespace xtape::nn
