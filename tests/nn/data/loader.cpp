// Data sets and the loader: which examples come, in which order, and that nothing depends on threads.
#include <algorithm>
#include <atomic>
#include <ranges>
#include <set>
#include <thread>

#include <nn/data/loader.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::Batch;
using nn::DataLoader;
using xtape::testing::close;
using xtape::testing::throws;

static_assert(std::input_iterator<nn::BatchIterator>);
static_assert(std::ranges::input_range<DataLoader> && std::ranges::viewable_range<DataLoader&>);

namespace {

// Example i is the row (i, -i) with the label 10 i.
nn::TensorDataset numbered(std::size_t count) {
  Variable i = arange(static_cast<int>(count)).to(float32);
  return nn::TensorDataset(stack({i, -i}, 1), (i * 10).to(int64));
}

std::vector<std::int64_t> labels(const Variable& y) {
  return {y.data<std::int64_t>(), y.data<std::int64_t>() + y.size()};
}

// The labels of an epoch, in their order.
std::vector<std::int64_t> epoch(DataLoader& loader) {
  std::vector<std::int64_t> result;
  for (auto& [x, y] : loader) {
    close(x[{range(), 0}] * 10, y.to(float32));
    for (std::int64_t label : labels(y)) result.push_back(label);
  }
  return result;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<std::int64_t> tens(std::int64_t count) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(10 * i);
  return result;
}

std::ptrdiff_t threads_now() {
  std::filesystem::directory_iterator begin("/proc/self/task"), end;
  return std::distance(begin, end);
}

// The kernel takes a thread off the list a moment after join() has returned.
bool back_to(std::ptrdiff_t threads) {
  for (int tries = 0; tries < 2000 && threads_now() != threads; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return threads_now() == threads;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loader)

BOOST_AUTO_TEST_CASE(batches_in_order) {
  DataLoader loader(numbered(10), {.batch_size = 4});
  BOOST_TEST(loader.size() == 3);
  std::vector<std::size_t> sizes;
  for (auto& [x, y] : loader) {
    BOOST_TEST((x.shape() == Shape{y.size(), 2}));
    BOOST_TEST((x.dtype() == float32));
    BOOST_TEST((y.dtype() == int64));
    sizes.push_back(y.size());
  }
  BOOST_TEST(sizes == (std::vector<std::size_t>{4, 4, 2}), boost::test_tools::per_element());
  BOOST_TEST(epoch(loader) == tens(10), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_batch_is_dropped_where_it_is_smaller) {
  DataLoader loader(numbered(10), {.batch_size = 4, .drop_last = true});
  BOOST_TEST(loader.size() == 2);
  BOOST_TEST(epoch(loader) == tens(8), boost::test_tools::per_element());
  BOOST_TEST(DataLoader(numbered(8), {.batch_size = 4, .drop_last = true}).size() == 2);
  BOOST_TEST(DataLoader(numbered(8), {.batch_size = 4}).size() == 2);
  BOOST_TEST(DataLoader(numbered(3), {.batch_size = 100}).size() == 1);
}

BOOST_AUTO_TEST_CASE(each_epoch_is_shuffled_anew_from_the_seed) {
  DataLoader loader(numbered(50), {.batch_size = 7, .shuffle = true, .seed = 3});
  auto first = epoch(loader), second = epoch(loader);
  BOOST_TEST((first != tens(50)));
  BOOST_TEST((first != second));
  BOOST_TEST((sorted(first) == tens(50)));
  BOOST_TEST((sorted(second) == tens(50)));
  DataLoader again(numbered(50), {.batch_size = 7, .shuffle = true, .seed = 3});
  BOOST_TEST((epoch(again) == first));
  BOOST_TEST((epoch(again) == second));
  DataLoader other(numbered(50), {.batch_size = 7, .shuffle = true, .seed = 4});
  BOOST_TEST((epoch(other) != first));
}

BOOST_AUTO_TEST_CASE(epochs_draw_from_the_default_generator_or_the_one_that_is_given) {
  DataLoader loader(numbered(50), {.batch_size = 7, .shuffle = true});
  seed(5);
  auto first = epoch(loader);
  seed(5);
  BOOST_TEST((epoch(loader) == first));
  BOOST_TEST((epoch(loader) != first));
  Generator generator(5);
  DataLoader given(numbered(50), {.batch_size = 7, .shuffle = true, .generator = generator});
  BOOST_TEST((epoch(given) == first));
  // The state before an epoch gives that epoch again.
  std::string state = given.generator().state();
  auto second = epoch(given);
  given.generator().set_state(state);
  BOOST_TEST((epoch(given) == second));
}

BOOST_AUTO_TEST_CASE(nothing_depends_on_the_number_of_workers) {
  auto noise = [](Batch batch, Generator& generator) {
    return Batch{batch.x + Variable(generator.normal(batch.x.shape(), 0, 1, float32)), batch.y};
  };
  auto run = [&](std::size_t workers, std::size_t ahead) {
    DataLoader loader(numbered(100), {.batch_size = 3, .shuffle = true, .transforms = {noise}, .num_workers = workers,
                                      .prefetch_factor = ahead, .seed = 1});
    std::vector<Variable> result;
    for (int i = 0; i < 2; ++i)
      for (auto& [x, y] : loader) result.insert(result.end(), {x, y});
    return result;
  };
  auto expected = run(0, 1);
  BOOST_TEST(expected.size() == 2 * 2 * 34);
  BOOST_TEST((sum(abs(expected[0] - expected[2])).item() > 0));
  for (std::size_t workers : {1, 2, 5})
    for (std::size_t ahead : {1, 4}) {
      auto got = run(workers, ahead);
      BOOST_REQUIRE(got.size() == expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) close(got[i], expected[i]);
    }
}

BOOST_AUTO_TEST_CASE(a_pass_can_begin_later) {
  for (std::size_t workers : {0, 2}) {
    DataLoader whole(numbered(20), {.batch_size = 3, .shuffle = true, .num_workers = workers, .seed = 9});
    DataLoader rest(numbered(20), {.batch_size = 3, .shuffle = true, .num_workers = workers, .seed = 9});
    auto expected = epoch(whole);
    std::vector<std::int64_t> got;
    for (auto& [x, y] : rest.from(4))
      for (std::int64_t label : labels(y)) got.push_back(label);
    BOOST_TEST((got == std::vector<std::int64_t>(expected.begin() + 12, expected.end())));
    for (auto& batch : rest.from(7)) BOOST_ERROR("there is no batch 7, but " << batch.x.size() << " elements");
    throws<ValueError>([&] { rest.begin(8); }, {"batch 8 of 7"});
  }
}

BOOST_AUTO_TEST_CASE(exceptions_of_workers_reach_the_caller) {
  for (std::size_t workers : {0, 1, 3}) {
    nn::FunctionDataset dataset(10, [](std::size_t i) {
      if (i == 5) throw std::out_of_range("example 5");
      return Batch{ones({2}), {}};
    });
    DataLoader loader(dataset, {.batch_size = 2, .num_workers = workers});
    for (int pass = 0; pass < 2; ++pass) {
      std::size_t batches = 0;
      BOOST_CHECK_EXCEPTION(for (auto& batch : loader) batches += batch.x.shape()[0] / 2;, std::out_of_range,
                            [](const auto& error) { return std::string(error.what()) == "example 5"; });
      BOOST_TEST(batches == 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pass_that_is_left_early_leaves_nothing_running) {
  auto before = threads_now();
  std::atomic<int> calls = 0;
  nn::FunctionDataset dataset(1000, [&](std::size_t) {
    ++calls;
    return Batch{ones({2}), {}};
  });
  DataLoader loader(dataset, {.batch_size = 2, .num_workers = 3, .prefetch_factor = 2});
  for (int pass = 0; pass < 20; ++pass) {
    calls = 0;
    for (auto& batch : loader) {
      BOOST_TEST(batch.x.size() == 4);
      break;
    }
    BOOST_TEST(back_to(before));
    // The batch that was taken, and as many as may be ahead.
    BOOST_TEST(calls <= 2 * (1 + 3 * 2));
  }
}

BOOST_AUTO_TEST_CASE(workers_work_in_the_background) {
  std::atomic<bool> in_another = false;
  auto caller = std::this_thread::get_id();
  nn::FunctionDataset dataset(4, [&](std::size_t) {
    if (std::this_thread::get_id() != caller) in_another = true;
    return Batch{ones({1}), {}};
  });
  for (auto& batch : DataLoader(dataset)) BOOST_TEST(batch.x.size() == 1);
  BOOST_TEST(!in_another);
  for (auto& batch : DataLoader(dataset, {.num_workers = 1})) BOOST_TEST(batch.x.size() == 1);
  BOOST_TEST(in_another);
}

BOOST_AUTO_TEST_CASE(nothing_is_recorded) {
  Variable weight = parameter(ones({2}));
  auto scaled = [&](Batch batch, Generator&) { return Batch{batch.x * weight, batch.y}; };
  for (std::size_t workers : {0, 1})
    for (auto& [x, y] : DataLoader(numbered(4), {.transforms = {scaled}, .num_workers = workers}))
      BOOST_TEST(!x.requires_grad());
}

BOOST_AUTO_TEST_CASE(the_batch_is_the_callers) {
  DataLoader loader(numbered(4), {.batch_size = 4});
  for (auto& [x, y] : loader) x *= 0;
  BOOST_TEST((epoch(loader) == tens(4)));
  std::size_t taken = 0;
  std::ranges::for_each(loader, [&](Batch& batch) { taken += batch.y.size(); });
  BOOST_TEST(taken == 4);
}

BOOST_AUTO_TEST_CASE(loaders_refuse_what_does_not_fit) {
  throws<ValueError>([] { DataLoader(numbered(3), {.batch_size = 0}); }, {"DataLoader", "batch_size is 0"});
  throws<ValueError>([] { DataLoader(numbered(3), {.prefetch_factor = 0}); }, {"prefetch_factor is 0"});
  throws<ValueError>([] { DataLoader(numbered(3), {.num_workers = std::size_t(-1)}); }, {"num_workers", "0 to 256"});
  throws<ValueError>([] { DataLoader(numbered(3), {.transforms = {nullptr}}); }, {"empty function"});
  throws<ValueError>([] { DataLoader(nn::TensorDataset(zeros({0, 2}))); }, {"empty"});
  throws<ValueError>([] { DataLoader(numbered(3), {.batch_size = 4, .drop_last = true}); }, {"3 examples", "of 4"});
}

BOOST_AUTO_TEST_CASE(function_and_map) {
  nn::FunctionDataset squares(5, [](std::size_t i) {
    return Batch{full({2}, static_cast<double>(i * i)), full({}, static_cast<double>(i), int64)};
  });
  Batch batch = squares.gather(std::vector<std::int64_t>{3, 1, 3});
  close(batch.x, Variable{{9, 9}, {1, 1}, {9, 9}});
  close(batch.y, Variable({3, 1, 3}, int64));
  nn::MapDataset negated(squares, [](Batch example) { return Batch{-example.x, example.y}; });
  BOOST_TEST(negated.size() == 5);
  close(negated.get(2).x, Variable{-4, -4});
  close(negated.gather(std::vector<std::int64_t>{2, 1}).x, Variable{{-4, -4}, {-1, -1}});
  throws<ValueError>([&] { squares.get(5); }, {"FunctionDataset", "position 5", "5 examples"});
  throws<ValueError>([&] { negated.gather(std::vector<std::int64_t>{0, -1}); }, {"position -1"});
  throws<ValueError>([&] { squares.gather({}); }, {"no positions"});
  throws<ValueError>([&] { nn::MapDataset(squares, nullptr); }, {"MapDataset", "empty"});
  throws<ValueError>([&] { nn::FunctionDataset(1, nullptr); }, {"FunctionDataset", "empty"});

  nn::FunctionDataset growing(3, [](std::size_t i) { return Batch{ones({i + 1}), {}}; });
  throws<ShapeError>([&] { growing.gather(std::vector<std::int64_t>{0, 1}); }, {"x", "float32(1,)", "float32(2,)"});
  nn::FunctionDataset mixed(3, [](std::size_t i) { return Batch{ones({1}), ones({1}, i ? float64 : float32)}; });
  throws<DTypeError>([&] { mixed.gather(std::vector<std::int64_t>{0, 1}); }, {"y", "float32(1,)", "float64(1,)"});
  nn::FunctionDataset partial(2, [](std::size_t i) { return Batch{ones({1}), i ? ones({1}) : Variable()}; });
  throws<ShapeError>([&] { partial.gather(std::vector<std::int64_t>{0, 1}); }, {"y", "undefined"});
}

BOOST_AUTO_TEST_CASE(tensors) {
  nn::TensorDataset dataset(Variable({{1, 2}, {3, 4}, {5, 6}}, float64), Variable({1, 0, 1}, boolean));
  BOOST_TEST(dataset.size() == 3);
  close(dataset.get(1).x, Variable({3, 4}, float64));
  close(dataset.get(2).y, full({}, 1, boolean));
  Batch batch = dataset.gather(std::vector<std::int64_t>{2, 2, 0});
  close(batch.x, Variable({{5, 6}, {5, 6}, {1, 2}}, float64));
  close(batch.y, Variable({1, 1, 1}, boolean));
  BOOST_TEST(!nn::TensorDataset(ones({3, 4})).get(0).y.defined());
  BOOST_TEST((nn::TensorDataset(ones({3, 0})).gather(std::vector<std::int64_t>{2, 1}).x.shape() == Shape{2, 0}));
  throws<ValueError>([&] { dataset.gather(std::vector<std::int64_t>{0, 3}); }, {"TensorDataset", "position 3"});
  throws<ValueError>([&] { dataset.get(std::size_t(-1)); }, {"TensorDataset", "position -1"});
  throws<ShapeError>([] { nn::TensorDataset(ones({3}), ones({2})); }, {"float32(3,)", "float32(2,)"});
  throws<ShapeError>([] { nn::TensorDataset(ones({})); }, {"float32()"});
  throws<ShapeError>([] { nn::TensorDataset(ones({1}), ones({})); }, {"y is float32()"});
  throws<ValueError>([] { nn::TensorDataset(Variable(), ones({2})); }, {"undefined"});
}

BOOST_AUTO_TEST_CASE(subsets_and_splits) {
  nn::Subset subset(numbered(10), {7, 7, 2});
  BOOST_TEST(subset.size() == 3);
  close(subset.get(2).y, full({}, 20, int64));
  close(subset.gather(std::vector<std::int64_t>{2, 0}).y, Variable({20, 70}, int64));
  throws<ValueError>([] { nn::Subset(numbered(10), {10}); }, {"Subset", "position 10", "10 examples"});
  throws<ValueError>([] { nn::Subset(numbered(10), {-1}); }, {"position -1"});
  throws<ValueError>([&] { subset.get(3); }, {"position 3"});

  auto check = [](const std::vector<double>& parts, const std::vector<std::size_t>& sizes) {
    Generator a(1), b(1), c(2);
    auto split = nn::random_split(numbered(11), parts, a), again = nn::random_split(numbered(11), parts, b);
    BOOST_REQUIRE(split.size() == sizes.size());
    std::vector<std::int64_t> all;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      BOOST_TEST(split[i].size() == sizes[i]);
      BOOST_TEST((split[i].positions() == again[i].positions()));
      all.insert(all.end(), split[i].positions().begin(), split[i].positions().end());
    }
    BOOST_TEST((nn::random_split(numbered(11), parts, c)[0].positions() != split[0].positions()));
    BOOST_TEST((std::set(all.begin(), all.end()).size() == 11));
    BOOST_TEST(all.size() == 11);
  };
  check({8, 3}, {8, 3});
  check({11, 0}, {11, 0});
  check({0.8, 0.2}, {9, 2});         // 8 and 2, and one over
  check({0.5, 0.25, 0.25}, {6, 3, 2});  // 5, 2 and 2, and two over
  for (std::vector<double> parts : {std::vector<double>{}, {5, 5}, {0.5, 0.4}, {12, -1}, {NAN}, {5.5, 5.5}})
    throws<ValueError>([&] { nn::random_split(numbered(11), parts); }, {"random_split", "11 examples"});
}

BOOST_AUTO_TEST_CASE(one_after_the_other) {
  nn::TensorDataset empty(zeros({0, 2}), Variable(Array({0}, int64)));
  nn::TensorDataset more(Variable{{50, 51}}, Variable({500}, int64));
  nn::ConcatDataset dataset({numbered(3), empty, more, numbered(2)});
  BOOST_TEST(dataset.size() == 6);
  close(dataset.get(3).y, full({}, 500, int64));
  close(dataset.get(5).y, full({}, 10, int64));
  Batch batch = dataset.gather(std::vector<std::int64_t>{5, 0, 3, 2, 4});
  close(batch.y, Variable({10, 0, 500, 20, 0}, int64));
  close(batch.x, Variable{{1, -1}, {0, 0}, {50, 51}, {2, -2}, {0, 0}});
  close(dataset.gather(std::vector<std::int64_t>{2, 1}).y, Variable({20, 10}, int64));
  throws<ValueError>([&] { dataset.get(6); }, {"ConcatDataset", "position 6"});
  throws<ValueError>([&] { nn::ConcatDataset({}); }, {"ConcatDataset"});
  nn::ConcatDataset misfits({numbered(3), nn::TensorDataset(ones({3, 3}), Variable({1, 2, 3}, int64))});
  throws<ShapeError>([&] { misfits.gather(std::vector<std::int64_t>{0, 4}); }, {"float32(1, 2)", "float32(1, 3)"});
}

BOOST_AUTO_TEST_CASE(handles_keep_what_they_are_given) {
  struct Own : nn::Dataset {
    std::size_t size() const override { return 2; }
    Batch get(std::size_t i) const override { return {full({1}, static_cast<double>(i)), {}}; }
  };
  struct Derived : Own {
    std::size_t size() const override { return 3; }
  };
  auto pointer = std::make_shared<Derived>();
  BOOST_TEST(DataLoader(pointer).size() == 3);
  BOOST_TEST(DataLoader(std::shared_ptr<Own>(pointer)).size() == 3);
  BOOST_TEST(DataLoader(*pointer).size() == 3);
  const Own& base = *pointer;
  throws<ValueError>([&] { DataLoader{base}; }, {"base class"});
  throws<ValueError>([&] { DataLoader(std::shared_ptr<Own>()); }, {"null"});
}

BOOST_AUTO_TEST_SUITE_END()
