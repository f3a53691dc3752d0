// Fits a decaying oscillation to noisy measurements: nonlinear least squares by Levenberg and Marquardt.

#include <cmath>
#include <cstdio>
#include <iostream>
#include <vector>

#include <autograd/autograd.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

// The model: y = a exp(-k t) cos(w t + p) + c, for parameters (a, k, w, p, c).
const char* const names[] = {"a", "k", "w", "p", "c"};

Variable model(const Variable& parameters, const Variable& t) {
  auto p = unbind(parameters);
  return p[0] * exp(-p[1] * t) * cos(p[2] * t + p[3]) + p[4];
}

int main(int argc, char** argv) {
  example::Program program("curve_fit", "Fits a decaying oscillation to noisy measurements by Levenberg-Marquardt.");
  std::size_t points = 120, steps = 100;
  double noise = 0.15;
  program.option("--points", points, "measurements")->check(CLI::Range(6, 100000));
  program.option("--noise", noise, "standard deviation of the noise")->check(CLI::PositiveNumber);
  program.option("--steps", steps, "steps at most");

  return program.run(argc, argv, [&] {
    DefaultDType precise(float64);
    // The program makes its data itself: the curve of the true parameters, and normal noise.
    Variable truth{2.0, 0.25, 3.0, 0.5, 1.0};
    Variable t = 10 * rand({points});
    Variable y = model(truth, t) + noise * randn({points});
    std::cout << points << " measurements, made by this program: the curve of known parameters, and noise of "
              << noise << ".\n\n";

    // What is to be small is the sum of squares of the residuals r. Near p, r(p + d) is about r + J d, for the Jacobian J
    // of r. The step d that minimizes |r + J d|^2 + lambda |D d|^2 solves
    //
    //   (J'J + lambda D^2) d = -J'r,   D^2 = diag(J'J)
    //
    // With a small lambda this is a step of Gauss and Newton, fast near the solution; with a large one it is a short step
    // downhill, which is safe far away. Lambda falls after a step that was good, and rises after one that was not.
    //
    // At the minimum J'r is 0: the residuals are at right angles to the columns of J. The loop ends where the cosines of
    // these angles are below 10^-6.
    auto residuals = [&](const Variable& p) { return model(p, t) - y; };
    Variable start{1.0, 0.1, 2.7, 0.0, 0.0};
    Variable p = start, r = residuals(p), J;
    double norm = std::sqrt(sum(square(r)).item()), lambda = 1e-2;
    std::vector<double> norms{norm};
    std::printf("iteration  norm of r   greatest cosine   lambda\n");
    for (example::Progress progress("fitting", steps); progress.next();) {
      J = jacobian(residuals, {p})[0];
      Variable JtJ = matmul(transpose(J), J), Jtr = matmul(r, J);
      double cosine = max(abs(Jtr) / sqrt(diagonal(JtJ))).item() / norm;
      std::printf("%9zu  %.8f  %.1e           %.0e\n", progress.step(), norm, cosine, lambda);
      if (cosine < 1e-6) break;
      Variable d = -solve(JtJ + lambda * diag(diagonal(JtJ)), Jtr);
      Variable tried = residuals(p + d);
      double new_norm = std::sqrt(sum(square(tried)).item());
      if (new_norm < norm) p = p + d, r = tried, norm = new_norm, lambda *= 0.1;
      else lambda *= 10;
      norms.push_back(norm);
    }

    // Where the residuals are noise of variance s^2, the parameters found scatter around the true ones with the
    // covariance (J'J)^-1 s^2.
    J = jacobian(residuals, {p})[0];
    double variance = sum(square(r)).item() / double(points - 5);
    Variable errors = sqrt(variance * diagonal(inverse(matmul(transpose(J), J))));
    std::cout << "\nparameter      true    fitted   standard error\n";
    for (int i = 0; i < 5; ++i)
      std::printf("%-9s  %8.4f  %8.4f   %.4f\n", names[i], truth[i].item(), p[i].item(), errors[i].item());
    std::printf("noise      %8.4f  %8.4f\n", noise, std::sqrt(variance));

    Variable fine = linspace(0, 10, 400);
    auto xs = example::numbers(fine);
    example::Plot plot("A fitted oscillation", "t", "y");
    plot.line("true", xs, example::numbers(model(truth, fine)));
    plot.points("measurements", example::numbers(t), example::numbers(y));
    plot.dashed("fitted", xs, example::numbers(model(p, fine)));
    plot.dashed("first guess", xs, example::numbers(model(start, fine)));
    plot.save(program.file("fit"));
    example::Plot convergence("Levenberg-Marquardt", "iteration", "norm of the residuals", {.log_y = true});
    convergence.line("", example::numbers(arange(double(norms.size()))), norms);
    convergence.save(program.file("convergence"));

    std::cout << "\n";
    program.result("largest_deviation", max(abs(p - truth) / errors).item());
    program.result("iterations", double(norms.size() - 1), 0);
  });
}
