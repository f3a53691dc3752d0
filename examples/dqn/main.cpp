// Learns to balance a pole on a cart from rewards alone.

#include <array>
#include <cmath>
#include <iostream>
#include <random>

#include <autograd/autograd.hpp>
#include <examples/common/canvas.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems" (IEEE
// Transactions on Systems, Man, and Cybernetics 13, 1983), without friction, and with at most 500 steps.
struct CartPole {
  static constexpr int most_steps = 500;
  using State = std::array<float, 4>;  // position [m], velocity, angle from upright [rad], angular velocity

  State state{};
  int steps = 0;

  explicit CartPole(std::mt19937_64& random) {
    std::uniform_real_distribution<float> small(-0.05f, 0.05f);
    for (float& x : state) x = small(random);
  }
  // Pushes to the left (0) or to the right (1) for 0.02 s. Returns whether the pole has fallen or the cart is off its track.
  bool step(std::size_t action) {
    constexpr double gravity = 9.8, cart = 1, pole = 0.1, half_length = 0.5, force = 10, dt = 0.02, most_angle = 12 * M_PI / 180;
    const double v = state[1], angle = state[2], w = state[3], c = std::cos(angle), s = std::sin(angle);
    const double push = ((action == 1 ? force : -force) + pole * half_length * w * w * s) / (cart + pole);
    const double turn = (gravity * s - c * push) / (half_length * (4.0 / 3 - pole * c * c / (cart + pole)));
    const double accelerate = push - pole * half_length * turn * c / (cart + pole);
    const std::array change{v, accelerate, w, turn};
    for (std::size_t i = 0; i < 4; ++i) state[i] += static_cast<float>(dt * change[i]);
    ++steps;
    return std::abs(state[0]) > 2.4 || std::abs(state[2]) > most_angle;
  }
};

// The last transitions, in arrays whose row i is one of them.
class ReplayMemory {
 public:
  struct Batch {
    Variable before, action, after, goes_on;
  };

  explicit ReplayMemory(std::size_t capacity)
      : before_({capacity, std::size_t{4}}, float32), after_({capacity, std::size_t{4}}, float32),
        action_({capacity, std::size_t{1}}, int64), goes_on_({capacity, std::size_t{1}}, float32), capacity_(capacity) {}

  void add(const CartPole::State& before, std::size_t action, const CartPole::State& after, bool fallen) {
    const std::size_t row = count_++ % capacity_;
    std::copy(before.begin(), before.end(), before_.mutable_data<float>() + 4 * row);
    std::copy(after.begin(), after.end(), after_.mutable_data<float>() + 4 * row);
    action_.mutable_data<std::int64_t>()[row] = static_cast<std::int64_t>(action);
    goes_on_.mutable_data<float>()[row] = fallen ? 0 : 1;
  }
  Batch sample(std::size_t size) const {
    const Variable rows = randint(0, static_cast<std::int64_t>(std::min(count_, capacity_)), {size});
    auto of = [&](const Array& all) { return take(Variable(all), rows, 0); };
    return {of(before_), of(action_), of(after_), of(goes_on_)};
  }

 private:
  Array before_, after_, action_, goes_on_;
  std::size_t capacity_, count_ = 0;
};

Variable as_batch(const CartPole::State& state) { return Variable(std::vector<float>(state.begin(), state.end())); }

std::size_t best_action(nn::Module& values, const CartPole::State& state) {
  NoGrad guard;
  return static_cast<std::size_t>(argmax(values(as_batch(state))).item<std::int64_t>());
}

// How long the pole stays up, with the best action each time.
int play(nn::Module& values, std::mt19937_64& random, const std::function<void(const CartPole::State&)>& see = {}) {
  CartPole game(random);
  for (bool fallen = false; !fallen && game.steps < CartPole::most_steps;) {
    fallen = game.step(best_action(values, game.state));
    if (see) see(game.state);
  }
  return game.steps;
}
double mean_return(nn::Module& values, int episodes, std::mt19937_64& random) {
  double sum = 0;
  for (int i = 0; i < episodes; ++i) sum += play(values, random);
  return sum / episodes;
}

// Moments of a game: the pole on its cart, on the track of 4.8 m.
void draw_game(const std::filesystem::path& file, const std::vector<CartPole::State>& states) {
  constexpr int columns = 4, rows = 3, width = 240, height = 130;
  example::write_png(file, columns * width, rows * height, [&](cairo_t* canvas) {
    example::set_font(canvas, 13);
    for (int i = 0; i < columns * rows; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * (states.size() - 1) / (columns * rows - 1);
      const double metre = (width - 30) / 4.8, ground = (i / columns + 1) * height - 22.0;
      const double middle = (i % columns + 0.5) * width, x = middle + metre * states[at][0], angle = states[at][2];
      example::set_color(canvas, {0.6, 0.6, 0.6});
      cairo_rectangle(canvas, middle - 2.4 * metre, ground, 4.8 * metre, 2);
      cairo_fill(canvas);
      example::set_color(canvas, {0, 0.45, 0.7});
      cairo_rectangle(canvas, x - 16, ground - 14, 32, 14);
      cairo_fill(canvas);
      example::set_color(canvas, {0.84, 0.37, 0});
      cairo_set_line_width(canvas, 5);
      cairo_move_to(canvas, x, ground - 14);
      cairo_line_to(canvas, x + 1.6 * metre * std::sin(angle), ground - 14 - 1.6 * metre * std::cos(angle));
      cairo_stroke(canvas);
      example::set_color(canvas, {0.1, 0.1, 0.1});
      example::draw_text(canvas, middle, ground + 17, nn::fixed(0.02 * static_cast<double>(at), 1) + " s",
                         example::Align::center);
    }
  });
}

nn::Sequential make_network() {
  return {nn::Dense(4, 128), nn::ReLU(), nn::Dense(128, 128), nn::ReLU(), nn::Dense(128, 2)};
}

int main(int argc, char** argv) {
  example::Program program("dqn", "Deep Q-learning (Mnih et al. 2015) with the double estimator of van Hasselt et al. (2016).");
  std::size_t most_steps = 60'000, batch_size = 128;
  double gamma = 0.99, lr = 5e-4, follow = 0.005;
  program.option("--steps", most_steps, "of the game, at most");
  program.option("--lr", lr, "learning rate");
  program.option("--gamma", gamma, "discount of rewards, for each step");
  program.option("--follow", follow, "how far the target network follows the other, each step");
  return program.run(argc, argv, [&] {
    std::mt19937_64 random(static_cast<std::uint64_t>(randint(0, 1'000'000'000, {1}).item<std::int64_t>()));
    nn::Sequential values = make_network(), target = clone(values), best = clone(values);
    optim::Adam adam(values.parameters(), {.lr = lr});
    ReplayMemory memory(50'000);

    // One step of learning: q(s, a) shall be r + gamma q'(s', argmax q(s', .)), where q' is the slow target network.
    auto learn = [&] {
      const auto [before, action, after, goes_on] = memory.sample(batch_size);
      Variable wanted;
      {
        NoGrad guard;
        wanted = 1 + gamma * goes_on * take_along_axis(target(after), argmax(values(after), 1, true), 1);
      }
      adam.zero_grad();
      nn::smooth_l1_loss(take_along_axis(values(before), action, 1), wanted).backward();
      clip_grad_norm(values.parameters(), 10);
      adam.step();
      NoGrad guard;
      const auto slow = target.parameters(), fast = values.parameters();
      for (std::size_t i = 0; i < slow.size(); ++i) slow[i].assign(slow[i] + follow * (fast[i] - slow[i]));
    };

    std::vector<double> episodes, returns, tested_at, tested;
    double best_mean = 0;
    std::uniform_real_distribution<double> uniform(0, 1);
    CartPole game(random);
    const std::size_t steps = program.usual_or_quick<std::size_t>(most_steps, 5'000);
    for (example::Progress progress("playing", steps); progress.next() && best_mean < CartPole::most_steps;) {
      const double step = static_cast<double>(progress.step());
      const double epsilon = std::max(0.02, 1 - step / 5'000);  // the part of actions that are tried at random
      const CartPole::State before = game.state;
      const std::size_t action = uniform(random) < epsilon ? random() % 2 : best_action(values, before);
      const bool fallen = game.step(action);
      memory.add(before, action, game.state, fallen);
      if (progress.step() >= 500) learn();
      if (fallen || game.steps == CartPole::most_steps) {
        episodes.push_back(step), returns.push_back(game.steps);
        game = CartPole(random);
        progress.show("steps upright", returns.back());
      }
      if (progress.step() % 1'000 != 999) continue;
      // The network that does best is kept: later ones may be worse.
      tested_at.push_back(step), tested.push_back(mean_return(values, 20, random));
      if (tested.back() < best_mean) continue;
      best_mean = tested.back();
      best.load_state_dict(values.state_dict());
    }

    example::Plot("Learning to balance", "steps of the game", "steps until the pole falls", {.y_range = {{0, 520}}})
        .points("while learning", episodes, returns).line("without random actions, mean of 20", tested_at, tested)
        .save(program.file("learning"));
    std::vector<CartPole::State> states;
    std::vector<double> seconds, position, angle;
    play(best, random, [&](const CartPole::State& state) {
      states.push_back(state);
      seconds.push_back(0.02 * static_cast<double>(states.size()));
      position.push_back(state[0]), angle.push_back(state[2] * 180 / M_PI);
    });
    draw_game(program.file("game.png"), states);
    example::Plot("One game", "time [s]", "position [m], angle [degrees]")
        .line("position of the cart", seconds, position).line("angle of the pole", seconds, angle).save(program.file("angle"));
    program.result("mean_return", mean_return(best, 100, random), 1);
  });
}
