#include <autograd/kernels/positions.hpp>

#include <algorithm>
#include <numeric>

namespace xtape::kernels {

Array true_positions(const Array& mask) {
  const bool* chosen = mask.data<bool>();
  Array result({static_cast<std::size_t>(std::count(chosen, chosen + mask.size(), true))}, DType::int64);
  auto* position = result.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (chosen[i]) *position++ = static_cast<std::int64_t>(i);
  return result;
}

Array mask_of(const Array& positions, std::size_t extent) {
  Array mask = Array::full({extent}, 0, DType::boolean);
  const auto* position = positions.data<std::int64_t>();
  bool* chosen = mask.mutable_data<bool>();
  for (std::size_t i = 0; i < positions.size(); ++i) chosen[position[i]] = true;
  return mask;
}

Array one_hot(const Array& positions, std::size_t classes, DType dtype) {
  Shape shape = positions.shape();
  shape.push_back(classes);
  Array result = Array::full(shape, 0, dtype);
  const auto* position = positions.data<std::int64_t>();
  visit(dtype, [&]<class T>(T) {
    T* row = result.mutable_data<T>();
    for (std::size_t i = 0; i < positions.size(); ++i, row += classes) row[position[i]] = T(1);
  });
  return result;
}

Array repeated_positions(const Array& counts) {
  const auto* count = counts.data<std::int64_t>();
  std::size_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += static_cast<std::size_t>(count[i]);
    element_count({total});  // at each step, so that a sum that is too large for its type is noticed as well
  }
  Array result({total}, DType::int64);
  auto* position = result.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < counts.size(); ++i) position = std::fill_n(position, count[i], static_cast<std::int64_t>(i));
  return result;
}

std::optional<std::int64_t> outside(const Array& positions, std::size_t extent) {
  auto n = static_cast<std::int64_t>(extent);
  const auto *first = positions.data<std::int64_t>(), *last = first + positions.size();
  const auto* found = std::find_if(first, last, [n](std::int64_t i) { return i < -n || i >= n; });
  return found == last ? std::nullopt : std::optional(*found);
}

std::optional<std::size_t> mislabeled(const Array& labels, const Array& weights, std::size_t classes) {
  const auto* label = labels.data<std::int64_t>();
  auto n = static_cast<std::int64_t>(classes);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if ((label[i] < 0 || label[i] >= n) && weights.at(i) != 0) return i;
  return std::nullopt;
}

Array wrapped(const Array& positions, std::size_t extent) {
  const auto *first = positions.data<std::int64_t>(), *last = first + positions.size();
  if (std::none_of(first, last, [](std::int64_t i) { return i < 0; })) return positions;
  auto n = static_cast<std::int64_t>(extent);
  Array result(positions.shape(), DType::int64);
  std::transform(first, last, result.mutable_data<std::int64_t>(), [n](std::int64_t i) { return i < 0 ? i + n : i; });
  return result;
}

}  // namespace xtape::kernels
