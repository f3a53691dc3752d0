// Draws new digits: a variational autoencoder learns what MNIST's digits have in common.

#include <iostream>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/picture.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// Kingma and Welling, Auto-encoding variational Bayes, ICLR 2014. The encoder gives a normal distribution of codes z for
// an image, the decoder the probability of ink for each pixel.
struct Vae : nn::Module {
  nn::Dense hidden, middle, log_variance;
  nn::Sequential decoder;
  explicit Vae(std::size_t width)
      : hidden(784, 400), middle(400, width), log_variance(400, width),
        decoder{nn::Dense(width, 400), nn::ReLU(), nn::Dense(400, 784)} {
    add("hidden", hidden);
    add("middle", middle);
    add("log_variance", log_variance);
    add("decoder", decoder);
  }

  // The negative of the evidence lower bound, in nats for an image: what is lost in the code, and what the code costs,
  //   E[-log p(x | z)] + KL(q(z | x) | N(0, 1)), where KL = sum(mu^2 + sigma^2 - 1 - log sigma^2) / 2.
  // z = mu + sigma e, with e from N(0, 1), so that gradients reach mu and sigma: the reparametrization trick.
  Variable loss(const Variable& images) {
    Variable features = relu(hidden(images)), mu = middle(features), log_var = log_variance(features);
    Variable z = mu + exp(0.5 * log_var) * randn_like(mu);
    Variable lost = nn::sigmoid_cross_entropy(decoder(z), images, {.reduction = nn::Reduction::sum});
    Variable cost = 0.5 * sum(square(mu) + exp(log_var) - 1 - log_var);
    return (lost + cost) / static_cast<double>(images.shape(0));
  }
  Variable code(const Variable& images) { return middle(relu(hidden(images))); }
  Variable draw(const Variable& z) { return reshape(sigmoid(decoder(z)), {-1, 28, 28}); }
};

void add_row(example::Gallery& gallery, const Variable& images, const std::string& caption) {
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(images.shape(0)); ++i)
    gallery.add(reshape(images[i], {28, 28}), i == 0 ? caption : "");
}

int main(int argc, char** argv) {
  example::Program program("vae", "A variational autoencoder (Kingma and Welling 2014) on MNIST.");
  std::string data_dir;
  std::size_t width = 20, epochs = 15, batch = 128;
  double lr = 1e-3;
  program.option("--data-dir", data_dir, "a folder with MNIST's four files");
  program.option("--width", width, "of the codes");
  program.option("--epochs", epochs, "passes over the training images");
  program.option("--lr", lr, "learning rate");
  return program.run(argc, argv, [&] {
    const example::DataSet data = example::digits_for(program, data_dir);
    const example::Digits train(data.train), test(data.test);
    Vae net(width);
    optim::Adam adam(net.parameters(), {.lr = lr});
    nn::DataLoader loader(nn::TensorDataset(train.images), {.batch_size = batch, .shuffle = true, .drop_last = true});
    std::vector<double> epoch, losses, test_losses;
    for (example::Progress progress("training", program.usual_or_quick(epochs, std::size_t{12})); progress.next();) {
      double sum = 0;
      for (auto& images : loader) {
        adam.zero_grad();
        Variable loss = net.loss(images[0]);
        loss.backward();
        adam.step();
        sum += loss.item();
      }
      NoGrad guard;
      epoch.push_back(static_cast<double>(progress.step() + 1));
      losses.push_back(sum / static_cast<double>(loader.size())), test_losses.push_back(net.loss(test.images).item());
      progress.show("test loss", test_losses.back());
    }

    NoGrad guard;
    example::Plot("Learning", "epoch", "negative lower bound [nats]").line("training", epoch, losses)
        .line("test", epoch, test_losses).save(program.file("learning"));
    example::Gallery gallery(10, 2);
    const Variable some = test.images[range(0, 10)], code = net.code(some);
    add_row(gallery, some, "test images");
    add_row(gallery, net.draw(code), "drawn again");
    for (int i = 0; i < 3; ++i) add_row(gallery, net.draw(randn({std::size_t{10}, width})), i == 0 ? "new digits" : "");
    const Variable t = expand_dims(linspace(0, 1, 10), 1);  // from one code to another
    add_row(gallery, net.draw((1 - t) * code[0] + t * code[1]), "from one to another");
    gallery.save(program.file("digits.png"));
    program.result("test_loss", net.loss(test.images).item(), 2);
  });
}
