#include <autograd/fuse.hpp>

#include <algorithm>
#include <optional>
#include <string>

#include <autograd/batch.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape::fused::detail {
namespace {

using Variables = std::vector<Variable>;
using xtape::detail::Batch;

// Results in these shapes, none where there is no shape. They are one node's.
class Fused final : public OperationOf<Fused> {
 public:
  using Shapes = std::vector<std::optional<Shape>>;

  Fused(ProgramPtr program, const Shape& common, Shapes shapes)
      : OperationOf("fuse"), program_(std::move(program)), common_(common), shapes_(std::move(shapes)) {}

  Variables operator()(const Variables& inputs) {
    keeps_ = grad_enabled() && std::ranges::any_of(inputs, &Variable::requires_grad) && is_worth_keeping(inputs[0].dtype());
    std::vector<Array> results(shapes_.size());
    NodePtr node = xtape::detail::perform(*this, xtape::detail::pointers_to(inputs), results);
    Variables made(results.size());
    for (std::uint32_t i = 0; i < results.size(); ++i)
      if (results[i].defined()) made[i] = xtape::detail::output_of(node, std::move(results[i]), i);
    return made;
  }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    const DType dtype = operands[0].dtype();
    std::vector<Array> all;
    for (const std::optional<Shape>& shape : shapes_) all.push_back(shape ? Array(*shape, dtype) : Array());
    const std::size_t lines = keeps_ ? program_->kept().lines.size() : 0;
    if (lines > 0) {
      Shape shape = common_;
      shape.back() *= lines;
      all.emplace_back(shape, dtype);
    }
    (keeps_ ? program_->keeping() : program_)->evaluate(common_, operands, all);
    std::move(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(results.size()), results.begin());
    if (lines > 0) kept_.push_back(std::move(all.back()));
    if (keeps_)
      for (std::uint32_t number : program_->kept().results) kept_.push_back(results[number]);
  }

  // Computed from what is kept, or of the operands: of mapped ones, nothing is kept.
  bool map(const Batch& batch, std::span<Variable> results) const override {
    Variables inputs;
    for (std::size_t k = 0; k < batch.operands(); ++k) inputs.push_back(batch.spread(k, common_.size()));
    Shapes shapes = shapes_;
    for (std::optional<Shape>& shape : shapes)
      if (shape) shape = batch.with_samples(*shape, common_.size());
    Variables made = Fused(program_, batch.with_samples(common_), shapes)(inputs);
    for (std::size_t i = 0; i < made.size(); ++i)
      if (shapes_[i]) results[i] = reshape(made[i], batch.with_samples(*shapes_[i]));
    return true;
  }

  std::uint32_t saves(std::uint32_t) override { return all_operands; }

  void backward(const Node& node, std::span<Variable> outputs, std::span<InputGradient> inputs) const override;
  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override;

 private:
  // Whether the way back is to read values on the way, rather than to compute them anew: that takes no longer where they
  // would leave the cache, nor where they are few. For gradients, whose results are sums and blocks, they are not kept.
  bool is_worth_keeping(DType dtype) const {
    constexpr std::size_t least = 1024, most_bytes = std::size_t{1} << 21;
    const std::size_t size = element_count(common_);
    auto single = [](std::size_t blocks) { return blocks == 1; };
    if (size < least || !std::ranges::all_of(program_->result_blocks(), single) ||
        std::ranges::any_of(shapes_, [&](const auto& shape) { return shape != common_; }))
      return false;
    const Program::Kept& kept = program_->kept();
    const std::size_t count = kept.lines.size() + kept.results.size();
    return count > 0 && count * size * item_size(dtype) <= most_bytes;
  }

  ProgramPtr program_;
  Shape common_;
  Shapes shapes_;
  bool keeps_ = false;
  std::vector<Array> kept_;
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
  const bool from_kept = !kept_.empty() && !grad_enabled();
  if (from_kept)
    for (const Array& value : kept_) xs.emplace_back(value);
  ProgramPtr gradient = from_kept ? program_->gradient_from_kept(weighted) : program_->gradient(weighted);
  Variables gradients = Fused(std::move(gradient), common_, shapes)(xs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (shapes[i]) inputs[i].value = gradients[i];
}

void Fused::jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const {
  Variables xs;
  std::vector<bool> given;
  for (std::size_t i = 0; i < tangents.size(); ++i) xs.push_back(node.operand(i)), given.push_back(tangents[i].defined());
  for (Variable& tangent : tangents)
    if (tangent.defined()) xs.push_back(std::move(tangent));
  Shapes shapes = shapes_;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (!results[i].wanted) shapes[i].reset();
  Variables made = Fused(program_->tangent(given), common_, shapes)(xs);
  for (std::size_t i = 0; i < results.size(); ++i) results[i].value = made[i];
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
