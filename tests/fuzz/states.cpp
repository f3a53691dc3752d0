// States of trainings: what is saved may be of another model, of another version, or damaged. What cannot take a state
// stays as it was.
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <nn/callbacks/csv_log.hpp>
#include <tests/fuzz/files.hpp>
#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    if (x.first != y.first || x.second.defined() != y.second.defined()) return false;
    return !x.second.defined() || fuzz::same(x.second, y.second);
  });
}

// A state that is good but for some changes.
StateDict damaged(Input& input, StateDict state) {
  for (std::size_t n = input.below(4); n > 0 && !state.empty(); --n) {
    auto entry = std::next(state.begin(), static_cast<std::ptrdiff_t>(input.below(state.size())));
    Variable& x = entry->second;
    switch (input.below(7)) {
      case 0: state.erase(entry); break;
      case 1: state.emplace(entry->first.substr(0, input.below(8)) + input.text(2), x); break;
      case 2: x = input.reals(input.shape(2), input.dtype()); break;
      case 3: x = Variable(); break;
      case 4:
      case 5:
        if (x.defined()) x = input.reals(x.shape(), x.dtype());
        break;
      default:
        if (x.defined()) allowed([&] { x = x.to(input.dtype()); });
    }
  }
  return state;
}

// Takes a damaged state of its own; if it refuses, it is as it was. Then `use` goes on.
template <class T>
void take_damaged(Input& input, T& object, const std::function<void()>& use) {
  StateDict before = object.state_dict();
  for (auto& [name, x] : before)
    if (x.defined()) x = x.copy();
  StateDict state = damaged(input, before);
  if (!allowed([&] { object.load_state_dict(state); })) require(same(object.state_dict(), before),
      "refused, and changed");
  else require(object.state_dict().size() == state.size(), "takes what it does not have");
  allowed(use);
}

std::unique_ptr<optim::Optimizer> optimizer_for(Input& input, const std::vector<Variable>& p) {
  switch (input.below(14)) {
    case 0: return std::make_unique<optim::Adam>(p);
    case 1: return std::make_unique<optim::AMSGrad>(p);
    case 2: return std::make_unique<optim::AdamW>(p);
    case 3: return std::make_unique<optim::Adamax>(p);
    case 4: return std::make_unique<optim::Adagrad>(p);
    case 5: return std::make_unique<optim::Adadelta>(p);
    case 6: return std::make_unique<optim::LAMB>(p);
    case 7: return std::make_unique<optim::Lion>(p);
    case 8: return std::make_unique<optim::NAdam>(p);
    case 9: return std::make_unique<optim::RAdam>(p);
    case 10: return std::make_unique<optim::Rprop>(p);
    case 11: return std::make_unique<optim::LBFGS>(p);
    case 12: return std::make_unique<optim::RMSProp>(p, optim::RMSPropOptions{.momentum = 0.9, .centered = true});
    default: return std::make_unique<optim::SGD>(p, optim::SGDOptions{.momentum = 0.9});
  }
}

struct Training {
  Variable x = full({2, 3}, 0.5), y = ones({2, 2});
  nn::Sequential net{nn::Dense(3, 2), nn::BatchNorm1D(2)};

  Variable loss() { return nn::mse_loss(net(x), y); }
  void step(optim::Optimizer& optimizer) {
    optimizer.step([&] {
      optimizer.zero_grad();
      Variable l = loss();
      l.backward();
      return l;
    });
  }
};

}  // namespace

void states(Input& input) {
  Training training;
  switch (input.below(5)) {
    case 0: {
      auto optimizer = optimizer_for(input, training.net.parameters());
      if (input.flag()) training.step(*optimizer);
      take_damaged(input, *optimizer, [&] { training.step(*optimizer); });
      break;
    }
    case 1:
      take_damaged(input, training.net, [&] { training.loss(); });
      break;
    case 2: {
      StateDict state = damaged(input, nn::to_torch(training.net));
      allowed([&] { training.net.load_state_dict(nn::from_torch(training.net, state)); });
      allowed([&] { training.loss(); });
      break;
    }
    case 3: {
      Generator generator(3);
      std::string before = generator.state(), state = before;
      for (std::size_t n = input.below(3); n > 0; --n) {
        std::size_t begin = input.below(256) * 97 % state.size(), size = input.below(8);
        state.replace(begin, size, input.text(input.below(8)));
      }
      if (input.flag()) state = input.rest();
      if (!allowed([&] { generator.set_state(state); })) require(generator.state() == before, "refused, and changed");
      rand({2, 3}, float32, generator);
      randn({2, 3}, float64, generator);
      randperm(5, generator);
      break;
    }
    default: {
      optim::SGD sgd(training.net.parameters(), {.lr = 0.1, .momentum = 0.9});
      std::unique_ptr<optim::Schedule> schedule;
      switch (input.below(5)) {
        case 0: schedule = std::make_unique<optim::StepLR>(sgd, optim::StepLROptions{.step_size = 2}); break;
        case 1: schedule = std::make_unique<optim::CosineAnnealingLR>(sgd,
            optim::CosineAnnealingLROptions{.T_max = 5}); break;
        case 2: schedule = std::make_unique<optim::OneCycleLR>(sgd, optim::OneCycleLROptions{.max_lr = 1,
            .total_steps = 9}); break;
        case 3: schedule = std::make_unique<optim::CosineAnnealingWarmRestarts>(
                    sgd, optim::CosineAnnealingWarmRestartsOptions{.T_0 = 3}); break;
        default: schedule = std::make_unique<optim::ReduceLROnPlateau>(sgd);
      }
      take_damaged(input, *schedule, [&] {
        for (std::size_t n = 0; n < 3; ++n) schedule->needs_metric() ? schedule->step(input.real()) : schedule->step();
      });
    }
  }
}

void checkpoint(Input& input) {
  Training training;
  optim::Adam adam(training.net.parameters());
  training.step(adam);
  Generator generator(7);
  double best = 1;
  std::int64_t epoch = 3;
  auto parts = [&] {
    return std::vector<nn::CheckpointPart>{
        {"model", training.net}, {"adam", adam}, {"random", generator}, {"best", best}, {"epoch", epoch}};
  };
  nn::Checkpoint before(parts(), 5), changed = before;
  for (auto& [name, state] : before.states)
    for (auto& [key, x] : state) x = x.copy();
  for (auto& [name, state] : changed.states) state = damaged(input, state);
  changed.texts["note"] = "text";
  if (input.flag()) changed.generators["random"] = input.text(20);
  File file("");
  allowed([&] {
    changed.save(file.path());
    nn::Checkpoint loaded = nn::Checkpoint::load(file.path());
    require(loaded.step == 5 && loaded.texts == changed.texts, "not read as written");
    for (const auto& [name, state] : changed.states) require(same(loaded.states.at(name), state), "not read as written");
    if (allowed([&] { loaded.restore(parts()); })) return;
    nn::Checkpoint after(parts(), 5);
    for (const auto& [name, state] : before.states) require(same(after.states.at(name), state), "refused, and changed");
    require(after.generators == before.generators, "refused, and changed");
  });
  allowed([&] { training.step(adam); });
  // A file whose checksums are right, of any texts and names.
  allowed([&] {
    std::map<std::string, std::string> metadata{{"step", input.flag() ? input.text(4) : "3"}, {"part.m", ""}};
    for (std::size_t n = input.below(3); n > 0; --n) {
      std::string key = input.pick({"part.", "generator.", "text.", ""}) + input.text(2);
      metadata[key] = input.text(3);
    }
    nn::save_safetensors(file.path(), {{"m.w", ones({2})}, {input.text(3), ones({1})}}, metadata);
    nn::Checkpoint loaded = nn::Checkpoint::load(file.path());
    loaded.save(file.path());
  });
}

void csv_log(Input& input) {
  std::size_t done = input.below(4);
  std::string start = input.flag() ? "epoch,loss\n" : "";
  File file(start + input.rest());
  allowed([&] {
    nn::EpochTable table(file.path(), {"loss"}, done);
    table.write(done + 1, {0.5});
  });
}

}  // namespace xtape::fuzz
