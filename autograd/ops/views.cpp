#include <autograd/ops/views.hpp>

#include <algorithm>
#include <optional>

#include <autograd/batch.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>
#include <autograd/undo_log.hpp>

namespace xtape::detail {
namespace {

// Where a part lies, by the rules of the kernels.
Attributes attributes_of(const kernels::View& place) {
  return {{"shape", place.shape}, {"strides", place.strides}, {"offset", place.offset}};
}
Attributes attributes_of(const kernels::Slices& place) {
  return {{"shape", place.shape}, {"outer", place.outer}, {"extent", place.extent}, {"inner", place.inner}};
}

// The same part in each of so many samples, which lie one behind the other; nothing where the samples' places differ.
std::optional<kernels::View> in_each(kernels::View place, std::size_t samples, std::size_t sample_size) {
  place.shape.insert(place.shape.begin(), samples);
  place.strides.insert(place.strides.begin(), static_cast<std::ptrdiff_t>(sample_size));
  return place;
}
std::optional<kernels::Slices> in_each(kernels::Slices place, std::size_t samples, std::size_t) {
  if (place.indices.is_mapped()) return {};
  place.shape.insert(place.shape.begin(), samples);
  place.outer *= samples;
  return place;
}

std::size_t sample_size(const Variable& all) { return all.size() / std::max<std::size_t>(all.shape()[0], 1); }

template <class Place>
class ReadPart final : public OperationOf<ReadPart<Place>> {
 public:
  ReadPart(const char* name, const Place& place) : OperationOf<ReadPart>(name), place_(place) {}

  Attributes attributes() const override { return attributes_of(place_); }

  // The shape of the whole.
  std::uint32_t saves(std::uint32_t) override { return Operation::operand_shapes; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    results[0] = kernels::read_part(operands[0], place_);
  }

  // Many parts of one array add up in one gradient: to read all elements one by one takes time in proportion to them.
  bool adds_to_gradients() const override { return true; }

  void backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    Variable sum = std::move(inputs[0].value);
    if (!sum.defined()) sum = Variable(Array::full(node.operand_shape(0), 0, gradients[0].dtype()));
    inputs[0].value = add_to_part(this->name(), std::move(sum), place_, gradients[0]);
  }

  void jvp(const Node&, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    results[0].value = read_part(this->name(), tangents[0], place_);
  }

  bool map(const Batch& batch, std::span<Variable> results) const override {
    auto place = in_each(place_, batch.size(), sample_size(batch[0]));
    if (place) results[0] = read_part(this->name(), batch[0], *place);
    return place.has_value();
  }

 private:
  Place place_;
};

// Operands: the whole, of which only the place in the graph counts, and the part that is written into its elements.
template <class Place>
class WritePart final : public OperationOf<WritePart<Place>> {
 public:
  WritePart(const char* name, const Place& place, bool adds, Array elements)
      : OperationOf<WritePart>(name), place_(place), adds_(adds), elements_(std::move(elements)) {}

  Attributes attributes() const override {
    Attributes result = attributes_of(place_);
    result.emplace_back("accumulate", adds_);
    return result;
  }

  bool mixes_dtypes() const override { return true; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    if (adds_) kernels::add_part(elements_, place_, operands[1]);
    else kernels::assign_part(elements_, place_, operands[1]);
    results[0] = std::move(elements_);
  }

  void backward(const Node&, std::span<Variable> gradients, std::span<InputGradient> inputs) const override {
    if (inputs[1].wanted) inputs[1].value = read_part(this->name(), gradients[0], place_);
    if (!inputs[0].wanted) return;
    Variable g = std::move(gradients[0]);
    if (adds_) {
      inputs[0].value = std::move(g);
      return;
    }
    Variable zeros(Array::full(place_.shape, 0, g.dtype()));
    inputs[0].value = assign_to_part(this->name(), std::move(g), place_, zeros);
  }

  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override {
    Variable whole = std::move(tangents[0]), &part = tangents[1];
    if (!part.defined() && adds_) {
      results[0].value = std::move(whole);
      return;
    }
    const Node::Result& type = node.result_type(0);
    if (!whole.defined()) whole = Variable(Array::full(type.shape(), 0, type.dtype));
    if (!part.defined()) part = Variable(Array::full(place_.shape, 0, type.dtype));
    results[0].value = adds_ ? add_to_part(this->name(), std::move(whole), place_, part)
                             : assign_to_part(this->name(), std::move(whole), place_, part);
  }

  bool map(const Batch& batch, std::span<Variable> results) const override {
    Variable whole = batch[0];
    auto place = in_each(place_, batch.size(), sample_size(whole));
    if (place)
      results[0] = adds_ ? add_to_part(this->name(), std::move(whole), *place, batch[1])
                         : assign_to_part(this->name(), std::move(whole), *place, batch[1]);
    return place.has_value();
  }

  /// The elements to write to, until they are handed over.
  Array& elements() { return elements_; }

 private:
  Place place_;
  bool adds_;
  Array elements_;
};

// The elements of x where nobody else has this handle, so that they can be written in place. None where there are others
// in each sample: the rule for these reads the operands.
Array taken(Variable& x, const Variable& part) {
  if (any_mapped(x, part)) return {};
  return sole_handle(x) ? std::move(x.impl()->value) : x.value();
}

template <class Place>
Variable written(const char* operation, Variable x, const Place& place, bool adds, const Variable& part) {
  WritePart<Place> write(operation, place, adds, taken(x, part));
  return perform(write, std::array<const Variable*, 2>{&x, &part});
}

}  // namespace

template <class Place>
Variable read_part(const char* operation, const Variable& x, const Place& place) {
  ReadPart<Place> read(operation, place);
  return perform(read, std::array{&x});
}

template <class Place>
Variable add_to_part(const char* operation, Variable x, const Place& place, const Variable& part) {
  return written(operation, std::move(x), place, true, part);
}

template <class Place>
Variable assign_to_part(const char* operation, Variable x, const Place& place, const Variable& part) {
  return written(operation, std::move(x), place, false, part);
}

// The value and the place in the graph of another.
void overwrite_whole(const Variable& x, const Variable& result) {
  x.impl()->leave_node();
  x.impl()->value = result.value();
  x.impl()->node = result.impl()->node;
  x.impl()->output = result.impl()->output;
  x.impl()->weak = false;
}

template <class Place>
void overwrite_part(const char* operation, const Variable& x, const Place& place, const Variable& part) {
  UndoLog::note(x);
  if (any_mapped(x, part)) return overwrite_whole(x, assign_to_part(operation, another_handle(x), place, part));
  Array& whole = x.impl()->value;
  const Variable source = another_handle(part);  // part may be x itself, whose elements move now
  WritePart<Place> write(operation, place, false, std::move(whole));
  Array result;
  NodePtr node;
  try {
    node = perform(write, std::array<const Variable*, 2>{&x, &source}, {&result, 1});
  } catch (...) {
    whole = std::move(result.defined() ? result : write.elements());
    throw;
  }
  whole = std::move(result);
  x.impl()->weak = false;
  if (!node) return;
  x.impl()->leave_node();
  x.impl()->node = std::move(node);
  x.impl()->output = 0;
}

template <class Place>
Variable write_part(const char* operation, const Variable& x, const Shape& shape, const Place& place) {
  return add_to_part(operation, Variable(Array::full(shape, 0, x.dtype())), place, x);
}

template Variable read_part(const char*, const Variable&, const kernels::View&);
template Variable read_part(const char*, const Variable&, const kernels::Slices&);
template Variable add_to_part(const char*, Variable, const kernels::View&, const Variable&);
template Variable add_to_part(const char*, Variable, const kernels::Slices&, const Variable&);
template Variable assign_to_part(const char*, Variable, const kernels::View&, const Variable&);
template Variable assign_to_part(const char*, Variable, const kernels::Slices&, const Variable&);
template void overwrite_part(const char*, const Variable&, const kernels::View&, const Variable&);
template void overwrite_part(const char*, const Variable&, const kernels::Slices&, const Variable&);
template Variable write_part(const char*, const Variable&, const Shape&, const kernels::View&);
template Variable write_part(const char*, const Variable&, const Shape&, const kernels::Slices&);

}  // namespace xtape::detail
