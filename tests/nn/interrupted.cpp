// Trainings that end before their time: by Ctrl-C, or by a loss that is NaN.
#include <cmath>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include <tests/nn/scripted.hpp>

using namespace xtape;
using xtape::testing::Scripted;
using xtape::testing::throws;

namespace {

// Presses Ctrl-C after a batch of an epoch, and says what it was called for.
struct Press : nn::Callback {
  std::size_t epoch, batch;
  std::string calls;
  Press(std::size_t epoch, std::size_t batch) : epoch(epoch), batch(batch) {}
  void on_batch_end(nn::Training& t) override {
    calls += "b";
    if (t.epoch == epoch && t.batch == batch) ::raise(SIGINT);
  }
  void on_epoch_end(nn::Training&) override { calls += "e"; }
  void on_fit_end(nn::Training& t) override { calls += t.interrupted ? "i" : "f"; }
};

void (*handler_now())(int) {
  struct sigaction action {};
  ::sigaction(SIGINT, nullptr, &action);
  return action.sa_handler;
}

// Programs that run in the background of a shell ignore it.
struct DefaultHandler {
  void (*before)(int) = ::signal(SIGINT, SIG_DFL);
  ~DefaultHandler() { ::signal(SIGINT, before); }
};

int seen = 0;

// How a child process ends that runs this.
template <class F>
int ending_of(F f) {
  pid_t child = ::fork();
  if (child == 0) {
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(interrupted, DefaultHandler)

BOOST_AUTO_TEST_CASE(ctrl_c_ends_the_training_well) {
  // The optimizer counts steps, of which there are three in an epoch: its losses are those of the steps.
  Scripted training({9, 8, 7, 2, 1, 0, 6, 5});
  training.data.resize(3, training.data[0]);
  Press press(3, 2);
  nn::EarlyStopping best({.monitor = "loss", .restore_best = true});
  nn::History history = training.model.fit(training.data, {.epochs = 5, .callbacks = {&press, &best}});
  BOOST_TEST(history.interrupted());
  BOOST_TEST(history.size() == 2);
  BOOST_TEST(press.calls == "bbbebbbebbi");
  BOOST_TEST(best.best_epoch() == 2);
  BOOST_TEST(training.net.w.item() == 6);  // what the last step of the second epoch made of it
  BOOST_TEST(training.net.training());
  BOOST_TEST((handler_now() == SIG_DFL));
  // The next one is as if nothing had been.
  nn::History next = training.model.fit(training.data, {.epochs = 2});
  BOOST_TEST(!next.interrupted());
  BOOST_TEST(next.size() == 2);
}

// One that comes while the validation runs: the epoch has no scores.
BOOST_AUTO_TEST_CASE(ctrl_c_in_the_validation) {
  Scripted training({3, 2, 1});
  std::size_t batches = 0;
  struct Validation {
    std::size_t& batches;
    std::vector<nn::Batch> list{5, nn::Batch{ones({1}), ones({1})}};
    auto begin() {
      if (++batches == 2) ::raise(SIGINT);
      return list.begin();
    }
    auto end() { return list.end(); }
  };
  Press press(0, 0);
  nn::History history = training.model.fit(
      training.data, {.epochs = 3, .validation = Validation{batches}, .callbacks = {&press}});
  BOOST_TEST(history.interrupted());
  BOOST_TEST(history.size() == 1);
  BOOST_TEST(press.calls == "bebi");
}

BOOST_AUTO_TEST_CASE(a_second_ctrl_c_ends_the_program) {
  int status = ending_of([] {
    Scripted training({2, 1});
    Press first(1, 1), second(1, 1);
    training.fit({&first, &second});
  });
  BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGINT));
}

BOOST_AUTO_TEST_CASE(ctrl_c_is_left_to_the_program_where_it_wants_it) {
  int status = ending_of([] {
    Scripted training({2, 1});
    Press press(1, 1);
    training.model.fit(training.data, {.epochs = 2, .callbacks = {&press}, .stop_on_interrupt = false});
  });
  BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGINT));

  auto note = [](int) { ++seen; };
  auto before = ::signal(SIGINT, note);
  Scripted training({2, 1});
  Press press(1, 1);
  BOOST_TEST(training.fit({&press}).size() == 2);
  BOOST_TEST(seen == 1);
  BOOST_TEST((handler_now() == static_cast<void (*)(int)>(note)));
  ::signal(SIGINT, before);
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_nan_is_said) {
  Scripted training({9, 8, 1, 2, NAN, 3});
  training.data.resize(2, training.data[0]);
  Press ends(0, 0);
  nn::EarlyStopping best({.monitor = "loss", .restore_best = true});
  nn::FitOptions options{.epochs = 3, .callbacks = {&ends, &best}};
  throws<ValueError>([&] { training.model.fit(training.data, options); },
                     {"Model::fit: the loss is NaN in epoch 3, batch 1 of 2", "learning rate of 0.5", "allow_nan"});
  BOOST_TEST(ends.calls == "bbebbef");
  BOOST_TEST(training.epoch == 4);  // no step was made with it
  BOOST_TEST(std::isnan(training.net.w.item()));  // as the last step of the best epoch left it
  Scripted within({5, 4, NAN, 3});
  within.data.resize(4, within.data[0]);
  throws<ValueError>([&] { within.model.fit(within.data); }, {"epoch 1, batch 3 of 4", "a mean of 4.5 before it"});
  Scripted allowed({9, NAN, 1});
  BOOST_TEST(allowed.fit({}).size() == 3);
}

BOOST_AUTO_TEST_SUITE_END()
