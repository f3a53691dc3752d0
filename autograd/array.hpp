// The array value: elements, their shape and dtype, copied on write. No derivatives here.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <autograd/counted.hpp>
#include <autograd/dtype.hpp>
#include <autograd/error.hpp>
#include <autograd/scalar.hpp>
#include <autograd/shape.hpp>
#include <autograd/xtensor.hpp>

namespace xtape {

template <class E>
concept XtensorExpression = xt::is_xexpression<E>::value;

namespace detail {
template <class C>
inline constexpr bool is_dense_container = false;
template <class S, class Shape, class Tag>
inline constexpr bool is_dense_container<xt::xarray_container<S, xt::layout_type::row_major, Shape, Tag>> = true;
template <class S, std::size_t n, class Tag>
inline constexpr bool is_dense_container<xt::xtensor_container<S, n, xt::layout_type::row_major, Tag>> = true;
template <class T>
inline constexpr bool is_stored = std::is_same_v<T, stored_t<T>>;
}  // namespace detail

/// An xtensor container that owns its elements, in row-major order, of a type that an Array stores.
template <class C>
concept XtensorContainer = detail::is_dense_container<C> && std::is_arithmetic_v<typename C::value_type> &&
                           detail::is_stored<typename C::value_type>;

namespace detail {

/// A shape that arrays and nodes share. It never changes. (Shapes are handed on by reference: xtensor's allocate where they
/// are moved, if they have more than four axes, and may not throw there.)
struct SharedShape {
  mutable std::atomic<std::uint32_t> references{0};
  const Shape shape;
  const std::size_t size;  ///< the number of elements

  /// @throws ShapeError when an array of it cannot be addressed.
  explicit SharedShape(const Shape& extents);
};
using ShapePtr = boost::intrusive_ptr<const SharedShape>;

inline void intrusive_ptr_add_ref(const SharedShape* shape) noexcept { add_reference(shape->references); }
inline void intrusive_ptr_release(const SharedShape* shape) noexcept {
  if (drop_reference(shape->references)) delete shape;
}

bool have_equal_extents(const SharedShape& a, const SharedShape& b);
inline bool equal(const ShapePtr& a, const ShapePtr& b) { return a == b || have_equal_extents(*a, *b); }

/// What an Array points to: a shape and dtype, and the elements, which follow in the same block of memory. Or a part of
/// the elements of another body, or all of them under another shape.
struct ArrayBody {
  std::atomic<std::uint32_t> references{0};
  DType dtype;
  bool is_lent = false;    ///< the elements lie in memory of somebody else's
  bool read_only = false;  ///< and are never written there
  bool is_mapped = false;  ///< there are none: the owner has those of many samples
  std::byte* data = nullptr;
  std::size_t capacity = 0;                  ///< of the block, in bytes
  boost::intrusive_ptr<ArrayBody> elements;  ///< whose elements these are; null where they are its own
  ShapePtr shape;

  ArrayBody(ShapePtr extents, DType of) : dtype(of), shape(std::move(extents)) {}

  /// A body with room for its elements. @throws MemoryError when there is no memory.
  static ArrayBody* allocate(ShapePtr shape, DType dtype);
  /// One that shares the elements of `from`, beginning with number `first`.
  static ArrayBody* view(ArrayBody& from, ShapePtr shape, std::size_t first);
  /// One of elements elsewhere, which live as long as `owner` does.
  static ArrayBody* lent(void* elements, ShapePtr shape, DType dtype, std::shared_ptr<const void> owner, bool read_only);
  /// Of a lent one.
  const void* owner() const;
  static void deallocate(ArrayBody* body) noexcept;
};

inline void intrusive_ptr_add_ref(ArrayBody* body) noexcept { add_reference(body->references); }
inline void intrusive_ptr_release(ArrayBody* body) noexcept {
  if (drop_reference(body->references)) ArrayBody::deallocate(body);
}

}  // namespace detail

/// A dense array in row-major order. Kernels work on it, and a Variable wraps one; nothing here is recorded.
///
/// An Array is a value: what is written to one is seen by no other. Copies, `reshaped`, `row` and `to` the same dtype
/// share the elements, and cost nothing, until one of the sharers is written: `mutable_data` and `assign` then give that
/// one elements of its own. A sole owner is written in place. Two threads may each write to their own of two arrays
/// that share; one Array that one thread writes may not be used by another at the same time.
class Array {
 public:
  /// No array at all: `defined()` is false.
  Array() = default;

  /// An array whose elements are not set yet.
  /// @throws ShapeError when it cannot be addressed, MemoryError when there is no memory.
  Array(const Shape& shape, DType dtype);
  /// The same of the shape of another array, which they share.
  static Array like(const Array& other, DType dtype) { return Array(detail::ArrayBody::allocate(other.shared_shape(), dtype)); }
  static Array like(const Array& other) { return like(other, other.dtype()); }

  /// The elements of an xtensor expression, in row-major order whatever its layout or strides.
  /// @throws ValueError for an unsigned integer that int64 does not have, ShapeError for parts that do not broadcast.
  template <XtensorExpression E>
  static Array from(const E& expression);

  /// The elements at an address, without a copy; `owner` keeps them alive. See from_blob.
  static Array around(void* elements, const Shape& shape, DType dtype, std::shared_ptr<const void> owner, bool read_only);

  /// One without elements, which stands for an array of this shape in each sample of a batch; `batch` has their elements.
  /// See detail::Batch.
  static Array mapped(const Shape& shape, DType dtype, std::shared_ptr<const void> batch);
  bool is_mapped() const { return body_ && body_->is_mapped; }
  /// What it was made with.
  const void* batch() const { return body_->owner(); }

  /// The elements of an xtensor container or std::vector that is given away, without a copy.
  template <class C>
  static Array adopt(C&& container, const Shape& shape) {
    auto owner = std::make_shared<C>(std::forward<C>(container));
    return around(owner->data(), shape, dtype_of<typename C::value_type>(), owner, false);
  }

  /// `value` as a 0-d array of `dtype`. @throws ValueError naming `operation` unless it fits.
  static Array scalar(const Scalar& value, DType dtype, const char* operation = "scalar");
  /// Every element is `value`. @throws ValueError naming `operation` unless it fits `dtype`.
  static Array full(const Shape& shape, const Scalar& value, DType dtype, const char* operation = "full");

  /// The same of the shape and dtype of another array.
  static Array full_like(const Array& other, const Scalar& value, const char* operation = "full");

  bool defined() const { return body_ != nullptr; }
  /// Lets the elements go; `defined()` is false from then on.
  void reset() { body_.reset(); }
  // An undefined one has no elements, and shape (0,).
  DType dtype() const { return body_ ? body_->dtype : DType::float32; }
  const Shape& shape() const { return shared_shape()->shape; }
  std::size_t rank() const { return shape().size(); }
  std::size_t size() const { return shared_shape()->size; }
  std::size_t bytes() const { return size() * item_size(dtype()); }

  /// The elements to read. @throws DTypeError unless T is what the array stores, and NeedsElements where it stands for
  /// one of each sample.
  template <class T>
  const T* data() const {
    require<T>();
    return reinterpret_cast<const T*>(body_->data);
  }

  /// The elements to write. Where others share them, they are copied first. @throws as `data`.
  template <class T>
  T* mutable_data() {
    require<T>();
    if (!unique()) make_unique();
    return reinterpret_cast<T*>(body_->data);
  }

  /// Whether nobody else shares the elements, so that they are written in place.
  bool unique() const {
    auto alone = [](const detail::ArrayBody& body) {
      return body.references.load(std::memory_order_acquire) == 1 && !body.read_only;
    };
    return alone(*body_) && (!body_->elements || alone(*body_->elements));
  }

  bool shares_elements_with(const Array& other) const {
    auto elements = [](const Array& a) { return a.body_ && a.body_->elements ? a.body_->elements : a.body_; };
    return elements(*this) == elements(other);
  }

  const detail::ShapePtr& shared_shape() const { return body_ ? body_->shape : no_shape(); }
  bool has_shape_of(const Array& other) const { return detail::equal(shared_shape(), other.shared_shape()); }

  /// The same elements under another shape of the same size.
  Array reshaped(const Shape& shape) const;
  /// Slice `i` along the first axis, without that axis. @throws ShapeError when there is none.
  Array row(std::size_t i) const;

  /// Element `i` in row-major order as a double.
  double at(std::size_t i) const;
  /// The same, of its own kind.
  Scalar element(std::size_t i) const;

  /// A copy with elements of its own.
  Array copy() const;
  /// The elements converted to another dtype, and rounded towards 0 to int64; the same array when it has that dtype
  /// already. @throws ValueError for an element that int64 does not have, such as NaN.
  Array to(DType dtype) const;
  /// Overwrites the elements with those of an array of the same shape and dtype: in place, or by sharing them where
  /// its own are shared by others.
  void assign(const Array& source);

 private:
  template <class T>
  void require() const {
    if (dtype() != dtype_of<T>() || !defined() || body_->is_mapped || !std::is_same_v<T, stored_t<T>>)
      wrong_type(dtype_of<T>());
  }
  [[noreturn]] void wrong_type(DType asked) const;
  explicit Array(detail::ArrayBody* body) : body_(body) {}
  void make_unique();
  static const detail::ShapePtr& no_shape();

  boost::intrusive_ptr<detail::ArrayBody> body_;
};

/// Calls `f(T{})` with the C++ type behind a floating-point dtype.
/// @throws DTypeError naming `operation` for the other dtypes.
template <class F>
decltype(auto) visit_floating(const char* operation, DType dtype, F&& f) {
  if (dtype == DType::float32) return f(float{});
  if (dtype == DType::float64) return f(double{});
  throw DTypeError(std::string(operation) + ": needs float32 or float64, got " + to_string(dtype) +
                   "; convert with .to(float32)");
}

/// Calls `f(T{})` with the C++ type behind any dtype.
template <class F>
decltype(auto) visit(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::int64: return f(std::int64_t{});
    default: return f(bool{});
  }
}

template <XtensorExpression E>
Array Array::from(const E& expression) {
  using Value = std::remove_cv_t<typename E::value_type>;
  static_assert(std::is_arithmetic_v<Value>,
                "an xtensor expression of numbers is needed; to mix one with a Variable, wrap it: x + Variable(a)");
  try {
    Array result(Shape(expression.shape().begin(), expression.shape().end()), dtype_of<Value>());
    auto* out = result.mutable_data<stored_t<Value>>();
    auto end = expression.template end<xt::layout_type::row_major>();
    for (auto it = expression.template begin<xt::layout_type::row_major>(); it != end; ++it) {
      if constexpr (std::is_same_v<stored_t<Value>, std::int64_t>) *out++ = Scalar(*it).to<std::int64_t>("Variable");
      else *out++ = static_cast<stored_t<Value>>(*it);
    }
    return result;
  } catch (const xt::broadcast_error& e) {
    throw ShapeError(std::string("Variable: the xtensor expression does not broadcast: ") + e.what());
  }
}

}  // namespace xtape
