// Learns how to learn: parameters from which one gradient step fits a new sine wave (MAML).
//
// Finn, Abbeel and Levine, Model-agnostic meta-learning for fast adaptation of deep networks, ICML 2017, section 5.1.
// A task is a sine wave of random amplitude and phase, of which ten points are known, the shots. MAML looks for the
// parameters p whose loss is small after a step of gradient descent on the shots of a task:
//
//   minimize the mean over tasks of  loss(p - 0.01 dloss(p; shots)/dp; other points of the task)
//
// The gradient of this leads through another gradient, so it has second derivatives. `create_graph` gives them.

#include <cmath>
#include <iostream>
#include <numbers>

#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;
using Parameters = std::vector<Variable>;

// Many tasks at once. They lie along the first axis of everything.
struct Tasks {
  Variable amplitude, phase;  // (tasks, 1, 1)

  explicit Tasks(std::size_t count)
      : amplitude(0.1 + 4.9 * rand({count, 1, 1})), phase(std::numbers::pi * rand({count, 1, 1})) {}
  Variable draw_x(std::size_t points) const { return 10 * rand({amplitude.size(), points, 1}) - 5; }
  Variable y(const Variable& x) const { return amplitude * sin(x - phase); }
};

// The weights and biases of a network 1-40-40-1.
Parameters make_parameters() {
  Parameters result;
  for (auto [in, out] : {std::pair{1, 40}, {40, 40}, {40, 1}}) {
    result.push_back(parameter(std::sqrt(0.5 / in) * randn({in, out})));
    result.push_back(parameter(zeros({1, out})));
  }
  return result;
}

// The network as a function of its parameters as well. They are those of one network, or have an axis more in front, and
// are those of one network for each task. x is (tasks, points, 1).
Variable network(const Parameters& p, const Variable& x) {
  Variable hidden = relu(matmul(x, p[0]) + p[1]);
  hidden = relu(matmul(hidden, p[2]) + p[3]);
  return matmul(hidden, p[4]) + p[5];
}

// A network for each task, after steps of gradient descent from p on its points. With `create_graph` the steps are
// recorded, and the result is a function of p that can be differentiated.
Parameters adapt(Parameters p, const Variable& x, const Variable& y, int steps, double step_size, bool create_graph) {
  // The loss of a task depends on the copy of that task alone. So the gradient of the sum of all losses holds, in the
  // place of each copy, the gradient of its own loss: one walk serves all tasks.
  for (Variable& each : p) each = broadcast_to(each, {x.shape(0), each.shape(0), each.shape(1)});
  for (int step = 0; step < steps; ++step) {
    Variable losses = mean(square(network(p, x) - y), {1, 2});
    Parameters gradients = grad(sum(losses), p, {.create_graph = create_graph});
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = p[i] - step_size * gradients[i];
  }
  return p;
}

// One of the tasks: the wave, the shots, and what two sets of parameters make of them.
void draw_task(const Tasks& tasks, const Variable& shots, const Parameters& meta, const Parameters& baseline,
               double baseline_step, const std::filesystem::path& file) {
  Variable shots_y = tasks.y(shots), x = linspace(-5, 5, 201).reshape({201, 1});
  auto of_first = [](const Variable& v) { return example::numbers(v[0]); };
  auto curve = [&](const Parameters& p, int steps, double step_size) {
    return of_first(network(adapt(p, shots, shots_y, steps, step_size, false), x));
  };
  std::vector<double> xs = example::numbers(x);
  example::Plot plot("A sine wave of which " + std::to_string(shots.shape(1)) + " points are known", "x", "y");
  plot.line("truth", xs, of_first(tasks.y(x)));
  plot.dashed("MAML, before", xs, curve(meta, 0, 0));
  plot.line("MAML, 1 step", xs, curve(meta, 1, 0.01));
  plot.line("MAML, 10 steps", xs, curve(meta, 10, 0.01));
  plot.line("baseline, 10 steps", xs, curve(baseline, 10, baseline_step));
  plot.points("shots", of_first(shots), of_first(shots_y));
  plot.save(file);
}

int main(int argc, char** argv) {
  example::Program program("maml", "Meta-learns to fit sine waves in one gradient step.");
  std::size_t steps = 20000, batch = 25, shots = 10;
  double lr = 3e-3;
  program.option("--steps", steps, "of meta-training");
  program.option("--batch", batch, "tasks in each step");
  program.option("--shots", shots, "points of each task that are known");
  program.option("--lr", lr, "learning rate of Adam at the start");

  return program.run(argc, argv, [&] {
    if (program.quick()) steps = std::min(steps, std::size_t{1500});
    // The baseline is the same network, trained on the points of all tasks without a thought of the steps to come.
    Parameters meta = make_parameters(), baseline = make_parameters();
    optim::Adam meta_adam(meta, {.lr = lr}), baseline_adam(baseline, {.lr = lr});
    optim::CosineAnnealingLR meta_schedule(meta_adam, {.T_max = std::int64_t(steps)});
    optim::CosineAnnealingLR baseline_schedule(baseline_adam, {.T_max = std::int64_t(steps)});
    std::cout << "meta-training on " << steps << " x " << batch << " sine waves of " << shots << " shots" << std::endl;

    std::vector<double> at, meta_losses, baseline_losses;
    double meta_sum = 0, baseline_sum = 0;
    for (example::Progress progress("meta-training", steps); progress.next();) {
      Tasks tasks(batch);
      Variable x = tasks.draw_x(shots), others = tasks.draw_x(shots), y = tasks.y(x), others_y = tasks.y(others);

      meta_adam.zero_grad();
      Variable loss = mean(square(network(adapt(meta, x, y, 1, 0.01, true), others) - others_y));
      loss.backward();
      meta_adam.step();
      meta_schedule.step();

      baseline_adam.zero_grad();
      Variable baseline_loss = mean(square(network(baseline, others) - others_y));
      baseline_loss.backward();
      baseline_adam.step();
      baseline_schedule.step();

      meta_sum += loss.item(), baseline_sum += baseline_loss.item();
      if (std::size_t mean_of = std::max<std::size_t>(steps / 100, 1); (progress.step() + 1) % mean_of == 0) {
        at.push_back(double(progress.step() + 1));
        meta_losses.push_back(std::exchange(meta_sum, 0) / double(mean_of));
        baseline_losses.push_back(std::exchange(baseline_sum, 0) / double(mean_of));
        progress.show("loss", meta_losses.back());
      }
    }
    example::Plot learning("Meta-training", "step", "mean squared error", {.log_y = true, .y_range = {{0.1, 5}}});
    learning.line("MAML, after a step on the shots", at, meta_losses);
    learning.line("baseline", at, baseline_losses).save(program.file("learning"));

    Tasks test(program.usual_or_quick<std::size_t>(500, 200));
    Variable x = test.draw_x(shots), y = test.y(x), others = test.draw_x(100), others_y = test.y(others);
    auto loss_after = [&](const Parameters& p, int adaptation, double step_size = 0.01) {
      return mean(square(network(adapt(p, x, y, adaptation, step_size, false), others) - others_y)).item();
    };
    // The baseline takes the step size that is best for it on these very tasks, an advantage that MAML does not have.
    double baseline_step = 0, baseline_loss = loss_after(baseline, 0);
    for (double size : {0.001, 0.002, 0.005, 0.01, 0.02, 0.05})
      if (double loss = loss_after(baseline, 10, size); loss < baseline_loss) baseline_loss = loss, baseline_step = size;
    draw_task(test, x, meta, baseline, baseline_step, program.file("task"));

    std::cout << "mean squared errors on new tasks; the best step size of the baseline is " << baseline_step << std::endl;
    program.result("loss_before", loss_after(meta, 0));
    program.result("loss_after_1", loss_after(meta, 1));
    program.result("loss_after_10", loss_after(meta, 10));
    program.result("baseline_after_10", baseline_loss);
  });
}
