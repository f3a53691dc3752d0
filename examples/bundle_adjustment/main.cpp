// Finds cameras and points in space from pictures of them: least squares with a sparse Jacobian, by two walks.

#include <cmath>
#include <cstdio>
#include <iostream>
#include <numbers>

#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>

using namespace xtape;

// The points x turned around the axes w by the angles |w|, row by row: the formula of Rodrigues. Here |w| is never 0.
Variable rotate(const Variable& w, const Variable& x) {
  const Variable angle = norm(w, 2, 1, true), axis = w / angle;
  return cos(angle) * x + sin(angle) * cross(axis, x) + (1 - cos(angle)) * vecdot(axis, x).reshape({-1, 1}) * axis;
}

// Where cameras (m, 9) see points (m, 3) in their pictures [pixels]. A camera is that of Agarwal, Snavely, Seitz and
// Szeliski, Bundle adjustment in the large, ECCV 2010: a rotation w, a translation t, the focal length f, and k1, k2:
//   P = R(w) x + t,   p = -(P_x, P_y) / P_z,   pixels = f (1 + k1 |p|^2 + k2 |p|^4) p
Variable project(const Variable& cameras, const Variable& points) {
  const auto camera = split(cameras, {3, 3, 1, 1, 1}, 1);
  const auto place = split(rotate(camera[0], points) + camera[1], {2, 1}, 1);
  const Variable p = -place[0] / place[1], square_radius = sum(square(p), 1, true);
  return camera[2] * (1 + square_radius * (camera[3] + square_radius * camera[4])) * p;
}

// A trefoil knot: the points of a curve.
Variable knot(std::int64_t count) {
  const Variable s = 2 * std::numbers::pi / static_cast<double>(count) * arange(count).to(float64);
  return stack({sin(s) + 2 * sin(2 * s), cos(s) - 2 * cos(2 * s), -sin(3 * s)}, 1);
}

// Cameras on a ring, 20 to 40 degrees above the ground, which look at the middle from 9 units away. The world is turned
// by 2 b around its vertical axis, then by 2 a around the camera's horizontal one: a product of quaternions.
Variable ring_of_cameras(std::int64_t count) {
  const Variable b = std::numbers::pi * ((arange(count).to(float64) + 0.5) / static_cast<double>(count) - 0.5);
  const Variable a = std::numbers::pi / 360 * (10 * cos(6 * b) - 60);
  const Variable axis = normalize(stack({sin(a) * cos(b), -sin(a) * sin(b), cos(a) * sin(b)}, 1));
  const Variable w = 2 * expand_dims(acos(cos(a) * cos(b)), 1) * axis, t = Variable{0.0, 0.0, -9.0} + 0.2 * randn_like(w);
  return concatenate({w, t, broadcast_to(Variable{800.0, -0.1, 0.05}, {count, 3})}, 1);
}
// Where cameras stand in the world: -R't
Variable places(const Variable& cameras) { return -rotate(-cameras[{all, range(0, 3)}], cameras[{all, range(3, 6)}]); }

// Observation i: the camera camera[i] sees the point point[i] at pixels[i].
struct Observations {
  Variable camera, point, pixels;
  std::int64_t cameras, points;

  Variable residuals(const Variable& all_cameras, const Variable& all_points) const {
    return project(take(all_cameras, camera), take(all_points, point)) - pixels;
  }
};
double rms(const Variable& r) { return std::sqrt(mean(square(r)).item()); }

// A residual depends on one camera and one point, so that its derivatives are two small blocks for each observation,
// (m, 2, 9) and (m, 2, 3); all others are 0. Here each observation has rows of its own in `cameras` and `points`. So one
// walk from the sum of all horizontal residuals gives the first rows of all blocks, and a second one, from the sum of the
// vertical ones, the second rows.
struct Jacobian {
  Variable by_camera, by_point;
};
Jacobian sparse_jacobian(const Observations& seen, const Variable& all_cameras, const Variable& all_points) {
  const Variable cameras = take(all_cameras, seen.camera).requires_grad_();
  const Variable points = take(all_points, seen.point).requires_grad_();
  const Variable pixels = project(cameras, points);
  const auto x = grad(sum(pixels[{all, 0}]), {cameras, points}, {.retain_graph = true});
  const auto y = grad(sum(pixels[{all, 1}]), {cameras, points});
  return {stack({x[0], y[0]}, 1), stack({x[1], y[1]}, 1)};
}

// The product of the Jacobian and a direction, from the blocks and from a difference quotient: how far they are apart.
double jacobian_error(const Observations& seen, const Variable& cameras, const Variable& points) {
  const auto [a, b] = sparse_jacobian(seen, cameras, points);
  const Variable dc = cameras * randn_like(cameras), dp = randn_like(points);
  auto blocks = [](const Variable& of, const Variable& d) { return squeeze(matmul(of, expand_dims(d, 2)), 2); };
  auto along = [&](double h) { return seen.residuals(cameras + h * dc, points + h * dp); };
  const Variable product = blocks(a, take(dc, seen.camera)) + blocks(b, take(dp, seen.point));
  return rms(product - (along(1e-5) - along(-1e-5)) / 2e-5) / rms(product);
}

// The step d of Levenberg and Marquardt, (J'J + lambda diag(J'J)) d = -J'r. Sorted by cameras and points, that is
//   ( U   W ) (d_c)     (g_c)      with blocks of 9 x 9 for cameras on the diagonal of U, of 3 x 3 for points on that
//   ( W'  V ) (d_p) = - (g_p)      of V, and one of 9 x 3 in W where a camera sees a point.
// V is easily inverted. So points are eliminated, and Schur's complement of V is all that is to be solved:
//   (U - W V^-1 W') d_c = W V^-1 g_p - g_c,   d_p = -V^-1 (g_p + W' d_c)
struct Step {
  Variable cameras, points;
};
Step damped_step(const Observations& seen, const Jacobian& jacobian, const Variable& r, double lambda) {
  const auto& [a, b] = jacobian;
  const Variable at = swapaxes(a, 1, 2), bt = swapaxes(b, 1, 2), column = expand_dims(r, 2);
  auto by_camera = [&](const Variable& x) { return segment_sum(x, seen.camera, seen.cameras); };
  auto by_point = [&](const Variable& x) { return segment_sum(x, seen.point, seen.points); };
  auto damped = [&](const Variable& x) { return x + lambda * diag_embed(diagonal(x, 0, 1, 2)); };
  const Variable u = damped(by_camera(matmul(at, a))), gc = by_camera(matmul(at, column)).reshape({-1, 1});
  const Variable inverse_v = inverse(damped(by_point(matmul(bt, b)))), gp = by_point(matmul(bt, column));
  const Variable pair = seen.point * seen.cameras + seen.camera;  // w: (points, 9 cameras, 3)
  const Variable w = segment_sum(matmul(at, b), pair, seen.points * seen.cameras).reshape({seen.points, -1, 3});
  const Variable w_inverse_v = matmul(w, inverse_v);
  const Variable schur = block_diag(unbind(u)) - tensordot(w_inverse_v, w, {0, 2}, {0, 2});
  const Variable dc = cholesky_solve(sum(matmul(w_inverse_v, gp), 0) - gc, cholesky(schur));
  const Variable dp = -matmul(inverse_v, gp + matmul(swapaxes(w, 1, 2), dc));
  return {reshape(dc, {-1, 9}), reshape(dp, {-1, 3})};
}

// Pictures do not tell where the world's origin is, how the world is turned, and how large it is. What moves, turns and
// scales the points so that they are nearest to the true ones (Umeyama 1991) is done to `others`.
Variable aligned(const Variable& others, const Variable& points, const Variable& truth) {
  const Variable from = mean(points, 0), to = mean(truth, 0), centered = points - from;
  const auto [u, s, vh] = svd(matmul(transpose(truth - to), centered));
  const Variable signs = stack({1.0, 1.0, det(matmul(u, vh))});  // no mirror
  const Variable turn = matmul(u * signs, vh), scale = sum(s * signs) / sum(square(centered));
  return to + scale * matmul(others - from, transpose(turn));
}

int main(int argc, char** argv) {
  example::Program program("bundle_adjustment", "Bundle adjustment by Levenberg-Marquardt and Schur's complement.");
  std::int64_t point_count = 800, camera_count = 32, views = 8;
  std::size_t iterations = 50;
  double noise = 0.5, start_error = 0.4;
  program.option("--points", point_count, "in space")->check(CLI::Range(50, 20'000));
  program.option("--cameras", camera_count, "on a ring around them")->check(CLI::Range(8, 200));
  program.option("--views", views, "how many neighbouring cameras see a point")->check(CLI::Range(3, 8));
  program.option("--noise", noise, "standard deviation of what is measured [pixels]")->check(CLI::PositiveNumber);
  program.option("--start-error", start_error, "standard deviation of the first guess")->check(CLI::PositiveNumber);
  program.option("--iterations", iterations, "at most");
  return program.run(argc, argv, [&] {
    DefaultDType precise(float64);
    const std::int64_t n = program.usual_or_quick(point_count, std::int64_t{200});
    const std::int64_t c = program.usual_or_quick(camera_count, std::int64_t{12});
    const Variable true_points = knot(n), true_cameras = ring_of_cameras(c);
    const Variable camera = ravel(remainder(randint(c, {n, 1}) + arange(views), c));
    Observations seen{camera, repeat_interleave(arange(n), static_cast<std::size_t>(views)), zeros({n * views, 2}), c, n};
    const Variable exact = seen.residuals(true_cameras, true_points);
    seen.pixels = exact + noise * randn_like(exact);

    // A first guess, as other methods would give it; of the distortion, 0.
    const Variable spread{0.15, 0.15, 0.15, 1.0, 1.0, 1.0, 100.0, 0.0, 0.0}, known{1, 1, 1, 1, 1, 1, 1, 0, 0};
    const Variable first_cameras = known * true_cameras + start_error * spread * randn_like(true_cameras);
    const Variable first_points = true_points + start_error * randn_like(true_points);
    const std::int64_t residuals = 2 * n * views, unknowns = 9 * c + 3 * n;
    std::cout << n << " points on a knot and " << c << " cameras around it, made by this program\n" << residuals
              << " residuals by " << unknowns << " unknowns, two walks for the Jacobian\n\n"
              << "iteration  RMS error [pixels]  lambda\n";

    Variable cameras = first_cameras, points = first_points, r = seen.residuals(cameras, points);
    Jacobian jacobian = sparse_jacobian(seen, cameras, points);
    double lambda = 1e-3, change = 1;
    std::vector<double> errors{rms(r)};
    auto print = [&] { std::printf("%9zu  %18.6f  %.0e\n", errors.size() - 1, errors.back(), lambda); };
    print();
    for (example::Progress progress("fitting", iterations); change > 1e-6 && progress.next();) {
      const Step d = damped_step(seen, jacobian, r, lambda);
      const Variable tried = seen.residuals(cameras + d.cameras, points + d.points);
      const double error = rms(tried);
      if (error < errors.back()) {
        cameras = cameras + d.cameras, points = points + d.points, r = tried;
        jacobian = sparse_jacobian(seen, cameras, points);
        change = 1 - error / errors.back();
        lambda = std::max(lambda / 10, 1e-8);  // with 0 the solution would not be unique, see `aligned`
      } else {
        lambda *= 10;
      }
      errors.push_back(std::min(error, errors.back()));
      print();
    }

    // The unknowns, without the 7 that pictures do not tell, fit a part of the noise as well.
    const double left = static_cast<double>(residuals - unknowns + 7) / static_cast<double>(residuals);
    const double expected = noise * std::sqrt(left);
    const std::vector<double> steps = example::numbers(arange(static_cast<double>(errors.size())));
    example::Plot("Levenberg-Marquardt", "iteration", "RMS error [pixels]", {.log_y = true})
        .line("found", steps, errors).dashed("expected from the noise", steps, std::vector(errors.size(), expected))
        .save(program.file("convergence"));

    example::Plot plot("The scene from above", "x", "y", {.equal = true, .width = 860, .height = 640});
    auto closed = [](const Variable& x) { return concatenate({x, x[range(0, 1)]}); };
    auto x = [](const Variable& of) { return example::numbers(of[{all, 0}]); };
    auto y = [](const Variable& of) { return example::numbers(of[{all, 1}]); };
    const Variable knot_line = closed(true_points), ring = closed(places(true_cameras)), guessed = places(first_cameras);
    const Variable found = aligned(points, points, true_points);
    const Variable camera_places = aligned(places(cameras), points, true_points);
    plot.line("true points", x(knot_line), y(knot_line)).points("guessed points", x(first_points), y(first_points))
        .points("found points", x(found), y(found)).dashed("true cameras", x(ring), y(ring))
        .points("guessed cameras", x(guessed), y(guessed)).points("found cameras", x(camera_places), y(camera_places))
        .save(program.file("scene"));

    auto distance = [&](const Variable& of) { return std::sqrt(3) * rms(aligned(of, of, true_points) - true_points); };
    std::cout << '\n';
    program.result("jacobian_error", jacobian_error(seen, cameras, points), 9);
    program.result("error_before", errors.front(), 2);
    program.result("error", errors.back());
    program.result("expected_error", expected);
    program.result("point_error_before", distance(first_points));
    program.result("point_error", distance(points));
    program.result("iterations", static_cast<double>(errors.size() - 1), 0);
  });
}
