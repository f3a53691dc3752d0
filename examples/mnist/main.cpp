// Trains a network to read MNIST's handwritten digits.

#include <algorithm>
#include <iostream>
#include <limits>
#include <optional>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "checkpoint.hpp"
#include "evaluation.hpp"
#include <examples/common/interrupt.hpp>
#include "network.hpp"
#include "options.hpp"
#include "picture.hpp"
#include "progress.hpp"

using namespace xtape;
using namespace mnist;
using example::DataSet;

constexpr int exit_interrupted = 130;  // as a shell reports Ctrl-C

DataSet load_data(Options& options) {
  Settings& settings = options.settings;
  if (!options.data_dir.empty()) return example::load_folder(options.data_dir);
  if (!settings.synthetic) try {
      return example::load_mnist();
    } catch (const std::exception& error) {
      if (options.checkpoint) throw;
      std::cout << "MNIST is not to be had: " << error.what()
                << "\nTraining on digits that this program draws itself, NOT on MNIST. To train on MNIST, put its four "
                   "files into a folder and name that with --data-dir.\n";
      settings.synthetic = true;
    }
  return example::draw_digits(settings.synthetic_train, settings.synthetic_test, settings.seed);
}

int train(const Options& options, const DataSet& data) {
  const Settings& settings = options.settings;
  seed(settings.seed);
  nn::Sequential network = make_network(settings.network);
  optim::Adam adam(network.parameters(), {.lr = settings.lr});
  auto never = std::numeric_limits<std::int64_t>::max();
  optim::StepLR schedule(adam, {.step_size = settings.lr_step > 0 ? std::int64_t(settings.lr_step) : never});
  std::cout << network << std::endl;

  Standing at;
  if (options.checkpoint) {
    network.load_state_dict(options.checkpoint->network);
    adam.load_state_dict(options.checkpoint->optimizer);
    schedule.load_state_dict(options.checkpoint->schedule);
    at = options.checkpoint->standing;
    default_generator().set_state(at.generator);
  }
  auto save_checkpoint = [&, checksum = data.checksum()] {
    if (options.save.empty()) return;
    save(options.save,
         {settings, checksum, at, network.state_dict(), adam.state_dict(), schedule.state_dict()});
  };

  std::size_t images = data.train.size(), batch = settings.batch_size, steps = (images + batch - 1) / batch;
  std::size_t steps_taken = 0;
  std::optional<nn::EpochTable> metrics;
  if (!options.metrics.empty())
    metrics.emplace(options.metrics, std::vector<std::string>{"train_loss", "test_accuracy", "seconds"}, at.epoch);
  Progress progress({options.epochs, steps, batch}, at.epoch * steps + at.step);
  example::note_interrupts();

  while (at.epoch < options.epochs) {
    nn::Stopwatch watch(at.seconds);
    at.generator = default_generator().state();
    Array order = default_generator().permutation(images);

    for (; at.step < steps; ++at.step) {
      if (example::interrupted() || (options.stop_after_steps > 0 && steps_taken == options.stop_after_steps)) {
        at.seconds = watch.seconds();
        save_checkpoint();
        progress.print("stopped in epoch " + std::to_string(at.epoch + 1) + " after " + std::to_string(at.step) +
                       " of " + std::to_string(steps) + " steps; " +
                       (options.save.empty() ? "nothing is saved, as there was no --save"
                                             : "go on with --load " + options.save.string()));
        return exit_interrupted;
      }
      std::size_t first = at.step * batch, count = std::min(batch, images - first);
      const std::int64_t* chosen = order.data<std::int64_t>() + first;

      network.train();
      adam.zero_grad();
      Variable loss = nn::softmax_cross_entropy(network(pixels(data.train, chosen, count)),
                                                labels(data.train, chosen, count));
      loss.backward();
      if (needs_clipping(settings.network)) clip_grad_norm(network.parameters(), 1);
      adam.step();

      at.loss_sum += loss.item() * static_cast<double>(count);
      ++steps_taken;
      progress.update(at.epoch, at.step + 1, at.loss_sum / static_cast<double>(first + count));
    }

    double train_loss = at.loss_sum / static_cast<double>(images);
    double test_accuracy = evaluate(network, data.test).accuracy;
    double seconds = watch.seconds();
    progress.print_epoch(at.epoch, train_loss, test_accuracy, seconds);
    if (metrics) metrics->write(at.epoch + 1, {train_loss, test_accuracy, seconds});
    schedule.step();
    at = {.epoch = at.epoch + 1, .generator = default_generator().state()};
    save_checkpoint();
  }

  Evaluation evaluation = evaluate(network, data.test);
  std::cout << '\n' << evaluation;
  if (!options.picture.empty()) {
    write_picture(options.picture, evaluation, data.test);
    std::cout << "\nThe confusion matrix and the worst mistakes are in " << options.picture.string() << '\n';
  }
  return 0;
}

int main(int argc, char** argv) try {
  Options options = parse_options(argc, argv);
  if (options.threads > 0) set_num_threads(options.threads);
  DataSet data = load_data(options);
  std::cout << data.source << ": " << data.train.size() << " images to train on, " << data.test.size()
            << " to test on" << std::endl;
  if (options.checkpoint && options.checkpoint->data_checksum != data.checksum())
    throw ValueError(options.load.string() + ": was trained on other images");
  return train(options, data);
} catch (const std::exception& error) {
  std::cerr << "mnist: " << error.what() << '\n';
  return 1;
}
