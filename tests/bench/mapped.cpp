// Functions of one sample over a batch, and the same without vmap.
#include <memory>
#include <vector>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "contestants.hpp"

namespace bench::own {

using namespace xtape;

namespace {

using Variables = std::vector<Variable>;

// A network of three layers, and its loss, of one sample or of a batch.
Variable loss(const Variables& p, const Variable& x, const Variable& label) {
  Variable y = relu(linear(x, p[0], p[1]));
  y = relu(linear(y, p[2], p[3]));
  return nn::softmax_cross_entropy(linear(y, p[4], p[5]), label);
}

struct Task {
  Variables parameters;
  Variable x, labels;

  Task(std::size_t rows, const std::vector<std::size_t>& widths)
      : x(randn({rows, widths.front()})), labels(randint(static_cast<std::int64_t>(widths.back()), {rows})) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      parameters.push_back(parameter(randn({widths[i + 1], widths[i]}) * 0.05));
      parameters.push_back(parameter(zeros({widths[i + 1]})));
    }
  }
  void zero_grad() const {
    for (const Variable& p : parameters) p.zero_grad();
  }
};

}  // namespace

Work batched() {
  return [task = Task(batch, {pixels, hidden1, hidden2, classes})] {
    task.zero_grad();
    loss(task.parameters, task.x, task.labels).backward();
  };
}

Work mapped() {
  return [task = Task(batch, {pixels, hidden1, hidden2, classes})] {
    task.zero_grad();
    auto of_one = [&](const Variable& x, const Variable& label) { return loss(task.parameters, x, label); };
    mean(vmap(of_one, {task.x, task.labels})).backward();
  };
}

namespace {

Task small_task() { return Task(1000, {16, 32, 32, classes}); }

Variables gradients(const Task& task, const Variable& x, const Variable& label) {
  return grad([&](const Variables& p) { return loss(p, x, label); }, task.parameters);
}

}  // namespace

Work sample_gradients() {
  return [task = small_task()] {
    NoGrad no_second_order;
    vmap([&](const Variable& x, const Variable& label) { return gradients(task, x, label); }, {task.x, task.labels});
  };
}

Work sample_gradients_looped() {
  return [task = small_task()] {
    NoGrad no_second_order;
    std::vector<Variables> all(task.parameters.size());
    for (std::size_t i = 0; i < task.x.shape()[0]; ++i) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      Variables found = gradients(task, task.x[at], task.labels[at]);
      for (std::size_t k = 0; k < found.size(); ++k) all[k].push_back(found[k]);
    }
    for (const Variables& each : all) stack(each);
  };
}

}  // namespace bench::own
