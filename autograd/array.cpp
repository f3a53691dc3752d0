#include <autograd/array.hpp>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include <boost/intrusive/list.hpp>

namespace xtape {
namespace detail {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t header = (sizeof(ArrayBody) + cache_line - 1) / cache_line * cache_line;  // the elements follow
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

[[noreturn]] void no_memory(const Shape& shape, DType dtype, std::size_t size) {
  throw MemoryError("array: no memory for the " + std::to_string(size * item_size(dtype)) + " bytes of " +
                    to_string(dtype) + to_string(shape));
}

}  // namespace

ArrayBody* ArrayBody::allocate(Shape shape, DType dtype, std::size_t size) {
  std::size_t capacity = size * item_size(dtype) + header;
  void* block = nullptr;
  if (capacity < cached_from) {
    block = std::malloc(capacity);
  } else {
    capacity = size_class(capacity);
    block = BlockCache::instance().take(capacity);
    if (!block) block = std::aligned_alloc(cache_line, (capacity + cache_line - 1) / cache_line * cache_line);
  }
  if (!block) no_memory(shape, dtype, size);
  auto* body = new (block) ArrayBody(std::move(shape), dtype, size);
  body->capacity = capacity;
  body->data = static_cast<std::byte*>(block) + header;
  return body;
}

ArrayBody* ArrayBody::view(ArrayBody& from, Shape shape, std::size_t size, std::size_t first) {
  void* block = std::malloc(sizeof(ArrayBody));
  if (!block) no_memory(shape, from.dtype, 0);
  auto* body = new (block) ArrayBody(std::move(shape), from.dtype, size);
  body->elements = from.elements ? from.elements : &from;
  body->data = from.data + first * item_size(from.dtype);
  return body;
}

namespace {

// Of elements in memory of somebody else's.
struct LentBody : ArrayBody {
  std::shared_ptr<const void> owner;

  LentBody(Shape shape, DType dtype, std::size_t size, std::shared_ptr<const void> owner)
      : ArrayBody(std::move(shape), dtype, size), owner(std::move(owner)) {}
};

}  // namespace

ArrayBody* ArrayBody::lent(void* elements, Shape shape, DType dtype, std::shared_ptr<const void> owner, bool read_only) {
  std::size_t size = element_count(shape);
  void* block = std::malloc(sizeof(LentBody));
  if (!block) no_memory(shape, dtype, 0);
  auto* body = new (block) LentBody(std::move(shape), dtype, size, std::move(owner));
  body->data = static_cast<std::byte*>(elements);
  body->is_lent = true;
  body->read_only = read_only;
  return body;
}

void ArrayBody::deallocate(ArrayBody* body) noexcept {
  std::size_t capacity = body->capacity;
  if (body->is_lent) static_cast<LentBody*>(body)->~LentBody();
  else body->~ArrayBody();
  if (capacity < cached_from || !BlockCache::instance().keep(body, capacity)) std::free(body);
}

}  // namespace detail

Array::Array(Shape shape, DType dtype) {
  std::size_t size = element_count(shape);
  body_ = detail::ArrayBody::allocate(std::move(shape), dtype, size);
}

const Shape& Array::no_shape() {
  static const Shape shape{0};
  return shape;
}

Array Array::around(void* elements, Shape shape, DType dtype, std::shared_ptr<const void> owner, bool read_only) {
  return Array(detail::ArrayBody::lent(elements, std::move(shape), dtype, std::move(owner), read_only));
}

Array Array::scalar(const Scalar& value, DType dtype, const char* operation) {
  return full({}, value, dtype, operation);
}

Array Array::full(Shape shape, const Scalar& value, DType dtype, const char* operation) {
  return visit(dtype, [&]<class T>(T) {
    T element = value.to<T>(operation);
    Array result(std::move(shape), dtype);
    std::fill_n(result.mutable_data<T>(), result.size(), element);
    return result;
  });
}

Array Array::reshaped(Shape shape) const {
  if (element_count(shape) != size())
    throw ShapeError("reshape: " + to_string(this->shape()) + " to " + to_string(shape) + ": needs " +
                     std::to_string(size()) + " elements");
  if (shape == this->shape()) return *this;
  return Array(detail::ArrayBody::view(*body_, std::move(shape), size(), 0));
}

Array Array::row(std::size_t i) const {
  if (rank() == 0 || i >= shape()[0])
    throw ShapeError("row: " + std::to_string(i) + " of shape " + to_string(shape()) + ": out of range");
  std::size_t row_size = size() / shape()[0];
  return Array(detail::ArrayBody::view(*body_, Shape(shape().begin() + 1, shape().end()), row_size, i * row_size));
}

void Array::make_unique() { *this = copy(); }

double Array::at(std::size_t i) const {
  return visit(dtype(), [&]<class T>(T) { return static_cast<double>(data<T>()[i]); });
}

Scalar Array::element(std::size_t i) const {
  return visit(dtype(), [&]<class T>(T) { return Scalar(data<T>()[i]); });
}

Array Array::copy() const {
  Array result(shape(), dtype());
  result.assign(*this);
  return result;
}

Array Array::to(DType to) const {
  if (to == dtype()) return *this;
  Array result(shape(), to);
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
  if (source.shape() != shape() || source.dtype() != dtype())
    throw ShapeError("assign: " + std::string(to_string(source.dtype())) + to_string(source.shape()) + " to " +
                     to_string(dtype()) + to_string(shape()) + ": needs the same shape and dtype");
  if (!unique()) *this = source;
  else if (size() && body_ != source.body_) std::memcpy(body_->data, source.body_->data, bytes());
}

void Array::wrong_type(DType asked) const {
  if (!defined()) throw Error("array: undefined, there are no elements to read");
  throw DTypeError(std::string("array: holds ") + to_string(dtype()) + ", asked for " + to_string(asked) +
                   "; convert with .to(" + to_string(asked) + ")");
}

}  // namespace xtape
