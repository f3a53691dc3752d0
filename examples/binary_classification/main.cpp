// Tells two classes of points apart: two spirals, or the rows of a CSV file.
//
// The network gives one number for each point, the logit z. sigmoid(z) = 1 / (1 + exp(-z)) is the probability of class 1,
// and training makes the binary cross-entropy -y log(p) - (1 - y) log(1 - p) small. It is computed from z, not from p:
// for a p that rounds to 0 or 1 the logarithm would be lost.

#include <cmath>
#include <iostream>
#include <numbers>

#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

struct Points {
  Variable x, y;  // (points, inputs), and the class of each, 0 or 1

  std::size_t count() const { return x.shape(0); }
  Points at(const Variable& positions) const { return {x[positions], y[positions]}; }
};

// Points along two spirals with some noise. One is the other turned by half a turn.
Points spirals(std::size_t count) {
  constexpr double pi = std::numbers::pi;
  Variable y = randint(2, {count}).to(default_dtype());
  Variable along = sqrt(rand({count}));  // the root makes points as dense outside as inside
  Variable radius = 0.1 + 0.9 * along, angle = 3.5 * pi * along + pi * y;
  Variable x = stack({radius * cos(angle), radius * sin(angle)}, 1);
  return {x + 0.03 * randn({count, 2}), y};
}

Points read_points(const std::string& file) {
  Variable values = nn::load_csv(file).values;
  if (values.shape(1) < 2) throw ValueError(file + ": needs a column of numbers and one of classes");
  Points points{values[{all, range(0, -1)}], values[{all, -1}]};
  if (any(points.y != 0 && points.y != 1).item<bool>())
    throw ValueError(file + ": the last column has to be the class, 0 or 1");
  return points;
}

// The points of one class, as plots take them.
void draw(example::Plot& plot, const std::string& name, const Points& points, double label) {
  Variable x = points.x[points.y == label];
  plot.points(name, example::numbers(x[{all, 0}]), example::numbers(x[{all, 1}]));
}

// The probability of class 1 all over the plane, and the held-out points on it.
void draw_boundary(const nn::Sequential& network, const Points& points, const std::filesystem::path& file) {
  constexpr std::size_t side = 120;
  Variable low = min(points.x, 0) - 0.1 * stddev(points.x, 0), high = max(points.x, 0) + 0.1 * stddev(points.x, 0);
  auto limits = [&](std::size_t axis) { return std::pair(low[axis].item(), high[axis].item()); };
  auto [left, right] = limits(0);
  auto [bottom, top] = limits(1);
  std::vector<Variable> grid = meshgrid({linspace(left, right, side), linspace(bottom, top, side)}, "xy");
  Variable map = sigmoid(network(stack({ravel(grid[0]), ravel(grid[1])}, 1))).reshape({side, side});
  example::Plot plot("Probability of class 1, and held-out points", "x", "y", {.width = 500, .height = 470});
  plot.map(map, limits(0), limits(1));
  draw(plot, "class 0", points, 0);
  draw(plot, "class 1", points, 1);
  plot.save(file);
}

int main(int argc, char** argv) {
  example::Program program("binary_classification", "Trains a network to tell two classes of points apart.");
  std::string csv;
  std::size_t count = 1800, epochs = 200, width = 64;
  double lr = 5e-3;
  program.option("--csv", csv, "a file with a line of names, columns of numbers, and the class, 0 or 1, in the last");
  program.option("--points", count, "how many points to draw on spirals, without --csv");
  program.option("--epochs", epochs, "passes over the training data");
  program.option("--width", width, "of the two hidden layers");
  program.option("--lr", lr, "learning rate at the start");

  return program.run(argc, argv, [&] {
    if (program.quick()) epochs = std::min(epochs, std::size_t{100});
    Points points = csv.empty() ? spirals(count) : read_points(csv);
    std::size_t inputs = points.x.shape(1);

    // Three points of ten are held out. Scales come from the others, as all that is learned.
    Variable order = randperm(points.count());
    std::ptrdiff_t cut = std::ptrdiff_t(points.count()) * 7 / 10;
    Points train = points.at(order[range(0, cut)]), test = points.at(order[range(cut, none)]);
    std::cout << (csv.empty() ? "two spirals, drawn by this program" : csv) << ": " << inputs << " inputs, "
              << train.count() << " points to train on, " << test.count() << " held out" << std::endl;
    Variable center = mean(train.x, 0), scale = maximum(stddev(train.x, 0), 1e-12);
    for (Points* each : {&train, &test}) each->x = (each->x - center) / scale;

    nn::Sequential network{nn::Dense(inputs, width), nn::SiLU(), nn::Dense(width, width), nn::SiLU(),
                           nn::Dense(width, 1)};
    std::cout << network << std::flush;
    nn::DataLoader loader(nn::TensorDataset(train.x, train.y), {.batch_size = 50, .shuffle = true});
    optim::AdamW adam(network.parameters(), {.lr = lr});
    optim::CosineAnnealingLR schedule(adam, {.T_max = std::int64_t(epochs)});
    auto logits = [&](const Variable& x) { return squeeze(network(x), {1}); };
    nn::RocCurve untrained = nn::roc_curve(logits(test.x), test.y);

    for (example::Progress progress("training", epochs); progress.next();) {
      double loss_sum = 0;
      for (auto& [x, y] : loader) {
        adam.zero_grad();
        Variable loss = nn::sigmoid_cross_entropy(logits(x), y);
        loss.backward();
        adam.step();
        loss_sum += loss.item();
      }
      schedule.step();
      progress.show("loss", loss_sum / double(loader.size()));
    }

    NoGrad guard;
    Variable scores = logits(test.x);
    nn::RocCurve roc = nn::roc_curve(scores, test.y);
    double auc = nn::roc_auc(scores, test.y), accuracy = nn::accuracy(scores, test.y, {.threshold = 0});
    example::Plot plot("ROC curve, area " + nn::fixed(auc, 4), "false positive rate", "true positive rate");
    auto numbers = example::numbers;
    plot.line("after training", numbers(roc.false_positive_rate), numbers(roc.true_positive_rate));
    plot.dashed("before", numbers(untrained.false_positive_rate), numbers(untrained.true_positive_rate));
    plot.save(program.file("roc"));
    if (inputs == 2) draw_boundary(network, test, program.file("boundary"));
    std::cout << nn::confusion_matrix((scores > 0).to(int64), test.y.to(int64)) << std::endl;
    program.result("accuracy", accuracy);
    program.result("auc", auc);
  });
}
