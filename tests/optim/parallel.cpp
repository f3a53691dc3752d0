// What parallel.py runs, alone and by mpirun: a training of the kind that the first argument names. Rank 0 prints all
// weights, after it has seen that the other processes have the same bits.
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

namespace {

// 103 examples: batches of 32 end with one of 7, which 4 processes share unevenly; batches of 34 with one of 1.
constexpr std::size_t examples = 103, width = 5;

struct Data {
  Variable x, y;
  Data() {
    Generator generator(7);
    WithGenerator scope(generator);
    x = randn({examples, width});
    y = sin(sum(x, 1, true)) + 0.1 * randn({examples, std::size_t{1}});
  }
};

// Samples with a positive first number take one way, others another: a process whose part has none of a kind leaves that
// way's parameters without a gradient. Those of `never` get none anywhere.
struct TwoWays : nn::Module {
  nn::Dense left, right, never;
  TwoWays() : left(width, 1), right(width, 1), never(width, 1) {
    add("left", left);
    add("right", right);
    add("never", never);
  }
  Variable forward(const Variable& x) override {
    std::vector<Variable> sums;
    for (bool positive : {true, false}) {
      Variable rows = nonzero((x[{range(), 0}] > 0.0) == Variable(positive))[{range(), 0}];
      if (rows.size() == 0) continue;
      Variable way = positive ? left(take(x, rows, 0)) : right(take(x, rows, 0));
      sums.push_back(scatter_add(zeros({x.shape(0), std::size_t{1}}), 0, expand_dims(rows, 1), way));
    }
    return sums.size() == 2 ? sums[0] + sums[1] : sums[0];
  }
};

nn::Sequential mlp() { return {nn::Dense(width, 16), nn::Tanh(), nn::Dense(16, 1)}; }

nn::DataLoader loader(const optim::DataParallel& parallel, std::size_t batch = 32) {
  static const Data data;
  return nn::DataLoader(nn::TensorDataset(data.x, data.y),
                        {.batch_size = batch, .shuffle = true, .shard = parallel.shard()});
}

// Prints the weights and buffers.
void show(const nn::Module& net, const optim::DataParallel& parallel) {
  std::string text;
  for (const auto& [name, x] : net.state_dict())
    for (std::size_t i = 0; i < x.size(); ++i) {
      char line[200];
      std::snprintf(line, sizeof line, "%s.%zu %.17g\n", name.c_str(), i, x.value().at(i));
      text += line;
    }
  for (const std::string& other : parallel.processes().all_gather(text))
    if (other != text) throw Error("processes have different weights");
  if (parallel.is_main()) std::cout << text << std::flush;
}

using Step = std::function<void(optim::Optimizer&, const Variable& x, const Variable& y)>;

// 100 steps.
void train(nn::Module& net, optim::Optimizer& method, const optim::DataParallel& parallel, const Step& step,
           std::size_t batch = 32) {
  nn::DataLoader batches = loader(parallel, batch);
  for (std::size_t done = 0; done < 100;)
    for (auto& [x, y] : batches) {
      if (done++ == 100) break;
      step(method, x, y);
    }
  show(net, parallel);
}

Step mean_loss(nn::Module& net) {
  return [&net](optim::Optimizer& method, const Variable& x, const Variable& y) {
    method.zero_grad();
    nn::mse_loss(net(x), y).backward();
    method.step();
  };
}

void sgd(std::size_t batch = 32, const optim::DataParallelOptions& options = {}) {
  auto net = mlp();
  optim::SGD method(net.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-3});
  optim::DataParallel parallel(net, options);
  train(net, method, parallel, mean_loss(net), batch);
}

void adam() {
  auto net = mlp();
  optim::Adam method(net.parameters(), {.lr = 1e-2});
  optim::DataParallel parallel(net, {.bucket_bytes = 200});
  train(net, method, parallel, mean_loss(net));
}

void two_ways() {
  TwoWays net;
  optim::SGD method(net.parameters(), {.lr = 0.05, .weight_decay = 1e-2});
  optim::DataParallel parallel(net);
  train(net, method, parallel, mean_loss(net), 7);
}

void accumulation() {
  auto net = mlp();
  optim::Adam method(net.parameters(), {.lr = 1e-2});
  optim::DataParallel parallel(net);
  std::size_t count = 0;
  train(net, method, parallel, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    if (count % 3 == 0) method.zero_grad();
    if (++count % 3 != 0) {
      auto guard = parallel.no_sync();
      nn::mse_loss(net(x), y).backward();
      return;
    }
    nn::mse_loss(net(x), y).backward();
    method.step();
  });
}

// On top of gradients that were summed up before, and with some that are thrown away.
void accumulation_on_top() {
  auto net = mlp();
  optim::Adam method(net.parameters(), {.lr = 1e-2});
  optim::DataParallel parallel(net);
  train(net, method, parallel, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    {
      auto guard = parallel.no_sync();
      nn::mse_loss(net(x), y).backward();
    }
    method.zero_grad();
    nn::mse_loss(net(x), y).backward();
    {
      auto guard = parallel.no_sync();
      (0.5 * nn::mse_loss(net(x), y)).backward();
      (0.25 * nn::mse_loss(net(x), y)).backward();
    }
    (0.1 * nn::mse_loss(net(x), y)).backward();
    method.step();
  });
}

// As in adversarial training: frozen while another network learns, and one parameter frozen from the start.
void frozen_for_a_while() {
  auto net = mlp();
  for (Variable x : net.parameters()) x.requires_grad_(false);
  optim::SGD method(net.parameters(), {.lr = 0.05});
  optim::DataParallel parallel(net);
  std::size_t count = 0;
  train(net, method, parallel, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    for (Variable p : net.parameters()) p.requires_grad_(count % 3 != 0);
    if (count++ % 3 == 0) return;
    mean_loss(net)(method, x, y);
  });
}

struct Masked : nn::Module {
  nn::Dense layer;
  nn::Parameter mask, third;
  Masked() : layer(width, 1) {
    add("layer", layer);
    mask = add("mask", Variable({0.0, -INFINITY}, float64));
    third = add("third", Variable({1 / 3.0}, float64));
  }
  Variable forward(const Variable& x) override { return layer(x); }
};

void constant_buffers() {
  Masked net;
  optim::SGD method(net.parameters(), {.lr = 0});
  optim::DataParallel parallel(net);
  train(net, method, parallel, mean_loss(net), 3);
}

void line_search() {
  auto net = mlp();
  optim::LBFGS method(net.parameters(), {.max_iter = 5, .strong_wolfe = true});
  optim::DataParallel parallel(net);
  const Data data;
  auto [begin, end] = parallel.processes().part_of(examples);
  parallel.processes().set_share(Communicator::Share{static_cast<double>(end - begin), examples});
  auto part = range(static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end));
  for (int i = 0; i < 3; ++i)
    method.step([&] {
      method.zero_grad();
      Variable loss = nn::mse_loss(net(data.x[part]), data.y[part]);
      loss.backward();
      return Variable(parallel.mean(loss.item())).to(float64);
    });
  show(net, parallel);
}

void two_orders() {
  auto first = mlp(), second = mlp();
  optim::DataParallel a(first, {.bucket_bytes = 100}), b(second);
  optim::SGD method(first.parameters(), {.lr = 0.05}), other(second.parameters(), {.lr = 0.05});
  train(first, method, a, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    method.zero_grad(), other.zero_grad();
    Variable sum = a.rank() % 2 == 0 ? first(x) + second(x) : second(x) + first(x);
    nn::mse_loss(sum, y).backward();
    method.step(), other.step();
  });
}

void clipping() {
  auto net = mlp();
  optim::SGD method(net.parameters(), {.lr = 0.5});
  optim::DataParallel parallel(net);
  train(net, method, parallel, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    method.zero_grad();
    nn::mse_loss(net(x), y).backward();
    method.clip_grad_norm(0.1);
    method.step();
  }, 34);
}

void sums() {
  auto net = mlp();
  optim::SGD method(net.parameters(), {.lr = 1e-3});
  optim::DataParallel parallel(net, {.average = false});
  train(net, method, parallel, [&](optim::Optimizer&, const Variable& x, const Variable& y) {
    method.zero_grad();
    nn::mse_loss(net(x), y, {.reduction = nn::Reduction::sum}).backward();
    method.step();
  });
}

void sync_batch_norm(std::size_t batch) {
  nn::Sequential net{nn::Dense(width, 8), nn::BatchNorm1D(8), nn::ReLU(), nn::Dense(8, 8), nn::SyncBatchNorm(8),
                     nn::Tanh(), nn::Dense(8, 1)};
  nn::convert_sync_batchnorm(net);
  optim::SGD method(net.parameters(), {.lr = 0.05, .momentum = 0.9});
  optim::DataParallel parallel(net);
  train(net, method, parallel, mean_loss(net), batch);
}

void batch_norm() {
  nn::Sequential net{nn::Dense(width, 8), nn::BatchNorm1D(8), nn::Tanh(), nn::Dense(8, 1)};
  optim::SGD method(net.parameters(), {.lr = 0.05});
  optim::DataParallel parallel(net);
  train(net, method, parallel, mean_loss(net));
}

// Each process has dropout of its own; the weights stay alike.
void dropout() {
  nn::Sequential net{nn::Dense(width, 64), nn::Dropout(0.5), nn::Dense(64, 1)};
  optim::Adam method(net.parameters());
  optim::DataParallel parallel(net);
  Array masks = parallel.processes().all_gather(rand({3}).value());
  for (std::size_t i = 3; i < masks.size(); ++i)
    if (masks.at(i) == masks.at(i % 3)) throw Error("two processes draw the same numbers");
  train(net, method, parallel, mean_loss(net));
}

void model_fit() {
  auto net = mlp();
  optim::Adam method(net.parameters(), {.lr = 1e-2});
  optim::DataParallel parallel(net);
  nn::Metric error{"error", [](const Variable& p, const Variable& y) { return mean(abs(p - y)).item(); }, true};
  nn::Metric largest{"largest", [](const Variable& p, const Variable& y) { return max(abs(p - y)).item(); }};
  nn::Model model(net, nn::mse_loss, method, {error, largest});
  nn::DataLoader batches = loader(parallel, 34);
  nn::DataLoader in_order(nn::TensorDataset(Data().x, Data().y), {.batch_size = 34, .shard = parallel.shard()});
  nn::History history = model.fit(batches, {.epochs = 3, .validation = in_order, .callbacks = {nn::CSVLog("log.csv")}});
  if (parallel.is_main())
    for (const char* name : {"loss", "error", "largest", "val_loss", "val_error", "val_largest"})
      for (double value : history[name]) std::printf("%s %.15g\n", name, value);
  Variable predicted = model.predict(in_order);
  if (parallel.is_main())
    for (std::size_t i = 0; i < predicted.size(); ++i) std::printf("predicted.%zu %.15g\n", i, predicted.value().at(i));
  std::fflush(stdout);
  show(net, parallel);
}

// 3 epochs, of which a checkpoint after each is written; XTAPE_STOP ends it after the first, in a way that mpirun sees.
void resume() {
  auto net = mlp();
  optim::Adam method(net.parameters(), {.lr = 1e-2});
  std::size_t epoch = 0;
  std::vector<nn::CheckpointPart> parts{{"net", net}, {"adam", method}, {"random", default_generator()}};
  if (std::filesystem::exists("last.ckpt")) {
    nn::Checkpoint last = nn::Checkpoint::load("last.ckpt");
    last.restore(parts);
    epoch = static_cast<std::size_t>(last.step);
  }
  optim::DataParallel parallel(net);
  nn::DataLoader batches = loader(parallel);
  for (; epoch < 3; ++epoch) {
    if (epoch == 1 && std::getenv("XTAPE_STOP")) std::raise(SIGKILL);
    for (auto& [x, y] : batches) mean_loss(net)(method, x, y);
    if (parallel.is_main()) nn::Checkpoint(parts, static_cast<std::int64_t>(epoch + 1)).save("last.ckpt");
    parallel.sum(0);  // none goes on before the file is there
  }
  show(net, parallel);
}

void trace() {
  auto net = mlp();
  optim::DataParallel parallel(net, {.bucket_bytes = 1});
  Profile profile;
  nn::mse_loss(net(Data().x), Data().y).backward();
  if (parallel.is_main()) profile.save_chrome_trace("trace.json");
}

// Failures. Rank 1 fails in its own way; the others wait for it.

void failing(const std::function<void()>& fail) {
  auto net = mlp();
  optim::SGD method(net.parameters(), {.lr = 0.05});
  optim::DataParallel parallel(net);
  for (int step = 0;; ++step) {
    if (step == 5 && parallel.rank() == 1) fail();
    mean_loss(net)(method, Data().x, Data().y);
  }
}

void calls_differ() {
  Communicator& processes = Communicator::world();
  Array x = Array::full({processes.rank() == 1 ? std::size_t{500'000} : 4}, 1, float32);
  if (processes.rank() == 1) processes.broadcast(x);
  else processes.all_reduce(x);
}

void another_shape() {
  std::size_t hidden = Communicator::world().rank() == 1 ? 9 : 8;
  nn::Sequential net{nn::Dense(width, hidden), nn::Dense(hidden, 1)};
  optim::DataParallel parallel(net);
}

void another_count() {
  nn::Sequential net{nn::Dense(width, 8), nn::Dense(8, 1)};
  if (Communicator::world().rank() == 2) net.append(nn::Dense(1, 1));
  optim::DataParallel parallel(net);
}

// One comes late to the last broadcast, which the others could be done with before it begins.
void late() {
  Communicator& processes = Communicator::world();
  Array x({500'000}, float64);
  if (processes.rank() == 1) sleep(3);
  processes.broadcast(x);
}

void converted() {
  DefaultDType single(float32);
  auto net = mlp();
  optim::DataParallel parallel(net);
  net.to(float64);
  nn::mse_loss(net(Data().x.to(float64)), Data().y.to(float64)).backward();
}

void scaled_between() {
  auto net = mlp();
  optim::DataParallel parallel(net);
  {
    auto guard = parallel.no_sync();
    nn::mse_loss(net(Data().x), Data().y).backward();
  }
  clip_grad_norm(net.parameters(), 1e-3);
  nn::mse_loss(net(Data().x), Data().y).backward();
}

void recorded_walk() {
  auto net = mlp();
  optim::DataParallel parallel(net);
  nn::mse_loss(net(Data().x), Data().y).backward({.create_graph = true});
}

void twice() {
  auto net = mlp();
  optim::DataParallel first(net), second(net);
}

const std::map<std::string, std::function<void()>> kinds = {
    {"sgd", [] { sgd(); }},
    {"sgd_tiny_last_batch", [] { sgd(34); }},
    {"bfloat16", [] { DefaultDType single(float32); sgd(32, {.bfloat16 = true}); }},
    {"float32", [] { DefaultDType single(float32); sgd(); }},
    {"adam", adam},
    {"two_ways", two_ways},
    {"accumulation", accumulation},
    {"accumulation_on_top", accumulation_on_top},
    {"frozen_for_a_while", frozen_for_a_while},
    {"constant_buffers", constant_buffers},
    {"line_search", line_search},
    {"two_orders", two_orders},
    {"late", late},
    {"converted", converted},
    {"scaled_between", scaled_between},
    {"clipping", clipping},
    {"sums", sums},
    {"sync_batch_norm", [] { sync_batch_norm(32); }},
    {"sync_batch_norm_tiny", [] { sync_batch_norm(35); }},
    {"batch_norm", batch_norm},
    {"dropout", dropout},
    {"model_fit", model_fit},
    {"resume", resume},
    {"trace", trace},
    {"throws", [] { failing([] { throw ValueError("rank 1 has had enough"); }); }},
    {"uncaught", [] { failing([] { std::terminate(); }); }},
    {"returns", [] { failing([] { std::exit(0); }); }},
    {"exits", [] { failing([] { std::exit(3); }); }},
    {"vanishes", [] { failing([] { _exit(0); }); }},
    {"killed", [] { failing([] { std::raise(SIGKILL); }); }},
    {"stuck", [] { failing([] { sleep(1000); }); }},
    {"crossed", [] { failing([] { Communicator::world().sum(1); }); }},
    {"calls_differ", calls_differ},
    {"another_shape", another_shape},
    {"another_count", another_count},
    {"recorded_walk", recorded_walk},
    {"twice", twice},
};

}  // namespace

int main(int, char** argv) try {
  DefaultDType precise(float64);
  seed(1);
  kinds.at(argv[1])();
} catch (const Error& error) {
  std::cerr << std::string(error.what()) + "\n" << std::flush;  // by one write, or lines of several processes mix
  return 1;
}
