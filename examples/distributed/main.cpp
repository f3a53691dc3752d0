// Trains on several processes at once, by MPI, and says what that brings here and on a cluster.
// processes: 2

#include <iostream>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// 784-400-100-10, or LeNet with as many channels as TensorFlow's tutorial gave it.
nn::Sequential network(const std::string& name) {
  if (name == "mlp")
    return {nn::Dense(784, 400), nn::ReLU(), nn::Dense(400, 100), nn::ReLU(), nn::Dense(100, 10)};
  return {nn::Lambda([](const Variable& x) { return x.reshape({-1, 1, 28, 28}); }),
          nn::Conv2D(1, 32, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2),
          nn::Conv2D(32, 64, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2D(2),
          nn::Flatten(), nn::Dense(3136, 1024), nn::ReLU(), nn::Dense(1024, 10)};
}

Variable walk(nn::Module& net, optim::Optimizer& adam, const Variable& images, const Variable& labels) {
  adam.zero_grad();
  Variable loss = nn::softmax_cross_entropy(net(images), labels);
  loss.backward();
  return loss;
}

// What a step costs one process with the whole batch.
struct Cost {
  double walking = 0, updating = 0;  // seconds
  double bytes = 0;                  // of the gradients
  double seconds() const { return walking + updating; }
};

// Measured by rank 0. The others wait meanwhile.
Cost cost_alone(const std::string& name, const example::Digits& digits, std::size_t batch, std::size_t steps) {
  nn::Sequential net = network(name);
  optim::Adam adam(net.parameters(), {.lr = 1e-3});
  const auto count = static_cast<std::ptrdiff_t>(batch);
  const Variable images = digits.images[range(0, count)], labels = digits.labels[range(0, count)];
  walk(net, adam, images, labels);
  Cost cost;
  for (std::size_t i = 0; i < steps; ++i) {
    nn::Stopwatch watch;
    walk(net, adam, images, labels);
    cost.walking += watch.seconds() / static_cast<double>(steps);
    nn::Stopwatch update;
    adam.step();
    cost.updating += update.seconds() / static_cast<double>(steps);
  }
  for (const Variable& x : net.parameters()) cost.bytes += static_cast<double>(x.value().bytes());
  return cost;
}

double accuracy(const nn::Module& net, const example::Digits& digits, Communicator& processes) {
  NoGrad guard;
  nn::DataLoader batches(nn::TensorDataset(digits.images, digits.labels), {.batch_size = 1000, .shard = &processes});
  double right = 0;
  for (auto& [images, labels] : batches)
    if (processes.share().mine > 0) right += sum((argmax(net(images), 1) == labels).to(float32)).item();
  return processes.sum(right) / static_cast<double>(digits.size());
}

// How much faster n processes are than one, by a model of the cost. Each walks through its part of the batch, and updates
// all parameters. A ring sums up gradients in 2 (n - 1) messages of 1/n of their bytes (Patarasuk and Yuan 2009), beside the
// second half of the walk.
struct Network {
  double bytes_a_second, latency;

  // With the batch divided, or a batch for each.
  double speedup(double n, const Cost& cost, bool divided) const {
    const double walking = divided ? cost.walking / n : cost.walking;
    const double summing = 2 * (n - 1) * (latency + cost.bytes / n / bytes_a_second);
    const double step = walking + std::max(0.0, summing - walking / 2) + cost.updating;
    return (divided ? 1 : n) * cost.seconds() / step;
  }
};

void plot_model(const example::Program& program, const Cost& cost) {
  std::vector<double> counts;
  for (double n = 1; n <= 64; n *= 2) counts.push_back(n);
  example::Plot plot("What more machines bring, by the model", "machines", "times as many images a second",
                     {.log_x = true, .log_y = true});
  auto add = [&](const std::string& name, const Network& network, bool divided) {
    std::vector<double> speedups;
    for (double n : counts) speedups.push_back(network.speedup(n, cost, divided));
    plot.line(name, counts, speedups);
  };
  const Network ten{1.1e9, 30e-6}, hundred{11e9, 5e-6};  // Gbit/s
  plot.dashed("ideal", counts, counts);
  add("10 Gbit/s, the batch divided", ten, true);
  add("100 Gbit/s, the batch divided", hundred, true);
  add("10 Gbit/s, a batch each", ten, false);
  plot.save(program.file("scaling"));
}

int main(int argc, char** argv) {
  example::Program program("distributed", "Data-parallel training on MNIST: mpirun -n N starts N processes.");
  std::string data_dir, name = "mlp";
  std::size_t epochs = 5, batch = 512;
  program.option("--data-dir", data_dir, "a folder with MNIST's four files");
  program.option("--network", name, "mlp or lenet")->check(CLI::IsMember({"mlp", "lenet"}));
  program.option("--epochs", epochs, "passes over the training images");
  program.option("--batch", batch, "images in a step, of all processes together");
  return program.run(argc, argv, [&] {
    const example::DataSet data = example::digits_for(program, data_dir);
    const example::Digits train(data.train), test(data.test);
    batch = std::min(batch, train.size());
    nn::Sequential net = network(name);
    optim::Adam adam(net.parameters(), {.lr = 1e-3});
    optim::DataParallel parallel(net);
    Cost cost;
    if (parallel.is_main()) cost = cost_alone(name, train, batch, program.quick() ? 2 : 20);
    parallel.sum(0);

    nn::DataLoader batches(nn::TensorDataset(train.images, train.labels),
                           {.batch_size = batch, .shuffle = true, .drop_last = true, .shard = parallel.shard()});
    nn::Stopwatch watch;
    std::size_t done = 0;
    for (example::Progress progress("training", program.usual_or_quick(epochs, std::size_t{2})); progress.next();) {
      for (auto& [images, labels] : batches) {
        Variable loss = walk(net, adam, images, labels);
        adam.step();
        ++done;
        progress.show("loss", loss.item());
      }
    }
    const double together = parallel.sum(watch.seconds()) / static_cast<double>(parallel.size() * done);
    const double right = accuracy(net, test, parallel.processes());
    if (!parallel.is_main()) return;
    plot_model(program, cost);
    program.result("processes", static_cast<double>(parallel.size()), 0);
    program.result("images_a_second", static_cast<double>(batch) / together, 0);
    program.result("images_a_second_alone", static_cast<double>(batch) / cost.seconds(), 0);
    program.result("speedup", cost.seconds() / together, 2);
    program.result("accuracy", right);
  });
}
