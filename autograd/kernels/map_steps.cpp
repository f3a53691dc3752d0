#include <autograd/kernels/map_steps.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <utility>

#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/targets/reduce.hpp>
#include <autograd/kernels/xsimd.hpp>

namespace xtape::kernels {
namespace {

// The elements of a row that go through all steps together: many, so that calls of rows do not count, and few, so that
// what stands between the steps stays in the cache.
template <class T>
constexpr std::size_t piece_of = 512 / sizeof(T);

// What a call needs beside its results, which is little: from `first`, which is on the stack, as far as that goes.
class Memory {
 public:
  explicit Memory(std::span<std::byte> first) : resource_(first.data(), first.size()) {}

  template <class T>
  operator std::pmr::polymorphic_allocator<T>() {
    return &resource_;
  }
  template <class T>
  T* pieces(std::size_t n) {
    return static_cast<T*>(resource_.allocate(n * piece_of<T> * sizeof(T), 64));
  }

 private:
  std::pmr::monotonic_buffer_resource resource_;
};
template <class T>
using Vector = std::pmr::vector<T>;

// How a block of an array is read along the common shape that it broadcasts to.
struct BlockView {
  Strides strides;
  std::ptrdiff_t offset = 0;
  bool repeated;

  // A 0-d array, which stands for zeros, has no blocks.
  BlockView(const Shape& whole, const Part& part, const Shape& common) {
    Shape shape = whole;
    if (shape.size() > 0) {
      shape.back() /= part.blocks;
      offset = static_cast<std::ptrdiff_t>(part.block * shape.back());
    }
    repeated = shape != common;
    const Strides broadcast = broadcast_strides(shape, common);
    strides = broadcast;  // a copy: see Loops::add
    for (std::size_t axis = 0; axis + 1 < strides.size(); ++axis)
      strides[axis] *= static_cast<std::ptrdiff_t>(part.blocks);
  }
};

// Where a number of a row is read or written: at `data`, or added to `sums`; null where it is left out.
template <class T>
struct Place {
  T* data = nullptr;
  double* sums = nullptr;
};

// Adds numbers to sums of their own, or all to one.
template <class T>
class Sums {
 public:
  void add(const T* values, std::size_t n, std::ptrdiff_t stride, double* sums) const {
    if (stride == 0) *sums += of_row_(values, n);
    else add_row_(values, n, sums);
  }

 private:
  decltype(&reduce_row_on<Target::any, Sum, T>) of_row_ =
      with_target([]<Target target>() { return &reduce_row_on<target, Sum, T>; });
  decltype(&add_row_on<Target::any, T>) add_row_ = with_target([]<Target target>() { return &add_row_on<target, T>; });
};

// Takes rows through the steps, piece by piece:
//
//     x        .......|=======|..........     places of inputs and results: their elements stand one after the other, or,
//     y        .......|=======|..........     where the stride is 0, are one
//     x * y           |=======|               a buffer
//     exp(x * y)      |=======|               the same buffer, for nothing reads the product any more
//     result   .......|=======|..........     the last step writes here at once
template <class T>
class Runner {
  static constexpr std::size_t piece = piece_of<T>;

 public:
  Runner(const Runner&) = delete;  // it has addresses of itself

  // The strides of the inputs, and then of the results; `summed` tells of each result whether it has no place but sums.
  Runner(const Steps<T>& steps, std::size_t inputs, std::span<const std::ptrdiff_t> stride,
         std::span<const char> summed, Memory& memory)
      : results_(steps.results), inputs_(inputs), first_(inputs + steps.constants.size()), place_stride_(stride),
        at_(first_ + steps.steps.size(), nullptr, memory), stride_(at_.size(), 0, memory),
        place_of_(at_.size(), none, memory), ready_(steps.steps.size(), memory), moving_(memory), direct_(memory),
        repeated_inputs_(inputs, memory) {
    std::copy_n(place_stride_.begin(), inputs, stride_.begin());
    for (std::size_t k = 0; k < inputs; ++k) at_[k] = repeated_inputs_[k].values;
    for (std::size_t i = 0; i < steps.constants.size(); ++i) at_[inputs + i] = steps.constants[i].values;
    for (std::size_t i = 0; i < ready_.size(); ++i)
      for (std::uint32_t operand : operands_of(steps.steps[i])) stride_[first_ + i] |= stride_[operand];
    assign_buffers(steps, memory);
    find_direct(summed);
    for (std::size_t i = 0; i < ready_.size(); ++i) prepare(i, steps.steps[i]);
  }

  void operator()(std::span<const Place<T>> places, std::size_t n) {
    for (std::size_t k = 0; k < inputs_; ++k)
      if (!stride_[k]) repeated_inputs_[k] = Repeated<T>(*places[k].data);
    for (std::size_t begin = 0; begin < n; begin += piece) {
      const std::size_t count = std::min(piece, n - begin);
      for (const Moving& moving : moving_) *moving.pointer = places[moving.place].data + begin;
      for (const Ready& step : ready_) step.row(step.in, step.stride, step.repeated ? per_register : count, step.out);
      for (std::size_t j = 0; j < direct_.size(); ++j)
        if (!direct_[j]) deliver(j, places[inputs_ + j], begin, count);
    }
  }

 private:
  static constexpr std::size_t per_register = register_bytes / sizeof(T);

  // A step with the addresses of what it reads and writes.
  struct Ready {
    MapRow<T> row;
    const T* in[Step<T>::most];
    std::ptrdiff_t stride[Step<T>::most];
    T* out;
    bool repeated;  // the same everywhere
  };
  // An address that moves along the row with a place.
  struct Moving {
    T** pointer;
    std::size_t place;
  };

  static std::span<const std::uint32_t> operands_of(const Step<T>& step) { return {step.operands.data(), step.count}; }

  // A step writes to where an operand stood that no later one reads, or else where none stands any more. A result stays,
  // and so does what is repeated, which each register of the row reads again.
  void assign_buffers(const Steps<T>& steps, Memory& memory) {
    constexpr std::size_t never = static_cast<std::size_t>(-1);
    Vector<std::size_t> last(at_.size(), 0, memory), buffer(ready_.size(), memory), unused(memory);
    for (std::size_t i = 0; i < ready_.size(); ++i)
      for (std::uint32_t operand : operands_of(steps.steps[i])) last[operand] = i;
    for (std::uint32_t number : results_) last[number] = never;
    std::size_t buffers = 1;
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      for (std::uint32_t operand : operands_of(steps.steps[i])) {
        if (operand < first_ || stride_[operand] == 0 || last[operand] != i) continue;
        unused.push_back(buffer[operand - first_]);
        last[operand] = never;  // it may be an operand twice
      }
      if (unused.empty()) unused.push_back(buffers++);
      buffer[i] = unused.back();
      unused.pop_back();
    }
    pieces_ = memory.pieces<T>(buffers);
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      ready_[i].out = pieces_ + buffer[i] * piece;
      at_[first_ + i] = ready_[i].out;
    }
  }

  // A result goes to its place at once, if that has room for it and the number is not another result before.
  void find_direct(std::span<const char> summed) {
    for (std::size_t k = 0; k < inputs_; ++k)
      if (stride_[k]) place_of_[k] = k;
    for (std::size_t j = 0; j < results_.size(); ++j) {
      const std::uint32_t number = results_[j];
      direct_.push_back(!summed[j] && number >= first_ && stride_[number] == 1 && place_stride_[inputs_ + j] == 1 &&
                        place_of_[number] == none);
      if (direct_[j]) place_of_[number] = inputs_ + j;
    }
    for (std::size_t number = 0; number < at_.size(); ++number)
      if (place_of_[number] != none) moving_.push_back({const_cast<T**>(&at_[number]), place_of_[number]});
  }

  void prepare(std::size_t i, const Step<T>& step) {
    Ready& ready = ready_[i];
    ready.row = step.row;
    ready.repeated = stride_[first_ + i] == 0;
    for (std::size_t k = 0; k < step.count; ++k) {
      const std::uint32_t operand = step.operands[k];
      ready.in[k] = at_[operand];
      ready.stride[k] = stride_[operand];
      if (place_of_[operand] != none) moving_.push_back({const_cast<T**>(&ready.in[k]), place_of_[operand]});
    }
    if (place_of_[first_ + i] != none) moving_.push_back({&ready.out, place_of_[first_ + i]});
  }

  void deliver(std::size_t j, const Place<T>& place, std::size_t begin, std::size_t n) {
    if (!place.data && !place.sums) return;
    const std::uint32_t number = results_[j];
    const T* values = at_[number];
    if (stride_[number] == 0) values = std::fill_n(pieces_, n, *values) - n;
    const std::ptrdiff_t stride = place_stride_[inputs_ + j];
    if (place.data) std::copy_n(values, stride ? n : 1, place.data + (stride ? begin : 0));
    else sums_.add(values, n, stride, place.sums + (stride ? begin : 0));
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::span<const std::uint32_t> results_;
  std::size_t inputs_, first_;  // of the steps, as numbers
  std::span<const std::ptrdiff_t> place_stride_;
  Vector<const T*> at_;             // where each number stands
  Vector<std::ptrdiff_t> stride_;   // 1, or 0 for one that is the same everywhere
  Vector<std::size_t> place_of_;    // of the numbers that stand there
  Vector<Ready> ready_;
  Vector<Moving> moving_;
  Vector<char> direct_;  // of the results: whether they are written where they belong
  Vector<Repeated<T>> repeated_inputs_;
  T* pieces_;  // of which the first is for what is repeated
  Sums<T> sums_;
};

// Rows that are short, or whose elements are not next to each other, such as those of blocks of one column: several of
// them make a piece. What is dense is read and written where it stands, the rest in copies. A sum is of one element.
template <class T>
class Together {
  static constexpr std::size_t piece = piece_of<T>;

 public:
  Together(const Loops& loops, std::size_t inputs, Memory& memory)
      : inner_(loops.inner().step), strides_(memory), in_place_(memory), gathered_(memory), scattered_(memory),
        places_(inner_.size(), memory), copies_(memory.pieces<T>(inner_.size())), counts_(memory), targets_(memory) {
    for (std::size_t k = 0; k < inner_.size(); ++k) {
      const bool one = has_strides(loops, k, 0);
      strides_.push_back(!one);
      if (one || has_strides(loops, k, 1)) in_place_.push_back(k);
      else (k < inputs ? gathered_ : scattered_).push_back(k);
      places_[k].data = copies_ + k * piece;
    }
  }

  // 0 for an element that is the same everywhere.
  std::span<const std::ptrdiff_t> strides() const { return strides_; }

  void add(std::span<const Place<T>> row, std::size_t n, Runner<T>& runner) {
    for (std::size_t begin = 0; begin < n;) {
      const std::size_t count = std::min(piece - filled_, n - begin);
      append(row, static_cast<std::ptrdiff_t>(begin), count);
      begin += count;
      if (filled_ == piece) flush(runner);
    }
  }

  void flush(Runner<T>& runner) {
    if (filled_ == 0) return;
    runner(places_, filled_);
    for (std::size_t i = 0; i < scattered_.size(); ++i) scatter(i);
    filled_ = 0;
    counts_.clear();
    targets_.clear();
  }

 private:
  // Whether the next element of place k, row after row, always stands `stride` further.
  static bool has_strides(const Loops& loops, std::size_t k, std::ptrdiff_t stride) {
    for (std::size_t level = loops.loops.size(); level-- > 0;) {
      if (loops.loops[level].step[k] != stride) return false;
      stride *= static_cast<std::ptrdiff_t>(loops.loops[level].extent);
    }
    return true;
  }

  void append(std::span<const Place<T>> row, std::ptrdiff_t begin, std::size_t n) {
    if (filled_ == 0)
      for (std::size_t k : in_place_) {
        places_[k] = row[k];
        if (row[k].data) places_[k].data += begin * inner_[k];
      }
    for (std::size_t k : gathered_)
      gather(row[k].data + begin * inner_[k], inner_[k], n, copies_ + k * piece + filled_);
    for (std::size_t k : scattered_) targets_.push_back(row[k].data + begin * inner_[k]);
    counts_.push_back(n);
    filled_ += n;
  }

  static void gather(const T* from, std::ptrdiff_t stride, std::size_t n, T* to) {
    if (stride == 0) std::fill_n(to, n, *from);
    else if (stride == 1) std::copy_n(from, n, to);
    else for (std::size_t i = 0; i < n; ++i, from += stride) to[i] = *from;
  }

  // Takes the i-th of the results that are scattered to where it belongs.
  void scatter(std::size_t i) {
    const T* values = copies_ + scattered_[i] * piece;
    const std::ptrdiff_t stride = inner_[scattered_[i]];
    T* const* to = targets_.data() + i;
    for (std::size_t n : counts_) {
      T* out = *to;
      if (stride == 1) std::copy_n(values, n, out);
      else for (std::size_t j = 0; j < n; ++j, out += stride) *out = values[j];
      values += n;
      to += scattered_.size();
    }
  }

  const Strides& inner_;
  Vector<std::ptrdiff_t> strides_;
  Vector<std::size_t> in_place_, gathered_, scattered_;  // numbers of places
  Vector<Place<T>> places_;
  T* copies_;
  std::size_t filled_ = 0;
  Vector<std::size_t> counts_;  // of elements of each row that stands here
  Vector<T*> targets_;          // for each row, those of the results that are scattered
};

// The loops over inputs and results.
template <class T>
class LoopsOfSteps {
 public:
  LoopsOfSteps(const Steps<T>& steps, const Shape& common, std::span<const Array> inputs,
               std::span<const Part> input_parts, std::span<Array> results, std::span<const Part> result_parts)
      : steps_(steps), results_(results), inputs_(input_parts.size()), data_(memory_), sum_(memory_),
        strides_(memory_), first_sum_(results.size(), none, memory_) {
    const std::size_t places = input_parts.size() + result_parts.size();
    data_.reserve(places), sum_.reserve(places), strides_.reserve(places);
    for (const Part& part : input_parts) {
      const Array& x = inputs[part.array];
      BlockView view(x.shape(), part, common);
      add(view.strides, const_cast<T*>(x.data<T>()) + view.offset, none);
    }
    for (const Part& part : result_parts) add_result(results[part.array], part, common);
    loops_.emplace(common, strides_);
  }

  // Whether rows that are taken together would be summed to more than one element. To add each to its sums takes longer
  // than to write results in full and to sum these.
  bool sums_short_rows() const {
    if (!takes_together()) return false;
    for (std::size_t k = inputs_; k < data_.size(); ++k)
      if (sum_[k] != none && std::ranges::any_of(strides_[k], [](std::ptrdiff_t stride) { return stride != 0; }))
        return true;
    return false;
  }

  void run() {
    const std::size_t n = loops_->size();
    if (count_ == 0)
      return parallel_for(n, worth_a_thread / 4, [&](std::size_t begin, std::size_t end) {
        run(cut(begin), cut(end), nullptr);
      });
    // Each part has sums of its own. The parts are the same for any number of threads, and so is the order of the terms.
    std::size_t parts = std::clamp<std::size_t>(n / std::max(worth_a_thread / 2, 4 * count_), 1, 16);
    sums_.assign(parts * count_, 0);
    run_tasks(parts, [&](std::size_t i) { run(n * i / parts, n * (i + 1) / parts, sums_.data() + i * count_); });
    add_up(parts);
  }

 private:
  static constexpr std::ptrdiff_t none = -1;

  void add(const Strides& strides, T* data, std::ptrdiff_t sum) {
    strides_.push_back(strides);
    data_.push_back(data);
    sum_.push_back(sum);
  }

  void add_result(Array& y, const Part& part, const Shape& common) {
    if (!y.defined()) return add(Strides(common.size(), 0), nullptr, none);
    BlockView view(y.shape(), part, common);
    std::ptrdiff_t& first = first_sum_[part.array];
    if (view.repeated && first == none) first = static_cast<std::ptrdiff_t>(std::exchange(count_, count_ + y.size()));
    if (view.repeated) add(view.strides, nullptr, first + view.offset);
    else add(view.strides, y.mutable_data<T>() + view.offset, none);
  }

  // Whether rows are short, or their elements apart. The end of a row that does not fill a register takes as long as
  // several that do.
  bool takes_together() const {
    const Loops::Loop& inner = loops_->inner();
    const bool apart = std::ranges::any_of(inner.step, [](std::ptrdiff_t step) { return step != 0 && step != 1; });
    constexpr std::size_t lanes = register_bytes / sizeof(T);
    const std::size_t least = inner.extent % lanes == 0 ? piece_of<T> / 2 : 4 * piece_of<T>;
    return apart || (inner.extent < least && loops_->loops.size() > 1);
  }
  // See Loops::cut. Rows that are taken together fill one piece after the other.
  std::size_t cut(std::size_t element) const {
    if (!takes_together()) return loops_->cut(element);
    return element == loops_->size() ? element : element - element % piece_of<T>;
  }

  // Of the elements from number `begin` to `end`.
  void run(std::size_t begin, std::size_t end, double* sums) const {
    const Loops::Loop& inner = loops_->inner();
    std::array<std::byte, 12288> room;
    Memory memory(room);
    Vector<Place<T>> places(data_.size(), memory);
    auto for_each_row = [&](const auto& f) {
      loops_->for_each_row(begin, end, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t*, std::size_t n) {
        for (std::size_t k = 0; k < places.size(); ++k) {
          if (data_[k]) places[k].data = data_[k] + offset[k];
          if (sum_[k] != none) places[k].sums = sums + sum_[k] + offset[k];
        }
        f(n);
      });
    };
    if (takes_together()) {
      Together<T> together(*loops_, inputs_, memory);
      Runner<T> run_row(steps_, inputs_, together.strides(), Vector<char>(steps_.results.size(), false, memory), memory);
      for_each_row([&](std::size_t n) { together.add(places, n, run_row); });
      together.flush(run_row);
    } else {
      Vector<char> summed(memory);
      for (std::size_t k = inputs_; k < data_.size(); ++k) summed.push_back(!data_[k]);
      Runner<T> run_row(steps_, inputs_, {inner.step.data(), inner.step.size()}, summed, memory);
      for_each_row([&](std::size_t n) { run_row(places, n); });
    }
  }

  void add_up(std::size_t parts) {
    for (std::size_t part = 1; part < parts; ++part)
      for (std::size_t i = 0; i < count_; ++i) sums_[i] += sums_[part * count_ + i];
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (first_sum_[i] == none) continue;
      const double* first = sums_.data() + first_sum_[i];
      std::transform(first, first + results_[i].size(), results_[i].template mutable_data<T>(),
                     [](double sum) { return static_cast<T>(sum); });
    }
  }

  std::array<std::byte, 4096> room_;
  Memory memory_{room_};
  const Steps<T>& steps_;
  std::span<Array> results_;
  std::size_t inputs_;  // how many parts
  Vector<T*> data_;
  Vector<std::ptrdiff_t> sum_;  // the number of the first of its sums, or none
  Vector<Strides> strides_;
  std::optional<Loops> loops_;
  Vector<std::ptrdiff_t> first_sum_;  // of each result
  std::vector<double> sums_;               // those of all results, for each part of the work
  std::size_t count_ = 0;                  // of the sums of all results
};

// Of an array whose last axis is so many blocks, each of the common shape.
Array sum_of_blocks(const Array& x, std::size_t blocks, const Shape& shape) {
  auto apart = [blocks](Shape extents) {
    extents.back() /= blocks;
    extents.insert(extents.end() - 1, blocks);
    return extents;
  };
  return sum_to(x.reshaped(apart(x.shape())), apart(shape)).reshaped(shape);
}

// Gives those results that are sums of more than one number for each block the common shape. Returns the shapes wanted.
std::vector<Shape> widen(std::span<Array> results, std::span<const Part> parts, const Shape& common) {
  std::vector<Shape> wanted(results.size());
  for (const Part& part : parts) {
    Array& y = results[part.array];
    if (part.block > 0 || !y.defined()) continue;
    wanted[part.array] = y.shape();
    if (y.size() == part.blocks) continue;
    Shape full = common;
    full.back() *= part.blocks;
    if (y.shape() != full) y = Array(full, y.dtype());
  }
  return wanted;
}

}  // namespace

template <class T>
void map_steps(const Steps<T>& steps, const Shape& common, std::span<const Array> inputs,
               std::span<const Part> input_parts, std::span<Array> results, std::span<const Part> result_parts) {
  std::optional<LoopsOfSteps<T>> loops;  // one at a time: it is large, and threads' stacks may be small
  loops.emplace(steps, common, inputs, input_parts, results, result_parts);
  if (!loops->sums_short_rows()) return loops->run();
  const std::vector<Shape> wanted = widen(results, result_parts, common);
  loops.emplace(steps, common, inputs, input_parts, results, result_parts);
  loops->run();
  loops.reset();
  for (const Part& part : result_parts) {
    Array& y = results[part.array];
    if (part.block == 0 && y.defined() && y.shape() != wanted[part.array])
      y = sum_of_blocks(y, part.blocks, wanted[part.array]);
  }
}

template void map_steps(const Steps<float>&, const Shape&, std::span<const Array>, std::span<const Part>, std::span<Array>,
                        std::span<const Part>);
template void map_steps(const Steps<double>&, const Shape&, std::span<const Array>, std::span<const Part>,
                        std::span<Array>, std::span<const Part>);

}  // namespace xtape::kernels
