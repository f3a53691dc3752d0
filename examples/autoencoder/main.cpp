// Cleans noisy digits, and finds two numbers that tell each digit: an autoencoder beside principal components.

#include <iostream>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/picture.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// From 784 pixels to `width` numbers, and back.
struct Autoencoder : nn::Module {
  nn::Sequential encoder, decoder;
  explicit Autoencoder(std::size_t width)
      : encoder{nn::Dense(784, 512), nn::ReLU(), nn::Dense(512, 128), nn::ReLU(), nn::Dense(128, width)},
        decoder{nn::Dense(width, 128), nn::ReLU(), nn::Dense(128, 512), nn::ReLU(), nn::Dense(512, 784), nn::Sigmoid()} {
    add("encoder", encoder);
    add("decoder", decoder);
  }
  Variable forward(const Variable& x) override { return decoder(encoder(x)); }
};

Variable with_noise(const Variable& images, double noise) { return clamp(images + noise * randn_like(images), 0, 1); }

// What is left of the test images where they are projected onto the first `width` principal components of the training
// images: the best that a linear autoencoder can do.
Variable by_principal_components(const Variable& train, const Variable& test, std::size_t width) {
  const Variable middle = mean(train, 0), centered = train - middle;
  const Variable covariance = matmul(transpose(centered), centered) / static_cast<double>(train.shape(0));
  const Variable components = svd(covariance).u[{range(), range(0, static_cast<std::ptrdiff_t>(width))}];
  return middle + matmul(matmul(test - middle, components), transpose(components));
}

double error(const Variable& images, const Variable& other) { return mean(square(images - other)).item(); }

int main(int argc, char** argv) {
  example::Program program("autoencoder",
                           "Hinton and Salakhutdinov (2006), with noise as Vincent et al. (2008), compared with PCA.");
  std::string data_dir;
  std::size_t width = 2, epochs = 15, batch = 128;
  double noise = 0.3, lr = 1e-3;
  program.option("--data-dir", data_dir, "a folder with MNIST's four files");
  program.option("--width", width, "how many numbers stand for an image")->check(CLI::Range(1, 784));
  program.option("--epochs", epochs, "passes over the training images");
  program.option("--noise", noise, "standard deviation of what is added to pixels");
  program.option("--lr", lr, "learning rate");
  return program.run(argc, argv, [&] {
    const example::DataSet data = example::digits_for(program, data_dir);
    const example::Digits train(data.train), test(data.test);
    Autoencoder net(width);
    optim::Adam adam(net.parameters(), {.lr = lr});

    const std::size_t steps = train.size() / batch, all = steps * program.usual_or_quick(epochs, std::size_t{20});
    optim::CosineAnnealingLR schedule(adam, {.T_max = static_cast<std::int64_t>(all)});
    std::vector<double> epoch, losses;
    Variable order;
    for (example::Progress progress("training", all); progress.next();) {
      const std::size_t step = progress.step() % steps;
      if (step == 0) order = Variable(default_generator().permutation(train.size()));
      const auto first = static_cast<std::ptrdiff_t>(step * batch);
      const Variable images = take(train.images, order[range(first, first + static_cast<std::ptrdiff_t>(batch))]);
      adam.zero_grad();
      Variable loss = nn::mse_loss(net(with_noise(images, noise)), images);  // clean images from noisy ones
      loss.backward();
      adam.step();
      schedule.step();
      progress.show("loss", loss.item());
      if (step + 1 < steps) continue;
      epoch.push_back(static_cast<double>(progress.step() + 1) / static_cast<double>(steps)), losses.push_back(loss.item());
    }

    NoGrad guard;
    const Variable noisy = with_noise(test.images, noise), cleaned = net(noisy);
    const Variable projected = by_principal_components(train.images, noisy, width);
    example::Gallery gallery(10, 2);
    for (const auto& [images, caption] : {std::pair{noisy, "noisy"}, {cleaned, "autoencoder"}, {projected, "PCA"}})
      for (std::ptrdiff_t i = 0; i < 10; ++i) gallery.add(reshape(images[i], {28, 28}), i == 0 ? caption : "");
    gallery.save(program.file("digits.png"));
    example::Plot("Learning", "epoch", "mean squared error").line("training", epoch, losses).save(program.file("learning"));
    if (width == 2) {
      const Variable code = net.encoder(test.images);
      example::Plot plot("Where the encoder puts the test digits", "first number", "second number", {.width = 720, .height = 640});
      for (std::int64_t digit = 0; digit < 10; ++digit) {
        const Variable chosen = code[test.labels == digit];
        plot.points(std::to_string(digit), example::numbers(chosen[{range(), 0}]), example::numbers(chosen[{range(), 1}]));
      }
      plot.save(program.file("code"));
    }
    program.result("noisy_error", error(noisy, test.images));
    program.result("pca_error", error(projected, test.images));
    program.result("test_error", error(cleaned, test.images));
  });
}
