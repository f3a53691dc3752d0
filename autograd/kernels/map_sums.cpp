#include <autograd/kernels/map_sums.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

// How a block of an array is read along the common shape that it broadcasts to.
struct BlockView {
  Strides strides;
  std::ptrdiff_t offset = 0;
  bool repeated;

  // A 0-d array, which stands for zeros, has no blocks.
  BlockView(Shape shape, const Part& part, const Shape& common) {
    if (shape.size() > 0) {
      shape.back() /= part.blocks;
      offset = static_cast<std::ptrdiff_t>(part.block * shape.back());
    }
    repeated = shape != common;
    strides = broadcast_strides(shape, common);
    for (std::size_t axis = 0; axis + 1 < strides.size(); ++axis)
      strides[axis] *= static_cast<std::ptrdiff_t>(part.blocks);
  }
};

// The elements as they are; of floating-point ones, that is.
std::byte* bytes_of(const Array& x) {
  return visit_floating("fuse", x.dtype(), [&]<class T>(T) {
    return reinterpret_cast<std::byte*>(const_cast<T*>(x.data<T>()));
  });
}
std::byte* mutable_bytes_of(Array& x) {
  return visit_floating("fuse", x.dtype(), [&]<class T>(T) { return reinterpret_cast<std::byte*>(x.mutable_data<T>()); });
}

// One of the numbers of rows, where they are not next to each other, such as those of blocks of one column: copies of
// some of them, which are.
class Together {
 public:
  static constexpr std::size_t most = 128;

  // The results are those that are written.
  Together(std::ptrdiff_t step, std::ptrdiff_t item, bool result)
      : step_(step), item_(item), apart_(step != 0 && step != 1), result_(result) {}

  std::ptrdiff_t step() const { return apart_ ? 1 : step_; }

  // Of n numbers of a row, from `first` on.
  Place begin(const Place& row, std::size_t first, std::size_t n) {
    const std::ptrdiff_t distance = static_cast<std::ptrdiff_t>(first) * step_;
    at_ = {row.data ? row.data + distance * item_ : nullptr, row.sums ? row.sums + distance : nullptr};
    if (!apart_) return at_;
    if (at_.sums) {
      std::fill_n(sums_, n, 0.0);
      return {nullptr, sums_};
    }
    if (!result_) copy(at_.data, step_, copies_, 1, n);
    return {copies_, nullptr};
  }
  void end(std::size_t n) {
    if (!apart_ || !result_) return;
    if (at_.sums) for (std::size_t i = 0; i < n; ++i) at_.sums[static_cast<std::ptrdiff_t>(i) * step_] += sums_[i];
    else copy(copies_, 1, at_.data, step_, n);
  }

 private:
  void copy(const std::byte* from, std::ptrdiff_t from_step, std::byte* to, std::ptrdiff_t to_step, std::size_t n) const {
    auto items = [&]<std::size_t size>(std::integral_constant<std::size_t, size>) {
      for (std::size_t i = 0; i < n; ++i, from += from_step * item_, to += to_step * item_) std::memcpy(to, from, size);
    };
    if (item_ == 4) items(std::integral_constant<std::size_t, 4>());
    else items(std::integral_constant<std::size_t, 8>());
  }

  Place at_;
  std::ptrdiff_t step_, item_;
  bool apart_, result_;
  double sums_[most];
  alignas(64) std::byte copies_[most * sizeof(double)];
};

// Rows of which some numbers are apart; the first `inputs` of them are read.
class RowsTogether {
 public:
  RowsTogether(std::span<const std::ptrdiff_t> step, std::size_t inputs, std::ptrdiff_t item) : places_(step.size()) {
    numbers_.reserve(step.size());
    for (std::size_t k = 0; k < step.size(); ++k) {
      numbers_.emplace_back(step[k], item, k >= inputs);
      steps_.push_back(numbers_[k].step());
    }
  }

  void run(LoopsWithSums::SumRow row, std::span<const Place> places, std::size_t n) {
    for (std::size_t first = 0; first < n; first += Together::most) {
      const std::size_t count = std::min(n - first, Together::most);
      for (std::size_t k = 0; k < steps_.size(); ++k) places_[k] = numbers_[k].begin(places[k], first, count);
      row(places_.data(), steps_.data(), count);
      for (Together& number : numbers_) number.end(count);
    }
  }

 private:
  std::vector<Together> numbers_;
  std::vector<Place> places_;
  std::vector<std::ptrdiff_t> steps_;
};

}  // namespace

LoopsWithSums::LoopsWithSums(const Shape& common, std::span<const Array> inputs, std::span<const Part> input_parts,
                             std::span<Array> results, std::span<const Part> result_parts)
    : common_(common), results_(results), inputs_(input_parts.size()), item_(item_size(inputs[0].dtype())),
      first_sum_(results.size(), none) {
  auto add = [&](Strides strides, std::byte* data, std::ptrdiff_t sum) {
    strides_.push_back(std::move(strides));
    data_.push_back(data);
    sum_.push_back(sum);
  };
  for (const Part& part : input_parts) {
    const Array& x = inputs[part.array];
    BlockView view(x.shape(), part, common);
    add(std::move(view.strides), bytes_of(x) + view.offset * item_, none);
  }
  for (const Part& part : result_parts) {
    Array& y = results[part.array];
    if (!y.defined()) {
      add(Strides(common.size(), 0), nullptr, none);
      continue;
    }
    BlockView view(y.shape(), part, common);
    std::ptrdiff_t& first = first_sum_[part.array];
    if (view.repeated && first == none) first = static_cast<std::ptrdiff_t>(std::exchange(count_, count_ + y.size()));
    if (view.repeated) add(std::move(view.strides), nullptr, first + view.offset);
    else add(std::move(view.strides), mutable_bytes_of(y) + view.offset * item_, none);
  }
}

void LoopsWithSums::run(SumRow row) {
  const Loops loops(common_, strides_);
  const bool apart = std::ranges::any_of(loops.inner().step, [](std::ptrdiff_t step) { return step != 0 && step != 1; });
  auto run_part = [&](std::size_t begin, std::size_t end, double* sums) {
    std::vector<Place> places(data_.size());
    std::optional<RowsTogether> together;
    if (apart) together.emplace(loops.inner().step, inputs_, item_);
    loops.for_each_row(begin, end, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
      for (std::size_t k = 0; k < places.size(); ++k) {
        if (data_[k]) places[k].data = data_[k] + offset[k] * item_;
        if (sum_[k] != none) places[k].sums = sums + sum_[k] + offset[k];
      }
      if (together) together->run(row, places, n);
      else row(places.data(), step, n);
    });
  };
  std::size_t n = loops.size();
  if (count_ == 0)
    return parallel_for(n, worth_a_thread / 4, [&](std::size_t begin, std::size_t end) { run_part(begin, end, nullptr); });
  // Each part has sums of its own. The parts are the same for any number of threads, and so is the order of the terms.
  std::size_t parts = std::clamp<std::size_t>(n / std::max(worth_a_thread / 2, 4 * count_), 1, 16);
  sums_.assign(parts * count_, 0);
  run_tasks(parts, [&](std::size_t i) { run_part(n * i / parts, n * (i + 1) / parts, sums_.data() + i * count_); });
  add_up(parts);
}

void LoopsWithSums::add_up(std::size_t parts) {
  for (std::size_t part = 1; part < parts; ++part)
    for (std::size_t i = 0; i < count_; ++i) sums_[i] += sums_[part * count_ + i];
  for (std::size_t i = 0; i < results_.size(); ++i)
    if (first_sum_[i] != none)
      visit_floating("fuse", results_[i].dtype(), [&]<class T>(T) {
        std::transform(sums_.data() + first_sum_[i], sums_.data() + first_sum_[i] + results_[i].size(),
                       results_[i].mutable_data<T>(), [](double sum) { return static_cast<T>(sum); });
      });
}

}  // namespace xtape::kernels
