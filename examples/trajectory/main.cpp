// Swings up a pole on a cart: plans the forces by the gradient of a simulator.

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <numbers>
#include <tuple>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <optim/optim.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;
constexpr double pi = std::numbers::pi;

// A state is position [m] and speed of the cart, angle of the pole from upright [rad] and angular velocity. `X` is what
// computes with them: a number of `fuse`, or a Variable with the states of many plans.
template <class X>
using State = std::array<X, 4>;

// d state / dt of the cart and the pole of Barto, Sutton and Anderson (1983), without friction, under a force [N].
template <class X>
State<X> derivative(const State<X>& state, const X& force) {
  constexpr double gravity = 9.8, cart = 1, pole = 0.1, half_length = 0.5, all = cart + pole;
  auto [x, v, angle, w] = state;
  X c = cos(angle), s = sin(angle);
  X push = (force + pole * half_length * w * w * s) / all;
  X turn = (gravity * s - c * push) / (4.0 / 3 * half_length - pole * half_length / all * c * c);
  return {v, push - pole * half_length / all * turn * c, w, turn};
}

// A step of the classical Runge-Kutta method of order 4.
template <class X>
State<X> step(const State<X>& state, const X& force, double dt) {
  auto moved = [](State<X> from, double time, const State<X>& slope) {
    for (std::size_t i = 0; i < 4; ++i) from[i] = from[i] + time * slope[i];
    return from;
  };
  State<X> k1 = derivative(state, force), k2 = derivative(moved(state, dt / 2, k1), force);
  State<X> k3 = derivative(moved(state, dt / 2, k2), force), k4 = derivative(moved(state, dt, k3), force);
  return moved(moved(moved(moved(state, dt / 6, k1), dt / 3, k2), dt / 3, k3), dt / 6, k4);
}

// All states for forces (steps, plans), each of which lasts dt: arrays (steps, plans) of the four numbers. `step` would
// do with Variables as it stands. `fuse` makes one node of the tape of it, instead of more than a hundred.
State<Variable> simulate(const Variable& forces, double dt) {
  Variable zero = zeros({forces.shape(1)});
  State<Variable> state{zero, zero, zero + pi, zero};  // the pole hangs down, at rest
  State<std::vector<Variable>> all;
  for (const Variable& force : unbind(forces)) {
    state = fuse([dt](auto x, auto v, auto angle, auto w, auto push) {
      auto next = step({x, v, angle, w}, push, dt);
      return std::tuple(next[0], next[1], next[2], next[3]);
    }, state[0], state[1], state[2], state[3], force);
    for (std::size_t i = 0; i < 4; ++i) all[i].push_back(state[i]);
  }
  return {stack(all[0]), stack(all[1]), stack(all[2]), stack(all[3])};
}

// The loss of each plan. It weighs how far the pole is from upright and at rest, and the cart from its place, over the
// last eighth and once more at the end, and adds a small cost of force. 1 - cos(angle) is the same after a full turn.
Variable losses(const State<Variable>& states, const Variable& forces) {
  const auto [x, v, angle, w] = states;
  Variable miss = 10 * (1 - cos(angle)) + square(w) + square(x) + square(v);
  auto steps = std::ptrdiff_t(forces.shape(0));
  return mean(miss[range(steps - steps / 8, none)], 0) + miss[-1] + 3e-3 * mean(square(forces), 0);
}

int main(int argc, char** argv) {
  example::Program program("trajectory", "Swings up a pole on a cart by differentiating through a simulator.");
  std::size_t plans = 8, steps = 100, iterations = 3000;
  double seconds = 4, strength = 10, lr = 0.1;
  program.option("--plans", plans, "plans at once, of which the best is shown")->check(CLI::Range(1, 1000));
  program.option("--steps", steps, "steps of time")->check(CLI::Range(10, 10000));
  program.option("--seconds", seconds, "how long a plan lasts")->check(CLI::Range(0.1, 100.0));
  program.option("--strength", strength, "the force [N] that no plan exceeds")->check(CLI::Range(0.1, 1000.0));
  program.option("--iterations", iterations, "steps of Adam");
  program.option("--lr", lr, "learning rate of Adam at the start");

  return program.run(argc, argv, [&] {
    DefaultDType precise(float64);
    if (program.quick()) plans = 4, iterations = std::min<std::size_t>(iterations, 500);
    const double dt = seconds / double(steps);

    // The plans begin with small random forces. tanh bounds them, whatever the parameters are.
    Variable raw = parameter(0.1 * randn({steps, plans}));
    auto forces = [&] { return strength * tanh(raw); };
    optim::Adam adam({raw}, {.lr = lr});
    optim::CosineAnnealingLR schedule(adam, {.T_max = std::int64_t(iterations)});
    std::cout << plans << " plans of " << steps << " forces, each at most " << strength << " N" << std::endl;

    // The plans do not act on each other, so the gradient of the sum of their losses holds that of each one. The walk
    // back leads through all steps of the simulation.
    std::vector<double> at, worst, best;
    for (example::Progress progress("planning", iterations); progress.next();) {
      adam.zero_grad();
      Variable force = forces(), each = losses(simulate(force, dt), force);
      sum(each).backward();
      adam.step();
      schedule.step();
      at.push_back(double(progress.step() + 1));
      worst.push_back(max(each).item()), best.push_back(min(each).item());
      progress.show("best loss", best.back());
    }

    // The best plan, carried out by a simulator with steps ten times as fine. It tells whether the plan lives on the
    // errors of the coarse one.
    NoGrad guard;
    Variable force = forces();
    auto chosen = argmin(losses(simulate(force, dt), force)).item<std::int64_t>();
    Variable plan = repeat_interleave(force[{all, range(chosen, chosen + 1)}], 10, 0);
    const auto [x, v, angle, w] = simulate(plan, dt / 10);
    std::vector<double> time = example::numbers(arange(1, std::ptrdiff_t(plan.size() + 1)).to(float64) * dt / 10);
    example::Plot("Swinging up a pole on a cart", "time [s]", "angle [half turns], position [m]")
        .line("angle of the pole from upright", time, example::numbers(angle / pi))
        .line("position of the cart", time, example::numbers(x)).save(program.file("motion"));
    example::Plot("The force on the cart", "time [s]", "force [N]").line("", time, example::numbers(plan))
        .save(program.file("force"));
    example::Plot("Planning", "step of Adam", "loss", {.log_y = true}).line("worst plan", at, worst)
        .line("best plan", at, best).save(program.file("planning"));

    program.result("final_angle_error", std::abs(std::remainder(angle[-1].item(), 2 * pi)) * 180 / pi);
    program.result("final_speed", std::max(std::abs(v[-1].item()), std::abs(w[-1].item())));
    program.result("most_force", max(abs(plan)).item());
  });
}
