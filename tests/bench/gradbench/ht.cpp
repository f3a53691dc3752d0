// Hand tracking (Taylor et al., User-specific hand modeling from monocular depth sequences, 2014): how far n measured
// points are from a hand's surface, for the pose of its bones: a rotation and a shift of all, and four angles a finger.
// The surface's vertices follow one or two bones each. In the complicated variant a point is within a triangle, at two
// coordinates of its own: these are 2 n more inputs, but no residual depends on those of another point. So all first
// ones share a column of the Jacobian, as do all second ones: the derivatives by one shift of them all. The hand is made
// up, of the published sizes.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <autograd/scalar/derivatives.hpp>
#include <autograd/scalar/xtensor.hpp>

#include "evaluation.hpp"

namespace gradbench {

using namespace xtape;

namespace {

constexpr std::size_t bones = 22, fingers = 5, angles = 6 + 4 * fingers;

// A matrix of 3 rows, which is applied to (x, y, z, 1).
template <class T>
using Transform = std::array<std::array<T, 4>, 3>;

// a after b.
template <class T, class B>
Transform<T> operator*(const Transform<T>& a, const Transform<B>& b) {
  Transform<T> result;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      result[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
      if (j == 3) result[i][j] += a[i][3];
    }
  return result;
}

// About the first axis, then about the third.
template <class T>
Transform<T> bend(const T& x, const T& z) {
  using std::cos, std::sin;
  const T cx = cos(x), sx = sin(x), cz = cos(z), sz = sin(z);
  return {{{cz, -sz * cx, sz * sx, 0}, {sz, cz * cx, -cz * sx, 0}, {0, sx, cx, 0}}};
}

// About an axis, by its length, and a shift.
template <class T>
Transform<T> placed(const T* axis, const T* shift) {
  using std::cos, std::sin, std::sqrt;
  const T angle = sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
  const T x = axis[0] / angle, y = axis[1] / angle, z = axis[2] / angle, s = sin(angle), c = cos(angle), d = 1 - c;
  return {{{x * x * d + c, x * y * d - z * s, x * z * d + y * s, shift[0]},
           {x * y * d + z * s, y * y * d + c, y * z * d - x * s, shift[1]},
           {x * z * d - y * s, y * z * d + x * s, z * z * d + c, shift[2]}}};
}

Transform<double> inverse(const Transform<double>& rigid) {
  Transform<double> result{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      result[i][j] = rigid[j][i];
      result[i][3] -= rigid[j][i] * rigid[j][3];
    }
  return result;
}

// The wrist, four bones for each finger, and the forearm.
std::size_t parent(std::size_t bone) { return bone % 4 == 1 ? 0 : bone - 1; }

struct Hand {
  std::array<Transform<double>, bones> relative{}, from_rest{};  // at rest: to the parent, and from the hand to the bone
  Vector positions, weights;  // at rest (vertices, 3); (vertices, bones), where those of a vertex add up to one

  std::size_t vertices() const { return positions.size() / 3; }

  // How each bone moves what was at rest.
  template <class T>
  std::array<Transform<T>, bones> transforms(const T* theta) const {
    std::array<Transform<T>, bones> result;
    result[0] = placed(theta, theta + 3) * relative[0];
    for (std::size_t b = 1; b < bones; ++b) {
      result[b] = result[parent(b)] * relative[b];
      const T* angle = theta + 6 + (b - 1) / 4 * 4;
      const std::size_t joint = (b - 1) % 4;  // the first is stiff, and the second one bends to the side, too
      if (joint == 1) result[b] = result[b] * bend(angle[0], angle[1]);
      else if (joint != 0) result[b] = result[b] * bend(angle[joint], T(0));
    }
    for (std::size_t b = 0; b < bones; ++b) result[b] = result[b] * from_rest[b];
    return result;
  }

  template <class T>
  std::array<T, 3> moved(const std::array<Transform<T>, bones>& transforms, std::size_t vertex) const {
    std::array<T, 3> result{0, 0, 0};
    const double* p = &positions[3 * vertex];
    for (std::size_t b = 0; b < bones; ++b)
      if (const double w = weights[vertex * bones + b]; w != 0)
        for (std::size_t i = 0; i < 3; ++i) {
          const auto& row = transforms[b][i];
          result[i] += w * p[0] * row[0] + w * p[1] * row[1] + w * p[2] * row[2] + w * row[3];
        }
    return result;
  }
};

// A hand of random shape.
Hand make_hand(std::size_t vertices) {
  Hand hand;
  std::array<Transform<double>, bones> rest;
  for (std::size_t b = 0; b < bones; ++b) {
    const Vector numbers = uniform(6, -1, 1, static_cast<unsigned>(b + 2));
    hand.relative[b] = placed(numbers.data(), numbers.data() + 3);
    rest[b] = b == 0 ? hand.relative[b] : rest[parent(b)] * hand.relative[b];
    hand.from_rest[b] = inverse(rest[b]);
  }
  hand.positions = uniform(3 * vertices, -1, 1, 30);
  hand.weights.resize(vertices * bones);
  const Vector shares = uniform(vertices, 0.5, 1, 31);
  for (std::size_t v = 0; v < vertices; ++v) {
    const std::size_t b = 1 + v % (bones - 1);
    hand.weights[v * bones + b] = shares[v];
    hand.weights[v * bones + parent(b)] = 1 - shares[v];
  }
  return hand;
}

// Of theta and, if there are coordinates, a shift of all first ones and one of all second ones.
struct Residuals {
  Hand hand;
  std::vector<std::int64_t> nearest;  // the vertex, or the triangle of it and the next two
  Vector points, coordinates;         // (n, 3), (n, 2)

  template <class T>
  std::vector<T> operator()(const std::vector<T>& x) const {
    const auto transforms = hand.transforms(x.data());
    std::vector<std::array<T, 3>> at(hand.vertices());
    for (std::size_t v = 0; v < at.size(); ++v) at[v] = hand.moved(transforms, v);
    std::vector<T> result(points.begin(), points.end());
    for (std::size_t k = 0; k < nearest.size(); ++k) {
      const std::array<T, 3>* corner = &at[static_cast<std::size_t>(nearest[k])];
      if (coordinates.empty()) {
        for (std::size_t i = 0; i < 3; ++i) result[3 * k + i] -= corner[0][i];
      } else {
        const T u = coordinates[2 * k] + x[angles], v = coordinates[2 * k + 1] + x[angles + 1], w = 1 - u - v;
        for (std::size_t i = 0; i < 3; ++i) result[3 * k + i] -= w * corner[0][i] + u * corner[1][i] + v * corner[2][i];
      }
    }
    return result;
  }
};

// The elements of the transforms, column by column, one bone behind the other.
struct Columns {
  const Hand& hand;

  template <class C>
  auto operator()(const C& theta) const {
    std::vector<typename C::value_type> result;
    for (const auto& transform : hand.transforms(theta.data()))
      for (std::size_t j = 0; j < 4; ++j)
        for (std::size_t i = 0; i < 3; ++i) result.push_back(transform[i][j]);
    return result;
  }
};

// The Jacobian by Variables. A point of the surface is linear in the transforms. So all points are one product of
// matrices, whose left factor the model gives, and their derivatives are another one, with the derivatives of the
// transforms, a function of few numbers.
class JacobianOfArrays {
 public:
  explicit JacobianOfArrays(const Residuals& residuals) : hand_(residuals.hand), first_(residuals.nearest) {
    const std::size_t n = hand_.vertices();
    const Variable rest = concatenate({Variable(hand_.positions).reshape({n, 3}), ones({n, 1}, float64)}, 1);
    const Variable weights = Variable(hand_.weights).reshape({n, bones, 1});
    skin_ = (weights * expand_dims(rest, {1})).reshape({n, 4 * bones});
    surface_ = take(skin_, first_);
    if (residuals.coordinates.empty()) return;
    to_second_ = take(skin_, first_ + 1) - surface_;
    to_third_ = take(skin_, first_ + 2) - surface_;
    coordinates_ = Variable(residuals.coordinates).reshape({first_.size(), 2});
  }

  Vector operator()(const Vector& x) const {
    const xt::xarray<double> theta = xt::adapt(x.data(), {angles});
    const Columns columns{hand_};
    const Variable slopes = Variable(scalar::jacobian(columns, theta)).reshape({4 * bones, 3 * angles});
    const std::size_t n = first_.size();
    Vector result(n * 3 * x.size());
    Variable elements = from_blob(result.data(), {n, 3, x.size()});
    elements[{all, all, range(0, angles)}] = matmul(surface(), -slopes).reshape({n, 3, angles});
    if (coordinates_.defined()) {
      const Variable vertices = matmul(skin_, Variable(columns(theta)).reshape({4 * bones, 3}));
      const Variable corner = take(vertices, first_);
      elements[{all, all, angles}] = corner - take(vertices, first_ + 1);
      elements[{all, all, angles + 1}] = corner - take(vertices, first_ + 2);
    }
    return result;
  }

 private:
  // The left factor for the points.
  Variable surface() const {
    if (!coordinates_.defined()) return surface_;
    return fuse([](auto a, auto b, auto c, auto u, auto v) { return a + u * b + v * c; }, surface_, to_second_, to_third_,
                coordinates_[{all, range(0, 1)}], coordinates_[{all, range(1, 2)}]);
  }

  Hand hand_;
  Variable first_, coordinates_;  // the first corner of each triangle, and where in it the point is
  // Left factors: for all vertices, for first corners, and what the other corners have more.
  Variable skin_, surface_, to_second_, to_third_;
};

Evaluation ht(bool small, bool complicated) {
  const std::size_t vertices = small ? 30 : 10'000, n = small ? 10 : 12'800;
  Residuals residuals{make_hand(vertices), {}, uniform(3 * n, -1, 1, 32), {}};
  for (double v : uniform(n, 0, static_cast<double>(vertices - 2), 33))
    residuals.nearest.push_back(static_cast<std::int64_t>(v));
  Vector x = uniform(angles, -1, 1);
  if (complicated) residuals.coordinates = uniform(2 * n, 0, 0.5, 34), x.resize(angles + 2);
  const JacobianOfArrays jacobian(residuals);
  return {"ht", std::string(complicated ? "complicated" : "simple") + ", " + std::to_string(vertices) + " vertices, " +
                    std::to_string(n) + " points",
          [=] { return residuals(x); }, [=] { return jacobian(x); }, adolc_jacobian(residuals, x),
          [=] { return by_differences(residuals, x); }};
}

}  // namespace

Evaluation ht_simple(bool small) { return ht(small, false); }
Evaluation ht_complicated(bool small) { return ht(small, true); }

}  // namespace gradbench
