// Trains a network to read MNIST's handwritten digits.

#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>

#include <autograd/atomic_file.hpp>
#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "picture.hpp"

using namespace xtape;

struct Options {
  std::string network = "dense", data_dir, save, load;
  std::size_t epochs = 20, batch_size = 128, stop_after = 0;
  std::int64_t lr_step = 10;
  double lr = 1e-3;

  explicit Options(example::Program& program) {
    const CLI::Range count(std::size_t{1}, std::size_t{100'000'000});
    program.option("--network", network, "dense: 784-400-100-10; cnn: two convolutions; rnn, lstm: row by row")
        ->check(CLI::IsMember({"dense", "cnn", "rnn", "lstm"}));
    program.option("--data-dir", data_dir, "a folder with MNIST's four files, plain or gzip; \"\": download them");
    program.option("--epochs", epochs, "passes over the training images")->check(count);
    program.option("--batch-size", batch_size, "images in a step")->check(count);
    program.option("--lr", lr, "learning rate")->check(CLI::PositiveNumber);
    program.option("--lr-step", lr_step, "epochs after which it is divided by ten, each time; 0: never")
        ->check(CLI::Range(0, 100'000'000));
    program.option("--save", save, "a checkpoint to write after each epoch, and when interrupted");
    program.option("--load", load, "a checkpoint to go on from, with its options");
    program.option("--stop-after", stop_after, "stop after so many steps, as Ctrl-C does; 0: never");
  }
};

// Each takes rows of 784 pixels from 0 to 1, and gives the logits of ten digits.
nn::Sequential make_network(const std::string& name) {
  if (name == "dense") return {nn::Dense(784, 400), nn::ReLU(), nn::Dense(400, 100), nn::ReLU(), nn::Dense(100, 10)};
  if (name == "cnn")  // after LeCun et al. 1998, with ReLU
    return {nn::Reshape({1, 28, 28}), nn::Conv2D(1, 32, 5, {.padding = "same"}), nn::ReLU(), nn::MaxPool2D(2),
            nn::Conv2D(32, 64, 5, {.padding = "same"}), nn::ReLU(), nn::MaxPool2D(2), nn::Flatten(),
            nn::Dense(64 * 7 * 7, 1024), nn::ReLU(), nn::Dropout(0.4), nn::Dense(1024, 10)};
  // The others read an image row by row, and answer by the state after the last. Orthogonal weights neither shrink nor
  // stretch what passes through many steps (Saxe et al. 2014).
  const nn::RecurrentOptions options{.batch_first = true, .recurrent_init = nn::orthogonal()};
  nn::Lambda last([](const Variable& states) { return states[{range(), -1}]; }, "the last step");
  if (name == "rnn") return {nn::Reshape({28, 28}), nn::RNN(28, 128, options), last, nn::Dense(128, 10)};
  return {nn::Reshape({28, 28}), nn::LSTM(28, 128, options), last, nn::Dense(128, 10)};
}

// The answers to all images, some at a time: those of a convolution take much memory.
Variable logits_of(nn::Module& net, const Variable& images) {
  NoGrad guard;
  net.eval();
  std::vector<Variable> logits;
  for (auto& batch : nn::DataLoader(nn::TensorDataset(images), {.batch_size = 500})) logits.push_back(net(batch.x));
  net.train();
  return concatenate(logits);
}

// A network and what trains it. All of it goes into checkpoints.
struct Training {
  const Options& options;
  nn::Sequential net;
  optim::Adam adam;
  optim::StepLR schedule;
  std::size_t epoch = 0, batch = 0;  // so many are done
  double loss_sum = 0, seconds = 0;  // over the images of this epoch so far

  explicit Training(const Options& o)
      : options(o), net(make_network(o.network)), adam(net.parameters(), {.lr = o.lr}),
        schedule(adam, {.step_size = std::max(o.lr_step, std::int64_t{1}), .gamma = o.lr_step > 0 ? 0.1 : 1}) {}

  std::vector<nn::CheckpointPart> parts() {
    return {{"network", net}, {"optimizer", adam}, {"schedule", schedule}, {"random", default_generator()},
            {"epoch", epoch}, {"batch", batch}, {"loss_sum", loss_sum}, {"seconds", seconds}};
  }

  // Trains until the epoch ends; or until Ctrl-C, and then returns false.
  bool finish_epoch(nn::DataLoader& loader, example::Progress& progress) {
    const nn::Stopwatch watch(seconds);
    for (auto& [images, labels] : loader.from(batch)) {
      if (!progress.next()) return false;
      adam.zero_grad();
      Variable loss = nn::softmax_cross_entropy(net(images), labels);
      loss.backward();
      if (options.network == "rnn" || options.network == "lstm") clip_grad_norm(net.parameters(), 1);
      adam.step();

      ++batch;
      loss_sum += loss.item() * static_cast<double>(labels.size());
      seconds = watch.seconds();
      progress.show("loss", loss.item());
      if (epoch * loader.size() + batch == options.stop_after) std::raise(SIGINT);
    }
    schedule.step();
    return true;
  }

  // Trains until the last epoch ends; or until Ctrl-C, and then returns false.
  bool train(const example::Digits& digits, const example::Digits& test, const example::Program& program,
             const std::function<void()>& save) {
    const std::size_t batches = (digits.size() + options.batch_size - 1) / options.batch_size;
    nn::EpochTable table(program.file("training.csv"), {"train_loss", "test_accuracy", "seconds"}, epoch);
    example::Progress progress("training", options.epochs * batches, epoch * batches + batch);
    while (epoch < options.epochs) {
      // The order of the images follows from the seed and the epoch alone: so a training can go on within an epoch.
      nn::DataLoader loader(nn::TensorDataset(digits.images, digits.labels),
                            {.batch_size = options.batch_size, .shuffle = true, .seed = program.seed() ^ epoch << 32});
      if (!finish_epoch(loader, progress)) {
        save();
        std::cout << "stopped in epoch " << epoch + 1 << " after " << batch << " of " << batches << " steps; "
                  << (options.save.empty() ? "nothing is saved, without --save" : "go on with --load " + options.save)
                  << std::endl;
        return false;
      }
      const double loss = loss_sum / static_cast<double>(digits.size());
      const double accuracy = nn::accuracy(logits_of(net, test.images), test.labels);
      table.write(++epoch, {loss, accuracy, seconds});
      progress.print(nn::epoch_of(epoch, options.epochs) + "  loss " + nn::fixed(loss, 4) + "  test accuracy " +
                     nn::fixed(accuracy, 4) + "  " + nn::fixed(seconds, 1) + " s");
      batch = 0, loss_sum = 0, seconds = 0;
      save();
    }
    return true;
  }
};

int main(int argc, char** argv) {
  example::Program program("mnist", "Trains a network with Adam to read handwritten digits. Ctrl-C ends the training in "
                           "good order, a second\none at once.");
  Options options(program);
  return program.run(argc, argv, [&] {
    nn::Checkpoint last;
    if (!options.load.empty()) {
      last = nn::Checkpoint::load(options.load);
      if (!last.texts.contains("options")) throw FileError(options.load + ": is no checkpoint of a training on MNIST");
      program.go_on_with(last.texts["options"]);
    }
    if (!options.save.empty()) AtomicFile attempt(options.save);  // throws now rather than after an epoch
    const example::DataSet data = example::digits_for(program, options.data_dir);
    const std::string checksum = std::to_string(data.checksum());
    if (!options.load.empty() && last.texts["data"] != checksum)
      throw ValueError(options.load + ": was trained on other images");

    Training training(options);
    if (!options.load.empty()) last.restore(training.parts());
    std::cout << training.net << std::endl;
    auto save = [&] {
      if (options.save.empty()) return;
      nn::Checkpoint checkpoint(training.parts());
      checkpoint.texts = {{"data", checksum},
                          {"options", program.values({"--network", "--seed", "--batch-size", "--lr", "--lr-step"})}};
      checkpoint.save(options.save);
    };
    const example::Digits digits(data.train), test(data.test);
    if (!training.train(digits, test, program, save)) return;

    const Variable logits = logits_of(training.net, test.images);
    std::cout << "\nWhat each digit (row) was taken for (column):\n"
              << nn::confusion_matrix(logits, test.labels, 10) << '\n';
    draw_results(program.file("mnist.png"), logits, test);
    program.result("test_accuracy", nn::accuracy(logits, test.labels));
  });
}
