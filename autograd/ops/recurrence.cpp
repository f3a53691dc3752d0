#include <autograd/ops/recurrence.hpp>

#include <algorithm>
#include <array>

#include <autograd/kernels/matmul.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/matrix_product.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tape.hpp>

namespace xtape {

// The node of what all steps share. It is made before the steps, so the walk comes to it after them. To step t belong
// its outputs 2 t and 2 t + 1, and what they receive is not the gradient of the weight but its two factors: the
// gradient g of the step's sum, and the step's h. Of those it makes the gradient of the weight, h' g summed over the
// steps, as one product. (It cannot keep the h itself: they lead to it, and would keep it alive in turn.)
class Recurrence::SumsNode final : public Node {
 public:
  SumsNode(const Recurrence& owner)
      : Node("recurrence", static_cast<std::uint32_t>(2 * owner.steps_)), steps_(owner.steps_),
        reverse_(owner.reverse_) {
    const Variable* inputs[]{&owner.x_, &owner.weight_, &owner.bias_};
    for (std::size_t i = 0; i < 3; ++i)
      if (inputs[i]->requires_grad()) edges_[i] = edge_to(*inputs[i]);
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override {
    auto wanted = [&](std::size_t i) { return edges_[i].node && inputs[i].wanted; };
    Variable g = all_steps(outputs, 0);
    if (wanted(0)) inputs[0].value = g;
    if (wanted(1)) {
      Variable h = all_steps(outputs, 1);
      inputs[1].value = detail::product(flatten(h, 0, 1), flatten(g, 0, 1), true, false);
    }
    if (wanted(2)) inputs[2].value = sum(g, {0, 1});
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

  void release_saved() override {}

  std::array<Edge, 3> edges_;
  std::size_t steps_;
  bool reverse_;
};

class Recurrence::StepNode final : public Node {
 public:
  StepNode(const Variable& h, const Variable& weight, const NodePtr& sums, std::uint32_t step)
      : Node("recurrence step", 1), edges_{edge_to(h), {sums, 2 * step}, {sums, 2 * step + 1}}, h_(h),
        weight_(weight) {
    link();
  }

  std::span<Edge> edges() override { return edges_; }

  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override {
    const Variable& g = outputs[0];
    if (edges_[0].node && inputs[0].wanted) inputs[0].value = detail::product(g, weight_(), false, true);
    if (!inputs[1].wanted) return;
    inputs[1].value = g;
    inputs[2].value = h_();
  }

 private:
  void release_saved() override {
    h_.reset();
    weight_.reset();
  }

  std::array<Edge, 3> edges_;
  Saved h_, weight_;
};

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
  if (steps > 0 && (recording(weight) || (x.defined() && recording(x)) || (bias.defined() && recording(bias))))
    node_ = new SumsNode(*this);
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

Array Recurrence::evaluate(const Variable& h, std::size_t row) const {
  std::size_t batch = h.shape()[0], width = weight_.shape()[1];
  Array result({batch, width}, weight_.dtype());
  visit_floating("recurrence", result.dtype(), [&]<class T>(T) {
    T* to = result.mutable_data<T>();
    const T* x = x_.defined() ? x_.data<T>() + row * batch * width : nullptr;
    const T* b = bias_.defined() ? bias_.data<T>() : nullptr;
    for (std::size_t i = 0; i < batch; ++i, to += width, x = x ? x + width : x) {
      if (x && b) std::transform(x, x + width, b, to, [](T p, T q) { return p + q; });
      else if (x || b) std::copy_n(x ? x : b, width, to);
      else std::fill_n(to, width, T(0));
    }
  });
  kernels::add_matmul(result, h.value(), weight_.value());
  return result;
}

Variable Recurrence::step(const Variable& h) {
  check(h);
  bool needed = recording(weight_) || (x_.defined() && recording(x_)) || (bias_.defined() && recording(bias_));
  if (needed && !node_)
    throw GraphError("recurrence: a step that is recorded, of a recurrence made within NoGrad: its weight would get no "
                     "gradient; make it outside");
  std::size_t t = next_++;
  std::size_t row = reverse_ ? steps_ - 1 - t : t;
  Array value = detail::measured("recurrence step", [&] { return evaluate(h, row); });
  if (!grad_enabled() || (!node_ && !recording(h))) return Variable(std::move(value));
  NodePtr node(new StepNode(h, weight_, node_, static_cast<std::uint32_t>(t)));
  return detail::result_of(std::move(node), std::move(value));
}

}  // namespace xtape
