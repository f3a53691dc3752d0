// Solves Burgers' equation with a network that knows nothing but the equation: derivatives inside the loss.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <numbers>
#include <optional>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

// The equation of Raissi, Perdikaris and Karniadakis, Physics-informed neural networks, Journal of Computational Physics
// 378, 2019, section 3.1. A sine wave moves toward x = 0 from both sides, and piles up into a front that is 0.01 wide:
//
//   u_t + u u_x = nu u_xx   for t in [0, 1], x in [-1, 1]
//   u(0, x) = -sin(pi x),   u(t, -1) = u(t, 1) = 0
constexpr double pi = std::numbers::pi;

// What the network N makes of columns t and x. At t = 0 and at x = -1 and 1 the first term vanishes: the solution has
// the right values there, whatever the network says, and the loss needs no terms for them.
Variable solution(nn::Module& network, const Variable& t, const Variable& x) {
  Variable inputs = concatenate({2 * t - 1, x}, 1);
  return t * (1 - square(x)) * network(inputs) - sin(pi * x);
}

// u_t + u u_x - nu u_xx at each point. Each u depends on the t and x of its own row alone. So the gradient of the sum of
// all u is the column of all u_t, and that of all u_x. `create_graph` records how they were found: u_x can be
// differentiated again, and the loss by the weights of the network.
Variable residual(nn::Module& network, Variable t, Variable x, double nu) {
  t = t.detach().requires_grad_(), x = x.detach().requires_grad_();
  Variable u = solution(network, t, x);
  auto first = grad(sum(u), {t, x}, {.create_graph = true});
  Variable u_t = first[0], u_x = first[1];
  Variable u_xx = grad(sum(u_x), {x}, {.create_graph = true})[0];
  return u_t + u * u_x - nu * u_xx;
}

// The closed solution of Cole and Hopf, for rows t > 0 and columns x:
//
//   u(t, x) = -int sin(pi y) f(y) w(x - y) dy / int f(y) w(x - y) dy
//   f(y) = exp(-cos(pi y) / (2 pi nu)),   w(z) = exp(-z^2 / (4 nu t))
//
// With y = x - sqrt(4 nu t) s these are integrals of exp(-s^2) g(s) ds. The trapezoidal rule finds them to nearly all
// digits, as the integrand is smooth and vanishes on both sides (Trefethen and Weideman, SIAM Review 56, 2014).
Variable exact_solution(const Variable& t, const Variable& x, double nu) {
  Variable s = linspace(-12, 12, 201);
  Variable y = reshape(x, {1, -1, 1}) - sqrt(4 * nu * reshape(t, {-1, 1, 1})) * s;
  Variable f = exp(-cos(pi * y) / (2 * pi * nu) - square(s));
  return -sum(sin(pi * y) * f, -1) / sum(f, -1);
}

// New points where the equation holds least: drawn from many with probabilities in proportion to the residual.
void add_points(nn::Module& network, Variable& t, Variable& x, double nu, std::size_t count) {
  Variable many_t = rand({20 * count, 1}), many_x = 2 * rand({20 * count, 1}) - 1;
  Variable weights = abs(residual(network, many_t, many_x, nu)).detach();
  Variable chosen = multinomial(reshape(weights, {-1}), count);
  t = concatenate({t, many_t[chosen]}), x = concatenate({x, many_x[chosen]});
}

int main(int argc, char** argv) {
  example::Program program("pinn", "Solves Burgers' equation with a physics-informed neural network.");
  std::size_t points = 1000, more = 200, width = 20, rounds = 15;
  double nu = 0.01 / pi;
  program.option("--points", points, "points at which the equation is to hold, at first")->check(CLI::Range(10, 1000000));
  program.option("--more", more, "points that each round adds")->check(CLI::Range(1, 1000000));
  program.option("--width", width, "units of a layer")->check(CLI::Range(1, 1000));
  program.option("--rounds", rounds, "rounds, of 300 iterations of L-BFGS");
  program.option("--nu", nu, "viscosity")->check(CLI::Range(0.003, 10.0));

  return program.run(argc, argv, [&] {
    DefaultDType precise(float64);
    if (program.quick()) {  // a front ten times as wide, which is easier to find
      nu = 0.1 / pi, rounds = 2, points = 300, more = 100;
    }
    nn::Sequential network{nn::Dense(2, width), nn::Tanh(), nn::Dense(width, width), nn::Tanh(),
                           nn::Dense(width, width), nn::Tanh(), nn::Dense(width, width), nn::Tanh(),
                           nn::Dense(width, 1)};

    // The grid on which the network is compared with the closed solution, which takes no part in the training.
    Variable times = linspace(0.02, 1, 50), places = linspace(-1, 1, 201);
    Variable exact = exact_solution(times, places, nu);
    auto on_grid = [&](const Variable& ts) {
      NoGrad guard;
      auto grid = meshgrid({ts, places});
      Variable u = solution(network, reshape(grid[0], {-1, 1}), reshape(grid[1], {-1, 1}));
      return reshape(u, grid[0].shape());
    };
    auto relative_error = [&] {
      return std::sqrt(sum(square(on_grid(times) - exact)).item() / sum(square(exact)).item());
    };

    // A round minimizes the mean square of the residual by L-BFGS, in 15 steps of 20 iterations. The first rounds have a
    // greater viscosity, for wide fronts are easier to find; each later one begins with more points. As the function to
    // minimize is another one from then on, so is the optimizer.
    std::cout << network << "\nround  viscosity  points  loss      relative error" << std::endl;
    Variable t = rand({points, 1}), x = 2 * rand({points, 1}) - 1;
    std::optional<optim::LBFGS> lbfgs;
    for (example::Progress progress("training", 15 * rounds); progress.next();) {
      std::size_t round = progress.step() / 15, step = progress.step() % 15;
      double viscosity = std::max(nu, 0.1 / pi * std::pow(10, -0.5 * double(round)));
      if (step == 0) {
        if (round > 0) add_points(network, t, x, viscosity, more);
        optim::LBFGSOptions options{.max_iter = 20, .tolerance_change = 1e-12, .strong_wolfe = true};
        lbfgs.emplace(network.parameters(), options);
      }
      Variable loss = lbfgs->step([&] {
        lbfgs->zero_grad();
        Variable loss = mean(square(residual(network, t, x, viscosity)));
        loss.backward();
        return loss;
      });
      progress.show("loss", loss.item());
      if (step < 14) continue;
      char line[80];
      std::snprintf(line, sizeof line, "%5zu  %9.6f  %6zu  %.2e  %.4f", round + 1, viscosity, t.size(), loss.item(),
                    relative_error());
      progress.print(line);
    }

    example::Plot map("Burgers' equation, solved by a network: u", "x", "t");
    map.map(on_grid(linspace(0, 1, 200)), {-1, 1}, {0, 1});
    map.save(program.file("solution"));

    auto xs = example::numbers(places);
    std::vector<double> exact_xs, exact_us;
    example::Plot cuts("Cuts at four times", "x", "u");
    for (double time : {0.1, 0.3, 0.5, 0.9}) {
      Variable at({time});
      char name[20];
      std::snprintf(name, sizeof name, "t = %.1f", time);
      cuts.line(name, xs, example::numbers(on_grid(at)));
      auto us = example::numbers(exact_solution(at, places, nu));
      exact_xs.insert(exact_xs.end(), xs.begin(), xs.end()), exact_us.insert(exact_us.end(), us.begin(), us.end());
      exact_xs.push_back(NAN), exact_us.push_back(NAN);  // a gap between curves
    }
    cuts.dashed("exact", exact_xs, exact_us);
    cuts.save(program.file("cuts"));

    std::cout << std::endl;
    program.result("relative_error", relative_error());
  });
}
