// Learns the law of motion behind a noisy spiral: a differential equation whose right side is a network.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/odeint.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

int main(int argc, char** argv) {
  example::Program program("neural_ode", "Learns a differential equation from a noisy spiral (Chen et al. 2018).");
  std::size_t samples = 480, batch = 20, piece = 30, steps = 8000;
  double noise = 0.02, lr = 1e-2, tolerance = 1e-4;
  program.option("--samples", samples, "of the trajectory")->check(CLI::Range(10, 1000000));
  program.option("--noise", noise, "standard deviation of the noise of the samples");
  program.option("--batch", batch, "pieces of the trajectory in each step")->check(CLI::Range(1, 100000));
  program.option("--piece", piece, "samples of a piece")->check(CLI::Range(2, 1000));
  program.option("--steps", steps, "of training");
  program.option("--lr", lr, "learning rate of Adam at the start");
  program.option("--tolerance", tolerance, "error that the solver allows a step, relative and absolute");

  return program.run(argc, argv, [&] {
    if (program.quick()) steps = std::min<std::size_t>(steps, 700);
    // The truth is dx/dt = A x^3, element by element. The samples of it are noisy.
    const std::vector<double> times = example::numbers(linspace(0, 12, samples, float64));
    const std::vector<double> piece_times(times.begin(), times.begin() + std::ptrdiff_t(piece));
    auto law = [](auto&, auto& x) { return matmul(x * x * x, Variable({{-0.1, -2}, {2, -0.1}}, float64)); };
    OdeStatistics taken;
    Variable start({{2, 0}}, float64);
    Variable truth = odeint(law, start, times, {}, {.rtol = 1e-9, .atol = 1e-9, .statistics = &taken}).to(float32);
    Variable measured = truth + noise * randn(truth.shape());
    std::cout << samples << " samples of a spiral, found in " << taken.steps << " steps" << std::endl;

    nn::Sequential network{nn::Dense(2, 50), nn::SiLU(), nn::Dense(50, 50), nn::SiLU(), nn::Dense(50, 2)};
    auto field = [&](auto&, auto& x) { return network(x); };
    const OdeOptions options{.rtol = tolerance, .atol = tolerance, .statistics = &taken};
    optim::Adam adam(network.parameters(), {.lr = lr});
    optim::CosineAnnealingLR schedule(adam, {.T_max = std::int64_t(steps)});

    // A batch is some short pieces, each of which begins at a sample. The equation is the same at all times, so all of
    // them are solved at once, from t = 0.
    std::vector<double> at, losses;
    double sum_of_losses = 0;
    for (example::Progress progress("training", steps); progress.next();) {
      Variable first = randint(0, std::int64_t(samples - piece + 1), {batch});
      Variable rows = reshape(arange(std::int64_t(piece)), {-1, 1}) + first;  // (piece, batch)
      Variable wanted = reshape(measured, {-1, 2})[rows];
      adam.zero_grad();
      Variable loss = mean(abs(odeint(field, wanted[0], piece_times, {}, options) - wanted));
      loss.backward();
      adam.step();
      schedule.step();
      sum_of_losses += loss.item();
      if ((progress.step() + 1) % 20 != 0) continue;
      at.push_back(double(progress.step() + 1)), losses.push_back(std::exchange(sum_of_losses, 0) / 20);
      progress.show("loss", losses.back());
    }

    // The whole trajectory, from its first point alone.
    NoGrad guard;
    Variable learned = odeint(field, truth[0], times, {}, options);
    auto column = [](const Variable& x, std::ptrdiff_t i) { return example::numbers(x[{all, 0, i}]); };
    // The learned field as short strokes along it, with gaps between them.
    std::vector<double> stroke_x, stroke_y;
    for (double px = -2.2; px < 2.3; px += 0.34)
      for (double py = -2.2; py < 2.3; py += 0.34) {
        auto d = example::numbers(network(Variable{{px, py}}));
        const double length = 0.09 / std::max(1e-6, std::hypot(d[0], d[1]));
        stroke_x.insert(stroke_x.end(), {px - length * d[0], px + length * d[0], NAN});
        stroke_y.insert(stroke_y.end(), {py - length * d[1], py + length * d[1], NAN});
      }
    example::PlotOptions square{.equal = true, .width = 560, .height = 560};
    example::Plot("A spiral, and the law that was learned from it", "x0", "x1", square)
        .line("learned dx/dt", stroke_x, stroke_y).points("samples", column(measured, 0), column(measured, 1))
        .line("learned trajectory", column(learned, 0), column(learned, 1)).save(program.file("plane"));
    example::Plot("The first coordinate", "t", "x0").line("truth", times, column(truth, 0))
        .dashed("learned", times, column(learned, 0)).save(program.file("time"));
    example::Plot("Training", "step", "mean absolute deviation", {.log_y = true}).line("", at, losses)
        .save(program.file("training"));

    program.result("test_error", mean(abs(learned - truth)).item());
    program.result("steps_taken", double(taken.steps), 0);
  });
}
