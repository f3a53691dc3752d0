// DataParallel with threads for processes, so that sanitizers see all of it but MPI; parallel.py has the rest.
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/support.hpp>

using namespace xtape;
using namespace xtape::testing;

namespace {

// Where threads meet: collective number n of a channel is complete when all have given something.
struct Meeting {
  explicit Meeting(std::size_t size) : size(size) {}

  struct Entry {
    std::vector<std::vector<std::byte>> given;
    std::size_t count = 0;
  };
  using Key = std::pair<std::size_t, std::size_t>;  // the channel and n

  void give(Key key, std::size_t rank, std::vector<std::byte> bytes) {
    std::scoped_lock lock(mutex);
    Entry& entry = entries[key];
    entry.given.resize(size);
    entry.given[rank] = std::move(bytes);
    if (++entry.count == size) all.notify_all();
  }
  bool complete(Key key) {
    std::scoped_lock lock(mutex);
    return entries[key].count == size;
  }
  std::vector<std::vector<std::byte>> wait(Key key) {
    std::unique_lock lock(mutex);
    all.wait(lock, [&] { return entries[key].count == size; });
    return entries[key].given;
  }

  std::size_t size;
  std::mutex mutex;
  std::condition_variable all;
  std::map<Key, Entry> entries;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(Meeting& meeting, std::size_t rank, std::size_t channel = 0)
      : meeting_(meeting), rank_(rank), channel_(channel) {}
  std::size_t rank() const override { return rank_; }
  std::size_t size() const override { return meeting_.size; }

  std::unique_ptr<Pending> start_all_reduce(void* elements, std::size_t count, DType dtype, Wire, const char*) override {
    auto* from = static_cast<std::byte*>(elements);
    Meeting::Key key{channel_, next_++};
    meeting_.give(key, rank_, {from, from + count * item_size(dtype)});
    return std::make_unique<Sum>(meeting_, key, from, count, dtype);
  }
  std::unique_ptr<Communicator> duplicate() override {
    return std::make_unique<ThreadCommunicator>(meeting_, rank_, 100 * (channel_ + 1) + ++duplicates_);
  }

 protected:
  void broadcast_bytes(std::span<std::byte> bytes) override {
    Meeting::Key key{channel_, next_++};
    meeting_.give(key, rank_, {bytes.begin(), bytes.end()});
    std::ranges::copy(meeting_.wait(key)[0], bytes.begin());
  }
  void gather_bytes(std::span<std::byte> bytes, const std::vector<std::size_t>& lengths) override {
    Meeting::Key key{channel_, next_++};
    std::size_t first = 0;
    for (std::size_t r = 0; r < rank_; ++r) first += lengths[r];
    auto own = bytes.subspan(first, lengths[rank_]);
    meeting_.give(key, rank_, {own.begin(), own.end()});
    auto out = bytes.begin();
    for (const auto& piece : meeting_.wait(key)) out = std::ranges::copy(piece, out).out;
  }

 private:
  struct Sum final : Pending {
    Sum(Meeting& meeting, Meeting::Key key, std::byte* to, std::size_t count, DType dtype)
        : meeting(meeting), key(key), to(to), count(count), dtype(dtype) {}
    ~Sum() override { wait(); }
    bool done() override { return finished || (meeting.complete(key) && (wait(), true)); }
    void wait() override {
      if (std::exchange(finished, true)) return;
      auto given = meeting.wait(key);
      if (dtype == float32) add<float>(given);
      else if (dtype == float64) add<double>(given);
      else add<std::int64_t>(given);
    }
    template <class T>
    void add(const std::vector<std::vector<std::byte>>& given) {
      for (std::size_t i = 0; i < count; ++i) {
        T sum = 0;
        for (const auto& each : given) sum += reinterpret_cast<const T*>(each.data())[i];
        reinterpret_cast<T*>(to)[i] = sum;
      }
    }
    Meeting& meeting;
    Meeting::Key key;
    std::byte* to;
    std::size_t count;
    DType dtype;
    bool finished = false;
  };

  Meeting& meeting_;
  std::size_t rank_, channel_, next_ = 0, duplicates_ = 0;
};

// For what threads check: Boost's checks are for one thread.
void require(bool holds, const std::string& what = "a check of a thread") {
  if (!holds) throw Error("failed: " + what);
}

// Calls `f` in so many threads, each with a communicator; what one throws fails the test.
void in_parallel(std::size_t ranks, const std::function<void(Communicator&)>& f) {
  Meeting meeting(ranks);
  std::vector<std::string> errors(ranks);
  std::vector<std::thread> threads;
  for (std::size_t r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      ThreadCommunicator communicator(meeting, r);
      errors[r] = message([&] { f(communicator); });
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) BOOST_TEST(error == "no error");
}

struct Trained {
  std::vector<std::vector<double>> weights;
  void take(const nn::Module& net) {
    for (const auto& [name, x] : net.state_dict()) {
      weights.emplace_back();
      for (std::size_t i = 0; i < x.size(); ++i) weights.back().push_back(x.value().at(i));
    }
  }
};

// What one has, as several have it.
void agree(const std::function<void(Communicator*, Trained&)>& train) {
  Trained one;
  train(nullptr, one);
  for (std::size_t ranks : {2, 3}) {
    std::vector<Trained> all(ranks);
    in_parallel(ranks, [&](Communicator& processes) { train(&processes, all[processes.rank()]); });
    for (const Trained& each : all) {
      BOOST_TEST((each.weights == all[0].weights));
      BOOST_REQUIRE(each.weights.size() == one.weights.size());
      for (std::size_t i = 0; i < one.weights.size(); ++i)
        for (std::size_t k = 0; k < one.weights[i].size(); ++k)
          BOOST_TEST(std::abs(each.weights[i][k] - one.weights[i][k]) <= 1e-9 * (1 + std::abs(one.weights[i][k])));
    }
  }
}

nn::Sequential network() {
  Generator generator(3);
  WithGenerator scope(generator);
  nn::Sequential net{nn::Dense(4, 6, {.dtype = float64}), nn::Tanh(), nn::Dense(6, 2, {.dtype = float64})};
  return net;
}

// 10 examples in batches of 4: the last has 2, which 3 processes share.
nn::DataLoader loader(Communicator* processes) {
  Generator generator(5);
  WithGenerator scope(generator);
  Variable x = randn({10, 4}, float64), y = randn({10, 2}, float64);
  return nn::DataLoader(nn::TensorDataset(x, y), {.batch_size = 4, .shuffle = true, .seed = 9, .shard = processes});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_parallel)

BOOST_AUTO_TEST_CASE(trains_as_one_process_does) {
  agree([](Communicator* processes, Trained& trained) {
    DefaultDType precise(float64);
    nn::Sequential net = network();
    optim::Adam adam(net.parameters(), {.lr = 1e-2});
    std::optional<optim::DataParallel> parallel;
    if (processes)
      parallel.emplace(net, optim::DataParallelOptions{.bucket_bytes = 100, .seed_ranks = false, .processes = *processes});
    nn::DataLoader batches = loader(processes);
    for (int epoch = 0; epoch < 5; ++epoch)
      for (auto& [x, y] : batches) {
        adam.zero_grad();
        {
          std::optional<optim::DataParallel::NoSync> guard;
          if (parallel && epoch == 2) guard.emplace(parallel->no_sync());
          nn::mse_loss(net(x), y).backward();
        }
        if (epoch == 2) nn::mse_loss(net(x), y).backward();
        adam.clip_grad_norm(0.5);
        adam.step();
      }
    trained.take(net);
  });
}

BOOST_AUTO_TEST_CASE(statistics_of_all) {
  agree([](Communicator* processes, Trained& trained) {
    DefaultDType precise(float64);
    nn::Sequential net{network(), nn::BatchNorm1D(2)};
    if (processes) nn::convert_sync_batchnorm(net, processes);
    optim::SGD sgd(net.parameters(), {.lr = 1e-2});
    std::optional<optim::DataParallel> parallel;
    if (processes) parallel.emplace(net, optim::DataParallelOptions{.seed_ranks = false, .processes = *processes});
    nn::DataLoader batches = loader(processes);
    for (int epoch = 0; epoch < 5; ++epoch)
      for (auto& [x, y] : batches) {
        sgd.zero_grad();
        nn::mse_loss(net(x), y).backward();
        sgd.step();
      }
    trained.take(net);
  });
}

BOOST_AUTO_TEST_CASE(parts_of_batches) {
  in_parallel(3, [](Communicator& processes) {
    Variable x = arange(0, 10, 1, int64);
    nn::DataLoader loader(nn::TensorDataset(x), {.batch_size = 4, .shard = &processes});
    std::vector<std::vector<std::int64_t>> parts;
    std::vector<double> mine, all;
    for (auto& batch : loader) {
      parts.emplace_back(batch[0].data<std::int64_t>(), batch[0].data<std::int64_t>() + batch[0].size());
      mine.push_back(processes.share().mine), all.push_back(processes.share().all);
    }
    using Parts = std::vector<std::vector<std::int64_t>>;
    const Parts expected[3] = {{{0}, {4}, {8}}, {{1}, {5}, {8}}, {{2, 3}, {6, 7}, {9}}};
    require(parts == expected[processes.rank()], "parts");
    require(all == std::vector<double>{4, 4, 2}, "sizes");
    require(mine[2] == (processes.rank() == 0 ? 0 : 1), "the last part");
    require(processes.share().weight() == 1.0 / 3, "equal parts afterwards");
  });
}

BOOST_AUTO_TEST_CASE(gradients_of_sums_over_processes) {
  in_parallel(2, [](Communicator& processes) {
    double own = processes.rank() == 0 ? 2 : 5;
    Variable x = Variable({own}, float64).requires_grad_();
    Variable y = all_reduce(x, processes);  // 7
    require(y.item() == 7, "the sum");
    // The losses are 2 * 49 and 3 * 49; each x is part of both.
    (square(y) * (processes.rank() == 0 ? 2.0 : 3.0)).backward();
    require(x.grad().item() == 2 * 7 * (2 + 3), "the gradient");
  });
}

// Rank 1 calls one thing, the others another: each process throws the same, and all may go on.
BOOST_AUTO_TEST_CASE(calls_that_differ_throw_in_all_processes) {
  using Call = std::function<void(Communicator&)>;
  auto reduce = [](const Shape& shape, DType dtype) {
    return Call([=](Communicator& processes) { Array x = Array::full(shape, 1, dtype); processes.all_reduce(x); });
  };
  auto gather = [](const Shape& shape, DType dtype) {
    return Call([=](Communicator& processes) { processes.all_gather(Array::full(shape, 1, dtype)); });
  };
  auto send = [](const Shape& shape, DType dtype) {
    return Call([=](Communicator& processes) { Array x = Array::full(shape, 1, dtype); processes.broadcast(x); });
  };
  Shape deep(40, 1), deeper = deep;
  deeper.back() = 2;  // behind what fits into a message
  const Call sum = [](Communicator& processes) { processes.sum(1); };
  const Call pass = [](Communicator& processes) { loader(&processes).begin(); };
  const Call text = [](Communicator& processes) { processes.broadcast(std::string("a")); };
  const Call texts = [](Communicator& processes) { processes.all_gather(std::string("a")); };
  const Call parallel = [](Communicator& processes) { optim::DataParallel(network(), {.processes = processes}); };
  const std::vector<std::tuple<Call, Call, std::string>> pairs{
      {reduce({4}, float32), reduce({5}, float32),
       "rank 0 calls all_reduce of float32(4,), and rank 1 all_reduce of float32(5,);"},
      {reduce({4}, float32), reduce({4}, float64), "all_reduce of float32(4,), and rank 1 all_reduce of float64(4,);"},
      {reduce({4}, float32), reduce({2, 2}, float32),
       "all_reduce of float32(4,), and rank 1 all_reduce of float32(2, 2);"},
      {reduce(deep, float32), reduce(deeper, float32), "all_reduce of float32(1, 1"},
      {reduce({3}, float64), send({3}, float64), "all_reduce of float64(3,), and rank 1 broadcast of float64(3,);"},
      {send({3}, int64), send({2}, int64), "broadcast of int64(3,), and rank 1 broadcast of int64(2,);"},
      {sum, reduce({1}, float64), "sum of a number, and rank 1 all_reduce of float64(1,);"},
      {sum, pass, "sum of a number, and rank 1 broadcast of a number (a pass over a DataLoader begins);"},
      {text, texts, "broadcast of a text, and rank 1 all_gather of texts;"},
      {texts, parallel, "all_gather of texts, and rank 1 all_gather of texts (a DataParallel is made);"},
      {gather({2, 3}, float32), gather({2, 4}, float32),
       "all_gather of float32(any, 3), and rank 1 all_gather of float32(any, 4);"},
      {gather({2}, float32), gather({2}, boolean), "all_gather of float32(any), and rank 1 all_gather of bool(any);"},
      {gather({2}, float32), texts, "all_gather of float32(any), and rank 1 all_gather of texts;"},
  };
  in_parallel(3, [&](Communicator& processes) {
    for (const auto& [common, other, expected] : pairs) {
      std::string error = message([&] { (processes.rank() == 1 ? other : common)(processes); });
      require(error.find(expected) != std::string::npos, error + ", expected " + expected);
      for (const std::string& each : processes.all_gather(error)) require(each == error, each + ", but here " + error);
    }
    Array rows = processes.all_gather(Array::full({processes.rank(), 2}, static_cast<double>(processes.rank()), float32));
    require(rows.shape() == Shape{3, 2} && rows.at(0) == 1 && rows.at(2) == 2, "rows of all");
    require(message([&] { processes.all_gather(Array::full({}, 1, float32)); }).find("0-d") != std::string::npos, "0-d");
  });
}

BOOST_AUTO_TEST_CASE(a_clone_has_statistics_of_its_own_processes) {
  in_parallel(2, [](Communicator& processes) {
    const double own = 10.0 * static_cast<double>(processes.rank()) + 1;  // the mean of this process; that of both is 6
    Variable x = Variable({own - 1, own + 1}, float64).reshape({2, 1});
    nn::Sequential net{nn::BatchNorm1D(1, {.momentum = 1.0, .dtype = float64})};
    auto mean_of = [&](nn::Sequential& of) { return of(x), dynamic_cast<nn::BatchNorm1D&>(*of[0]).running_mean.item(); };
    nn::Sequential shared = net, before = nn::clone(net);
    nn::convert_sync_batchnorm(net, &processes);
    require(mean_of(shared) == 6, "a copy shares the processes");
    require(mean_of(before) == own, "a clone from before does not");
    nn::Sequential after = nn::clone(net);
    require(mean_of(after) == 6, "a clone begins with the same");
    nn::convert_sync_batchnorm(before, &processes);
    require(mean_of(before) == 6, "a clone can be converted");
    dynamic_cast<nn::BatchNorm1D&>(*after[0]).synchronize(nullptr);
    require(mean_of(after) == own, "a clone can be on its own");
    require(mean_of(net) == 6, "which leaves the original as it was");
  });
}

// One process alone meets a NaN, in the last batch of an epoch.
BOOST_AUTO_TEST_CASE(scores_that_are_nan_in_one_process_are_so_in_all) {
  for (std::size_t ranks : {2, 3})
    in_parallel(ranks, [&](Communicator& processes) {
      DefaultDType precise(float64);
      nn::Sequential net = network();
      optim::SGD sgd(net.parameters(), {.lr = 0});
      optim::DataParallel parallel(net, {.seed_ranks = false, .processes = processes});
      Variable x = full({10, 4}, 1.0), y = full({10, 2}, 1.0);
      y[9] = NAN;
      nn::DataLoader batches(nn::TensorDataset(x, y), {.batch_size = 4, .shard = &processes});
      auto largest = [](const Variable& p, const Variable& t) { return max(abs(p - t)).item(); };
      nn::Model model(net, nn::mse_loss, sgd, {nn::Metric{"by_batch", largest, true}, nn::Metric{"of_all", largest}});
      nn::Scores scores = model.evaluate(batches);
      const std::string error = message([&] { model.fit(batches, {.stop_on_interrupt = false}); });
      require(error.find("the loss is NaN in epoch 1, batch 3 of 3") != std::string::npos, error);
      nn::History history =
          model.fit(batches, {.validation = batches, .allow_nan = true, .stop_on_interrupt = false});
      for (const char* name : {"loss", "by_batch", "of_all"}) {
        require(std::isnan(scores[name]), name);
        for (const std::string prefix : {"", "val_"})
          for (double score : history[prefix + name]) require(std::isnan(score), prefix + name);
      }
    });
}

// It is given up, and the network with it, in a hook: this walk sums up, later ones do not.
BOOST_AUTO_TEST_CASE(one_that_goes_during_a_walk_sums_up_to_its_end) {
  in_parallel(2, [](Communicator& processes) {
    std::optional<nn::Sequential> net = network();
    std::vector<Variable> parameters = net->parameters();
    auto parallel = std::make_unique<optim::DataParallel>(
        *net, optim::DataParallelOptions{.bucket_bytes = 1, .seed_ranks = false, .processes = processes});
    Variable x = full({2, 4}, 1.0 + static_cast<double>(processes.rank()), float64);
    auto gradients = [&] {
      for (Variable& p : parameters) p.zero_grad();
      Variable hidden = (*net)[0]->forward(x);
      Variable loss = sum((*net)[2]->forward((*net)[1]->forward(hidden)));
      hidden.register_hook([&](const Variable&) { return parallel.reset(), Variable(); });
      loss.backward();
      return parameters[0].grad().value();
    };
    Array summed = gradients(), own = gradients();
    Array mean = own.copy();
    processes.all_reduce(mean);
    for (std::size_t i = 0; i < mean.size(); ++i) require(std::abs(summed.at(i) - mean.at(i) / 2) < 1e-12, "the mean");
    require(summed.at(0) != own.at(0), "which is not this process's");

    parallel = std::make_unique<optim::DataParallel>(
        *net, optim::DataParallelOptions{.seed_ranks = false, .processes = processes});
    Variable loss = sum((*net)(x));
    loss.register_hook([&](const Variable&) { return parallel.reset(), net.reset(), Variable(); });
    for (Variable& p : parameters) p.zero_grad();
    loss.backward();
    for (std::size_t i = 0; i < mean.size(); ++i)
      require(std::abs(parameters[0].grad().value().at(i) - mean.at(i) / 2) < 1e-12, "without the network");
  });
}

BOOST_AUTO_TEST_CASE(one_process_is_left_alone) {
  nn::Sequential net = network();
  optim::DataParallel parallel(net), another(net);
  BOOST_TEST(parallel.size() == 1);
  BOOST_TEST(parallel.is_main());
  BOOST_TEST(parallel.mean(3) == 3);
  nn::Sequential lazy{nn::Dense(3)};
  throws<ValueError>([&] { optim::DataParallel(lazy, {}); }, {"DataParallel", "call the network once before"});
  throws<ValueError>([&] { optim::DataParallel(nn::ReLU(), {}); }, {"no parameters"});
}

BOOST_AUTO_TEST_SUITE_END()
