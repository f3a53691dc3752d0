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

bool any_requires_grad(const Variables& xs) {
  return std::ranges::any_of(xs, [](const Variable& x) { return x.requires_grad(); });
}

class FusedNode final : public Node {
 public:
  FusedNode(FunctionPtr f, const Shape& common, const Variables& inputs)
      : Node("fuse", static_cast<std::uint32_t>(f->results())), f_(std::move(f)), common_(common) {
    for (const Variable& x : inputs) {
      edges_.push_back(edge_to(x));
      saved_.push_back(Saved(x));
    }
    link();
  }

  std::span<Edge> edges() override { return edges_; }
  void backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) override;

 private:
  void release_saved() override {
    f_.reset();
    saved_.clear();
  }

  FunctionPtr f_;
  Shape common_;
  std::vector<Edge> edges_;
  std::vector<Saved> saved_;
};

// All results, for the profile to count.
struct All {
  const std::vector<Array>& arrays;

  std::size_t bytes() const {
    return std::accumulate(arrays.begin(), arrays.end(), std::size_t{0},
                           [](std::size_t sum, const Array& a) { return sum + a.bytes(); });
  }
};

// The results in these shapes, undefined where there is none. They are one node's.
Variables record(const FunctionPtr& f, const Shape& common, const Variables& inputs,
                 std::span<const std::optional<Shape>> shapes) {
  DType dtype = inputs[0].dtype();
  std::vector<Array> values, results;
  for (const Variable& x : inputs) values.push_back(x.value());
  for (const auto& shape : shapes) results.push_back(shape ? Array(*shape, dtype) : Array());
  auto evaluate = [&] {
    f->evaluate(common, values, results);
    return All{results};
  };
  xtape::detail::measured("fuse", evaluate);
  NodePtr node(grad_enabled() && any_requires_grad(inputs) ? new FusedNode(f, common, inputs) : nullptr);
  Variables made(results.size());
  for (std::uint32_t i = 0; i < results.size(); ++i) {
    if (!results[i].defined()) continue;
    made[i] = node ? xtape::detail::result_of(node, std::move(results[i]), i) : Variable(std::move(results[i]));
  }
  return made;
}

void FusedNode::backward(std::span<const Variable> outputs, std::span<InputGradient> inputs) {
  Variables xs;
  std::vector<std::optional<Shape>> shapes;
  for (std::size_t i = 0; i < saved_.size(); ++i) {
    xs.push_back(saved_[i]());
    bool wanted = edges_[i].node && inputs[i].wanted;
    shapes.push_back(wanted ? std::optional(xs[i].shape()) : std::nullopt);
  }
  xs.insert(xs.end(), outputs.begin(), outputs.end());
  Variables gradients;
  if (FunctionPtr gradient = f_->gradient()) {
    for (Variable& x : xs)
      if (!x.defined()) x = Variable(Array::scalar(0, xs[0].dtype()));
    gradients = record(gradient, common_, xs, shapes);
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
  std::vector<const Variable*> operands;
  for (const Variable& x : inputs) operands.push_back(&x);
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
  Variables results = record(f, common, xs, std::vector(f->results(), std::optional(common)));
  if (scalars)
    for (Variable& y : results) y = Variable(y.item());
  return results;
}

}  // namespace xtape::fused
