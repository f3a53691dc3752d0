// Bundle adjustment (Srajer, Kukelova and Fitzgibbon, A benchmark of selected algorithmic differentiation tools, 2018):
// the Jacobian matrix of the distances between where cameras should see points and where they do, by the cameras, the
// points and the weights of the observations; and of the errors of the weights. It is sparse.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <autograd/scalar/sparse.hpp>

#include "evaluation.hpp"

namespace gradbench {
namespace {

using xtape::SparseMatrix;

template <class T>
using Point = std::array<T, 3>;

// The numbers of a camera, in this order: a vector along its axis of rotation, as long as the angle; its center; its
// focal length; the point where its axis meets the image; two coefficients of distortion.
constexpr std::size_t rotation = 0, center = 3, focal = 6, principal = 7, distortion = 9, camera_size = 11;
constexpr std::size_t block_size = camera_size + 4;  // and those of a point, and a weight

// Rodrigues' formula, with a the unit vector along the axis: p cos t + a x p sin t + a (a . p) (1 - cos t).
template <class T>
Point<T> rotated(const T* r, const Point<T>& p) {
  using std::cos, std::sin, std::sqrt;
  auto cross = [&](const T* a) {
    return Point<T>{a[1] * p[2] - a[2] * p[1], a[2] * p[0] - a[0] * p[2], a[0] * p[1] - a[1] * p[0]};
  };
  const T square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  if (square == 0) {
    const Point<T> turn = cross(r);
    return {p[0] + turn[0], p[1] + turn[1], p[2] + turn[2]};
  }
  const T angle = sqrt(square), inverse = 1 / angle, cosine = cos(angle), sine = sin(angle);
  const T a[] = {r[0] * inverse, r[1] * inverse, r[2] * inverse};
  const T along = (a[0] * p[0] + a[1] * p[1] + a[2] * p[2]) * (1 - cosine);
  const Point<T> turn = cross(a);
  Point<T> result;
  for (std::size_t i = 0; i < 3; ++i) result[i] = p[i] * cosine + turn[i] * sine + a[i] * along;
  return result;
}

template <class T>
std::array<T, 2> reprojection_error(const T* camera, const T* point, const T& weight, const double* feature) {
  const T* const from = camera + center;
  const Point<T> p = rotated(camera + rotation, Point<T>{point[0] - from[0], point[1] - from[1], point[2] - from[2]});
  const T x = p[0] / p[2], y = p[1] / p[2], square = x * x + y * y;
  const T scale = 1 + camera[distortion] * square + camera[distortion + 1] * square * square;
  return {weight * (x * scale * camera[focal] + camera[principal] - feature[0]),
          weight * (y * scale * camera[focal] + camera[principal + 1] - feature[1])};
}

// Inputs are all cameras, all points, and the weights of all observations.
struct Adjustment {
  std::size_t cameras, points, observations;
  Vector features;

  std::size_t camera(std::size_t i) const { return camera_size * (i % cameras); }
  std::size_t point(std::size_t i) const { return camera_size * cameras + 3 * (i % points); }
  std::size_t weight(std::size_t i) const { return camera_size * cameras + 3 * points + i; }

  template <class T>
  std::vector<T> operator()(const std::vector<T>& x) const {
    std::vector<T> errors;
    errors.reserve(3 * observations);
    for (std::size_t i = 0; i < observations; ++i)
      for (const T& e : reprojection_error(&x[camera(i)], &x[point(i)], x[weight(i)], &features[2 * i]))
        errors.push_back(e);
    for (std::size_t i = 0; i < observations; ++i) errors.push_back(1 - x[weight(i)] * x[weight(i)]);
    return errors;
  }

  // The numbers on which an observation depends, and where they stand among all.
  std::size_t place(std::size_t i, std::size_t k) const {
    if (k < camera_size) return camera(i) + k;
    return k + 1 < block_size ? point(i) + k - camera_size : weight(i);
  }
  std::array<double, block_size> block(const Vector& x, std::size_t i) const {
    std::array<double, block_size> result;
    for (std::size_t k = 0; k < block_size; ++k) result[k] = x[place(i, k)];
    return result;
  }
};

// Each coordinate depends on one of the two of the principal point.
constexpr bool is_zero(std::size_t row, std::size_t column) { return column == principal + 1 - row; }

// The same by hand: a Jacobian matrix for each observation, of 2 x 15 elements, which are put in their places.
SparseMatrix by_blocks(const Adjustment& adjustment, const Vector& x) {
  SparseMatrix j{3 * adjustment.observations, x.size(), {}, {}, {}};
  const std::size_t size = (2 * (block_size - 1) + 1) * adjustment.observations;
  j.rows.reserve(size), j.columns.reserve(size), j.values.reserve(size);
  auto put = [&](std::size_t row, std::size_t column, double value) {
    j.rows.push_back(static_cast<std::int64_t>(row));
    j.columns.push_back(static_cast<std::int64_t>(column));
    j.values.push_back(value);
  };
  for (std::size_t i = 0; i < adjustment.observations; ++i) {
    auto error = [&]<class T>(const std::array<T, block_size>& in) {
      return reprojection_error(&in[0], &in[camera_size], in.back(), &adjustment.features[2 * i]);
    };
    const auto block = xtape::scalar::jacobian(error, adjustment.block(x, i));
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t k = 0; k < block_size; ++k) {
        if (is_zero(row, k)) continue;
        put(2 * i + row, adjustment.place(i, k), block[row][k]);
      }
  }
  for (std::size_t i = 0; i < adjustment.observations; ++i) {
    auto error = [](const auto& w) { return 1 - w[0] * w[0]; };
    put(2 * adjustment.observations + i, adjustment.weight(i),
        xtape::scalar::gradient(error, std::array{x[adjustment.weight(i)]})[0]);
  }
  return j;
}

#ifdef XTAPE_ADOLC
// Blocks as well, of both rows at once.
Vector by_adolc(const Adjustment& adjustment, const Vector& x) {
  static const short tape = next_tape(), tape_of_weights = next_tape();
  Vector values;
  std::array<double, block_size> rows[2];
  double *results[] = {rows[0].data(), rows[1].data()}, first[] = {1, 0}, second[] = {0, 1}, *seeds[] = {first, second};
  for (std::size_t i = 0; i < adjustment.observations; ++i) {
    trace_on(tape, 1);
    std::array<adouble, block_size> in;
    const auto at = adjustment.block(x, i);
    for (std::size_t k = 0; k < block_size; ++k) in[k] <<= at[k];
    double value;
    for (adouble e : reprojection_error(&in[0], &in[camera_size], in.back(), &adjustment.features[2 * i])) e >>= value;
    trace_off();
    fov_reverse(tape, 2, block_size, 2, seeds, results);
    for (std::size_t row = 0; row < 2; ++row)
      for (std::size_t k = 0; k < block_size; ++k)
        if (!is_zero(row, k)) values.push_back(rows[row][k]);
  }
  for (std::size_t i = 0; i < adjustment.observations; ++i) {
    trace_on(tape_of_weights, 1);
    adouble w;
    w <<= x[adjustment.weight(i)];
    adouble error = 1 - w * w;
    double value, one = 1, slope;
    error >>= value;
    trace_off();
    fos_reverse(tape_of_weights, 1, 1, &one, &slope);
    values.push_back(slope);
  }
  return values;
}
#endif

// What is not 0 of the whole matrix.
Vector elements_by_differences(const Adjustment& adjustment, const Vector& x) {
  std::vector<Vector> columns;
  for (std::size_t k = 0; k < adjustment(x).size(); ++k)
    columns.push_back(by_differences([&](const Vector& at) { return adjustment(at)[k]; }, x));
  Vector result;
  for (const Vector& row : columns)
    for (double v : row)
      if (v != 0) result.push_back(v);
  return result;
}

// Around the numbers that GradBench repeats.
Vector inputs_of(const Adjustment& adjustment) {
  constexpr double camera[] = {-0.758453, -1.109613, -0.845551, 34.556073, 39.676747, 53.881673,
                               419.194514, 5.864426, -8.518870, 0.087812, 0.002739};
  constexpr double point[] = {7.203245, 0.001144, 3.023326};
  Vector x = uniform(adjustment.weight(adjustment.observations), 0.9, 1.1);
  for (std::size_t i = 0; i < camera_size * adjustment.cameras; ++i) x[i] *= camera[i % camera_size];
  for (std::size_t i = 0; i < 3 * adjustment.points; ++i) x[adjustment.point(0) + i] *= point[i % 3];
  for (std::size_t i = 0; i < adjustment.observations; ++i) x[adjustment.weight(i)] *= 0.417022;
  return x;
}

struct Problem {
  Adjustment f;
  Vector x;
};

Problem problem(bool small) {
  Adjustment f{small ? 3u : 49u, small ? 4u : 7776u, small ? 13u : 31843u, {}};
  f.features = uniform(2 * f.observations, 200, 800, 2);
  Vector x = inputs_of(f);
  return {std::move(f), std::move(x)};
}

Evaluation evaluation(const char* name, const Problem& in, std::function<Vector()> derivative) {
  const auto [f, x] = in;
  Evaluation result{name, std::to_string(f.observations) + " observations", [=] { return f(x); }, std::move(derivative),
                    {}, [=] { return elements_by_differences(f, x); }};
#ifdef XTAPE_ADOLC
  result.adolc = [=] { return by_adolc(f, x); };
#endif
  return result;
}

}  // namespace

Evaluation ba(bool small) {
  const Problem in = problem(small);
  // It keeps its memory from call to call.
  auto jacobian = std::make_shared<xtape::scalar::SparseJacobian<Adjustment>>(in.f);
  return evaluation("ba", in, [=] { return (*jacobian)(in.x).values; });
}

Evaluation ba_by_blocks(bool small) {
  const Problem in = problem(small);
  return evaluation("ba, by blocks", in, [=] { return std::move(by_blocks(in.f, in.x).values); });
}

}  // namespace gradbench
