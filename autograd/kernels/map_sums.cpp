#include <autograd/kernels/map_sums.hpp>

#include <algorithm>

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

template <class T>
void round_sums(const std::vector<double>& sums, Array& result) {
  std::transform(sums.begin(), sums.end(), result.mutable_data<T>(), [](double sum) { return static_cast<T>(sum); });
}

// The elements as they are; of floating-point ones, that is.
std::byte* bytes_of(const Array& x) {
  return visit_floating("fuse", x.dtype(), [&]<class T>(T) {
    return reinterpret_cast<std::byte*>(const_cast<T*>(x.data<T>()));
  });
}
std::byte* mutable_bytes_of(Array& x) {
  return visit_floating("fuse", x.dtype(), [&]<class T>(T) { return reinterpret_cast<std::byte*>(x.mutable_data<T>()); });
}

}  // namespace

LoopsWithSums::LoopsWithSums(const Shape& common, std::span<const Array> inputs, std::span<const Part> input_parts,
                             std::span<Array> results, std::span<const Part> result_parts)
    : common_(common), results_(results), item_(item_size(inputs[0].dtype())), sums_(results.size()) {
  for (const Part& part : input_parts) {
    const Array& x = inputs[part.array];
    BlockView view(x.shape(), part, common);
    strides_.push_back(std::move(view.strides));
    places_.push_back({bytes_of(x) + view.offset * item_, nullptr});
  }
  for (const Part& part : result_parts) {
    Array& y = results[part.array];
    if (!y.defined()) {
      strides_.push_back(Strides(common.size(), 0));
      places_.push_back({});
      continue;
    }
    BlockView view(y.shape(), part, common);
    strides_.push_back(std::move(view.strides));
    std::vector<double>& sums = sums_[part.array];
    if (view.repeated) sums.resize(y.size());
    if (view.repeated) places_.push_back({nullptr, sums.data() + view.offset});
    else places_.push_back({mutable_bytes_of(y) + view.offset * item_, nullptr});
  }
}

void LoopsWithSums::run(SumRow row) {
  Loops loops(common_, strides_);
  // Blocks of one column are far apart: their rows are single elements.
  for (std::ptrdiff_t step : loops.inner().step)
    if (step != 0 && step != 1) {
      loops.loops.push_back({1, Strides(places_.size(), 0)});
      break;
    }
  std::vector<Place> places(places_.size());
  loops.for_each_row([&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (places_[k].data) places[k].data = places_[k].data + offset[k] * item_;
      if (places_[k].sums) places[k].sums = places_[k].sums + offset[k];
    }
    row(places.data(), step, n);
  });
  for (std::size_t i = 0; i < results_.size(); ++i)
    if (!sums_[i].empty())
      visit_floating("fuse", results_[i].dtype(), [&]<class T>(T) { round_sums<T>(sums_[i], results_[i]); });
}

}  // namespace xtape::kernels
