// A layer of one's own, with no backward code: a highway network learns the parity of bits.

#include <iostream>

#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// Srivastava, Greff and Schmidhuber (2015), https://arxiv.org/abs/1505.00387: a gate t decides, for each number, how much
// of a layer's result replaces what came in. backward() derives the gradients from these three lines.
struct Highway : nn::Module {
  nn::Dense transform, gate;
  explicit Highway(std::size_t width) : transform(width, width), gate(width, width) {
    add("transform", transform);
    add("gate", gate);
  }
  Variable forward(const Variable& x) override {
    Variable t = sigmoid(gate(x));
    return t * relu(transform(x)) + (1 - t) * x;
  }
};

// All numbers of so many bits, as rows of 0 and 1, and whether each has an odd number of ones.
std::pair<Variable, Variable> parity_of_bits(std::size_t bits) {
  Variable rows = arange(0, std::int64_t{1} << bits), each = pow(2, arange(0, static_cast<std::int64_t>(bits)));
  Variable x = remainder(floor_divide(expand_dims(rows, 1), each), 2);
  return {x.to(float32), remainder(sum(x, 1), 2).to(float32)};
}

int main(int argc, char** argv) {
  example::Program program("custom_layer", "Trains a network with a layer that is written here, in ten lines.");
  std::size_t bits = 8, width = 32, depth = 3;
  program.option("--bits", bits, "in a number")->check(CLI::Range(2, 16));
  program.option("--width", width, "of the layers");
  program.option("--depth", depth, "highway layers");
  return program.run(argc, argv, [&] {
    auto [x, odd] = parity_of_bits(program.usual_or_quick(bits, std::size_t{4}));
    nn::Sequential net;
    net.append(nn::Dense(x.shape(1), width));
    for (std::size_t i = 0; i < depth; ++i) net.append(Highway(width));
    net.append(nn::Dense(width, 1));
    std::cout << net << '\n';

    optim::Adam adam(net.parameters(), {.lr = 5e-3});
    std::vector<double> steps, losses;
    for (example::Progress progress("training", program.usual_or_quick<std::size_t>(1000, 300)); progress.next();) {
      adam.zero_grad();
      Variable loss = nn::sigmoid_cross_entropy(squeeze(net(x), -1), odd);
      loss.backward();
      adam.step();

      steps.push_back(static_cast<double>(progress.step()));
      losses.push_back(loss.item());
      progress.show("loss", losses.back());
    }
    example::Plot("Parity of bits, learned by a highway network", "step", "cross-entropy", {.log_y = true})
        .line("", steps, losses).save(program.file("learning"));
    const Variable answers = (squeeze(net(x), -1) > 0).to(float32);
    program.result("wrong", sum((answers != odd).to(float32)).item(), 0);
  });
}
