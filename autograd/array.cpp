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

constexpr std::size_t header = 64;            // keeps the elements on a cache line of their own
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

}  // namespace

Storage* Storage::allocate(std::size_t bytes) {
  std::size_t capacity = bytes + header;
  void* block = nullptr;
  if (capacity < cached_from) {
    block = std::malloc(capacity);
  } else {
    capacity = size_class(capacity);
    block = BlockCache::instance().take(capacity);
    if (!block) block = std::aligned_alloc(header, (capacity + header - 1) / header * header);
  }
  if (!block) throw std::bad_alloc();
  auto* storage = new (block) Storage;
  storage->capacity = capacity;
  storage->data = static_cast<std::byte*>(block) + header;
  return storage;
}

void Storage::deallocate(Storage* storage) noexcept {
  std::size_t capacity = storage->capacity;
  storage->~Storage();
  if (capacity < cached_from || !BlockCache::instance().keep(storage, capacity)) std::free(storage);
}

}  // namespace detail

const char* to_string(DType dtype) {
  switch (dtype) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::int64: return "int64";
    default: return "bool";
  }
}

Array::Array(Shape shape, DType dtype) : size_(element_count(shape)), dtype_(dtype), shape_(std::move(shape)) {
  storage_ = detail::Storage::allocate(size_ * item_size(dtype));
  data_ = storage_->data;
}

Array Array::scalar(double value, DType dtype) { return full({}, value, dtype); }

Array Array::full(Shape shape, double value, DType dtype) {
  Array result(std::move(shape), dtype);
  visit(dtype, [&]<class T>(T) { std::fill_n(result.mutable_data<T>(), result.size(), static_cast<T>(value)); });
  return result;
}

Array Array::reshaped(Shape shape) const {
  if (element_count(shape) != size_)
    throw ShapeError("reshape: " + to_string(shape_) + " to " + to_string(shape) + ": needs " + std::to_string(size_) +
                     " elements");
  Array result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Array Array::row(std::size_t i) const {
  if (rank() == 0 || i >= shape_[0])
    throw ShapeError("row: " + std::to_string(i) + " of shape " + to_string(shape_) + ": out of range");
  Array result = *this;
  result.shape_ = Shape(shape_.begin() + 1, shape_.end());
  result.size_ = size_ / shape_[0];
  result.data_ = data_ + i * result.bytes();
  return result;
}

double Array::at(std::size_t i) const {
  return visit(dtype_, [&]<class T>(T) { return static_cast<double>(data<T>()[i]); });
}

Array Array::copy() const {
  Array result(shape_, dtype_);
  result.assign(*this);
  return result;
}

Array Array::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Array result(shape_, dtype);
  visit(dtype_, [&]<class From>(From) {
    visit(dtype, [&]<class To>(To) {
      std::transform(data<From>(), data<From>() + size_, result.mutable_data<To>(),
                     [](From x) { return static_cast<To>(x); });
    });
  });
  return result;
}

void Array::assign(const Array& source) {
  if (source.shape_ != shape_ || source.dtype_ != dtype_)
    throw ShapeError("assign: " + std::string(to_string(source.dtype_)) + to_string(source.shape_) + " to " +
                     to_string(dtype_) + to_string(shape_) + ": needs the same shape and dtype");
  visit(dtype_, [&]<class T>(T) {
    if (size_) std::memmove(mutable_data<T>(), source.data<T>(), bytes());
  });
}

void Array::wrong_type(DType asked) const {
  if (!defined()) throw Error("array: undefined, there are no elements to read");
  throw DTypeError(std::string("array: holds ") + to_string(dtype_) + ", asked for " + to_string(asked) +
                   "; convert with .to(" + to_string(asked) + ")");
}

}  // namespace xtape
