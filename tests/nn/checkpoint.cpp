// Checkpoints: a training goes on to the same bits, nothing is restored by halves, and a kill leaves a whole file.
#include <chrono>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::Checkpoint;
using xtape::testing::close;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

// A training with all that has a state: batch statistics, dropout, moments, a schedule, shuffled batches.
struct Training {
  nn::Sequential net{nn::Dense(3, 8), nn::BatchNorm1D(8), nn::ReLU(), nn::Dropout(0.2), nn::Dense(8, 2)};
  optim::Adam adam{net.parameters(), {.lr = 0.1}};
  optim::StepLR schedule{adam, {.step_size = 3, .gamma = 0.5}};
  nn::DataLoader loader{nn::TensorDataset(randn({40, 3}), Variable(Array::full({40}, 1, int64))),
                        {.batch_size = 8, .shuffle = true, .seed = 2}};

  void epoch() {
    for (auto& [x, y] : loader) {
      adam.zero_grad();
      nn::softmax_cross_entropy(net(x), y).backward();
      adam.step();
    }
    schedule.step();
  }
  std::vector<nn::CheckpointPart> parts() {
    return {{"model", net}, {"optimizer", adam}, {"schedule", schedule}, {"random", default_generator()},
            {"shuffle", loader.generator()}};
  }
};

using xtape::testing::same;

void same(const Checkpoint& a, const Checkpoint& b) {
  BOOST_TEST(a.step == b.step);
  BOOST_TEST((a.texts == b.texts));
  BOOST_TEST((a.generators == b.generators));
  BOOST_REQUIRE(a.states.size() == b.states.size());
  for (const auto& [name, state] : a.states) same(state, b.states.at(name));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(a_training_goes_on_as_if_nothing_had_happened) {
  TemporaryDirectory directory;
  seed(1);
  Training whole;
  for (int i = 0; i < 4; ++i) whole.epoch();
  Checkpoint middle(whole.parts(), 4);
  middle.texts["note"] = "hello\n\xc3\xbc";
  middle.save(directory / "x");
  for (int i = 0; i < 4; ++i) whole.epoch();

  seed(1);
  Training resumed;  // on the same data
  seed(77);
  resumed.epoch();
  Checkpoint loaded = Checkpoint::load(directory / "x");
  same(loaded, middle);
  loaded.restore(resumed.parts());
  for (int i = 0; i < 4; ++i) resumed.epoch();
  same(Checkpoint(resumed.parts()), Checkpoint(whole.parts()));
  BOOST_TEST(directory.entries() == 1);
}

BOOST_AUTO_TEST_CASE(parts_can_be_restored_alone) {
  seed(1);
  Training training;
  training.epoch();
  Checkpoint checkpoint(training.parts());
  nn::Sequential net = nn::clone(training.net);
  training.epoch();
  checkpoint.restore({{"model", training.net}});
  same(training.net.state_dict(), net.state_dict());
  BOOST_TEST(training.schedule.steps() == 2);
}

BOOST_AUTO_TEST_CASE(a_part_without_tensors_is_kept) {
  TemporaryDirectory directory;
  nn::Sequential empty{nn::ReLU()};
  Checkpoint({{"model", empty}}).save(directory / "x");
  Checkpoint loaded = Checkpoint::load(directory / "x");
  loaded.restore({{"model", empty}});
  throws<ValueError>([&] { loaded.restore({{"model", empty}, {"other", empty}, {"random", default_generator()}}); },
                     {"lacks \"other\", \"random\"", "has \"model\""});
}

BOOST_AUTO_TEST_CASE(numbers_are_parts) {
  TemporaryDirectory directory;
  std::size_t epoch = 7;
  std::int64_t large = (std::int64_t{1} << 53) + 1;
  double best = 0.1;
  float narrow = 0.1f;
  bool done = true;
  std::vector<nn::CheckpointPart> parts{
      {"epoch", epoch}, {"large", large}, {"best", best}, {"narrow", narrow}, {"done", done}};
  Checkpoint(parts).save(directory / "x");
  epoch = 0, large = 0, best = 0, narrow = 0, done = false;
  Checkpoint loaded = Checkpoint::load(directory / "x");
  loaded.restore(parts);
  BOOST_TEST((epoch == 7 && large == (std::int64_t{1} << 53) + 1 && best == 0.1 && narrow == 0.1f && done));

  throws<ValueError>([&] { loaded.restore({{"epoch", best}, {"best", large}}); },
                     {"restore \"best\"", "0.1 does not fit int64"});
  BOOST_TEST(best == 0.1);  // not 7
  nn::Sequential net{nn::Dense(1, 1)};
  throws<ValueError>([&] { Checkpoint({{"epoch", net}}).restore({{"epoch", epoch}}); },
                     {"restore \"epoch\"", "is no number"});
}

BOOST_AUTO_TEST_CASE(nothing_is_restored_by_halves) {
  seed(1);
  Training training;
  training.epoch();
  Checkpoint good(training.parts(), 1);
  training.epoch();
  Checkpoint now(training.parts());

  Checkpoint bad = good;
  bad.states["schedule"].erase("step");
  throws<ValueError>([&] { bad.restore(training.parts()); }, {"restore \"schedule\"", "step"});
  same(Checkpoint(training.parts()), now);
  bad = good;
  bad.generators["shuffle"] = "no numbers";
  throws<ValueError>([&] { bad.restore(training.parts()); }, {"restore \"shuffle\"", "no state of a generator"});
  same(Checkpoint(training.parts()), now);
  bad = good;
  bad.states["model"].erase("0.weight");
  bad.states["model"].emplace("7.weight", ones({1}));
  throws<ValueError>([&] { bad.restore(training.parts()); },
                     {"restore \"model\"", "missing: 0.weight, float32(8, 3)", "unexpected: 7.weight, float32(1,)"});
  same(Checkpoint(training.parts()), now);

  struct Stubborn {
    StateDict state_dict() const { return {}; }
    void load_state_dict(const StateDict&) { throw std::logic_error("no"); }
  } stubborn;
  std::vector<nn::CheckpointPart> parts = training.parts();
  parts.emplace_back("stubborn", stubborn);
  bad = good;
  bad.states["stubborn"];
  BOOST_CHECK_THROW(bad.restore(parts), std::logic_error);
  same(Checkpoint(training.parts()), now);
  good.restore(training.parts());
  same(Checkpoint(training.parts(), 1), good);
}

// The rates are the optimizer's alone: a schedule that goes back does not set those of an earlier time.
BOOST_AUTO_TEST_CASE(a_rate_that_was_set_outlives_a_failed_restore) {
  optim::SGD sgd({parameter(ones({1}))}, {.lr = 1});
  optim::StepLR stairs(sgd, {.gamma = 0.5});
  optim::ExponentialLR decay(sgd, {.gamma = 0.9});
  std::vector<nn::CheckpointPart> parts{{"stairs", stairs}, {"optimizer", sgd}, {"decay", decay}};
  stairs.step();
  Checkpoint bad(parts);
  bad.states["decay"].erase("step");
  sgd.set_lr(0.1);
  throws<ValueError>([&] { bad.restore(parts); }, {"restore \"decay\"", "step"});
  BOOST_TEST(sgd.lr() == 0.1);
}

BOOST_AUTO_TEST_CASE(networks_that_were_not_yet_called_go_back_to_that) {
  seed(3);
  Generator generator(5);
  nn::Sequential net{nn::Dense(3, 4), nn::Dense(4, 1)};
  optim::Adam adam(net.parameters());
  adam.zero_grad();
  sum(net(ones({2, 3}))).backward();
  adam.step();
  Checkpoint checkpoint({{"generator", generator}, {"model", net}, {"optimizer", adam}});

  Generator other(6);
  nn::Sequential lazy{nn::Dense(4), nn::Dense(1)};
  optim::SGD sgd(lazy.parameters(), {.lr = 0.1});
  std::string before = other.state();
  Variable bias = lazy.state_dict().at("0.bias");
  throws<ValueError>([&] { checkpoint.restore({{"generator", other}, {"model", lazy}, {"optimizer", sgd}}); },
                     {"restore \"optimizer\"", "the state does not fit"});
  BOOST_TEST(!lazy.materialized());
  close(lazy.state_dict().at("0.bias"), bias);
  BOOST_TEST(other.state() == before);
  BOOST_TEST((lazy(ones({2, 7})).shape() == Shape{2, 1}));
}

BOOST_AUTO_TEST_CASE(modules_are_restored_first) {
  seed(3);
  nn::Sequential net{nn::Dense(3, 4), nn::Dense(4, 1)};
  optim::Adam adam(net.parameters());
  sum(net(ones({2, 3}))).backward();
  adam.step();
  nn::Sequential lazy{nn::Dense(4), nn::Dense(1)};
  optim::Adam other(lazy.parameters());
  Checkpoint({{"optimizer", adam}, {"model", net}}).restore({{"optimizer", other}, {"model", lazy}});
  same(lazy.state_dict(), net.state_dict());
  same(other.state_dict(), adam.state_dict());
}

BOOST_AUTO_TEST_CASE(a_part_that_cannot_go_back_keeps_none_from_it) {
  struct OneWay {
    int loads = 0;
    StateDict state_dict() const { return {}; }
    void load_state_dict(const StateDict&) {
      if (loads++ > 0) throw ValueError("no way back");
    }
  } one_way;
  struct Stubborn {
    StateDict state_dict() const { return {}; }
    void load_state_dict(const StateDict&) { throw ValueError("the cause"); }
  } stubborn;
  Generator generator(5);
  Checkpoint checkpoint({{"generator", generator}, {"one way", one_way}, {"stubborn", stubborn}});
  generator.seed(6);
  std::string before = generator.state();
  throws<ValueError>([&] {
    checkpoint.restore({{"generator", generator}, {"one way", one_way}, {"stubborn", stubborn}});
  }, {"restore \"stubborn\"", "the cause"});
  BOOST_TEST(generator.state() == before);
}

BOOST_AUTO_TEST_CASE(what_is_no_checkpoint_is_refused) {
  TemporaryDirectory directory;
  auto refuses = [&](std::initializer_list<const char*> parts) {
    throws<FileError>([&] { Checkpoint::load(directory / "x"); }, parts);
  };
  refuses({"x", "No such file"});
  nn::save_safetensors(directory / "x", {{"weight", ones({1})}});
  refuses({"load checkpoint", "no checkpoint", "\"step\""});
  nn::save_safetensors(directory / "x", {{"weight", ones({1})}}, {{"step", "1"}});
  refuses({"\"weight\"", "of no part"});
  nn::save_safetensors(directory / "x", {{"model", ones({1})}}, {{"step", "1"}, {"part.model", ""}});
  refuses({"\"model\"", "of no part"});
  nn::save_safetensors(directory / "x", {}, {{"step", "1x"}});
  refuses({"its step is \"1x\""});
  std::string header = R"({"__metadata__":{"step":"1"}})";
  put(directory / "y", std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header);
  throws<FileError>([&] { Checkpoint::load(directory / "y"); }, {"carries no checksums"});
  nn::Sequential net{nn::Dense(1, 1)};
  for (const char* name : {"", "a.b"}) {
    throws<ValueError>([&] { Checkpoint({{name, net}}); }, {"checkpoint", name, "without '.'"});
    Checkpoint checkpoint;
    checkpoint.states[name];
    throws<ValueError>([&] { checkpoint.save(directory / "x"); }, {"without '.'"});
  }
  throws<ValueError>([&] { Checkpoint({{"a", net}, {"a", default_generator()}}); }, {"two parts \"a\""});
  Checkpoint binary;
  binary.texts["a"] = "\xff";
  throws<ValueError>([&] { binary.save(directory / "x"); }, {"UTF-8"});
  refuses({"its step is \"1x\""});  // the file is still as it was
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_noticed) {
  TemporaryDirectory directory;
  nn::Sequential net{nn::Dense(1, 2)};
  Checkpoint checkpoint({{"model", net}}, 3);
  checkpoint.texts["a"] = "b";
  checkpoint.save(directory / "x");
  std::string good = content(directory / "x");
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ 1 << i % 8);
    put(directory / "bad", bad);
    BOOST_CHECK_THROW(Checkpoint::load(directory / "bad"), FileError);
  }
}

// A child saves one checkpoint after the other until it is killed, at a random moment.
BOOST_AUTO_TEST_CASE(a_kill_leaves_the_old_or_the_new_checkpoint_whole) {
  TemporaryDirectory directory;
  auto checkpoint_of = [](std::int64_t step) {
    Checkpoint checkpoint;
    checkpoint.step = step;
    checkpoint.states["model"].emplace("x", full({50'000}, static_cast<double>(step)));
    return checkpoint;
  };
  auto now = [] { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::microseconds(1); };
  checkpoint_of(0).save(directory / "x");
  auto before = now();
  checkpoint_of(0).save(directory / "x");
  auto time_of_three = static_cast<double>(3 * (now() - before));  // in which several are saved, and one is not yet
  Generator generator(static_cast<std::uint64_t>(before));
  std::int64_t last = 0;
  int saved_since = 0, killed_while_saving = 0;
  for (int kill = 0; kill < 100; ++kill) {
    pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) try {
        for (std::int64_t step = last + 1;; ++step) checkpoint_of(step).save(directory / "x");
      } catch (...) {
        ::_exit(1);
      }
    ::usleep(static_cast<useconds_t>(generator.uniform({}, 0, time_of_three, float64).at(0)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_REQUIRE(WIFSIGNALED(status));

    Checkpoint loaded = Checkpoint::load(directory / "x");
    BOOST_REQUIRE(loaded.step >= last);
    BOOST_REQUIRE(loaded.states.size() == 1);
    close(min(loaded.states.at("model").at("x")), full({}, static_cast<double>(loaded.step)));
    close(max(loaded.states.at("model").at("x")), full({}, static_cast<double>(loaded.step)));
    saved_since += loaded.step > last;
    killed_while_saving += directory.entries() > 1;
    last = loaded.step;
    for (const auto& entry : std::filesystem::directory_iterator(directory / ""))
      if (entry.path().filename() != "x") std::filesystem::remove(entry.path());
  }
  // Both kinds of moments were among them: else the test would show nothing.
  BOOST_TEST(saved_since > 0);
  BOOST_TEST(killed_while_saving > 0);
}

BOOST_AUTO_TEST_SUITE_END()
