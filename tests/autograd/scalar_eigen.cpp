// The scalar type in Eigen's matrices.
#include <Eigen/Cholesky>
#include <boost/test/unit_test.hpp>

#include <vector>

#include <autograd/scalar/eigen.hpp>

using namespace xtape;

BOOST_AUTO_TEST_SUITE(scalar_eigen)

BOOST_AUTO_TEST_CASE(eigen_matrices) {
  // The derivative of b' A^-1 b by the elements of A is -(A^-1 b)(A^-1 b)', by its symmetric part.
  const std::vector<double> elements{4, 1, 0.5, 1, 3, -0.25, 0.5, -0.25, 2};
  auto f = [](const std::vector<Real>& x) {
    Eigen::Matrix<Real, 3, 3> A;
    for (int i = 0; i < 9; ++i) A(i / 3, i % 3) = x[static_cast<std::size_t>(i)];
    Eigen::Matrix<Real, 3, 1> b(1.0, -2.0, 0.5);
    return Real(b.dot(A.llt().solve(b)));
  };
  Eigen::Matrix3d A;
  for (int i = 0; i < 9; ++i) A(i / 3, i % 3) = elements[static_cast<std::size_t>(i)];
  const Eigen::Vector3d b(1, -2, 0.5), y = A.llt().solve(b);
  const std::vector<double> g = scalar::gradient(f, elements);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      // Cholesky reads one triangle alone.
      const auto at = [&](int r, int c) { return g[static_cast<std::size_t>(3 * r + c)]; };
      BOOST_TEST(at(i, j) + at(j, i) == -2 * y(i) * y(j), boost::test_tools::tolerance(1e-12));
    }
}

BOOST_AUTO_TEST_CASE(numbers_and_doubles_in_one_expression) {
  // |A x|^2 for a matrix of doubles: the gradient is 2 A' A x, the second derivatives 2 A' A.
  Eigen::Matrix2d A;
  A << 1, 2, -0.5, 3;
  auto f = [&]<class T>(const std::vector<T>& x) {
    Eigen::Matrix<T, 2, 1> v(x[0], x[1]);
    Eigen::Matrix<T, 2, 1> y = A.cast<T>() * v;
    return T((y * 0.5 + 0.5 * y).squaredNorm());
  };
  const std::vector<double> x{0.75, -2};
  const Eigen::Matrix2d expected = 2 * A.transpose() * A;
  const auto h = scalar::hessian([&](const std::vector<Real>& v) { return f(v); }, x);
  const auto g = scalar::gradient(f, x);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    BOOST_TEST(g[i] == expected(row, 0) * x[0] + expected(row, 1) * x[1], boost::test_tools::tolerance(1e-14));
    for (std::size_t j = 0; j < 2; ++j)
      BOOST_TEST(h[i][j] == expected(row, static_cast<Eigen::Index>(j)), boost::test_tools::tolerance(1e-14));
  }
}

BOOST_AUTO_TEST_SUITE_END()
