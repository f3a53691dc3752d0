// Model: the loop, against one written by hand.
#include <cmath>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/scripted.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::Scripted;
using xtape::testing::throws;

namespace {

nn::Sequential small_network() {
  seed(1);
  return nn::Sequential{nn::Dense(2, 8), [](const Variable& x) { return tanh(x); }, nn::Dense(8, 2)};
}

// Whether points lie within a circle, 50 of them to train and 20 to test.
struct Points {
  Variable x = uniform(), y = (sum(square(x), 1) < 0.6).to(int64);
  nn::TensorDataset train{x[range(0, 50)], y[range(0, 50)]}, test{x[range(50, 70)], y[range(50, 70)]};

  static Variable uniform() {
    Generator generator(7);
    return rand({70, 2}, float32, generator) * 2 - 1;
  }
};

// An optimizer of one's own: no class of optim.
struct Descent {
  std::vector<Variable> parameters;
  double rate = 0.1;
  int steps = 0;
  void zero_grad() { for (Variable& p : parameters) p.zero_grad(); }
  void step() {
    NoGrad guard;
    for (Variable& p : parameters) p -= rate * p.grad();
    ++steps;
  }
  double lr() const { return rate; }
};

// One that asks for the loss itself, twice a step.
struct ByClosure : Descent {
  void step(const std::function<Variable()>& closure) {
    for (int i = 0; i < 2; ++i) {
      closure();
      Descent::step();
    }
  }
};

// What it was called for.
struct Recorder : nn::Callback {
  std::string calls;
  std::size_t stop_at_batch = 0;
  void on_fit_begin(nn::Training& t) override { calls += "begin(" + std::to_string(t.epoch) + ") "; }
  void on_epoch_begin(nn::Training& t) override { calls += "epoch " + std::to_string(t.epoch) + ": "; }
  void on_batch_end(nn::Training& t) override {
    calls += std::to_string(t.batch) + "/" + std::to_string(t.batches) + " ";
    if (t.batch == stop_at_batch) t.stop = true;
  }
  void on_epoch_end(nn::Training& t) override { calls += "(" + t.scores.names() + ") "; }
  void on_fit_end(nn::Training&) override { calls += "end"; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(does_what_a_loop_does) {
  Points points;
  nn::Sequential by_hand = small_network(), by_model = small_network();
  std::vector<double> losses;
  {
    optim::Adam adam(by_hand.parameters(), {.lr = 0.05});
    nn::DataLoader loader(points.train, {.batch_size = 16, .shuffle = true, .seed = 3});
    for (int epoch = 0; epoch < 4; ++epoch) {
      double total = 0;
      for (auto& [x, y] : loader) {
        adam.zero_grad();
        Variable loss = nn::softmax_cross_entropy(by_hand(x), y);
        loss.backward();
        adam.step();
        total += loss.item() * static_cast<double>(x.shape(0));
      }
      losses.push_back(total / 50);
    }
  }
  optim::Adam adam(by_model.parameters(), {.lr = 0.05});
  nn::DataLoader loader(points.train, {.batch_size = 16, .shuffle = true, .seed = 3}),
      test(points.test, {.batch_size = 7});
  nn::Model model(by_model, nn::softmax_cross_entropy, adam,
                  {{"accuracy", nn::accuracy}, {"by batch", nn::accuracy, true}});
  nn::History history = model.fit(loader, {.epochs = 4, .validation = test});
  for (std::size_t i = 0; i < 6; ++i) close(by_model.parameters()[i % 4], by_hand.parameters()[i % 4]);
  BOOST_TEST(history.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(history["loss"][i] - losses[i]) < 1e-12);
  // The mean over samples is the same by batch.
  for (const char* prefix : {"", "val_"})
    for (std::size_t i = 0; i < 4; ++i)
      BOOST_TEST(std::abs(history[std::string(prefix) + "accuracy"][i] - history[std::string(prefix) + "by batch"][i]) <
                 1e-12);
  BOOST_TEST(history["lr"] == std::vector<double>(4, 0.05), boost::test_tools::per_element());

  nn::Scores scores = model.evaluate(test);
  Variable all = points.x[range(50, 70)], labels = points.y[range(50, 70)];
  BOOST_TEST(scores.names() == "loss, accuracy, by batch");
  BOOST_TEST(std::abs(scores["loss"] - nn::softmax_cross_entropy(by_hand(all), labels).item()) < 1e-6);
  BOOST_TEST(scores["accuracy"] == nn::accuracy(by_hand(all), labels));
  BOOST_TEST(scores["loss"] == history["val_loss"].back());
  close(model.predict(test), by_hand(all), 1e-6);
  close(model.predict(all), by_hand(all));
  BOOST_TEST(!model.predict(all).requires_grad());
}

BOOST_AUTO_TEST_CASE(metrics_see_all_outputs_at_once) {
  Points points;
  nn::Sequential net{nn::Dense(2, 1), [](const Variable& x) { return sigmoid(x.reshape({-1})); }};
  optim::SGD sgd(net.parameters());
  nn::Model model(net, [](const Variable& p, const Variable& y) { return nn::binary_cross_entropy(p, y); }, sgd,
                  {{"auc", nn::roc_auc}, {"macro F1", {nn::f1_score, {.average = nn::Average::macro}}}});
  nn::Scores scores = model.evaluate(nn::DataLoader(points.train, {.batch_size = 9}));
  Variable p = net(points.x[range(0, 50)]), y = points.y[range(0, 50)];
  BOOST_TEST(scores["auc"] == nn::roc_auc(p, y));
  BOOST_TEST(scores["macro F1"] == nn::f1_score(p, y, {.average = nn::Average::macro}));
}

BOOST_AUTO_TEST_CASE(takes_losses_with_options_and_any_range_of_batches) {
  Points points;
  nn::Sequential net = small_network();
  Descent descent{net.parameters()};
  nn::Model model(net, {nn::softmax_cross_entropy, {.label_smoothing = 0.2}}, descent,
                  {{"top 1", {nn::top_k_accuracy, 1}}});
  double expected = nn::softmax_cross_entropy(net(points.x), points.y, {.label_smoothing = 0.2}).item();
  std::vector<std::pair<Variable, Variable>> pairs{{points.x, points.y}};
  std::list<nn::Batch> batches{{points.x, points.y}};
  BOOST_TEST(model.evaluate(pairs)["loss"] == expected);
  BOOST_TEST(model.evaluate(batches)["loss"] == expected);
  BOOST_TEST(model.evaluate(std::vector<nn::Batch>{{points.x, points.y}})["loss"] == expected);
  close(model.predict(std::vector<Variable>{points.x[range(0, 3)], points.x[range(3, 70)]}), net(points.x), 1e-6);
  model.fit(pairs, {.epochs = 3});
  BOOST_TEST(descent.steps == 3);
  // A network held by a pointer, and a loss that is a function of one's own.
  nn::Model other(std::make_shared<nn::Dense>(2, 1), [](auto& p, auto& y) { return mean(square(p - y)); }, descent);
  BOOST_TEST(other.evaluate(std::vector<nn::Batch>{{ones({3, 2}), ones({3, 1})}}).size() == 1);
}

BOOST_AUTO_TEST_CASE(optimizers_may_ask_for_the_loss) {
  Points points;
  std::vector<nn::Batch> data{{points.x, points.y}};
  nn::Sequential once = small_network(), twice = small_network();
  Descent descent{once.parameters()};
  ByClosure closure{{twice.parameters()}};
  nn::History slow = nn::Model(once, nn::softmax_cross_entropy, descent).fit(data, {.epochs = 6});
  nn::History fast = nn::Model(twice, nn::softmax_cross_entropy, closure).fit(data, {.epochs = 3});
  for (std::size_t i = 0; i < 4; ++i) close(once.parameters()[i], twice.parameters()[i]);
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(fast["loss"][i] == slow["loss"][2 * i]);
}

BOOST_AUTO_TEST_CASE(gradients_are_clipped) {
  Points points;
  nn::Sequential net = small_network();
  std::vector<Variable> before;
  for (const Variable& p : net.parameters()) before.push_back(p.detach().copy());
  Descent descent{net.parameters(), 1};
  nn::Model(net, nn::softmax_cross_entropy, descent)
      .fit(std::vector<nn::Batch>{{points.x * 100, points.y}}, {.clip_norm = 0.01});
  double squares = 0;
  for (std::size_t i = 0; i < before.size(); ++i) squares += sum(square(net.parameters()[i] - before[i])).item();
  BOOST_TEST(std::abs(std::sqrt(squares) - 0.01) < 1e-5);
}

BOOST_AUTO_TEST_CASE(modes_are_as_before_afterwards) {
  nn::Dropout frozen(0.5);
  nn::Sequential net{nn::Dense(2, 2), nn::Sequential{frozen}};
  frozen.eval();
  std::string modes;
  net.append(nn::Lambda([&](const Variable& x) { return modes += frozen.training() ? "t" : "e", x; }));
  Descent descent{net.parameters()};
  nn::Model model(net, nn::softmax_cross_entropy, descent);
  std::vector<nn::Batch> data{{zeros({2, 2}), zeros({2}, int64)}};
  model.fit(data, {.epochs = 2, .validation = data});
  model.evaluate(data);
  model.predict(data);
  BOOST_TEST(modes == "teteee");
  BOOST_TEST(net.training());
  BOOST_TEST(!frozen.training());
  net.eval();
  model.fit(data);
  BOOST_TEST(!net.training());
}

BOOST_AUTO_TEST_CASE(callbacks_are_called_in_order) {
  Points points;
  nn::Sequential net = small_network();
  Descent descent{net.parameters()};
  nn::DataLoader loader(points.train, {.batch_size = 25});
  nn::Model model(net, nn::softmax_cross_entropy, descent, {{"accuracy", nn::accuracy}});
  Recorder recorder;
  model.fit(loader, {.epochs = 2, .validation = loader, .callbacks = {&recorder}});
  std::string names = "(loss, accuracy, val_loss, val_accuracy, lr) ";
  BOOST_TEST(recorder.calls == "begin(0) epoch 1: 1/2 2/2 " + names + "epoch 2: 1/2 2/2 " + names + "end");
  // One that goes on where another was; a range that does not know its length; and an end in the midst of an epoch.
  auto rest = std::make_shared<Recorder>();
  struct Unsized {
    nn::DataLoader loader;
    nn::BatchIterator begin() { return loader.begin(); }
    std::default_sentinel_t end() { return {}; }
  } unsized{loader};
  model.fit(unsized, {.epochs = 3, .callbacks = {rest}, .epochs_done = 1});
  BOOST_TEST(rest->calls == "begin(1) epoch 2: 1/0 2/0 (loss, accuracy, lr) epoch 3: 1/2 2/2 (loss, accuracy, lr) end");
  rest->calls = "";
  rest->stop_at_batch = 1;
  BOOST_TEST(model.fit(loader, {.epochs = 3, .callbacks = {rest}}).size() == 1);
  BOOST_TEST(rest->calls == "begin(0) epoch 1: 1/2 (loss, accuracy, lr) end");
  BOOST_TEST(model.fit(loader, {.epochs = 0, .callbacks = {Recorder()}}).size() == 0);
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_fit) {
  Points points;
  nn::Sequential net = small_network();
  Descent descent{net.parameters()};
  nn::Model model(net, nn::softmax_cross_entropy, descent, {{"accuracy", nn::accuracy}});
  using Metrics = std::vector<nn::Metric>;
  auto with = [&](const Metrics& metrics) {
    return [&, metrics] { nn::Model(net, nn::softmax_cross_entropy, descent, metrics); };
  };
  throws<ValueError>(with({{"", nn::accuracy}}), {"Model", "\"\""});
  throws<ValueError>(with({{"loss", nn::accuracy}}), {"Model", "\"loss\""});
  throws<ValueError>(with({{"lr", nn::accuracy}}), {"Model", "\"lr\""});
  throws<ValueError>(with({{"val_x", nn::accuracy}}), {"Model", "\"val_x\"", "val_"});
  throws<ValueError>(with({{"a", nn::accuracy}, {"a", nn::roc_auc}}), {"Model", "\"a\""});
  throws<ValueError>(with({{"a", std::function<double(const Variable&, const Variable&)>()}}), {"\"a\" is empty"});
  throws<ValueError>([&] { nn::Model(std::shared_ptr<nn::Dense>(), nn::mse_loss, descent); }, {"Model", "null"});
  throws<ValueError>([&] { nn::Model(net, std::function<Variable(const Variable&, const Variable&)>(), descent); },
                     {"Model: the loss is empty"});

  StateDict before = net.state_dict();
  std::vector<nn::Batch> none, good{{points.x, points.y}}, unlabelled{{points.x, {}}},
      empty{{zeros({0, 2}), zeros({0}, int64)}};
  struct Unsized {
    const nn::Batch* begin() { return nullptr; }
    const nn::Batch* end() { return nullptr; }
  } unsized;
  throws<ValueError>([&] { model.fit(none); }, {"Model::fit", "no batches"});
  throws<ValueError>([&] { model.fit(unsized); }, {"Model::fit", "no batches"});
  throws<ValueError>([&] { model.fit(good, {.validation = none}); }, {"Model::fit: validation", "no batches"});
  throws<ValueError>([&] { model.evaluate(none); }, {"Model::evaluate", "no batches"});
  throws<ValueError>([&] { model.predict(none); }, {"Model::predict", "no batches"});
  throws<ValueError>([&] { model.fit(unlabelled); }, {"Model::fit", "y an undefined Variable"});
  throws<ValueError>([&] { model.evaluate(std::vector<Variable>{points.x}); }, {"Model::evaluate", "undefined"});
  std::vector<nn::Batch> three{{points.x, points.y, {points.y}}};
  throws<ValueError>([&] { model.fit(three); }, {"a batch of 3 arrays", "needs x and y"});
  throws<ShapeError>([&] { model.fit(empty); }, {"Model::fit", "float32(0, 2)", "samples"});
  throws<ShapeError>(
      [&] {
        model.fit(std::vector<nn::Batch>{{Variable(1.0), points.y}});
      },
      {"Model::fit", "float32()"});
  throws<ValueError>([&] { model.fit(good, {.clip_norm = NAN}); }, {"Model::fit", "clip_norm is nan"});
  throws<ValueError>([&] { model.fit(good, {.clip_norm = -1}); }, {"Model::fit", "clip_norm is -1"});
  nn::Model each(net, {nn::softmax_cross_entropy, {.reduction = nn::Reduction::none}}, descent);
  throws<ValueError>([&] { each.fit(good); }, {"Model::fit", "float32(70,)", "one number"});
  throws<ValueError>([&] { each.evaluate(good); }, {"Model::evaluate", "float32(70,)"});
  throws<ValueError>([] { nn::CallbackHandle(std::shared_ptr<nn::Callback>()); }, {"CallbackHandle", "null"});
  for (const auto& [name, x] : net.state_dict()) close(x, before.at(name));
  throws<ValueError>([&] { model.evaluate(good)["acuracy"]; }, {"\"acuracy\"", "loss, accuracy"});
  throws<ValueError>([&] { model.fit(good)["val_loss"]; }, {"\"val_loss\"", "loss, accuracy, lr"});
}

BOOST_AUTO_TEST_CASE(batches_keep_what_is_temporary) {
  struct Watched : std::vector<nn::Batch> {
    std::shared_ptr<int> life = std::make_shared<int>();
  };
  std::weak_ptr<int> life;
  nn::FitOptions options{.epochs = 2, .validation = [&life] {
    Watched range;
    range.push_back({ones({1}), ones({1})});
    life = range.life;
    return range;
  }()};
  BOOST_TEST(!life.expired());
  Scripted training({3, 2});
  BOOST_TEST(training.model.fit(training.data, options)["val_loss"].size() == 2u);
  options.validation.reset();
  BOOST_TEST(life.expired());
  // What has a name is referred to.
  std::vector<nn::Batch> named = training.data;
  nn::Batches batches = named;
  named.push_back(named[0]);
  BOOST_TEST(batches.size().value() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
