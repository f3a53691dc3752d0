// Paints a picture by a network that knows nothing but where a pixel is.
//
// The network is a function from coordinates (x, y) to a colour, trained on the pixels of one picture. From the plain
// coordinates it would learn smooth colours only. So it gets their Fourier features: sines and cosines of many
// frequencies (Tancik et al., Fourier features let networks learn high frequency functions in low dimensional domains,
// NeurIPS 2020). The function has no pixels, so it can be painted at any size.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numbers>
#include <set>

#include <autograd/autograd.hpp>
#include <examples/common/picture.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

struct Painter : nn::Module {
  nn::Parameter frequencies;  // (2, features / 2), a buffer: they stay as they were drawn
  nn::Sequential layers;

  // Frequencies are normal, of standard deviation `detail`, in waves per side of the picture.
  Painter(std::size_t features, std::size_t width, double detail)
      : frequencies(add("frequencies", detail * randn({2, features / 2}))),
        layers(add("layers", nn::Sequential{nn::Dense(features, width), nn::ReLU(), nn::Dense(width, width), nn::ReLU(),
                                            nn::Dense(width, 3), nn::Sigmoid()})) {}

  Variable forward(const Variable& xy) override {
    Variable waves = 2 * std::numbers::pi * matmul(xy, frequencies);
    return layers(concatenate({sin(waves), cos(waves)}, -1));
  }
};

// The middles of all pixels, row by row: (height * width, 2). The longer side of the picture goes from 0 to 1.
Variable coordinates(std::size_t height, std::size_t width) {
  double side = double(std::max(height, width));
  std::vector<Variable> grid = meshgrid({arange(double(width)), arange(double(height))}, "xy");
  return (stack({ravel(grid[0]), ravel(grid[1])}, 1) + 0.5) / side;
}

// The picture as the network sees it: (height, width, 3). Large ones are painted in pieces, to save memory.
Variable paint(const Painter& painter, std::size_t height, std::size_t width) {
  NoGrad guard;
  Variable xy = coordinates(height, width);
  std::vector<Variable> pieces;
  for (std::size_t i = 0, n = height * width, step = 16384; i < n; i += step)
    pieces.push_back(painter(xy[range(std::ptrdiff_t(i), std::ptrdiff_t(std::min(i + step, n)))]));
  return concatenate(pieces).reshape({height, width, 3});
}

// The peak signal-to-noise ratio, in decibels: each 10 more are a tenth of the mean squared error.
double psnr(const Variable& a, const Variable& b) { return -10 * std::log10(mean(square(a - b)).item()); }

// A picture for those who bring none: an evening at the sea.
Variable draw_picture(std::size_t side) {
  Variable xy = coordinates(side, side).reshape({side, side, 2}), x = xy[{all, all, range(0, 1)}],
           y = xy[{all, all, range(1, 2)}];
  auto over = [](const Variable& below, const Variable& colour, const Variable& where) {
    return lerp(below, colour, where.to(below.dtype()));
  };
  Variable sky = over(Variable{0.10, 0.12, 0.38}, Variable{0.93, 0.38, 0.42}, clip(y / 0.42, 0, 1));
  sky = over(sky, Variable{1.0, 0.82, 0.45}, clip((y - 0.38) / 0.24, 0, 1));
  Variable from_sun = hypot(x - 0.68, y - 0.42);
  Variable picture = over(sky, Variable{1.0, 0.93, 0.70}, exp(-square(from_sun / 0.17)));
  picture = over(picture, Variable{1.0, 0.97, 0.86}, from_sun < 0.1);
  for (int star = 0; star < 12; ++star)
    picture = over(picture, Variable{1.0, 1.0, 0.9},
                   hypot(x - std::fmod(0.37 + 0.618 * star, 1.0), y - std::fmod(0.05 + 0.067 * star, 0.26)) < 0.007);
  picture = over(picture, Variable{0.42, 0.22, 0.45}, y > 0.52 + 0.07 * sin(9 * x) + 0.02 * sin(31 * x + 1));
  picture = over(picture, Variable{0.20, 0.11, 0.30}, y > 0.58 + 0.06 * sin(6 * x + 2.5) + 0.015 * sin(43 * x));
  Variable depth = clip(y - 0.62, 0.02, 1), waves = 0.5 + 0.5 * sin(6 / (depth + 0.08) + 2 * sin(14 * x));
  Variable sea = over(Variable{0.05, 0.22, 0.40}, Variable{0.15, 0.50, 0.58}, waves);
  sea = over(sea, Variable{1.0, 0.72, 0.45}, exp(-square((x - 0.68) / (0.05 + 0.3 * depth))) * (0.2 + 0.8 * waves));
  picture = over(picture, sea, y > 0.64);
  picture = over(picture, Variable{0.80, 0.12, 0.14}, x > 0.22 && y < 0.72 && x - 0.22 < 0.55 * (y - 0.36));
  picture = over(picture, Variable{0.97, 0.94, 0.88}, x < 0.205 && y < 0.72 && 0.205 - x < 0.38 * (y - 0.42));
  return over(picture, Variable{0.25, 0.13, 0.08}, y > 0.74 && y < 0.80 && abs(x - 0.23) < 0.2 - 1.2 * (y - 0.74));
}

int main(int argc, char** argv) {
  example::Program program("nn_paint", "Trains a network to paint a picture.");
  std::string file;
  std::vector<std::size_t> sizes;
  std::size_t steps = 4096, batch = 2048, features = 256, width = 128;
  double detail = 7, lr = 5e-3;
  program.option("--picture", file, "a PNG, JPEG or BMP file; without it the program draws a picture itself");
  program.option("--sizes", sizes, "widths in pixels at which to paint it as well");
  program.option("--steps", steps, "of training");
  program.option("--batch", batch, "pixels in each step");
  program.option("--features", features, "sines and cosines");
  program.option("--width", width, "of the two hidden layers");
  program.option("--detail", detail, "how many waves the features have on a side of the picture");
  program.option("--lr", lr, "learning rate at the start");

  return program.run(argc, argv, [&] {
    if (program.quick()) steps = std::min(steps, std::size_t{128});
    Variable original = file.empty() ? draw_picture(128) : example::read_picture(file);
    std::size_t height = original.shape(0), columns = original.shape(1);
    std::cout << (file.empty() ? "a picture that this program draws" : file) << ", " << columns << " x " << height
              << " pixels" << std::endl;
    Variable xy = coordinates(height, columns), colours = original.reshape({height * columns, 3});

    Painter painter(features, width, detail);
    std::cout << painter << std::flush;
    optim::Adam adam(painter.parameters(), {.lr = lr});
    optim::CosineAnnealingLR schedule(adam, {.T_max = std::int64_t(steps)});

    std::set<std::size_t> stages;  // each after four times as many steps as the one before
    for (std::size_t stage = steps; stage > 0 && stages.size() < 5; stage /= 4) stages.insert(stage);
    example::Gallery frames(3, columns < 200 ? 2 : 1);
    frames.add(paint(painter, height, columns), "before training");
    for (example::Progress progress("painting", steps); progress.next();) {
      Variable chosen = randint(std::int64_t(height * columns), {batch});
      adam.zero_grad();
      Variable loss = mean(square(painter(xy[chosen]) - colours[chosen]));
      loss.backward();
      adam.step();
      schedule.step();
      progress.show("PSNR", -10 * std::log10(loss.item()));
      if (std::size_t done = progress.step() + 1; stages.contains(done)) {
        Variable frame = paint(painter, height, columns);
        std::string caption = "step " + std::to_string(done) + ": " + nn::fixed(psnr(frame, original), 1) + " dB";
        frames.add(frame, caption);
        progress.print(caption);
      }
    }
    frames.save(program.file("stages.png"));

    Variable painted = paint(painter, height, columns);
    example::Gallery both(2, columns < 200 ? 2 : 1);
    both.add(original, "original");
    both.add(painted, "painted, " + nn::fixed(psnr(painted, original), 1) + " dB");
    both.save(program.file("painted.png"));
    for (std::size_t size : sizes) {
      example::Gallery large(1);
      large.add(paint(painter, std::max<std::size_t>(1, height * size / columns), size));
      large.save(program.file("painted_" + std::to_string(size) + ".png"));
    }
    program.result("psnr", psnr(painted, original), 2);
  });
}
