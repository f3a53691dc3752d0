#include "options.hpp"

#include <cstdlib>
#include <sstream>

#include <CLI/CLI.hpp>

#include <autograd/error.hpp>
#include <autograd/atomic_file.hpp>

#include "network.hpp"

namespace fs = std::filesystem;

namespace mnist {
namespace {

// Takes over what the checkpoint was trained with, unless the command line asks for something else.
template <class T>
void adopt(const CLI::App& app, const std::string& option, T& value, const T& saved) {
  if (app.count(option) > 0 && value != saved) {
    std::ostringstream message;
    message << std::boolalpha << option << ' ' << value << ": contradicts the checkpoint, which was trained with "
            << saved << "; leave it out to go on with that";
    throw xtape::ValueError(message.str());
  }
  value = saved;
}

void adopt_settings(const CLI::App& app, Settings& settings, const Settings& saved) {
  if (saved.synthetic && app.count("--data-dir") > 0)
    throw xtape::ValueError("--data-dir: contradicts the checkpoint, which was trained with --synthetic");
  adopt(app, "--network", settings.network, saved.network);
  adopt(app, "--seed", settings.seed, saved.seed);
  adopt(app, "--batch-size", settings.batch_size, saved.batch_size);
  adopt(app, "--lr", settings.lr, saved.lr);
  adopt(app, "--lr-step", settings.lr_step, saved.lr_step);
  adopt(app, "--synthetic", settings.synthetic, saved.synthetic);
  adopt(app, "--synthetic-train", settings.synthetic_train, saved.synthetic_train);
  adopt(app, "--synthetic-test", settings.synthetic_test, saved.synthetic_test);
}

// Whether the file can be written is to be known before the training, not after it.
void require_writable(const fs::path& file) {
  if (!file.empty()) xtape::AtomicFile attempt(file);
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  Settings& settings = options.settings;
  CLI::App app(
      "Trains a network with Adam to read MNIST's handwritten digits. Without\n"
      "--data-dir, MNIST is downloaded to the user's cache folder; where that fails, the program draws digits of its\n"
      "own and says so. Ctrl-C ends the training in good order (exit code 130), a second Ctrl-C at once.",
      "./examples/run mnist");
  app.get_formatter()->column_width(34);
  app.option_defaults()->always_capture_default();
  const CLI::Range count(std::size_t{1}, std::size_t{100'000'000});

  auto* data_dir = app.add_option("--data-dir", options.data_dir, "the folder of MNIST's IDX files, plain or gzip");
  auto* synthetic = app.add_flag("--synthetic", settings.synthetic, "train on digits that the program draws itself");
  synthetic->excludes(data_dir);
  app.add_option("--synthetic-train", settings.synthetic_train, "how many of them to train on")->check(count);
  app.add_option("--synthetic-test", settings.synthetic_test, "how many of them to test on")->check(count);
  app.add_option("--network", settings.network, "dense: 784-400-100-10; cnn: two convolutions; rnn, lstm: row by row")
      ->check(CLI::IsMember(network_names()));
  app.add_option("--epochs", options.epochs, "passes over the training images")->check(count);
  app.add_option("--batch-size", settings.batch_size, "images in a step")->check(count);
  app.add_option("--lr", settings.lr, "the step size of Adam")->check(CLI::PositiveNumber);
  app.add_option("--lr-step", settings.lr_step, "epochs after which it is divided by ten, each time; 0: never")
      ->check(CLI::Range(0, 100'000'000));
  app.add_option("--seed", settings.seed, "of all that is random");
  app.add_option("--threads", options.threads, "for matrix products; 0: as the library chooses")
      ->check(CLI::Range(0, 1024));
  app.add_option("--metrics", options.metrics, "a table (CSV) to write a line to after each epoch");
  app.add_option("--picture", options.picture, "a PNG picture of the results to write at the end; \"\": none");
  app.add_option("--save", options.save, "a checkpoint to write after each epoch, and when interrupted");
  app.add_option("--load", options.load, "a checkpoint to go on from, with its settings");
  app.add_option("--stop-after-steps", options.stop_after_steps, "stop after so many steps as Ctrl-C does; 0: never");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }

  if (!options.load.empty()) {
    options.checkpoint = load(options.load);
    adopt_settings(app, settings, options.checkpoint->settings);
  }
  for (const fs::path& file : {options.metrics, options.picture, options.save}) require_writable(file);
  return options;
}

}  // namespace mnist
