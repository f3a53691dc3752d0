// Learns a smooth function from noisy points by a Gaussian process, and says how far to trust it.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <numbers>
#include <vector>

#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

// Equation numbers are those of Rasmussen and Williams, Gaussian processes for machine learning, MIT Press 2006.

// The hyperparameters, as logarithms: so they stay positive whatever an optimizer does.
struct Logarithms {
  Variable length, amplitude, noise;
};

// How alike the function's values at two places are (2.31 without the noise):
// k(a, b) = amplitude^2 exp(-(a - b)^2 / (2 length^2)), for all pairs of a and b.
Variable kernel(const Logarithms& h, const Variable& a, const Variable& b) {
  Variable distance = (reshape(a, {-1, 1}) - b) / exp(h.length);
  return exp(2 * h.amplitude - 0.5 * square(distance));
}

// The lower triangular L with L L' = K + noise^2 I.
Variable factor(const Logarithms& h, const Variable& x) {
  return cholesky(kernel(h, x, x) + exp(2 * h.noise) * eye(x.size()));
}

// How likely the measurements y at x are, as a logarithm (2.30):
// -1/2 y' (K + noise^2 I)^-1 y - 1/2 log det(K + noise^2 I) - n/2 log(2 pi).
// With z = L^-1 y the first product is z'z, and the determinant is the square of that of L: the product of its diagonal.
Variable log_likelihood(const Logarithms& h, const Variable& x, const Variable& y) {
  Variable L = factor(h, x), z = solve_triangular(L, y);
  return -0.5 * sum(square(z)) - sum(log(diagonal(L))) - 0.5 * double(y.size()) * std::log(2 * std::numbers::pi);
}

// What is known of the function at places p after the measurements: its mean (2.23) and its standard deviation (2.24).
struct Prediction {
  Variable mean, deviation;
};
Prediction predict(const Logarithms& h, const Variable& x, const Variable& y, const Variable& p) {
  NoGrad guard;
  Variable L = factor(h, x), v = solve_triangular(L, kernel(h, x, p));
  return {matmul(solve_triangular(L, y), v), sqrt(exp(2 * h.amplitude) - sum(square(v), 0))};
}

int main(int argc, char** argv) {
  example::Program program("gaussian_process", "Learns a function, and how sure that is, by a Gaussian process.");
  std::size_t points = 100, steps = 30;
  double noise = 0.2;
  program.option("--points", points, "measurements")->check(CLI::Range(2, 3000));
  program.option("--noise", noise, "standard deviation of the noise")->check(CLI::PositiveNumber);
  program.option("--steps", steps, "iterations of L-BFGS at most");

  return program.run(argc, argv, [&] {
    DefaultDType precise(float64);
    // The program makes its data itself: a known function, and normal noise. Nothing was measured between 5.5 and 7.
    auto truth = [](const Variable& x) { return sin(x) + 0.5 * sin(2.3 * x + 1); };
    Variable x = 8.5 * rand({points});
    x = x + 1.5 * (x > 5.5).to(float64);
    Variable y = truth(x) + noise * randn({points});
    std::cout << points << " measurements, made by this program: a known function, and noise of " << noise << ".\n";

    // A guess. By it, the gradient is compared with central differences: one walk back against two calls for each number.
    auto log_of = [](double value) { return parameter(Variable{std::log(value)}); };
    std::vector<Variable> h{log_of(0.3), log_of(0.5), log_of(0.5)};
    auto objective = [&](const std::vector<Variable>& h) { return log_likelihood({h[0], h[1], h[2]}, x, y); };
    std::vector<Variable> gradient = grad(objective, h);
    double gradient_error = 0;
    for (std::size_t i = 0; i < h.size(); ++i) {
      auto at = [&](double step) {
        std::vector<Variable> moved = h;
        moved[i] = h[i] + step;
        return objective(moved).item();
      };
      double difference = (at(1e-4) - at(-1e-4)) / 2e-4;
      gradient_error = std::max(gradient_error, std::abs(gradient[i].item() / difference - 1));
    }

    // Uphill, until the gradient is 0 but for rounding.
    optim::LBFGS lbfgs(h, {.max_iter = 1, .tolerance_change = 0, .strong_wolfe = true});
    std::cout << "\nstep  log likelihood  length  amplitude  noise   greatest derivative" << std::endl;
    for (example::Progress progress("learning", steps); progress.next();) {
      auto [value, slopes] = value_and_grad(objective, h);
      double slope = max(abs(concatenate(slopes))).item();
      char line[80];
      std::snprintf(line, sizeof line, "%4zu  %14.6f  %6.4f  %9.4f  %.4f  %.1e", progress.step(), value.item(),
                    exp(h[0]).item(), exp(h[1]).item(), exp(h[2]).item(), slope);
      progress.print(line);
      if (slope < 1e-5) break;
      lbfgs.step([&] {
        lbfgs.zero_grad();
        Variable loss = -objective(h);
        loss.backward();
        return loss;
      });
    }
    Logarithms learned{h[0].detach(), h[1].detach(), h[2].detach()};

    // A measurement scatters around the function by the noise. 95 % of new ones, all over the range, are to lie within
    // two standard deviations of the two together.
    Variable new_x = 10 * rand({2000}), new_y = truth(new_x) + noise * randn({2000});
    auto [mean_there, deviation_there] = predict(learned, x, y, new_x);
    Variable both = sqrt(square(deviation_there) + exp(2 * learned.noise));
    double coverage = mean((abs(new_y - mean_there) < 2 * both).to(float64)).item();

    Variable fine = linspace(0, 10, 400);
    auto [mean, deviation] = predict(learned, x, y, fine);
    auto xs = example::numbers(fine);
    example::Plot plot("A function learned by a Gaussian process", "x", "y");
    plot.band("two standard deviations", xs, example::numbers(mean - 2 * deviation),
              example::numbers(mean + 2 * deviation));
    plot.line("mean", xs, example::numbers(mean));
    plot.dashed("true", xs, example::numbers(truth(fine)));
    plot.points("measurements", example::numbers(x), example::numbers(y));
    plot.save(program.file("regression"));

    std::cout << "\n";
    program.result("length_scale", exp(learned.length).item());
    program.result("amplitude", exp(learned.amplitude).item());
    program.result("noise", exp(learned.noise).item());
    program.result("log_likelihood", log_likelihood(learned, x, y).item());
    program.result("gradient_error", gradient_error);
    program.result("coverage", coverage);
  });
}
