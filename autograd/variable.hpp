// Variable: the value that users compute with, and its place in the graph.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include <autograd/array.hpp>
#include <autograd/by_name.hpp>

namespace xtape {

class Variable;
class Node;
class Index;
class Part;
struct VariableImpl;

void intrusive_ptr_add_ref(Node* node) noexcept;
void intrusive_ptr_release(Node* node) noexcept;
void intrusive_ptr_add_ref(VariableImpl* impl) noexcept;
void intrusive_ptr_release(VariableImpl* impl) noexcept;

using NodePtr = boost::intrusive_ptr<Node>;

/// A number or a list of such, to any depth: what the braces of `Variable{{1, 2}, {3, 4}}` hold.
class Nested {
 public:
  template <class S>
    requires std::is_arithmetic_v<S>
  Nested(S value) : values_{value} {}
  /// @throws ShapeError when the lists are of unequal length.
  Nested(std::initializer_list<Nested> list);

  /// @throws ValueError for a number that does not fit the dtype.
  Array to_array(DType dtype) const;

 private:
  std::vector<Scalar> values_;
  Shape shape_;
};

/// How to walk back. See Variable::backward and grad.
struct BackwardOptions {
  [[no_unique_address]] detail::ByName by_name = {};
  bool retain_graph = false;  ///< keep the graph and what it saved, for another walk
  bool create_graph = false;  ///< record the walk itself, for derivatives of the gradients; keeps the graph too
};

/// What `register_hook` returns.
class HookHandle {
 public:
  HookHandle() = default;
  explicit HookHandle(std::function<void()> remove) : remove_(std::move(remove)) {}
  /// Takes the hook away; a second call does nothing.
  void remove() { if (remove_) std::exchange(remove_, nullptr)(); }

 private:
  std::function<void()> remove_;
};

/// An array that remembers how it was computed.
///
/// A Variable is a handle to a value: copies of the handle see what is written through any of them, and nothing else
/// does. The result of an operation, `detach`, a gradient, what the tape saved and an xtensor adaptor taken before are
/// values of their own. They share elements where they are equal, and a write copies those that are shared first; see
/// Array. Operations on Variables that need a gradient are recorded, and `backward` walks the record. A C++ scalar converts to a Variable that takes the dtype of what
/// it is combined with, so `2 * x` works for every x.
class Variable {
 public:
  /// No variable: `defined()` is false.
  Variable() = default;
  /// A 0-d constant: a bool, an int64, or one of the default dtype that keeps the double. In an operation it takes the dtype of the
  /// other operand where that is of its kind or a higher one: bool, integer, floating-point.
  template <class S>
    requires std::is_arithmetic_v<S>
  Variable(S value) : Variable(Scalar(value)) {}
  explicit Variable(const Scalar& value);
  /// A copy of an xtensor expression's elements: float gives float32, double float64, bool bool, integers int64.
  /// @throws ValueError for an integer that int64 does not have.
  template <XtensorExpression E>
  Variable(const E& expression) : Variable(Array::from(expression)) {}
  /// An xtensor container that is given away, `Variable(std::move(a))`: its elements become those of the Variable, without
  /// a copy.
  template <XtensorContainer C>
  Variable(C&& container)
      : Variable(Array::adopt(std::forward<C>(container), Shape(container.shape().begin(), container.shape().end()))) {}
  /// The numbers of a vector, which has one axis: without a copy where it is given away, `Variable(std::move(v))`, and
  /// holds float, double or std::int64_t.
  template <class T>
    requires std::is_arithmetic_v<T>
  explicit Variable(std::vector<T> values) : Variable(of_vector(std::move(values))) {}
  /// Nested lists: `Variable{{1, 2}, {3, 4}}` has shape (2, 2), `Variable{3}` has shape (1,).
  Variable(std::initializer_list<Nested> values, DType dtype = default_dtype()) : Variable(Nested(values).to_array(dtype)) {}
  /// Wraps an array without copying it.
  explicit Variable(Array value);

  Variable(const Variable&) = default;
  Variable(Variable&&) noexcept = default;
  // For what has a name: an assignment to a temporary would be lost.
  Variable& operator=(const Variable&) & = default;
  Variable& operator=(Variable&&) & noexcept = default;
  ~Variable() = default;

  // The value

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const = delete;  // an array has no truth value; ask defined() or item()
  const Array& value() const;
  const Shape& shape() const { return value().shape(); }
  /// The extent of one axis; negative axes count from the end.
  std::size_t shape(std::ptrdiff_t axis) const;
  std::size_t rank() const { return value().rank(); }
  std::size_t size() const { return value().size(); }
  DType dtype() const { return value().dtype(); }

  /// The elements as they are now, as an xtensor array, without a copy; it keeps them alive. T is float, double, std::int64_t or bool.
  /// @throws DTypeError unless T is what the Variable holds.
  template <class T>
  auto array() const {
    auto keep = std::make_shared<Array>(value());
    // The adaptor wants a pointer to non-const, and const access is all that this hands out.
    auto* elements = const_cast<T*>(keep->template data<T>());
    xt::dynamic_shape<std::size_t> shape = keep->shape();
    return static_cast<const decltype(xt::adapt_smart_ptr(elements, shape, keep))>(
        xt::adapt_smart_ptr(elements, shape, std::move(keep)));
  }
  /// The elements in row-major order, until the next write. @throws DTypeError unless T is what the Variable holds.
  template <class T>
  const T* data() const { return value().data<T>(); }
  /// The elements to write, which nothing but copies of this handle will see. Valid until the next operation on them.
  template <class T>
  T* mutable_data() const& { return mutable_value().mutable_data<T>(); }
  /// The same as an xtensor adaptor, to assign to: `x.mutable_array<float>() += a`. Elements that others share are copied
  /// before it is made, so that nothing but copies of this handle sees what is written. To be used at once: what shares
  /// the elements after that sees the writes, too, and an operation in place may take others. It keeps the Variable alive.
  /// @throws DTypeError unless T is what the Variable holds.
  template <class T>
  auto mutable_array() const& {
    xt::dynamic_shape<std::size_t> shape = this->shape();
    T* elements = mutable_data<T>();
    return xt::adapt_smart_ptr(elements, shape, std::make_shared<Variable>(*this));
  }
  /// The only element as a number of C++: `x.item()`, `x.item<std::int64_t>()`. Only a floating-point number is rounded.
  /// @throws ShapeError when there is not exactly one, ValueError when T does not have it.
  template <class T = double>
    requires std::is_arithmetic_v<T>
  T item() const {
    return only_element().to_same<T>("item");
  }

  /// The value without its past: the result needs no gradient.
  Variable detach() const;
  /// The elements converted, differentiably between float32 and float64.
  Variable to(DType dtype) const;
  /// A copy with elements of its own, differentiable.
  Variable copy() const;

  // Gradients

  /// Whether operations on this are recorded.
  bool requires_grad() const;
  /// Makes this a leaf whose gradient `backward` keeps (or stops doing so), and returns it.
  /// @throws GraphError for the result of a recorded operation, DTypeError unless floating-point.
  Variable& requires_grad_(bool requires_grad = true);
  /// Whether this was made by the user, not by a recorded operation.
  bool is_leaf() const;
  /// The name of the recorded operation that made this, such as "mul"; empty where none did.
  std::string operation() const;
  /// The gradient that `backward` accumulated; undefined when there is none.
  Variable grad() const;
  /// Replaces the gradient by the value of this one; an undefined Variable removes it.
  void set_grad(const Variable& gradient) const;
  /// Forgets the gradient.
  void zero_grad() const;
  /// Keeps the gradient of this intermediate result, too, when a later `backward` passes it.
  void retain_grad() const;
  /// Calls `hook` with the gradient of this Variable in every walk that passes it; what the hook returns, if
  /// defined, replaces the gradient. Hooks run in the order of registration, and are freed with the graph. A hook must
  /// not hold a copy of a leaf that it is registered on, nor a result of it: they would keep each other alive until
  /// `remove()`. Capture `x.detach()`, the value as it is now, or a reference to what lives as long.
  HookHandle register_hook(std::function<Variable(const Variable&)> hook) const;

  /// Adds to every leaf's gradient the derivative of this Variable, weighted by `seed` (of this shape; 1 if left out,
  /// which needs a Variable of one element). The graph is released unless an option keeps it: the values that it saved
  /// go. Its nodes live as long as a result does, so keep `loss.item()` of many losses, not them all.
  /// @throws GraphError when there is nothing to differentiate, or the graph was released.
  void backward(const Variable& seed, const BackwardOptions& options) const;
  void backward(const BackwardOptions& options = {}) const { backward({}, options); }
  // A template, so that `{.retain_graph = true}` is options rather than a seed.
  template <class = void>
  void backward(const Variable& seed) const { backward(seed, {}); }

  // Shape, as methods for reading from left to right

  /// Elements of a part: `x[0]`, `x[range(1, 5)]`, `x[{range(0, 9, 2), -1, newaxis}]`. See slice. `x[0] = y` writes to x
  /// where x has a name and is not const; see Part.
  Part operator[](const Index& index) &;
  Part operator[](std::initializer_list<Index> indices) &;
  Variable operator[](const Index& index) const&;
  Variable operator[](std::initializer_list<Index> indices) const&;
  Variable reshape(const Dims& shape) const;

  // In place: seen by every copy of the handle, and by nothing else. Not for temporaries, where it would be lost.

  Variable& operator+=(const Variable& other) &;
  Variable& operator-=(const Variable& other) &;
  Variable& operator*=(const Variable& other) &;
  Variable& operator/=(const Variable& other) &;
  /// Overwrites the elements; broadcasts `source` to this shape.
  void assign(const Variable& source) const;

  // For the tape and for operations

  explicit Variable(boost::intrusive_ptr<VariableImpl> impl) : impl_(std::move(impl)) {}
  VariableImpl* impl() const { return impl_.get(); }
  Array& mutable_value() const;

 private:
  template <class T>
  static Array of_vector(std::vector<T> values) {
    std::size_t size = values.size();
    if constexpr (detail::is_stored<T> && !std::is_same_v<T, bool>) return Array::adopt(std::move(values), {size});
    Array result({size}, dtype_of<T>());
    std::transform(values.begin(), values.end(), result.mutable_data<stored_t<T>>(),
                   [](T v) { return Scalar(v).to<stored_t<T>>("Variable"); });
    return result;
  }
  Scalar only_element() const;
  Variable& update(const char* operation, const Variable& result);

  boost::intrusive_ptr<VariableImpl> impl_;
};

/// What a Variable points to.
struct VariableImpl {
  std::atomic<std::uint32_t> references{0};
  std::uint32_t output = 0;   ///< which output of `node` this is
  bool weak = false;          ///< a C++ scalar, which takes the dtype of what it meets
  Scalar scalar = 0;          ///< the number that a weak one was made of
  Array value;
  NodePtr node;  ///< the operation that made this, or the Leaf that collects its gradient
  Variable grad;

  explicit VariableImpl(Array array, NodePtr made_by = {}, std::uint32_t output_index = 0)
      : output(output_index), value(std::move(array)), node(std::move(made_by)) {}
  ~VariableImpl() { leave_node(); }
  /// Forgets where the value came from; the node's gradient no longer comes here.
  void leave_node();

  // See allocate_block.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* impl, std::size_t bytes) noexcept;
};

inline void intrusive_ptr_add_ref(VariableImpl* impl) noexcept { detail::add_reference(impl->references); }
inline void intrusive_ptr_release(VariableImpl* impl) noexcept {
  if (detail::drop_reference(impl->references)) delete impl;
}

/// `value` as a leaf that collects its gradient: what layers register and optimizers change.
Variable parameter(const Variable& value);

/// Prints the elements as xtensor does, with the dtype where it is not float32, and the shape where there are none:
/// `{0, 1, 2} int64`, `{} (0, 3)`.
std::ostream& operator<<(std::ostream& out, const Variable& x);

/// What messages say of a Variable: "float32(2, 3)", or "an undefined Variable".
std::string describe(const Variable& x);

}  // namespace xtape
