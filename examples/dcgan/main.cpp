// Two convolutional networks against each other: one draws the digit asked for, the other tells it from MNIST's.

#include <iostream>
#include <numbers>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/picture.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

constexpr std::size_t kinds = 10, noise_width = 16, hidden = 256, batch = 32;

// Radford, Metz and Chintala, Unsupervised representation learning with deep convolutional generative adversarial
// networks, ICLR 2016: strides instead of pooling, batch norm, weights that begin small. Noise beside the digit asked
// for (n, 16 + 10) becomes images (n, 1, 28, 28) between -1 and 1; each transposed convolution doubles height and width.
nn::Sequential make_generator(std::size_t width) {
  const nn::ConvTransposeOptions doubling{.stride = 2, .padding = 1, .weight_init = nn::normal(0, 0.02)};
  return {nn::Dense(noise_width + kinds, hidden), nn::BatchNorm1D(hidden), nn::ReLU(),
          nn::Dense(hidden, 2 * width * 7 * 7), nn::Reshape({2 * width, std::size_t{7}, std::size_t{7}}),
          nn::BatchNorm2D(2 * width), nn::ReLU(),
          nn::ConvTranspose2D(2 * width, width, 4, doubling), nn::BatchNorm2D(width), nn::ReLU(),
          nn::ConvTranspose2D(width, 1, 4, doubling), nn::Tanh()};
}

// The way back. Whether strokes make up a digit shows only in all of the image: so there is a hidden dense layer here,
// and one in the generator, as in Chen et al., InfoGAN, NIPS 2016. Its outputs (n, 1 + 10) are d, with the probability
// D = sigmoid(d) that an image is real, and scores of the digits.
nn::Sequential make_discriminator(std::size_t width) {
  const nn::ConvOptions halving{.stride = 2, .padding = 1, .weight_init = nn::normal(0, 0.02)};
  return {nn::Conv2D(1, width, 4, halving), nn::LeakyReLU(0.2),
          nn::Conv2D(width, 2 * width, 4, halving), nn::BatchNorm2D(2 * width), nn::LeakyReLU(0.2), nn::Flatten(),
          nn::Dense(2 * width * 7 * 7, hidden), nn::BatchNorm1D(hidden), nn::LeakyReLU(0.2),
          nn::Dense(hidden, 1 + kinds)};
}

// The judge of what was drawn; it takes no part in the game.
nn::Sequential make_classifier() {
  return {nn::Conv2D(1, 16, 5, {.stride = 2}), nn::ReLU(), nn::Conv2D(16, 32, 5, {.stride = 2}), nn::ReLU(),
          nn::Flatten(), nn::Dense(32 * 4 * 4, 128), nn::ReLU(), nn::Dense(128, kinds)};
}

Variable some_rows(const Variable& images) { return randint(static_cast<std::int64_t>(images.shape(0)), {batch}); }

void train_classifier(nn::Module& net, const example::Digits& digits, const Variable& images, std::size_t steps) {
  optim::Adam adam(net.parameters(), {.lr = 2e-3});
  optim::CosineAnnealingLR schedule(adam, {.T_max = static_cast<std::int64_t>(steps)});
  for (example::Progress progress("training the judge", steps); progress.next();) {
    const Variable rows = some_rows(images);
    adam.zero_grad();
    Variable loss = nn::softmax_cross_entropy(net(take(images, rows)), take(digits.labels, rows));
    loss.backward();
    adam.step();
    schedule.step();
    progress.show("loss", loss.item());
  }
  net.eval();
}

// How many images the judge takes for some digit with a probability above 0.9, how many for the digit that they should
// be, and how many digits make up 2 % or more of all.
struct Verdict { double confident, as_asked, digits; };
Verdict judge(nn::Module& classifier, const Variable& images, const Variable& asked) {
  NoGrad guard;
  const auto [probability, digit] = max_with_indices(softmax(classifier(images), 1), 1);
  const Variable sure = (probability > 0.9).to(float32), shares = mean(expand_dims(sure, 1) * one_hot(digit, kinds), 0);
  return {mean(sure).item(), mean((digit == asked).to(float32)).item(), sum((shares >= 0.02).to(float32)).item()};
}

// The discriminator minimizes -log D for real images and -log(1 - D) for drawn ones, the generator -log D for the latter,
// as log(1 - D) has no slope where the discriminator is sure (Goodfellow et al., Generative adversarial nets, NIPS 2014).
// Both also want an image taken for the digit that it should be: Odena, Olah and Shlens, Conditional image synthesis with
// auxiliary classifier GANs, ICML 2017. -log sigmoid(d) is softplus(-d).
Variable loss_as_real(const Variable& outputs, const Variable& digits) {
  const Variable d = outputs[{range(), 0}], scores = outputs[{range(), range(1, 1 + kinds)}];
  return mean(softplus(-d)) + nn::softmax_cross_entropy(scores, digits);
}
Variable loss_as_drawn(const Variable& outputs) { return mean(softplus(outputs[{range(), 0}])); }

// A step that changes only what Adam has, `parameters`, though the loss leads through the other network as well.
void descend(optim::Adam& adam, const std::vector<Variable>& parameters, const Variable& loss) {
  const std::vector<Variable> gradients = grad(loss, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].set_grad(gradients[i]);
  adam.step();
}

int main(int argc, char** argv) {
  example::Program program("dcgan", "Deep convolutional adversarial networks (Radford et al. 2016) draw digits.");
  std::string data_dir;
  std::size_t width = 16, epochs = 4;
  double lr = 2e-3;
  program.option("--data-dir", data_dir, "a folder with MNIST's four files");
  program.option("--width", width, "channels at half of the images' height")->check(CLI::PositiveNumber);
  program.option("--epochs", epochs, "as many steps as there are batches in so many passes over the images");
  program.option("--lr", lr, "learning rate of both networks; with --quick, four times as much");
  return program.run(argc, argv, [&] {
    const example::DataSet data = example::digits_for(program, data_dir);
    const example::Digits train(data.train), test(data.test);
    auto as_images = [](const example::Digits& digits) { return reshape(2 * digits.images - 1, {-1, 1, 28, 28}); };
    const Variable images = as_images(train), test_images = as_images(test);
    nn::Sequential classifier = make_classifier();
    train_classifier(classifier, train, images, program.usual_or_quick<std::size_t>(5'000, 200));

    width = program.usual_or_quick(width, std::size_t{8});
    nn::Sequential generator = make_generator(width), discriminator = make_discriminator(width);
    const auto generator_parameters = generator.parameters(), discriminator_parameters = discriminator.parameters();
    const optim::AdamOptions adam{.lr = program.usual_or_quick(lr, 4 * lr), .beta1 = 0.5};
    optim::Adam generator_adam(generator_parameters, adam), discriminator_adam(discriminator_parameters, adam);
    auto code_of = [](const Variable& digits) { return one_hot(digits, kinds).to(float32); };
    auto generate = [&](const Variable& noise, const Variable& code) { return generator(concatenate({noise, code}, 1)); };
    // By the means and variances of all batches rather than by those of this one.
    auto draw = [&](const Variable& noise, const Variable& code) {
      NoGrad guard;
      generator.eval();
      Variable drawn = generate(noise, code);
      generator.train();
      return drawn;
    };
    example::Gallery growth(kinds, 2);
    auto add_row = [&](const Variable& drawn, const std::string& caption) {
      for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(kinds); ++i)
        growth.add(0.5 * reshape(drawn[i], {28, 28}) + 0.5, i == 0 ? caption : "");
    };

    const Variable each = code_of(arange(0, static_cast<std::int64_t>(kinds))), fixed_noise = randn({kinds, noise_width});
    const Variable test_noise = randn({2'000, noise_width}), asked = randint(static_cast<std::int64_t>(kinds), {2'000});
    auto verdict_now = [&] { return judge(classifier, draw(test_noise, code_of(asked)), asked); };
    const std::size_t epoch = train.size() / batch, steps = epoch * program.usual_or_quick(epochs, std::size_t{10});
    optim::CosineAnnealingLR generator_schedule(generator_adam, {.T_max = static_cast<std::int64_t>(steps)});
    optim::CosineAnnealingLR discriminator_schedule(discriminator_adam, {.T_max = static_cast<std::int64_t>(steps)});
    std::vector<double> at, discriminator_losses, generator_losses, judged_at, confident, as_asked;
    for (example::Progress progress("training", steps); progress.next();) {
      const Variable rows = some_rows(images), real = take(images, rows), digits = take(train.labels, rows);
      const Variable drawn = generate(randn({batch, noise_width}), code_of(digits));
      Variable loss = loss_as_real(discriminator(real), digits) + loss_as_drawn(discriminator(drawn.detach()));
      descend(discriminator_adam, discriminator_parameters, loss);
      Variable generator_loss = loss_as_real(discriminator(drawn), digits);
      descend(generator_adam, generator_parameters, generator_loss);
      generator_schedule.step(), discriminator_schedule.step();

      const std::size_t step = progress.step() + 1;
      progress.show("discriminator", loss.item()), progress.show("generator", generator_loss.item());
      if (step % 20 == 0) {
        at.push_back(static_cast<double>(step) / static_cast<double>(epoch));
        discriminator_losses.push_back(loss.item()), generator_losses.push_back(generator_loss.item());
      }
      if (step == epoch / 16) add_row(draw(fixed_noise, each), "epoch 1/16");
      if (step == epoch / 4) add_row(draw(fixed_noise, each), "epoch 1/4");
      if (step % epoch != 0) continue;
      add_row(draw(fixed_noise, each), "epoch " + std::to_string(step / epoch));
      const Verdict verdict = verdict_now();
      judged_at.push_back(static_cast<double>(step / epoch));
      confident.push_back(verdict.confident), as_asked.push_back(verdict.as_asked);
      progress.show("confident", verdict.confident);
    }

    NoGrad guard;
    for (const std::ptrdiff_t i : {0, 1, 2})
      add_row(draw(broadcast_to(fixed_noise[i], {kinds, noise_width}), each), i == 0 ? "one noise for all digits" : "");
    // cos(t) a + sin(t) b is normal like a and b, for every t.
    const Variable t = expand_dims(linspace(0, std::numbers::pi / 2, kinds), 1), four = code_of(full({kinds}, 4, int64));
    add_row(draw(cos(t) * fixed_noise[1] + sin(t) * fixed_noise[2], four), "from one noise to another");
    const Variable share = expand_dims(linspace(0, 1, kinds), 1), nine = code_of(full({kinds}, 9, int64));
    add_row(draw(broadcast_to(fixed_noise[1], {kinds, noise_width}), (1 - share) * four + share * nine), "from 4 to 9");
    add_row(test_images, "MNIST");
    growth.save(program.file("growth.png"));
    example::Plot("Learning", "epoch", "loss").line("discriminator", at, discriminator_losses)
        .line("generator", at, generator_losses).save(program.file("learning"));
    example::Plot("What the judge says of drawn digits", "epoch", "share", {.y_range = {{0, 1}}})
        .line("sure of some digit", judged_at, confident)
        .line("takes for the digit asked for", judged_at, as_asked).save(program.file("judged"));
    const Verdict of_mnist = judge(classifier, test_images, test.labels), verdict = verdict_now();
    program.result("judge_accuracy", of_mnist.as_asked);
    program.result("confident_of_mnist", of_mnist.confident);
    program.result("confident", verdict.confident);
    program.result("as_asked", verdict.as_asked);
    program.result("digits", verdict.digits, 0);
  });
}
