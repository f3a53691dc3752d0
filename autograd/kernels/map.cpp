#include <autograd/kernels/map.hpp>

#include <cstdint>

namespace xtape::kernels {
namespace {

constexpr std::size_t most = std::size(step_one) - 1;  // operands

template <class T>
[[gnu::noinline]] void map_all_rows(MapRow<T> row, const T* const* data, T* result, std::span<const Array* const> arrays) {
  const std::size_t n = arrays.size() - 1;
  for_each_row(arrays, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t count) {
    const T* at[most];
    Repeated<T> repeated[most];
    for (std::size_t k = 0; k < n; ++k) {
      at[k] = data[k] + offset[k + 1];
      if (step[k + 1] == 0) at[k] = (repeated[k] = Repeated<T>(*at[k])).values;
    }
    row(at, step + 1, count, result + offset[0]);
  });
}

}  // namespace

template <class T>
void map_rows(MapRow<T> row, Array& out, std::span<const Array* const> in) {
  T* result = out.mutable_data<T>();
  const T* data[most];
  const Array* arrays[most + 1] = {&out};
  for (std::size_t k = 0; k < in.size(); ++k) {
    data[k] = in[k]->data<T>();
    arrays[k + 1] = in[k];
  }
  if (out.size() == 1) row(data, step_one, 1, result);
  else map_all_rows(row, data, result, {arrays, in.size() + 1});
}

template void map_rows(MapRow<float> row, Array& out, std::span<const Array* const> in);
template void map_rows(MapRow<double> row, Array& out, std::span<const Array* const> in);
template void map_rows(MapRow<std::int64_t> row, Array& out, std::span<const Array* const> in);

}  // namespace xtape::kernels
