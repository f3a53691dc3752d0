#include <autograd/kernels/targets/max_pool.hpp>

#include <algorithm>
#include <array>
#include <limits>

#include <autograd/kernels/simd.hpp>
#include <autograd/kernels/targets/here.hpp>

namespace xtape::kernels {
namespace {

// The number of the first of the greatest elements of window i, or as in PyTorch of the last NaN.
template <class T>
std::size_t argmax(const T* plane, const std::vector<Row>& rows, std::size_t i, std::size_t stride) {
  T max = -std::numeric_limits<T>::infinity();
  std::size_t best = std::numeric_limits<std::size_t>::max();
  for (const Row& row : rows) {
    if (i < row.span.first || i >= row.span.last) continue;
    T value = plane[row.start + static_cast<std::ptrdiff_t>(i * stride)];
    if (value > max || value != value || best > row.number) max = value, best = row.number;
  }
  return best;
}

// The greatest of the windows that begin in each lane's pixel, of which every `stride`th is one, and how far from the
// first pixel of its window each stands. All elements are inside of the image. False where it can not tell: at the end of
// the memory, and where one is NaN.
template <class T, std::size_t lanes>
bool maxima(const T* plane, const T* end, const std::vector<Row>& rows, const std::vector<T>& shifts, std::size_t i,
            std::size_t stride, std::array<T, lanes>& greatest, std::array<T, lanes>& shift) {
  using R = Batch<T>;
  for (const Row& row : rows)
    if (plane + row.start + i * stride + lanes > end) return false;
  auto load = [&](const Row& row) { return R::load_unaligned(plane + row.start + i * stride); };
  R max = load(rows.front()), best(shifts[rows.front().number]), sum = max;
  for (std::size_t k = 1; k < rows.size(); ++k) {
    R value = load(rows[k]);
    auto greater = value > max;
    max = xsimd::select(greater, value, max);
    best = xsimd::select(greater, R(shifts[rows[k].number]), best);
    sum += value;
  }
  max.store_unaligned(greatest.data());
  best.store_unaligned(shift.data());
  return xsimd::all(sum == sum);
}

}  // namespace

template <Target target, class T>
void max_plane_on(const MaxPlan<T>& plan, const T* plane, const T* end, T* values, std::int64_t* indices) {
  constexpr std::size_t lanes = Batch<T>::size;
  with_step(plan.stride, [&](auto stride) {
    const std::size_t at_once = (lanes + stride - 1) / stride, n = plan.positions;
    std::array<T, lanes> greatest{}, far{};
    for (const MaxLine& line : plan.lines) {
      const std::vector<Row>& rows = line.rows;
      // The windows with all of their elements in the image.
      std::size_t begin = 0, inner_end = rows.empty() || !plan.by_registers ? 0 : n;
      for (const Row& row : rows) {
        begin = std::max(begin, row.span.first);
        inner_end = std::min(inner_end, row.span.last);
      }
      auto pixel = [&](std::size_t i) { return line.first_pixel + static_cast<std::ptrdiff_t>(i * stride); };
      for (std::size_t i = 0; i < n;) {
        const std::size_t count = i < begin ? 1 : std::min(at_once, i < inner_end ? inner_end - i : n - i);
        if (i >= begin && i < inner_end &&
            maxima(plane, end, rows, plan.offset_numbers, i, stride, greatest, far)) {
          for (std::size_t k = 0; k < count; ++k) {
            values[i + k] = greatest[k * stride];
            indices[i + k] = pixel(i) + static_cast<std::int32_t>(k * stride) + static_cast<std::int32_t>(far[k * stride]);
          }
        } else {
          for (std::size_t k = i; k < i + count; ++k) {
            indices[k] = pixel(k) + plan.offsets[argmax(plane, rows, k, stride)];
            values[k] = plane[indices[k]];
          }
        }
        i += count;
      }
      values += n;
      indices += n;
    }
  });
}

template void max_plane_on<here>(const MaxPlan<float>&, const float*, const float*, float*, std::int64_t*);
template void max_plane_on<here>(const MaxPlan<double>&, const double*, const double*, double*, std::int64_t*);

}  // namespace xtape::kernels
