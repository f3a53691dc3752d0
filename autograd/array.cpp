#include <autograd/array.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include <boost/intrusive/list.hpp>

#include <autograd/batch.hpp>
#include <autograd/memory_error.hpp>
#include <autograd/small_blocks.hpp>

namespace xtape {
namespace detail {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t cached_from = 64 << 10;  // smaller blocks are malloc's own business
constexpr std::size_t cache_limit = 64 << 20;

// Freed large blocks wait here for the next array of their size. A training step asks for the same sizes again
// and again, and malloc would hand the pages back to the system each time, to be zeroed on the next touch.
// Where they become too much, those that wait longest go: they may be of sizes that nobody asks for any more.
class BlockCache {
  template <class Tag>
  using Hook = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>>;
  template <class Block, class Tag>
  using List = boost::intrusive::list<Block, boost::intrusive::base_hook<Hook<Tag>>>;
  struct Age;
  struct Size;

  // Stands in the freed memory itself.
  struct Block : Hook<Age>, Hook<Size> {
    std::size_t bytes;
  };

 public:
  void* take(std::size_t bytes) {
    std::scoped_lock lock(mutex_);
    auto found = of_size_.find(bytes);
    if (found == of_size_.end() || found->second.empty()) return nullptr;
    return remove(found->second.back());
  }

  bool keep(void* memory, std::size_t bytes) noexcept try {
    if (bytes > cache_limit) return false;
    std::scoped_lock lock(mutex_);
    auto& of_this_size = of_size_[bytes];
    while (cached_ + bytes > cache_limit) std::free(remove(by_age_.front()));
    auto* block = new (memory) Block;
    block->bytes = bytes;
    by_age_.push_back(*block);
    of_this_size.push_back(*block);
    cached_ += bytes;
    return true;
  } catch (...) {
    return false;
  }

  // Never destroyed: arrays in static variables may outlive any other static.
  static BlockCache& instance() {
    static BlockCache* cache = new BlockCache;
    return *cache;
  }

 private:
  void* remove(Block& block) {
    auto& of_this_size = of_size_.find(block.bytes)->second;
    of_this_size.erase(of_this_size.iterator_to(block));
    by_age_.erase(by_age_.iterator_to(block));
    cached_ -= block.bytes;
    block.~Block();
    return &block;
  }

  std::mutex mutex_;
  List<Block, Age> by_age_;  // the one that waits longest first
  std::map<std::size_t, List<Block, Size>> of_size_;
  std::size_t cached_ = 0;
};

// Eight classes to each power of two: at most an eighth is wasted, and near sizes share blocks.
std::size_t size_class(std::size_t bytes) {
  std::size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

constexpr std::size_t round_up(std::size_t bytes, std::size_t step) { return (bytes + step - 1) / step * step; }

// The elements follow on the body, in large blocks from a line of the cache on.
constexpr std::size_t small_header = round_up(sizeof(ArrayBody), alignof(std::max_align_t));
constexpr std::size_t large_header = round_up(sizeof(ArrayBody), cache_line);

// The largest blocks begin at the start of a page. If their elements did as well, those of several arrays that are walked
// together would compete for the same sets of the first cache, of which each holds eight lines or so.
constexpr std::size_t colours = 8, colour_step = 512;
std::size_t next_colour() {
  static std::atomic<std::size_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed) % colours;
}

[[noreturn]] void no_memory(const Shape& shape, DType dtype, std::size_t size) {
  char text[128];  // without memory; where it is too short, the text is cut
  std::size_t end = 0;
  auto add = [&](const char* format, auto... values) {
    if (end < sizeof text) end += static_cast<std::size_t>(std::snprintf(text + end, sizeof text - end, format, values...));
  };
  add("%s(", to_string(dtype));
  for (std::size_t i = 0; i < shape.size(); ++i) add(i ? ", %zu" : "%zu", shape[i]);
  add(shape.size() == 1 ? ",)" : ")");
  throw OutOfMemory("array", size * item_size(dtype), text);
}

}  // namespace

SharedShape::SharedShape(const Shape& extents) : shape(extents), size(element_count(shape)) {}

bool have_equal_extents(const SharedShape& a, const SharedShape& b) { return a.shape == b.shape; }

ArrayBody* ArrayBody::allocate(ShapePtr shape, DType dtype) {
  std::size_t bytes = shape->size * item_size(dtype), capacity = small_header + bytes;
  bool small = capacity < cached_from;
  void* block = nullptr;
  if (small) {
    block = allocate_block(capacity);
  } else {
    capacity = size_class(large_header + bytes + (colours - 1) * colour_step);
    block = BlockCache::instance().take(capacity);
    if (!block) block = std::aligned_alloc(cache_line, round_up(capacity, cache_line));
  }
  if (!block) no_memory(shape->shape, dtype, shape->size);
  auto* body = new (block) ArrayBody(std::move(shape), dtype);
  body->capacity = capacity;
  body->data = static_cast<std::byte*>(block) + (small ? small_header : large_header + next_colour() * colour_step);
  return body;
}

ArrayBody* ArrayBody::view(ArrayBody& from, ShapePtr shape, std::size_t first) {
  void* block = allocate_block(sizeof(ArrayBody));
  if (!block) no_memory(shape->shape, from.dtype, 0);
  auto* body = new (block) ArrayBody(std::move(shape), from.dtype);
  body->capacity = sizeof(ArrayBody);
  body->elements = from.elements ? from.elements : &from;
  body->data = from.data + first * item_size(from.dtype);
  return body;
}

namespace {

// Of elements in memory of somebody else's.
struct LentBody : ArrayBody {
  std::shared_ptr<const void> owner;

  LentBody(ShapePtr shape, DType dtype, std::shared_ptr<const void> owner)
      : ArrayBody(std::move(shape), dtype), owner(std::move(owner)) {}
};

}  // namespace

ArrayBody* ArrayBody::lent(void* elements, ShapePtr shape, DType dtype, std::shared_ptr<const void> owner,
                           bool read_only) {
  void* block = allocate_block(sizeof(LentBody));
  if (!block) no_memory(shape->shape, dtype, 0);
  auto* body = new (block) LentBody(std::move(shape), dtype, std::move(owner));
  body->data = static_cast<std::byte*>(elements);
  body->capacity = sizeof(LentBody);
  body->is_lent = true;
  body->read_only = read_only;
  return body;
}

const void* ArrayBody::owner() const { return static_cast<const LentBody*>(this)->owner.get(); }

void ArrayBody::deallocate(ArrayBody* body) noexcept {
  std::size_t capacity = body->capacity;
  if (body->is_lent) static_cast<LentBody*>(body)->~LentBody();
  else body->~ArrayBody();
  if (capacity < cached_from) free_block(body, capacity);
  else if (!BlockCache::instance().keep(body, capacity)) std::free(body);
}

}  // namespace detail

namespace {

// @throws MemoryError
detail::ShapePtr shared(const Shape& shape) try {
  return new detail::SharedShape(shape);
} catch (const std::bad_alloc&) {
  throw detail::OutOfMemory("array", "its shape");
}

}  // namespace

Array::Array(const Shape& shape, DType dtype) : body_(detail::ArrayBody::allocate(shared(shape), dtype)) {}

const detail::ShapePtr& Array::no_shape() {
  static const detail::ShapePtr shape = shared({0});
  return shape;
}

Array Array::around(void* elements, const Shape& shape, DType dtype, std::shared_ptr<const void> owner, bool read_only) {
  return Array(detail::ArrayBody::lent(elements, shared(shape), dtype, std::move(owner), read_only));
}

// Read-only, so that nobody takes it for one to write to in place.
Array Array::mapped(const Shape& shape, DType dtype, std::shared_ptr<const void> batch) {
  Array result = around(nullptr, shape, dtype, std::move(batch), true);
  result.body_->is_mapped = true;
  return result;
}

Array Array::scalar(const Scalar& value, DType dtype, const char* operation) {
  return full({}, value, dtype, operation);
}

namespace {

// Allocates no elements for a value that does not fit.
template <class Make>
Array filled(DType dtype, const Scalar& value, const char* operation, Make&& make) {
  return visit(dtype, [&]<class T>(T) {
    T element = value.to<T>(operation);
    Array result = make();
    std::fill_n(result.mutable_data<T>(), result.size(), element);
    return result;
  });
}

}  // namespace

Array Array::full(const Shape& shape, const Scalar& value, DType dtype, const char* operation) {
  return filled(dtype, value, operation, [&] { return Array(shape, dtype); });
}

Array Array::full_like(const Array& other, const Scalar& value, const char* operation) {
  return filled(other.dtype(), value, operation, [&] { return like(other); });
}

Array Array::reshaped(const Shape& shape) const {
  if (shape == this->shape()) return *this;
  if (is_mapped()) detail::no_elements(*this);
  if (element_count(shape) != size())
    throw ShapeError("reshape: " + to_string(this->shape()) + " to " + to_string(shape) + ": needs " +
                     std::to_string(size()) + " elements");
  return Array(detail::ArrayBody::view(*body_, shared(shape), 0));
}

Array Array::row(std::size_t i) const {
  if (is_mapped()) detail::no_elements(*this);
  if (rank() == 0 || i >= shape()[0])
    throw ShapeError("row: " + std::to_string(i) + " of shape " + to_string(shape()) + ": out of range");
  std::size_t row_size = size() / shape()[0];
  return Array(detail::ArrayBody::view(*body_, shared(Shape(shape().begin() + 1, shape().end())), i * row_size));
}

void Array::make_unique() { *this = copy(); }

double Array::at(std::size_t i) const {
  return visit(dtype(), [&]<class T>(T) { return static_cast<double>(data<T>()[i]); });
}

Scalar Array::element(std::size_t i) const {
  return visit(dtype(), [&]<class T>(T) { return Scalar(data<T>()[i]); });
}

Array Array::copy() const {
  if (is_mapped()) return *this;
  Array result = like(*this);
  result.assign(*this);
  return result;
}

Array Array::to(DType to) const {
  if (to == dtype()) return *this;
  if (is_mapped()) {
    const detail::Samples& samples = detail::samples_of(*this);
    return detail::mapped(Variable(samples.all.value().to(to)), samples.level);
  }
  Array result = like(*this, to);
  visit(dtype(), [&]<class From>(From) {
    visit(to, [&]<class To>(To) {
      std::transform(data<From>(), data<From>() + size(), result.mutable_data<To>(),
                     [](From x) {
                       if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, std::int64_t>)
                         if (!(x >= -0x1p63 && x < 0x1p63)) Scalar(x).does_not_fit("to", "int64");
                       return static_cast<To>(x);
                     });
    });
  });
  return result;
}

void Array::assign(const Array& source) {
  if (!source.has_shape_of(*this) || source.dtype() != dtype())
    throw ShapeError("assign: " + std::string(to_string(source.dtype())) + to_string(source.shape()) + " to " +
                     to_string(dtype()) + to_string(shape()) + ": needs the same shape and dtype");
  if (!unique() || source.is_mapped()) *this = source;
  else if (size() && body_ != source.body_) std::memcpy(body_->data, source.body_->data, bytes());
}

void Array::wrong_type(DType asked) const {
  if (!defined()) throw Error("array: undefined, there are no elements to read");
  if (is_mapped()) detail::no_elements(*this);
  throw DTypeError(std::string("array: holds ") + to_string(dtype()) + ", asked for " + to_string(asked) +
                   "; convert with .to(" + to_string(asked) + ")");
}

}  // namespace xtape
