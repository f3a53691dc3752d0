// A small network learns more from a large one's soft answers than from the labels alone.

#include <cmath>
#include <iostream>

#include <autograd/autograd.hpp>
#include <examples/common/digits.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

nn::Sequential teacher_network() {
  return {nn::Dense(784, 512), nn::ReLU(), nn::Dropout(0.4), nn::Dense(512, 512), nn::ReLU(), nn::Dropout(0.4),
          nn::Dense(512, 10)};
}
nn::Sequential student_network() { return {nn::Dense(784, 32), nn::ReLU(), nn::Dense(32, 10)}; }

double accuracy(nn::Module& net, const example::Digits& digits) {
  NoGrad guard;
  net.eval();
  return mean((argmax(net(digits.images), 1) == digits.labels).to(float32)).item();
}

// Adam over shuffled batches; `loss` is told the logits of a batch and its positions among the images.
void train(nn::Module& net, const std::string& what, const Variable& images, std::size_t steps,
           const std::function<Variable(const Variable& logits, const Variable& rows)>& loss) {
  constexpr std::size_t batch = 100;
  optim::Adam adam(net.parameters(), {.lr = 2e-3});
  optim::CosineAnnealingLR schedule(adam, {.T_max = static_cast<std::int64_t>(steps)});
  net.train();
  for (example::Progress progress(what, steps); progress.next();) {
    const Variable rows = randint(0, static_cast<std::int64_t>(images.shape(0)), {batch});
    adam.zero_grad();
    Variable value = loss(net(take(images, rows)), rows);
    value.backward();
    adam.step();
    schedule.step();
    progress.show("loss", value.item());
  }
}

int main(int argc, char** argv) {
  example::Program program("knowledge_distillation",
                           "Hinton, Vinyals and Dean, Distilling the knowledge in a neural network (2015).");
  std::string data_dir;
  std::size_t few = 1'000, transfer = 10'000, students = 3;
  double temperature = 4;
  program.option("--data-dir", data_dir, "a folder with MNIST's four files");
  program.option("--labels", few, "how many labelled images the students see");
  program.option("--transfer", transfer, "how many images, with or without a label, the teacher answers for them");
  program.option("--students", students, "of each kind");
  program.option("--temperature", temperature, "by which the teacher's logits are divided")->check(CLI::PositiveNumber);
  return program.run(argc, argv, [&] {
    const example::DataSet data = example::digits_for(program, data_dir);
    const example::Digits all(data.train), test(data.test);
    few = std::min(few, all.size() / 10), transfer = std::min(transfer, all.size());

    nn::Sequential teacher = teacher_network();
    train(teacher, "teacher", all.images, program.usual_or_quick<std::size_t>(6'000, 150),
          [&](const Variable& logits, const Variable& rows) {
            return nn::softmax_cross_entropy(logits, take(all.labels, rows));
          });
    program.result("teacher_accuracy", accuracy(teacher, test));

    auto first = [](const Variable& x, std::size_t n) { return x[range(0, static_cast<std::ptrdiff_t>(n))]; };
    const Variable images = first(all.images, few), labels = first(all.labels, few), more = first(all.images, transfer);
    // What the teacher says: not only which digit it is, but also which others it looks like.
    Variable soft;
    {
      NoGrad guard;
      soft = softmax(teacher(more) / temperature, 1);
    }
    const std::size_t steps = program.usual_or_quick<std::size_t>(3'000, 300);
    Variable alone = zeros({students}, float64), taught = zeros({students}, float64);
    for (std::size_t i = 0; i < students; ++i) {
      nn::Sequential student = student_network(), other = clone(student);  // both begin with the same weights
      train(student, "student alone", images, steps, [&](const Variable& logits, const Variable& rows) {
        return nn::softmax_cross_entropy(logits, take(labels, rows));
      });
      // Gradients of soft answers shrink by the square of the temperature.
      train(other, "student with teacher", more, steps, [&](const Variable& logits, const Variable& rows) {
        const double weight = temperature * temperature;
        return weight * nn::softmax_cross_entropy(logits, take(soft, rows), {.temperature = temperature});
      });
      alone[i] = accuracy(student, test), taught[i] = accuracy(other, test);
    }
    std::vector<double> numbers;
    for (std::size_t i = 1; i <= students; ++i) numbers.push_back(static_cast<double>(i));
    example::Plot("Students with " + std::to_string(few) + " labelled digits", "student", "test accuracy",
                  {.x_range = {{0.5, static_cast<double>(students) + 0.5}}})
        .points("alone", numbers, example::numbers(alone)).points("taught", numbers, example::numbers(taught))
        .save(program.file("students"));
    std::cout << "mean of " << students << " students, and their standard deviation:\n";
    program.result("alone", mean(alone).item());
    program.result("alone_deviation", std::sqrt(var(alone).item()));
    program.result("taught", mean(taught).item());
    program.result("taught_deviation", std::sqrt(var(taught).item()));
  });
}
