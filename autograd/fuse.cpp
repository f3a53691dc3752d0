#include <autograd/fuse.hpp>

#include <optional>
#include <string>

#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape::fused::detail {
namespace {

using Variables = std::vector<Variable>;

// Results in these shapes, none where there is no shape. They are one node's.
class Fused final : public OperationOf<Fused> {
 public:
  using Shapes = std::vector<std::optional<Shape>>;

  Fused(ProgramPtr program, const Shape& common, Shapes shapes)
      : OperationOf("fuse"), program_(std::move(program)), common_(common), shapes_(std::move(shapes)) {}

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
    program_->evaluate(common_, operands, results);
  }

  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override;

 private:
  ProgramPtr program_;
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
  std::vector<bool> weighted;
  for (const Variable& weight : outputs) {
    weighted.push_back(weight.defined());
    xs.push_back(weight.defined() ? weight : Variable(Array::scalar(0, xs[0].dtype())));
  }
  Variables gradients = Fused(program_->gradient(weighted), common_, shapes)(xs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (shapes[i]) inputs[i].value = gradients[i];
}

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

Fusion::Fusion(Variables operands, Program::Blocks blocks) : operands_(std::move(operands)), blocks_(std::move(blocks)) {
  auto pointers = xtape::detail::pointers_to(operands_);
  scalars_ = xtape::detail::all_scalars(pointers);
  dtype_ = scalars_ ? DType::float64 : xtape::detail::common_dtype("fuse", pointers);
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    Variable& x = operands_[i];
    common_ = broadcast_shapes("fuse", common_, block_shape(x, blocks_[i]));
    xtape::detail::Operand operand("fuse", x, dtype_);
    if (operand.converted()) x = Variable(operand.array());
  }
  visit_floating("fuse", dtype_, [](auto) {});
}

Variables Fusion::results(const ProgramPtr& program) {
  Fused operation(program, common_, Fused::Shapes(program->result_blocks().size(), common_));
  Variables results = operation(operands_);
  if (scalars_)
    for (Variable& y : results) y = Variable(y.item());
  return results;
}

}  // namespace xtape::fused::detail
