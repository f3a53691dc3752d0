// Callbacks of Model.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <optim/optim.hpp>
#include <tests/nn/scripted.hpp>

using namespace xtape;
using xtape::testing::Scripted;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

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
  BOOST_TEST(
      Scripted({1, 2, 3, 4}).fit({nn::EarlyStopping({.monitor = "loss", .maximize = true, .patience = 1})}).size() ==
      4);
  BOOST_TEST(Scripted({4, 3.8, 3.6, 3.4})
                 .fit({nn::EarlyStopping({.monitor = "loss", .patience = 1, .min_delta = 0.3})})
                 .size() == 2);
  BOOST_TEST(Scripted({4, NAN, 3, NAN, NAN, 1}).fit({nn::EarlyStopping({.monitor = "loss", .patience = 2})}).size() ==
             5);
  BOOST_TEST(Scripted({NAN, NAN, NAN})
                 .fit({nn::EarlyStopping({.monitor = "loss", .patience = 2, .restore_best = true})})
                 .size() == 2);
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

// As if the training had not been interrupted: what was best, how long ago that is, and the network then.
BOOST_AUTO_TEST_CASE(early_stopping_of_a_training_that_goes_on) {
  nn::EarlyStopping stopping({.monitor = "loss", .patience = 3, .restore_best = true});
  Scripted training({5, 3, 4, 6, 7, 2});
  auto fit = [&](std::size_t epochs, std::size_t done) {
    return training.model.fit(training.data, {.epochs = epochs, .callbacks = {&stopping}, .epochs_done = done}).size();
  };
  BOOST_TEST(fit(3, 0) == 3);
  training.set(3);  // where the training was, before it went back to the best
  BOOST_TEST(fit(6, 3) == 2);
  BOOST_TEST(stopping.best_epoch() == 2);
  BOOST_TEST(stopping.best_score() == 3);
  BOOST_TEST(training.net.w.item() == 4);  // after the second epoch's step
  // From before the best epoch, the best is not known any more.
  training.epoch = 0;
  training.set(0);
  BOOST_TEST(fit(2, 1) == 1);
  BOOST_TEST(stopping.best_score() == 5);
}

BOOST_AUTO_TEST_CASE(checkpoints_have_the_schedule_s_step_in_them) {
  TemporaryDirectory directory;
  for (bool schedule_first : {true, false}) {
    auto path = directory / "best";
    nn::Dense dense(1, 1);
    optim::SGD sgd(dense.parameters(), {.lr = 1e-3});
    optim::StepLR stairs(sgd, {.step_size = 1});
    nn::LearningRateSchedule schedule(stairs);
    nn::BestCheckpoint best(path, {.monitor = "lr", .parts = {{"optimizer", sgd}, {"schedule", stairs}}});
    std::vector<nn::CallbackHandle> callbacks{&schedule, &best};
    if (!schedule_first) std::swap(callbacks[0], callbacks[1]);
    nn::Model(dense, nn::mse_loss, sgd)
        .fit(std::vector<nn::Batch>{{ones({1, 1}), ones({1, 1})}}, {.epochs = 3, .callbacks = callbacks});
    nn::Checkpoint saved = nn::Checkpoint::load(path);
    BOOST_TEST(saved.step == 3);
    BOOST_TEST(saved.states["schedule"].at("step").item() == 3);
    BOOST_TEST(std::abs(saved.states["optimizer"].at("lr").item() - 1e-6) < 1e-12);
  }
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
  nn::Model(dense, nn::mse_loss, adam)
      .fit(std::vector<nn::Batch>{{ones({1, 1}), ones({1, 1})}}, {.callbacks = {&whole}});
  nn::Checkpoint::load(path).restore({{"optimizer", adam}});
  Scripted other({1, 2});
  throws<FileError>([&] { other.fit({nn::BestCheckpoint(directory / "none" / "x", {.monitor = "loss"})}); }, {"none"});
  throws<ValueError>([&] { other.fit({nn::BestCheckpoint(path)}); }, {"BestCheckpoint", "\"val_loss\"", "loss, lr"});
  throws<ValueError>(
      [&] {
        other.fit({nn::BestCheckpoint(path, {.monitor = "loss", .parts = {{"a.b", other.net}}})});
      },
      {"\"a.b\""});
  BOOST_TEST(other.epoch == 0);
  BOOST_TEST(nn::Checkpoint::load(path).step == 1);
}

BOOST_AUTO_TEST_CASE(best_checkpoint_of_a_training_that_goes_on) {
  TemporaryDirectory directory;
  auto path = directory / "best";
  auto go_on = [&path](Scripted& training) {
    training.model.fit(training.data, {.epochs = 4, .callbacks = {nn::BestCheckpoint(path, {.monitor = "loss"})},
                                       .epochs_done = 2});
  };
  Scripted without_file({5, 6});
  go_on(without_file);
  BOOST_TEST(nn::Checkpoint::load(path).step == 3);
  Scripted({4, 3}).fit({nn::BestCheckpoint(path, {.monitor = "loss"})});
  Scripted worse({3.5, 3});
  go_on(worse);
  BOOST_TEST(nn::Checkpoint::load(path).step == 2);
  Scripted better({3.5, 2.5});
  go_on(better);
  BOOST_TEST(nn::Checkpoint::load(path).step == 4);
  BOOST_TEST(nn::Checkpoint::load(path).texts.at("loss") == "2.5");
  // A file without that score cannot tell which is better.
  nn::Checkpoint({{"model", better.net}}, 1).save(path);
  throws<FileError>([&] { go_on(worse); }, {"BestCheckpoint", "best", "\"loss\""});
  // A training from the beginning replaces it.
  Scripted({9}).fit({nn::BestCheckpoint(path, {.monitor = "loss"})});
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
  optim::ReduceLROnPlateau on_plateau(sgd);
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(on_plateau); },
                     {"LearningRateSchedule", "needs a monitor"});
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(halving, {.monitor = "loss"}); },
                     {"\"loss\"", "step(double)"});
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(by_tens, {.monitor = "loss"}); },
                     {"\"loss\"", "watches one"});
  throws<ValueError>([&] { nn::LearningRateSchedule schedule(plateau, {nn::Every::batch, "loss"}); }, {"every batch"});
  throws<ValueError>([&] { training.fit({nn::LearningRateSchedule(plateau, {.monitor = "auc"})}); },
                     {"\"auc\"", "loss, lr"});
}

BOOST_AUTO_TEST_CASE(lines_of_progress) {
  nn::Progress progress{nn::epoch_of(3, 20), 0.5, {"loss 0.1234", "0:41 left"}};
  BOOST_TEST(nn::progress_line(progress, 59, false) == "epoch  3/20  ########--------   50%  loss 0.1234  0:41 left");
  BOOST_TEST(nn::progress_line(progress, 59, true).starts_with("epoch  3/20  ━━━━━━━━────────   50%"));
  for (std::size_t width = 0; width < 200; ++width)
    BOOST_TEST(nn::progress_line(progress, width, false).size() <= width);
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

BOOST_AUTO_TEST_CASE(a_line_on_a_terminal) {
  ::setenv("TERM", "xterm", 1);
  winsize size{};
  size.ws_col = 30;
  int screen, terminal;
  BOOST_REQUIRE(::openpty(&screen, &terminal, nullptr, nullptr, &size) == 0);
  const nn::Progress progress{"epoch  3/20", 0.5, {"loss 0.1234"}};
  {
    nn::StatusLine line(terminal);
    BOOST_TEST(line.is_terminal());
    BOOST_TEST(line.due());
    const auto begin = std::chrono::steady_clock::now();
    line.draw(progress);
    const bool due = line.due();
    if (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(50)) BOOST_TEST(!due);  // not again at once
    nn::StatusLine moved(std::move(line));
    moved.print("stays");
    moved.draw(progress);
  }  // and is cleared: once, by the one that has it
  ::close(terminal);
  std::string text;
  char seen[1024];
  for (ssize_t count; (count = ::read(screen, seen, sizeof seen)) > 0;) text.append(seen, static_cast<std::size_t>(count));
  const std::string clear = "\r\x1b[K";
  BOOST_TEST(text.starts_with("\repoch  3/20"));
  BOOST_TEST(text.find("\x1b[K" + clear + "stays\r\n\repoch  3/20") != std::string::npos);
  BOOST_TEST(text.ends_with("\x1b[K" + clear));
  BOOST_TEST(!text.ends_with(clear + clear));
  ::close(screen);
}

BOOST_AUTO_TEST_SUITE_END()
