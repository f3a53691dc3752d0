// The files that callbacks of Model write, read back by other means.
#include <cmath>
#include <cstring>
#include <numeric>
#include <sstream>
#include <vector>

#include <tests/nn/scripted.hpp>

using namespace xtape;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::Scripted;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream in(content(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(training_logs)

BOOST_AUTO_TEST_CASE(csv_log) {
  TemporaryDirectory directory;
  auto path = directory / "log.csv";
  struct Reader : nn::Callback {  // what is there while the training runs
    std::filesystem::path path;
    std::vector<std::size_t> lines;
    void on_epoch_end(nn::Training&) override { lines.push_back(lines_of(path).size()); }
  };
  Reader reader;
  reader.path = path;
  Scripted({3, 0.1, 1e-9}).fit({nn::CSVLog(path), &reader});
  BOOST_TEST(reader.lines == (std::vector<std::size_t>{2, 3, 4}), boost::test_tools::per_element());
  auto lines = lines_of(path);
  BOOST_TEST(lines[0] == "epoch,loss,lr");
  BOOST_TEST(lines[1] == "1,3,0.5");
  double last = 0;
  BOOST_TEST(std::sscanf(lines[3].c_str(), "3,%lf,0.5", &last) == 1);
  BOOST_TEST(static_cast<float>(last) == 1e-9f);
  // A training that goes on keeps the lines of the epochs that it does not do again.
  put(path, content(path) + "4,0.2");  // cut short
  Scripted rest({7, 8});
  rest.model.fit(rest.data, {.epochs = 4, .callbacks = {nn::CSVLog(path)}, .epochs_done = 2});
  lines = lines_of(path);
  BOOST_TEST(lines.size() == 5u);
  BOOST_TEST(lines[2].substr(0, 2) == "2,");
  BOOST_TEST(lines[3] == "3,7,0.5");
  BOOST_TEST(lines[4] == "4,8,0.5");
  Scripted other({1});
  put(path, "epoch,cost\n1,2\n");
  throws<FileError>(
      [&] { other.model.fit(other.data, {.epochs = 2, .callbacks = {nn::CSVLog(path)}, .epochs_done = 1}); },
      {"epoch,cost", "epoch,loss,lr"});
  put(path, "epoch,loss,lr\nx,2\n");
  throws<FileError>(
      [&] { other.model.fit(other.data, {.epochs = 2, .callbacks = {nn::CSVLog(path)}, .epochs_done = 1}); }, {"x,2"});
  throws<FileError>([&] { other.fit({nn::CSVLog(directory / "none" / "log.csv")}); }, {"log.csv"});
  // Names are quoted as RFC 4180 says, also where the table goes on.
  for (std::size_t done : {0, 1})
    nn::EpochTable(path, {"top 3", "F1, \"macro\"", "a\nb"}, done).write(done + 1, {1, 2, 3});
  BOOST_TEST(content(path) == "epoch,top 3,\"F1, \"\"macro\"\"\",\"a\nb\"\n1,1,2,3\n2,1,2,3\n");
  throws<FileError>([&] { other.fit({nn::CSVLog(directory / "")}); }, {"cannot"});
  BOOST_TEST(other.epoch == 0);
}

// A reader of event files that shares nothing with the writer but the checksum.
namespace {

struct Reader {
  std::string bytes;
  std::size_t at = 0;

  std::string take(std::size_t n) {
    BOOST_REQUIRE(n <= bytes.size() - at);
    at += n;
    return bytes.substr(at - n, n);
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  }
  bool done() const { return at == bytes.size(); }
};

std::uint32_t masked(const std::string& data) {
  std::uint32_t crc = nn::detail::crc32c(data);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

std::vector<std::string> records_of(const std::string& file) {
  Reader in{file};
  std::vector<std::string> records;
  while (!in.done()) {
    std::string length = in.take(8);
    BOOST_TEST(in.number<std::uint32_t>() == masked(length));
    records.push_back(in.take(Reader{length}.number<std::uint64_t>()));
    BOOST_TEST(in.number<std::uint32_t>() == masked(records.back()));
  }
  return records;
}

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  std::vector<std::pair<std::string, float>> scalars;
};

Event event_of(const std::string& record) {
  Event event;
  for (Reader in{record}; !in.done();) {
    switch (std::uint64_t key = in.varint()) {
      case 1 << 3 | 1: event.wall_time = in.number<double>(); break;
      case 2 << 3 | 0: event.step = static_cast<std::int64_t>(in.varint()); break;
      case 3 << 3 | 2: event.version = in.take(in.varint()); break;
      case 5 << 3 | 2:
        for (Reader summary{in.take(in.varint())}; !summary.done();) {
          BOOST_REQUIRE(summary.varint() == (1 << 3 | 2));
          Reader value{summary.take(summary.varint())};
          BOOST_REQUIRE(value.varint() == (1 << 3 | 2));
          std::string tag = value.take(value.varint());
          BOOST_REQUIRE(value.varint() == (2 << 3 | 5));
          event.scalars.emplace_back(tag, value.number<float>());
          BOOST_TEST(value.done());
        }
        break;
      default: BOOST_FAIL("field " << key);
    }
  }
  return event;
}

}  // namespace

BOOST_AUTO_TEST_CASE(checksums_of_rfc_3720) {
  std::string rising(32, 0);
  std::iota(rising.begin(), rising.end(), 0);
  BOOST_TEST(nn::detail::crc32c(std::string(32, 0)) == 0x8a9136aau);
  BOOST_TEST(nn::detail::crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
  BOOST_TEST(nn::detail::crc32c(rising) == 0x46dd794eu);
  BOOST_TEST(nn::detail::crc32c(std::string(rising.rbegin(), rising.rend())) == 0x113fdb5cu);
  BOOST_TEST(nn::detail::crc32c("123456789") == 0xe3069283u);
}

BOOST_AUTO_TEST_CASE(tensor_board) {
  TemporaryDirectory directory;
  auto logs = directory / "logs" / "run";
  Scripted({3, 0.25}).fit({nn::TensorBoard(logs)});
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(logs)) files.push_back(entry.path());
  BOOST_REQUIRE(files.size() == 1u);
  BOOST_TEST(files[0].filename().string().starts_with("events.out.tfevents."));
  auto records = records_of(content(files[0]));
  BOOST_REQUIRE(records.size() == 3u);
  Event first = event_of(records[0]);
  BOOST_TEST(first.version == "brain.Event:2");
  BOOST_TEST(first.wall_time > 1.7e9);
  const float losses[] = {3, 0.25};
  for (std::size_t i = 0; i < 2; ++i) {
    Event event = event_of(records[i + 1]);
    BOOST_TEST(event.step == static_cast<std::int64_t>(i + 1));
    BOOST_TEST(event.wall_time >= first.wall_time);
    BOOST_REQUIRE(event.scalars.size() == 2u);
    BOOST_TEST(event.scalars[0].first == "loss");
    BOOST_TEST(event.scalars[0].second == losses[i]);
    BOOST_TEST(event.scalars[1].first == "lr");
  }
  // By hand: long names, many steps, and every record there as soon as it is written.
  nn::EventWriter writer(logs);
  std::string tag(300, 'x');
  nn::Scores scores;
  scores.add(tag, -1e30);
  writer.write(scores, 1000000);
  Event event = event_of(records_of(content(writer.path())).back());
  BOOST_TEST(event.step == 1000000);
  BOOST_TEST(event.scalars[0].first == tag);
  BOOST_TEST(event.scalars[0].second == -1e30f);
  put(directory / "file", "");
  Scripted other({1});
  throws<FileError>([&] { other.fit({nn::TensorBoard(directory / "file")}); }, {"file", "cannot be written"});
  BOOST_TEST(other.epoch == 0);
}

BOOST_AUTO_TEST_SUITE_END()
