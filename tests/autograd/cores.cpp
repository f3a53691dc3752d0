// All cores: the same bits on any number of threads, and what a program's own threads and processes do.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/target.hpp>
#include <autograd/threads.hpp>
#include <nn/data/transforms.hpp>
#include <optim/optim.hpp>

#include <tests/support.hpp>

using namespace xtape;
using testing::throws;

namespace {

bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() && visit(a.dtype(), [&]<class T>(T) {
           return std::memcmp(a.data<T>(), b.data<T>(), a.bytes()) == 0;
         });
}

// Work of every kind that is cut, on operands that are large enough for it.
std::vector<Array> work_on_numbers(DType dtype) {
  Generator generator(5);
  auto numbers = [&](const Dims& shape) { return rand(shape, dtype, generator).requires_grad_(); };
  Variable x = numbers({700, 401}), row = numbers({401}), column = numbers({700, 1}), flat = numbers({300'007});
  Variable a = numbers({301, 403}), b = numbers({403, 517}), many = numbers({40, 61, 67}), few = numbers({67, 53});
  auto fused = fuse([](auto x, auto r, auto c) { return tanh(x * r) + c; }, x, row, column);
  // Functions that look at a whole register to choose how they compute, on rows that are no multiple of one, and on short
  // ones.
  Variable narrow = numbers({9001, 13}), far = where(row.detach() > 0.9, 1e15, row.detach());
  auto mixed = [](auto x, auto far) { return hypot(x * far, x) + pow(x, far) + sin(x * far); };
  std::vector<Variable> results{
      exp(x) * row + column, fused, sum(flat), mean(x), sum(x, 0), sum(x, 1), max(x, 0), cumsum(x, 1), softmax(x, 1),
      hypot(x * far, column), pow(x, where(far > 1, 2, far)), sin(x * far), fuse(mixed, x, far),
      fuse(mixed, narrow, far[range(0, 13)]), swapaxes(x, 0, 1) * 2, matmul(a, b), matmul(swapaxes(b, 0, 1), swapaxes(a, 0, 1)), matmul(many, few)};
  std::vector<Array> arrays{(x < row).value()};
  Variable total = full({}, 0, dtype);
  for (const Variable& y : results) {
    arrays.push_back(y.value());
    total = total + sum(square(y));
  }
  std::vector<Variable> inputs{x, row, column, flat, a, b, many, few};
  for (const Variable& g : grad({total}, inputs)) arrays.push_back(g.value());
  Variable p = parameter(x.detach());
  optim::Adam adam({p}, {.lr = 1e-2});
  sum(square(p)).backward();
  adam.step();
  arrays.push_back(p.value());
  return arrays;
}

// The same for convolutions of several kinds, pooling, and what is gathered and scattered.
std::vector<Array> work_on_images(DType dtype) {
  Generator generator(7);
  auto numbers = [&](const Dims& shape) { return rand(shape, dtype, generator).requires_grad_(); };
  Variable images = numbers({5, 8, 30, 31}), small = numbers({12, 40, 5, 5}), one = numbers({1, 3, 90, 70});
  Variable kernel = numbers({20, 8, 3, 3}), wide = numbers({33, 40, 3, 3}), deep = numbers({8, 1, 3, 3});
  Variable turned = numbers({40, 33, 3, 3}), large = numbers({18, 3, 5, 5});
  Variable bias = numbers({20}), table = numbers({300, 70});
  Variable rows = randint(0, 300, {4000}, int64, generator), places = randint(0, 31, {5, 8, 30, 60}, int64, generator);
  std::vector<Variable> results{conv2d(images, kernel, bias, {.padding = 1}),
                                conv2d(images, kernel, {.stride = 2, .padding = 1}),
                                conv2d(images, deep, {.padding = 1, .groups = 8}),
                                conv2d(small, wide, {.padding = 1}),
                                conv2d(one, large, {.padding = 2}),
                                conv_transpose2d(small, turned, {.stride = 2}),
                                max_pool2d(images, 3, {.stride = 2, .padding = 1}),
                                index_select(table, 0, rows),
                                gather(images, 3, places)};
  std::vector<Array> arrays;
  Variable total = full({}, 0, dtype);
  for (const Variable& y : results) {
    arrays.push_back(y.value());
    total = total + sum(square(y));
  }
  std::vector<Variable> inputs{images, small, one, kernel, wide, deep, turned, large, bias, table};
  for (const Variable& g : grad({total}, inputs)) arrays.push_back(g.value());
  nn::Batch batch = nn::random_crop(4)({images.detach(), {}}, generator);
  arrays.push_back(batch.x.value());
  return arrays;
}

// What the program prints that is this test again, of one case, in another environment.
std::string run_again(const std::string& environment, const std::string& test) {
  std::string command = "env -u XTAPE_NUM_THREADS -u XTAPE_TARGET " + environment + " /proc/" + std::to_string(getpid()) +
                        "/exe --run_test=cores/" + test + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  for (char text[256]; std::fgets(text, sizeof text, pipe);) output += text;
  output += "status " + std::to_string(WEXITSTATUS(pclose(pipe)));
  return output;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cores)

// First, and alone in its process where `run_again` calls it: nothing has set the number yet.
BOOST_AUTO_TEST_CASE(as_the_environment_says) {
  if (const char* expected = std::getenv("XTAPE_TEST_THREADS")) {
    BOOST_TEST(num_threads() == std::atoi(expected));
    return;
  }
  BOOST_TEST(num_threads() >= 1);
  auto ends_well = [](const std::string& environment) {
    return run_again(environment, "as_the_environment_says").ends_with("status 0");
  };
  BOOST_TEST(ends_well("XTAPE_NUM_THREADS=3 XTAPE_TEST_THREADS=3"));
  BOOST_TEST(!ends_well("XTAPE_NUM_THREADS=3 XTAPE_TEST_THREADS=2"));
  BOOST_TEST(ends_well("XTAPE_TEST_THREADS=1 taskset -c " + std::to_string(sched_getcpu())));
  for (std::string bad : {"0", "-1", "two", "2.5", "3x"}) {
    std::string output = run_again("XTAPE_NUM_THREADS=" + bad + " XTAPE_TEST_THREADS=1", "as_the_environment_says");
    BOOST_TEST(output.find("XTAPE_NUM_THREADS is \"" + bad + "\", needs a number of threads") != std::string::npos, output);
  }
}

BOOST_AUTO_TEST_CASE(the_target_that_the_environment_names) {
  using kernels::Target, kernels::target;
  if (const char* expected = std::getenv("XTAPE_TEST_TARGET")) {
    BOOST_TEST(static_cast<int>(target()) == std::atoi(expected));
    return;
  }
  if (target() == Target::any) return;
  auto run = [](const std::string& environment) { return run_again(environment, "the_target_that_the_environment_names"); };
  if (!std::getenv("XTAPE_TARGET"))
    BOOST_TEST(run("XTAPE_TEST_TARGET=" + std::to_string(static_cast<int>(target()))).ends_with("status 0"));
  BOOST_TEST(run("XTAPE_TARGET=x86-64-v2 XTAPE_TEST_TARGET=1").ends_with("status 0"));
  std::string output = run("XTAPE_TARGET=sse XTAPE_TEST_TARGET=1");
  BOOST_TEST(output.find("XTAPE_TARGET is \"sse\", needs x86-64-v2, x86-64-v3 or x86-64-v4") != std::string::npos, output);
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_threads) {
  for (auto [work, name] : {std::pair(&work_on_numbers, "numbers"), std::pair(&work_on_images, "images")})
    for (DType dtype : {float32, float64}) {
      NumThreads one(1);
      std::vector<Array> alone = work(dtype);
      for (int count : {2, 3, 8}) {
        NumThreads several(count);
        std::vector<Array> together = work(dtype);
        BOOST_REQUIRE(together.size() == alone.size());
        for (std::size_t i = 0; i < alone.size(); ++i)
          BOOST_TEST(same_bits(alone[i], together[i]), name << ": result " << i << " on " << count << " threads");
      }
    }
}

BOOST_AUTO_TEST_CASE(a_number_for_one_thread) {
  int before = num_threads();
  {
    NumThreads three(3);
    BOOST_TEST(num_threads() == 3);
    {
      NumThreads one(1);
      BOOST_TEST(num_threads() == 1);
    }
    BOOST_TEST(num_threads() == 3);
    std::thread([&] { BOOST_TEST(num_threads() == before); }).join();
  }
  BOOST_TEST(num_threads() == before);
  throws<ValueError>([] { NumThreads none(0); }, {"NumThreads", "0 threads"});
}

BOOST_AUTO_TEST_CASE(every_task_is_done_once) {
  NumThreads several(4);
  for (std::size_t count : {0, 1, 2, 3, 100, 1000}) {
    std::vector<int> times(count, 0);
    kernels::run_tasks(count, [&](std::size_t i) { ++times[i]; });
    BOOST_TEST(times == std::vector<int>(count, 1), boost::test_tools::per_element());
  }
  for (std::size_t n : {0, 1, 63, 64, 1000, 100'003})
    for (std::size_t least : {1, 7, 1000}) {
      std::vector<int> times(n, 0);
      std::atomic<bool> empty = false;
      kernels::parallel_for(n, least, [&](std::size_t begin, std::size_t end) {
        if (begin >= end) empty = true;
        for (std::size_t i = begin; i < end; ++i) ++times[i];
      });
      BOOST_TEST((times == std::vector<int>(n, 1)));
      BOOST_TEST(!empty);
    }
}

BOOST_AUTO_TEST_CASE(within_a_task_and_after_an_exception) {
  NumThreads several(4);
  std::vector<std::size_t> sums(64, 0);
  kernels::run_tasks(sums.size(), [&](std::size_t i) {
    kernels::run_tasks(10, [&](std::size_t k) { sums[i] += k; });  // in this thread
  });
  BOOST_TEST((sums == std::vector<std::size_t>(64, 45)));
  for (int repeat = 0; repeat < 20; ++repeat)
    throws<ValueError>([] {
      kernels::run_tasks(16, [](std::size_t i) {
        if (i % 5 == 3) throw ValueError("a task that fails");
      });
    }, {"a task that fails"});
}

BOOST_AUTO_TEST_CASE(threads_of_the_program_compute_at_once) {
  std::vector<Array> alone = work_on_numbers(float32);
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      NumThreads mine(t % 2 ? 1 : 3);
      std::vector<Array> own = work_on_numbers(float32);
      for (std::size_t i = 0; i < own.size(); ++i) equal[t] += same_bits(own[i], alone[i]);
    });
  for (auto& thread : threads) thread.join();
  for (int count : equal) BOOST_TEST(count == static_cast<int>(alone.size()));
}

BOOST_AUTO_TEST_CASE(a_forked_process_has_threads_of_its_own) {
  NumThreads several(3);
  std::vector<Array> here = work_on_numbers(float32);
  pid_t child = fork();
  if (child == 0) {
    std::vector<Array> there = work_on_numbers(float32);
    bool equal = true;
    for (std::size_t i = 0; i < there.size(); ++i) equal = equal && same_bits(here[i], there[i]);
    _exit(equal ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(child, &status, 0) == child);
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
