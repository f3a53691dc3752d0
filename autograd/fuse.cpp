#include <autograd/fused/function.hpp>

#include <algorithm>
#include <numeric>
#include <optional>

#include <autograd/grad_mode.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>
#include <autograd/walk.hpp>

namespace xtape::fused {
namespace {

using Variables = std::vector<Variable>;

// Results in these shapes, none where there is no shape. They are one node's.
class Fused final : public OperationOf<Fused> {
 public:
  using Shapes = std::vector<std::optional<Shape>>;

  Fused(FunctionPtr f, const Shape& common, Shapes shapes)
      : OperationOf("fuse"), f_(std::move(f)), common_(common), shapes_(std::move(shapes)) {}

  Variables operator()(const Variables& inputs) {
    std::vector<Array> results(shapes_.size());
    NodePtr node = xtape::detail::perform(*this, xtape::detail::pointers_to(inputs), results);
    Variables made(results.size());
    for (std::uint32_t i = 0; i < results.size(); ++i)
      if (results[i].defined()) made[i] = xtape::detail::output_of(node, std::move(results[i]), i);
    return made;
  }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      if (shapes_[i]) results[i] = Array(*shapes_[i], operands[0].dtype());
    f_->evaluate(common_, operands, results);
  }

  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override;

 private:
  FunctionPtr f_;
  Shape common_;
  Shapes shapes_;
};

void Fused::backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const {
  Variables xs;
  Shapes shapes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    xs.push_back(node.operand(i));
    shapes.push_back(inputs[i].wanted ? std::optional(xs[i].shape()) : std::nullopt);
  }
  xs.insert(xs.end(), outputs.begin(), outputs.end());
  Variables gradients;
  if (FunctionPtr gradient = f_->gradient()) {
    for (Variable& x : xs)
      if (!x.defined()) x = Variable(Array::scalar(0, xs[0].dtype()));
    gradients = Fused(gradient, common_, shapes)(xs);
  } else {
    gradients = compose_gradient(*f_, common_, xs);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (shapes[i]) inputs[i].value = gradients[i];
}

}  // namespace

Variables compose_gradient(const Function& f, const Shape& common, std::span<const Variable> inputs) {
  bool connected = grad_enabled();
  EnableGrad recording;
  Variables xs;
  for (const Variable& x : inputs.first(f.inputs())) xs.push_back(xtape::detail::isolated(x, connected));
  Variables ys = f.compose(common, xs), results, weights, targets;
  for (std::size_t j = 0; j < ys.size(); ++j) {
    const Variable& h = inputs[f.inputs() + j];
    if (!ys[j].defined() || !ys[j].requires_grad() || !h.defined()) continue;
    results.push_back(ys[j]);
    weights.push_back(broadcast_to(h, ys[j].shape()));  // a 0-d one stands for zeros
  }
  for (const Variable& x : xs)
    if (x.requires_grad()) targets.push_back(x);
  Variables gradients(xs.size());
  if (results.empty()) return gradients;
  Variables found = grad(results, targets,
                         {.create_graph = connected, .allow_unused = true, .grad_outputs = weights});
  for (std::size_t i = 0, k = 0; i < xs.size(); ++i)
    if (xs[i].requires_grad()) gradients[i] = found[k++];
  return gradients;
}

namespace {

Shape block_shape(const Variable& x, std::size_t blocks) {
  Shape shape = x.shape();
  if (blocks == 1) return shape;
  if (shape.empty() || shape.back() % blocks != 0)
    throw ShapeError("fuse: the last axis of " + to_string(shape) + " does not divide into " + std::to_string(blocks) +
                     " blocks");
  shape.back() /= blocks;
  return shape;
}

}  // namespace

Variables call(const FunctionPtr& f, const Variables& inputs) {
  auto operands = xtape::detail::pointers_to(inputs);
  bool scalars = xtape::detail::all_scalars(operands);
  DType dtype = scalars ? DType::float64 : xtape::detail::common_dtype("fuse", operands);
  Variables xs;
  Shape common;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Variable& x = inputs[i];
    xtape::detail::Operand operand("fuse", x, dtype);
    xs.push_back(operand.converted() ? Variable(operand.array()) : x);
    common = broadcast_shapes("fuse", common, block_shape(x, f->input_blocks()[i]));
  }
  Variables results = Fused(f, common, Fused::Shapes(f->results(), common))(xs);
  if (scalars)
    for (Variable& y : results) y = Variable(y.item());
  return results;
}

}  // namespace xtape::fused
