// Learns the law of motion behind a noisy spiral: a differential equation whose right side is a network.

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;
using Field = std::function<Variable(const Variable&)>;  // dx/dt at each row of x

struct Solution {
  Variable x;  // (times, rows, 2)
  int steps = 0, rejected = 0;
};

// The method of Dormand and Prince (1980): a step of order 5 from seven slopes, and one of order 4 from the same slopes.
// The difference tells the error. All is made of operations, so gradients flow back through the steps. The step sizes are
// plain numbers, as constant for the gradient as the number of steps is.
Solution solve(const Field& field, const Variable& start, const std::vector<double>& times, double tolerance) {
  // Slope i is taken at x + h sum_j slopes[i][j] k_j. The last place is the end of the step: its slope serves the next.
  static const std::vector<std::vector<double>> slopes{
      {}, {1.0 / 5}, {3.0 / 40, 9.0 / 40}, {44.0 / 45, -56.0 / 15, 32.0 / 9},
      {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
      {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
      {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
  static const std::vector<double> difference{
      71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
  // Between the ends x is x + h sum_j k_j (inside_j1 z + ... + inside_j4 z^4) for z from 0 to 1 (Shampine 1986).
  static const Variable inside(
      {{1, -8048581381.0 / 2820520608, 8663915743.0 / 2820520608, -12715105075.0 / 11282082432},
       {0, 0, 0, 0},
       {0, 131558114200.0 / 32700410799, -68118460800.0 / 10900136933, 87487479700.0 / 32700410799},
       {0, -1754552775.0 / 470086768, 14199869525.0 / 1410260304, -10690763975.0 / 1880347072},
       {0, 127303824393.0 / 49829197408, -318862633887.0 / 49829197408, 701980252875.0 / 199316789632},
       {0, -282668133.0 / 205662961, 2019193451.0 / 616988883, -1453857185.0 / 822651844},
       {0, 40617522.0 / 29380423, -110615467.0 / 29380423, 69997945.0 / 29380423}}, float64);
  auto combine = [](const std::vector<double>& weights, const std::vector<Variable>& k) {
    Variable sum = weights[0] * k[0];
    for (std::size_t j = 1; j < weights.size(); ++j)
      if (weights[j] != 0) sum = sum + weights[j] * k[j];
    return sum;
  };

  Solution solution;
  std::vector<Variable> found{reshape(start, {1, -1, 2})};
  Variable x = start, slope = field(x);
  double t = times.front(), h = 0.01;
  for (std::size_t next = 1; next < times.size();) {
    std::vector<Variable> k{slope};
    Variable end;
    for (std::size_t i = 1; i < slopes.size(); ++i) k.push_back(field(end = x + h * combine(slopes[i], k)));
    // The error in units of what is allowed. The step size is adapted to it, for this step again or for the next.
    Variable scale, error;
    {
      NoGrad guard;
      scale = tolerance * (1 + maximum(abs(x), abs(end)));
      error = sqrt(mean(square(h * combine(difference, k) / scale)));
    }
    const double size = h;
    h *= std::clamp(0.9 * std::pow(error.item(), -0.2), 0.2, 5.0);
    if (!(error.item() <= 1)) {
      if (++solution.rejected > 100'000 || !std::isfinite(h)) throw ValueError("solve: the step size became too small");
      continue;
    }
    // The samples inside this step, all at once: (samples, 7) times (7, elements of x).
    std::vector<double> z;
    for (; next < times.size() && times[next] <= t + size; ++next) z.push_back((times[next] - t) / size);
    if (!z.empty()) {
      Variable column = reshape(Variable(z), {-1, 1});
      Variable weights = matmul(pow(column, Variable({1, 2, 3, 4}, float64)), transpose(inside)).to(x.dtype());
      Variable flat = reshape(stack(k), {7, -1});
      found.push_back(x + size * reshape(matmul(weights, flat), {std::ptrdiff_t(z.size()), -1, 2}));
    }
    x = end, slope = k.back(), t += size;
    ++solution.steps;
  }
  solution.x = concatenate(found);
  return solution;
}

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
    Field law = [](const Variable& x) { return matmul(x * x * x, Variable({{-0.1, -2}, {2, -0.1}}, float64)); };
    Solution exact = solve(law, Variable({{2, 0}}, float64), times, 1e-9);
    Variable truth = exact.x.to(float32);
    Variable measured = truth + noise * randn(truth.shape());
    std::cout << samples << " samples of a spiral, found in " << exact.steps << " steps" << std::endl;

    nn::Sequential network{nn::Dense(2, 50), nn::SiLU(), nn::Dense(50, 50), nn::SiLU(), nn::Dense(50, 2)};
    Field field = [&](const Variable& x) { return network(x); };
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
      Variable loss = mean(abs(solve(field, wanted[0], piece_times, tolerance).x - wanted));
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
    Solution learned = solve(field, truth[0], times, tolerance);
    auto column = [](const Variable& x, std::ptrdiff_t i) { return example::numbers(x[{all, 0, i}]); };
    // The learned field as short strokes along it, with gaps between them.
    std::vector<double> stroke_x, stroke_y;
    for (double px = -2.2; px < 2.3; px += 0.34)
      for (double py = -2.2; py < 2.3; py += 0.34) {
        auto d = example::numbers(field(Variable{{px, py}}));
        const double length = 0.09 / std::max(1e-6, std::hypot(d[0], d[1]));
        stroke_x.insert(stroke_x.end(), {px - length * d[0], px + length * d[0], NAN});
        stroke_y.insert(stroke_y.end(), {py - length * d[1], py + length * d[1], NAN});
      }
    example::PlotOptions options{.equal = true, .width = 560, .height = 560};
    example::Plot("A spiral, and the law that was learned from it", "x0", "x1", options)
        .line("learned dx/dt", stroke_x, stroke_y).points("samples", column(measured, 0), column(measured, 1))
        .line("learned trajectory", column(learned.x, 0), column(learned.x, 1)).save(program.file("plane"));
    example::Plot("The first coordinate", "t", "x0").line("truth", times, column(truth, 0))
        .dashed("learned", times, column(learned.x, 0)).save(program.file("time"));
    example::Plot("Training", "step", "mean absolute deviation", {.log_y = true}).line("", at, losses)
        .save(program.file("training"));

    program.result("test_error", mean(abs(learned.x - truth)).item());
    program.result("steps_taken", learned.steps, 0);
  });
}
