// Memory that runs out: each allocation of what a training does fails in turn, alone and with all that follow. Nothing
// ends the program, an exception says so, and afterwards the same work succeeds.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/support.hpp>

namespace {

std::atomic<long> left = -1, counted = 0;  // allocations until one fails; negative: none does
std::atomic<bool> for_good = false;

bool fails() {
  ++counted;
  if (left < 0) return false;
  if (left > 0) {
    --left;
    return false;
  }
  if (!for_good) left = -1;
  return true;
}

void* allocate_or_null(std::size_t bytes) noexcept { return fails() ? nullptr : std::malloc(bytes ? bytes : 1); }

void* allocate(std::size_t bytes) {
  void* memory = allocate_or_null(bytes);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return allocate_or_null(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

using namespace xtape;

namespace {

// A small network with data.
struct Training {
  nn::Sequential net{nn::Conv2D(1, 2, 3), nn::ReLU(),       nn::BatchNorm2D(2), nn::MaxPool2D(2),
                     nn::Flatten(),       nn::Dropout(0.2), nn::Dense(18, 3)};
  optim::Adam adam{net.parameters()};
  Variable x = randn({6, 1, 8, 8}), labels = randint(3, {6});

  void backward() { nn::softmax_cross_entropy(net(x), labels).backward(); }
  void step() {
    adam.zero_grad();
    backward();
    adam.step();
  }
  std::vector<nn::CheckpointPart> parts() { return {{"model", net}, {"optimizer", adam}, {"random", default_generator()}}; }
  void read(std::size_t workers) {
    nn::DataLoader loader(nn::TensorDataset(x, labels), {.batch_size = 2, .shuffle = true, .num_workers = workers});
    for (auto& [images, of_images] : loader) BOOST_TEST(images.shape(0) == of_images.shape(0));
  }
};

struct Work {
  const char* name;
  std::function<void(Training&)> run;
};

const std::filesystem::path file = std::filesystem::temp_directory_path() / "xtape_memory_faults.ckpt";

const std::vector<Work> works = {
    {"a step", [](Training& t) { t.step(); }},
    {"clip_grad_norm", [](Training& t) { t.backward(), clip_grad_norm(t.net.parameters(), 0.1); }},
    {"vmap", [](Training&) {
       auto square_sum = [](const Variable& u) { return sum(square(matmul(u, u))); };
       vmap([&](const Variable& v) { return grad(square_sum, v); }, randn({3, 4, 4}));
     }},
    {"checkpoint", [](Training& t) { sum(checkpoint([](auto& v) { return sin(v) * v; }, parameter(t.x))).backward(); }},
    {"a profile", [](Training& t) {
       Profile profile;
       t.backward();
     }},
    {"reading", [](Training& t) { t.read(0); }},
    {"reading ahead", [](Training& t) { t.read(2); }},
    {"load_state_dict", [](Training& t) { t.net.load_state_dict(t.net.state_dict()); }},
    {"saving", [](Training& t) { nn::Checkpoint(t.parts(), 3).save(file); }},
    {"restoring", [](Training& t) { nn::Checkpoint::load(file).restore(t.parts()); }},
};

// Whether the work came to its end.
bool survives(const Work& work, Training& training, long allocations, bool persistent) {
  for_good = persistent;
  left = allocations;
  bool done = true;
  try {
    work.run(training);
  } catch (const Error&) {
    done = false;
  } catch (const std::bad_alloc&) {
    done = false;
  }
  left = -1;
  return done;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_faults)

BOOST_AUTO_TEST_CASE(every_allocation_in_turn) {
  set_num_threads(1);
  {
    Training training;
    training.step();
    nn::Checkpoint(training.parts(), 3).save(file);
  }
  long failures = 0;
  for (const Work& work : works)
    BOOST_TEST_CONTEXT(work.name) {
      Training first, second;
      work.run(first);  // makes what is made once
      counted = 0;
      work.run(second);
      const long allocations = counted;
      for (bool persistent : {false, true})
        for (long k = 0; k < allocations; ++k) {
          Training training;
          failures += !survives(work, training, k, persistent);
          if (k % 16 == 0) work.run(training);
        }
    }
  std::filesystem::remove(file);
  BOOST_TEST(failures > 5000);
}

BOOST_AUTO_TEST_SUITE_END()
