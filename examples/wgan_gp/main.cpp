// Two networks against each other: a generator learns eight clusters of points from a critic whose gradient is kept near 1.

#include <cmath>
#include <iostream>
#include <numbers>

#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

constexpr std::size_t clusters = 8;
constexpr double spread = 0.05;  // of a cluster, around its middle on a circle of radius 1

Variable middles() {
  Variable angle = arange(0, static_cast<std::int64_t>(clusters)).to(float32) * (2 * std::numbers::pi / clusters);
  return stack({cos(angle), sin(angle)}, 1);
}
Variable real_points(std::size_t count) {
  const Variable which = randint(0, static_cast<std::int64_t>(clusters), {count});
  return take(middles(), which) + spread * randn({count, std::size_t{2}});
}

nn::Sequential make_network(std::size_t in, std::size_t out) {
  return {nn::Dense(in, 128), nn::ReLU(), nn::Dense(128, 128), nn::ReLU(), nn::Dense(128, out)};
}

// Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017, equation 3: on the way from real points to made
// ones, the critic's slope shall be 1. The penalty is a function of a gradient, and its own gradient goes through that.
Variable gradient_penalty(nn::Module& critic, const Variable& real, const Variable& made) {
  const Variable t = rand({real.shape(0), std::size_t{1}});
  Variable between = (t * real + (1 - t) * made).detach().requires_grad_();
  Variable slope = grad(sum(critic(between)), between, {.create_graph = true});
  return mean(square(sqrt(sum(square(slope), 1) + 1e-12) - 1));
}

int main(int argc, char** argv) {
  example::Program program("wgan_gp", "A Wasserstein GAN with gradient penalty (Gulrajani et al. 2017) in the plane.");
  std::size_t steps = 4'000, batch = 256, critic_steps = 2;
  double lr = 2e-3, penalty = 1;
  program.option("--steps", steps, "of the generator");
  program.option("--critic-steps", critic_steps, "of the critic for each of these");
  program.option("--penalty", penalty, "weight of the gradient penalty");
  program.option("--lr", lr, "learning rate");
  return program.run(argc, argv, [&] {
    nn::Sequential generator = make_network(8, 2), critic = make_network(2, 1);
    auto make = [&](std::size_t count) { return generator(randn({count, std::size_t{8}})); };
    optim::Adam generator_adam(generator.parameters(), {.lr = lr, .beta1 = 0.5, .beta2 = 0.9});
    optim::Adam critic_adam(critic.parameters(), {.lr = lr, .beta1 = 0.5, .beta2 = 0.9});
    const std::size_t all = program.usual_or_quick(steps, std::size_t{600});
    optim::CosineAnnealingLR slower(generator_adam, {.T_max = static_cast<std::int64_t>(all)});
    std::vector<double> at, distances;
    for (example::Progress progress("training", all); progress.next();) {
      double distance = 0;  // an estimate of Wasserstein's distance between real and made points
      for (std::size_t i = 0; i < critic_steps; ++i) {
        const Variable real = real_points(batch);
        Variable made;
        {
          NoGrad guard;
          made = make(batch);
        }
        critic_adam.zero_grad();
        Variable gain = mean(critic(real)) - mean(critic(made));
        (penalty * gradient_penalty(critic, real, made) - gain).backward();
        critic_adam.step();
        distance = gain.item();
      }
      generator_adam.zero_grad();
      (-mean(critic(make(batch)))).backward();
      generator_adam.step();
      slower.step();
      at.push_back(static_cast<double>(progress.step())), distances.push_back(distance);
      progress.show("distance", distance);
    }

    NoGrad guard;
    const std::size_t count = 1'000;
    const Variable made = make(count), real = real_points(count);
    auto coordinates = [](const Variable& points, int axis) { return example::numbers(points[{range(), axis}]); };
    example::Plot("Learning", "step", "estimated Wasserstein distance").line("", at, distances).save(program.file("learning"));
    example::Plot("Real points, and those that the generator makes", "x", "y", {.equal = true, .width = 560, .height = 560})
        .points("real", coordinates(real, 0), coordinates(real, 1))
        .points("made", coordinates(made, 0), coordinates(made, 1)).save(program.file("points"));
    // A made point is a hit within four standard deviations of a middle.
    const Variable squares = sum(square(expand_dims(made, 1) - middles()), 2), nearest = argmin(squares, 1);
    const Variable hit = sqrt(min(squares, 1)) < 4 * spread;
    std::size_t found = 0;
    for (std::size_t k = 0; k < clusters; ++k)
      found += sum((hit && nearest == static_cast<std::int64_t>(k)).to(float32)).item() >= 0.02 * static_cast<double>(count);
    program.result("hits", mean(hit.to(float32)).item());
    program.result("clusters", static_cast<double>(found), 0);
  });
}
