// Memory that runs out: each allocation of what a training does fails in turn, alone and with all that follow. Nothing
// ends the program, an error of ours says so, and everything is as it was before the call, or as after it.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
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

using Action = std::function<void()>;

// A small network with data, and what it carries along.
struct Training {
  bool is_seeded = (seed(1), true);
  nn::Sequential net{nn::Conv2D(1, 2, 3), nn::ReLU(),       nn::BatchNorm2D(2), nn::MaxPool2D(2),
                     nn::Flatten(),       nn::Dropout(0.2), nn::Dense(18, 3)};
  optim::Adam adam{net.parameters()};
  optim::EMA average{net.parameters()};
  Variable x, labels;

  Training() : x(randn({6, 1, 8, 8})), labels(randint(3, {6})) {}

  Variable loss() { return nn::softmax_cross_entropy(net(x), labels); }
  void backward() {
    adam.zero_grad();
    loss().backward();
  }
  void step() {
    backward();
    adam.step();
  }
  std::vector<nn::CheckpointPart> parts() { return {{"model", net}, {"optimizer", adam}, {"random", default_generator()}}; }
  nn::DataLoader loader(std::size_t workers) {
    return {nn::TensorDataset(x, labels), {.batch_size = 2, .shuffle = true, .num_workers = workers}};
  }
  Action reading(std::size_t workers) {
    return [batches = loader(workers)]() mutable {
      for (auto& [images, of_images] : batches) BOOST_TEST(images.shape(0) == of_images.shape(0));
    };
  }

  // All that there is to see, as text.
  std::string seen() {
    std::string text = default_generator().state() + (net.training() ? " training\n" : " evaluating\n");
    auto add = [&](const std::string& name, const Variable& value) {
      text += name + " " + describe(value) + " ";
      if (value.defined())
        for (std::size_t i = 0; i < value.size(); ++i) text += std::to_string(value.value().at(i)) + " ";
      text += "\n";
    };
    for (const StateDict& state : {net.state_dict(), adam.state_dict(), average.state_dict()})
      for (const auto& [name, value] : state) add(name, value);
    for (const Variable& parameter : net.parameters()) add("gradient", parameter.grad());
    return text;
  }
};

struct Work {
  const char* name;
  std::function<Action(Training&)> prepare;  // what may fail is the action
  bool is_whole = true;                      // whether it leaves all as before or as after it
  // Whether what is called lists axes, operands or options where nothing speaks for it: that may say std::bad_alloc.
  bool calls_operations = false;
};

const std::filesystem::path file = std::filesystem::temp_directory_path() / "xtape_memory_faults.ckpt";

template <class Method, class Options>
Work second_step(const char* name, const Options& options, std::size_t steps = 1) {
  return {name, [=](Training& t) -> Action {
            auto method = std::make_shared<Method>(t.net.parameters(), options);
            for (std::size_t i = 0; i < steps; ++i) t.backward(), method->step();
            t.backward();
            return [method] { method->step(); };
          }};
}

// A network of lazy layers, and the state of one that was called.
struct Lazy {
  nn::Sequential net{nn::Dense(3), nn::ReLU(), nn::Dense(2)};
  StateDict state;

  Lazy() {
    nn::Sequential called{nn::Dense(3), nn::ReLU(), nn::Dense(2)};
    called(ones({1, 4}));
    state = called.state_dict();
  }
};

const std::vector<Work> works = {
    {"forward", [](Training& t) -> Action { return [&t] { t.loss(); }; }, false, true},
    {"a step that is saved", [](Training& t) -> Action {
       return [&t, parts = t.parts()] {
         t.step();
         nn::Checkpoint(parts, 3).save(file);
       };
     }, false, true},
    {"a batch norm", [](Training& t) -> Action {
       return [&t, x = ones({3, 2, 4, 4})] { (*t.net.children()[2].second)(x); };
     }},
    {"many axes", [](Training&) -> Action {
       nn::Sequential net{nn::Conv3D(1, 2, 2), nn::ReLU(), nn::MaxPool3D(2)};
       return [net, x = parameter(ones({1, 1, 5, 5, 5})), other = ones({2, 1, 2, 1, 1})] {
         Variable y = net(x);
         sum(transpose(tanh(y * other), {4, 3, 2, 1, 0}) + swapaxes(y, 0, 4)).backward();
       };
     }, true, true},
    {"a fused function", [](Training&) -> Action {
       return [x = parameter(ones({2, 3, 1, 2, 1, 4})), y = ones({3, 5, 2, 2, 1})] {
         sum(fuse([](auto a, auto b) { return tanh(a * b) + a; }, x, y)).backward();
       };
     }, true, true},
    {"backward", [](Training& t) -> Action { return [loss = t.loss()] { loss.backward(); }; }},
    {"backward that adds", [](Training& t) -> Action {
       t.backward();
       return [loss = t.loss()] { loss.backward(); };
     }},
    {"the first step", [](Training& t) -> Action { return t.backward(), [&t] { t.adam.step(); }; }},
    {"another step", [](Training& t) -> Action { return t.step(), t.backward(), [&t] { t.adam.step(); }; }},
    second_step<optim::SGD>("SGD, momentum that begins", optim::SGDOptions{.lr = 0.1, .momentum = 0.9}, 0),
    second_step<optim::SGD>("SGD", optim::SGDOptions{.lr = 0.1, .momentum = 0.9}),
    second_step<optim::AdamW>("AdamW, maximize", optim::AdamWOptions{.maximize = true}),
    second_step<optim::LAMB>("LAMB", optim::LAMBOptions{}),
    second_step<optim::NAdam>("NAdam", optim::NAdamOptions{}),
    {"LBFGS", [](Training& t) -> Action {
       t.net.eval();
       auto method = std::make_shared<optim::LBFGS>(t.net.parameters(), optim::LBFGSOptions{.max_iter = 3});
       t.backward();  // the closure leaves gradients of its own
       return [method, &t] { method->step([&] { return t.backward(), t.loss(); }); };
     }, false},
    {"clip_grad_norm", [](Training& t) -> Action {
       return t.backward(), [&t] { clip_grad_norm(t.net.parameters(), 0.1); };
     }},
    {"clip_grad_value", [](Training& t) -> Action {
       return t.backward(), [&t] { clip_grad_value(t.net.parameters(), 1e-3); };
     }},
    {"averages begin", [](Training& t) -> Action { return [&t] { t.average.update(); }; }},
    {"averages", [](Training& t) -> Action { return t.average.update(), t.step(), [&t] { t.average.update(); }; }},
    {"averages in place", [](Training& t) -> Action { return t.average.update(), t.step(), [&t] { t.average.swap(); }; }},
    {"averages in a scope", [](Training& t) -> Action {
       return t.average.update(), t.step(), [&t] { optim::EMA::Scope scope(t.average); };
     }},
    {"another group", [](Training& t) -> Action {
       const Variable more = parameter(ones({2}));
       return [&t, group = optim::Adam::Group{{more}, {.lr = 1}}] { t.adam.add_param_group(group); };
     }, true, true},
    {"to float64", [](Training& t) -> Action { return [&t] { t.net.to(float64); }; }},
    {"vmap", [](Training&) -> Action {
       auto square_sum = [](const Variable& u) { return sum(square(matmul(u, u))); };
       return [=, x = ones({3, 4, 4})] { vmap([&](const Variable& v) { return grad(square_sum, v); }, x); };
     }, true, true},
    {"checkpoint", [](Training& t) -> Action {
       return [x = parameter(t.x.copy())] { sum(checkpoint([](auto& v) { return sin(v) * v; }, x)).backward(); };
     }, true, true},
    {"a profile", [](Training& t) -> Action {
       return [loss = t.loss()] {
         Profile profile;
         loss.backward();
       };
     }},
    {"reading", [](Training& t) { return t.reading(0); }, false},
    {"reading ahead", [](Training& t) { return t.reading(2); }, false},
    {"load_state_dict", [](Training& t) -> Action {
       auto state = t.net.state_dict();
       return t.step(), [state, &t] { t.net.load_state_dict(state); };
     }},
    {"load_state_dict of an optimizer", [](Training& t) -> Action {
       auto state = (t.step(), t.adam.state_dict());
       return t.step(), [state, &t] { t.adam.load_state_dict(state); };
     }},
    {"the state of a generator", [](Training&) -> Action {
       return [] { default_generator().set_state(default_generator().state()); };
     }},
    {"lazy layers", [](Training&) -> Action {
       auto lazy = std::make_shared<Lazy>();
       return [lazy] { lazy->net.load_state_dict(lazy->state); };
     }},
    {"fit", [](Training& t) -> Action {
       auto model = std::make_shared<nn::Model>(t.net, nn::softmax_cross_entropy,
                                                t.adam);
       return [model, batches = std::make_shared<nn::DataLoader>(t.loader(0))] { model->fit(*batches, {.epochs = 1}); };
     }, false},
    {"saving", [](Training& t) -> Action {
       return [parts = t.parts()] { nn::Checkpoint(parts, 3).save(file); };
     }},
    {"restoring", [](Training& t) -> Action {
       return t.step(), [parts = t.parts()] { nn::Checkpoint::load(file).restore(parts); };
     }},
};

enum class End { done, failed, escaped };

// What comes of the action when one allocation fails.
End outcome(const Action& action, long allocations, bool persistent, std::string& message) {
  for_good = persistent;
  left = allocations;
  End end = End::done;
  try {
    action();
  } catch (const Error& error) {
    left = -1;
    message = error.what();
    end = End::failed;
  } catch (const std::bad_alloc&) {
    end = End::escaped;
  }
  left = -1;
  return end;
}

long allocations_of(const Work& work) {
  for (int times = 2;; --times) {  // the first time makes what is made once
    Training training;
    Action action = work.prepare(training);
    counted = 0;
    action();
    if (times == 1) return counted;
  }
}

std::string seen_after(const Work& work, bool run) {
  Training training;
  Action action = work.prepare(training);
  if (run) action();
  return training.seen();
}

long try_all(const Work& work) {
  const long allocations = allocations_of(work);
  const std::string before = seen_after(work, false), after = seen_after(work, true);
  long failures = 0, escaped = 0, halves = 0, unnamed = 0;
  for (bool persistent : {false, true})
    for (long k = 0; k < allocations; ++k) {
      Training training;
      Action action = work.prepare(training);
      std::string message;
      const End end = outcome(action, k, persistent, message);
      failures += end != End::done;
      escaped += end == End::escaped;
      unnamed += end == End::failed && message.find(": ") == message.npos;
      if (!work.is_whole) continue;
      const std::string now = training.seen();
      halves += end == End::done ? now != after : now != before && now != after;
    }
  BOOST_TEST((escaped == 0 || work.calls_operations));
  BOOST_TEST(halves == 0);
  BOOST_TEST(unnamed == 0);
  return failures;
}

void write_checkpoint() {
  Training training;
  training.step();
  nn::Checkpoint(training.parts(), 3).save(file);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_faults)

BOOST_AUTO_TEST_CASE(every_allocation_in_turn) {
  set_num_threads(1);
  write_checkpoint();
  long failures = 0;
  for (const Work& work : works)
    BOOST_TEST_CONTEXT(work.name) {
      long own = try_all(work);
      BOOST_TEST_MESSAGE(work.name << ": " << own << " failures");
      failures += own;
    }
  std::filesystem::remove(file);
  BOOST_TEST_MESSAGE(failures << " failures in all");
  BOOST_TEST(failures >= 15000);
}

BOOST_AUTO_TEST_SUITE_END()
