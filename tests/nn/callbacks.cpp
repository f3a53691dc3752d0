// Callbacks of Model, and the files that they write, read back by other means.
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>
#include <sstream>
#include <vector>

#include <unistd.h>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

// A network of one weight w, of which the loss is w itself; the optimizer sets it from a list, one epoch after another.
struct Scripted {
  struct Net : nn::Module {
    Variable w = add("w", parameter(Variable(0.0).copy()));
    Variable forward(const Variable&) override { return w; }
  } net;
  std::vector<double> next;  // the loss of each epoch
  double rate = 0.5;
  std::size_t epoch = 0;
  std::vector<nn::Batch> data{{ones({1}), ones({1})}};
  nn::Model model{net, [](const Variable& w, const Variable&) { return w * 1; }, *this};

  explicit Scripted(std::vector<double> losses) : next(std::move(losses)) { set(0); }
  Scripted(const Scripted&) = delete;
  void set(std::size_t i) {
    NoGrad guard;
    if (i < next.size()) net.w.assign(full({}, next[i]));
  }
  void zero_grad() {}
  void step() { set(++epoch); }
  double lr() const { return rate; }

  nn::History fit(std::vector<nn::CallbackHandle> callbacks) {
    return model.fit(data, {.epochs = next.size(), .callbacks = std::move(callbacks)});
  }
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream in(content(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(callbacks)

BOOST_AUTO_TEST_CASE(early_stopping) {
  nn::EarlyStopping stopping({.monitor = "loss", .patience = 2});
  Scripted falling({5, 4, 3, 2});
  BOOST_TEST(falling.fit({&stopping}).size() == 4);
  BOOST_TEST(stopping.best_epoch() == 4);
  Scripted rising({5, 3, 4, 3, 2, 1});  // the fourth is no better than the second
  BOOST_TEST(rising.fit({&stopping}).size() == 4);
  BOOST_TEST(stopping.best_epoch() == 2);
  BOOST_TEST(stopping.best_score() == 3);
  BOOST_TEST(Scripted({1, 2, 3, 4}).fit({nn::EarlyStopping({.monitor = "loss", .maximize = true, .patience = 1})}).size() == 4);
  BOOST_TEST(Scripted({4, 3.8, 3.6, 3.4}).fit({nn::EarlyStopping({.monitor = "loss", .patience = 1, .min_delta = 0.3})}).size() == 2);
  BOOST_TEST(Scripted({4, NAN, 3, NAN, NAN, 1}).fit({nn::EarlyStopping({.monitor = "loss", .patience = 2})}).size() == 5);
  BOOST_TEST(Scripted({NAN, NAN, NAN}).fit({nn::EarlyStopping({.monitor = "loss", .patience = 2, .restore_best = true})}).size() == 2);
  // Back to the best: what the network was after that epoch's step, which set the next loss.
  Scripted restored({5, 3, 4, 6, 7});
  restored.fit({nn::EarlyStopping({.monitor = "loss", .patience = 2, .restore_best = true})});
  BOOST_TEST(restored.net.w.item() == 4);
  throws<ValueError>([] { nn::EarlyStopping({.monitor = ""}); }, {"EarlyStopping", "monitor is empty"});
  throws<ValueError>([] { nn::EarlyStopping({.patience = 0}); }, {"EarlyStopping", "patience is 0"});
  throws<ValueError>([] { nn::EarlyStopping({.min_delta = NAN}); }, {"EarlyStopping", "min_delta is nan"});
  Scripted unasked({1, 2});
  throws<ValueError>([&] { unasked.fit({nn::EarlyStopping()}); }, {"EarlyStopping", "\"val_loss\"", "loss, lr"});
  BOOST_TEST(unasked.epoch == 0);
}

BOOST_AUTO_TEST_CASE(best_checkpoint) {
  TemporaryDirectory directory;
  auto path = directory / "best";
  Scripted training({5, 3, 4, 2.5, 6});
  training.fit({nn::BestCheckpoint(path, {.monitor = "loss"})});
  nn::Checkpoint saved = nn::Checkpoint::load(path);
  BOOST_TEST(saved.step == 4);
  BOOST_TEST(saved.texts.at("loss") == "2.5");
  training.net.w.detach().assign(zeros({}));
  saved.restore({{"model", training.net}});
  BOOST_TEST(training.net.w.item() == 6);  // what the fourth epoch's step made of it
  BOOST_TEST(directory.entries() == 1u);
  // More than the network.
  nn::Dense dense(1, 1);
  optim::Adam adam(dense.parameters());
  nn::BestCheckpoint whole(path, {.monitor = "loss", .parts = {{"net", dense}, {"optimizer", adam}}});
  nn::Model(dense, nn::mse_loss, adam).fit(std::vector<nn::Batch>{{ones({1, 1}), ones({1, 1})}}, {.callbacks = {&whole}});
  nn::Checkpoint::load(path).restore({{"optimizer", adam}});
  Scripted other({1, 2});
  throws<FileError>([&] { other.fit({nn::BestCheckpoint(directory / "none" / "x", {.monitor = "loss"})}); }, {"none"});
  throws<ValueError>([&] { other.fit({nn::BestCheckpoint(path)}); }, {"BestCheckpoint", "\"val_loss\"", "loss, lr"});
  throws<ValueError>([&] { other.fit({nn::BestCheckpoint(path, {.monitor = "loss", .parts = {{"a.b", other.net}}})}); }, {"\"a.b\""});
  BOOST_TEST(other.epoch == 0);
  BOOST_TEST(nn::Checkpoint::load(path).step == 1);
}

BOOST_AUTO_TEST_CASE(learning_rate_schedules) {
  struct Halving {
    Scripted& training;
    int steps = 0;
    void step() { training.rate /= 2, ++steps; }
  };
  struct OnPlateau {
    std::vector<double> seen;
    void step(double score) { seen.push_back(score); }
  };
  Scripted training({3, 2, 1});
  Halving halving{training};
  nn::History history = training.fit({nn::LearningRateSchedule(halving)});
  BOOST_TEST(history["lr"] == (std::vector{0.5, 0.25, 0.125}), boost::test_tools::per_element());
  training.data.resize(4, training.data[0]);
  training.fit({nn::LearningRateSchedule(halving, {.every = nn::Every::batch})});
  BOOST_TEST(halving.steps == 3 + 12);
  OnPlateau plateau;
  Scripted({3, 2, 1}).fit({nn::LearningRateSchedule(plateau, {.monitor = "loss"})});
  BOOST_TEST(plateau.seen == (std::vector{3.0, 2.0, 1.0}), boost::test_tools::per_element());
  // Those of optim.
  nn::Dense dense(1, 1);
  optim::SGD sgd(dense.parameters(), {.lr = 1});
  optim::StepLR by_tens(sgd, {.step_size = 1});
  nn::Model(dense, nn::mse_loss, sgd).fit(std::vector<nn::Batch>{{ones({1, 1}), ones({1, 1})}},
                                          {.epochs = 2, .callbacks = {nn::LearningRateSchedule(by_tens)}});
  BOOST_TEST(std::abs(sgd.lr() - 0.01) < 1e-15);
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(plateau); }, {"LearningRateSchedule", "needs a monitor"});
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(halving, {.monitor = "loss"}); }, {"\"loss\"", "step(double)"});
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(plateau, {nn::Every::batch, "loss"}); }, {"every batch"});
  throws<ValueError>([&] { training.fit({nn::LearningRateSchedule(plateau, {.monitor = "auc"})}); }, {"\"auc\"", "loss, lr"});
}

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
  throws<FileError>([&] { other.model.fit(other.data, {.epochs = 2, .callbacks = {nn::CSVLog(path)}, .epochs_done = 1}); },
                    {"epoch,cost", "epoch,loss,lr"});
  put(path, "epoch,loss,lr\nx,2\n");
  throws<FileError>([&] { other.model.fit(other.data, {.epochs = 2, .callbacks = {nn::CSVLog(path)}, .epochs_done = 1}); }, {"x,2"});
  throws<FileError>([&] { other.fit({nn::CSVLog(directory / "none" / "log.csv")}); }, {"log.csv"});
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

BOOST_AUTO_TEST_CASE(lines_of_progress) {
  nn::Progress progress{nn::epoch_of(3, 20), 0.5, {"loss 0.1234", "0:41 left"}};
  BOOST_TEST(nn::progress_line(progress, 59, false) == "epoch  3/20  ########--------   50%  loss 0.1234  0:41 left");
  BOOST_TEST(nn::progress_line(progress, 59, true).starts_with("epoch  3/20  ━━━━━━━━────────   50%"));
  for (std::size_t width = 0; width < 200; ++width) BOOST_TEST(nn::progress_line(progress, width, false).size() <= width);
  BOOST_TEST(nn::progress_line(progress, 20, false) == "epoch  3/20   50%");
  progress.done = -1;
  BOOST_TEST(nn::progress_line(progress, 60, false) == "epoch  3/20  loss 0.1234  0:41 left");
  BOOST_TEST(nn::clock_time(40.2) == "0:41");
  BOOST_TEST(nn::clock_time(3723) == "1:02:03");
  BOOST_TEST(nn::fixed(0.12345, 4) == "0.1235");
  BOOST_TEST(nn::fixed(0.000012, 4) == "1.2e-05");
  BOOST_TEST(nn::fixed(0, 4) == "0.0000");
  // A pipe is no terminal: nothing comes.
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  {
    nn::StatusLine line(ends[1]);
    BOOST_TEST(!line.is_terminal());
    BOOST_TEST(!line.due());
    line.draw(progress);
    line.clear();
  }
  ::close(ends[1]);
  char byte;
  BOOST_TEST(::read(ends[0], &byte, 1) == 0);
  ::close(ends[0]);
}

BOOST_AUTO_TEST_SUITE_END()
