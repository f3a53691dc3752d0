#include <autograd/ops/recurrence.hpp>

#include <algorithm>
#include <array>

#include <autograd/batch.hpp>
#include <autograd/kernels/bias.hpp>
#include <autograd/kernels/matmul.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/matrix_product.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {

namespace {

// What all steps share. Its node is made before the steps, so the walk comes to it after them. To step t belong its
// outputs 2 t and 2 t + 1, and what they receive is not the gradient of the weight but its two factors: the gradient g
// of the step's sum, and the step's h. Of those it makes the gradient of the weight, h' g summed over the steps, as one
// product. (It cannot keep the h itself: they lead to it, and would keep it alive in turn.)
class Sums final : public OperationOf<Sums> {
 public:
  Sums(std::size_t steps, bool reverse) : OperationOf("recurrence"), steps_(steps), reverse_(reverse) {}

  Attributes attributes() const override { return {{"steps", steps_}, {"reverse", reverse_}}; }

  void evaluate(std::span<const Array>, std::span<Array>) override {}  // each step does

  void backward(const Node&, std::span<Variable> outputs, std::span<InputGradient> inputs) const override {
    Variable g = all_steps(outputs, 0);
    if (inputs[0].wanted) inputs[0].value = g;
    if (inputs[1].wanted) {
      Variable h = all_steps(outputs, 1);
      inputs[1].value = detail::product(flatten(h, 0, 1), flatten(g, 0, 1), true, false);
    }
    if (inputs[2].wanted) inputs[2].value = sum(g, {0, 1});
  }

  // To the step t, the tangents of what it adds, x[t] + b, and of the weight.
  void jvp(const Node&, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    std::vector<Variable> rows = tangents[0].defined() ? unbind(tangents[0]) : std::vector<Variable>(steps_);
    if (reverse_) std::reverse(rows.begin(), rows.end());
    for (std::size_t t = 0; t < steps_; ++t) {
      detail::accumulate_broadcast(rows[t], tangents[2]);
      results[2 * t].value = rows[t];
      results[2 * t + 1].value = tangents[1];
    }
  }

 private:
  // One of the two outputs of each step, in the order of x; zeros for the steps that no gradient came from.
  Variable all_steps(std::span<const Variable> outputs, std::size_t which) const {
    std::vector<Variable> steps;
    for (std::size_t t = 0; t < steps_; ++t) steps.push_back(outputs[2 * t + which]);
    auto known = std::find_if(steps.begin(), steps.end(), [](const Variable& step) { return step.defined(); });
    Variable zero = zeros_like(*known);
    for (Variable& step : steps)
      if (!step.defined()) step = zero;
    if (reverse_) std::reverse(steps.begin(), steps.end());
    return stack(steps);
  }

  std::size_t steps_;
  bool reverse_;
};

// x[row] + h W + b. Operands: h, and for the two outputs of the sums that belong to the step, stand-ins.
class Step final : public OperationOf<Step> {
 public:
  Step(Array x, std::size_t row, const Variable& weight, Array bias)
      : OperationOf("recurrence step"), x_(std::move(x)), bias_(std::move(bias)), row_(row), weight_(weight) {}

  Attributes attributes() const override { return {{"row", row_}}; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    const Array& h = operands[0];
    std::size_t batch = h.shape()[0], width = weight_.array().shape()[1];
    Array x = x_.defined() ? x_.row(row_) : Array();
    Array result = kernels::rows_plus_bias({batch, width}, weight_.array().dtype(), x, bias_);
    kernels::add_matmul(result, h, weight_.array());
    results[0] = std::move(result);
  }

  std::uint32_t saves(std::uint32_t) override {
    x_.reset();
    bias_.reset();
    return 1;
  }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override {
    const Variable& g = outputs[0];
    if (inputs[0].wanted) inputs[0].value = detail::product(g, weight_(), false, true);
    if (!inputs[1].wanted) return;
    inputs[1].value = g;
    inputs[2].value = node.operand(0);
  }

  // Operands 1 and 2 bring the tangents of x[row] + b and of the weight.
  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    Variable sum = std::move(tangents[1]);
    if (tangents[0].defined())
      detail::accumulate_broadcast(sum, detail::product(tangents[0], weight_(), false, false));
    if (tangents[2].defined())
      detail::accumulate_broadcast(sum, detail::product(node.operand(0), tangents[2], false, false));
    results[0].value = detail::in_shape_of_result(node, std::move(sum));
  }

 private:
  Array x_, bias_;
  std::size_t row_;
  Saved weight_;
};

Array value_of(const Variable& x) { return x.defined() ? x.value() : Array(); }

}  // namespace

Recurrence::Recurrence(const Variable& x, const Variable& weight, const Variable& bias, bool reverse)
    : Recurrence(x, x.defined() && x.rank() == 3 ? x.shape()[0] : 0, weight, bias, reverse) {
  detail::require_floating("recurrence", x);
}

Recurrence::Recurrence(std::size_t steps, const Variable& weight, const Variable& bias)
    : Recurrence(Variable(), steps, weight, bias, false) {}

Recurrence::Recurrence(const Variable& x, std::size_t steps, const Variable& weight, const Variable& bias, bool reverse)
    : x_(x), weight_(weight), bias_(bias), steps_(steps), reverse_(reverse) {
  detail::require_floating("recurrence", weight);
  auto text = [](const Variable& v) { return v.defined() ? to_string(v.dtype()) + to_string(v.shape()) : "none"; };
  std::string what = "recurrence: x " + text(x) + ", weight " + text(weight) + ", bias " + text(bias);
  bool fits = weight.rank() == 2 && (!x.defined() || (x.rank() == 3 && x.shape()[2] == weight.shape()[1])) &&
              (!bias.defined() || bias.shape() == Shape{weight.shape()[1]});
  if (!fits) throw ShapeError(what + ": needs (steps, batch, n), (k, n) and (n,)");
  for (const Variable* v : {&x, &bias})
    if (v->defined() && v->dtype() != weight.dtype()) throw DTypeError(what + ": dtypes differ; convert with .to()");
  Sums sums(steps, reverse);
  std::vector<Array> none(2 * steps);
  std::array operands{detail::if_defined(x_), detail::if_defined(weight_), detail::if_defined(bias_)};
  if (steps > 0 && !detail::any_mapped(x_, weight_, bias_)) node_ = detail::perform(sums, operands, none);
}

void Recurrence::check(const Variable& h) const {
  detail::require_floating("recurrence", h);
  if (next_ == steps_) throw Error("recurrence: a step after all " + std::to_string(steps_));
  std::size_t width = weight_.shape()[0];
  if (h.rank() != 2 || h.shape()[1] != width || (x_.defined() && h.shape()[0] != x_.shape()[1]))
    throw ShapeError("recurrence: h of shape " + to_string(h.shape()) + ", needs (" +
                     (x_.defined() ? std::to_string(x_.shape()[1]) : "batch") + ", " + std::to_string(width) + ")");
  if (h.dtype() != weight_.dtype())
    throw DTypeError(std::string("recurrence: h of ") + to_string(h.dtype()) + ", the weight is of " +
                     to_string(weight_.dtype()) + "; convert with .to()");
}

// Of other operations.
Variable Recurrence::composed_step(const Variable& h) {
  const std::size_t t = next_++, row = reverse_ ? steps_ - 1 - t : t;
  Variable y = matmul(h, weight_);
  if (x_.defined()) y = y + x_[static_cast<std::ptrdiff_t>(row)];
  return bias_.defined() ? y + bias_ : y;
}

Variable Recurrence::step(const Variable& h) {
  check(h);
  if (detail::any_mapped(x_, weight_, bias_, h)) return composed_step(h);
  bool needed = recording(weight_) || (x_.defined() && recording(x_)) || (bias_.defined() && recording(bias_));
  if (needed && !node_)
    throw GraphError("recurrence: a step that is recorded, of a recurrence made within NoGrad: its weight would get no "
                     "gradient; make it outside");
  std::size_t t = next_++;
  auto output = static_cast<std::uint32_t>(2 * t);
  Step operation(value_of(x_), reverse_ ? steps_ - 1 - t : t, weight_, value_of(bias_));
  auto stand_in = [&](std::uint32_t which) {
    return detail::output_of(node_, Array::scalar(0, weight_.dtype()), output + which);
  };
  if (!node_) return detail::perform(operation, std::array<const Variable*, 3>{&h, nullptr, nullptr});
  Variable g = stand_in(0), factor = stand_in(1);
  return detail::perform(operation, std::array<const Variable*, 3>{&h, &g, &factor});
}

}  // namespace xtape
