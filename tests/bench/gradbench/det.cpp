// The determinant by expansion by minors along the first row.
#include <string>

#include "scalars.hpp"

namespace gradbench {
namespace {

// Of the rows from `row` on, and of the columns that `next` links: next[n] is the first, next[j] the one behind j.
template <class T>
T minor(const std::vector<T>& a, std::size_t n, std::size_t row, std::vector<std::size_t>& next) {
  if (row + 1 == n) return a[row * n + next[n]];
  T sum = 0;
  double sign = 1;
  for (std::size_t before = n, j = next[n]; j != n; before = j, j = next[j], sign = -sign) {
    next[before] = next[j];
    sum += sign * a[row * n + j] * minor(a, n, row + 1, next);
    next[before] = j;
  }
  return sum;
}

struct Determinant {
  std::size_t n;

  template <class T>
  T operator()(const std::vector<T>& a) const {
    std::vector<std::size_t> next(n + 1);
    for (std::size_t j = 0; j <= n; ++j) next[j] = j + 1;
    next[n] = 0;
    return minor(a, n, 0, next);
  }
};

}  // namespace

Evaluation det(bool small) {
  const std::size_t n = small ? 4 : 9;
  return of_scalars("det", std::to_string(n) + " x " + std::to_string(n), Determinant{n}, uniform(n * n, 0, 1));
}

}  // namespace gradbench
