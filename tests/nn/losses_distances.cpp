// Losses of distances, against closed forms and finite differences.
#include <cmath>

#include <tests/nn/losses_support.hpp>

using namespace xtape;
using namespace xtape::testing;
using nn::Reduction;

BOOST_AUTO_TEST_SUITE(distance_losses)

BOOST_AUTO_TEST_CASE(distances) {
  Variable x = numbers64({0.5, 0.2, 3}), signs({1, -1, -1}, int64);
  close(nn::hinge_embedding_loss(x, signs, {.reduction = Reduction::none}), numbers64({0.5, 0.8, 0}), 1e-15);
  Variable a = numbers64({{1, 0}, {1, 1}, {2, 0}}), b = numbers64({{3, 0}, {1, 0}, {-1, 0}});
  close(nn::cosine_embedding_loss(a, b, signs, {.margin = 0.5, .reduction = Reduction::none}),
        numbers64({0, std::sqrt(0.5) - 0.5, 0}), 1e-11);
  close(nn::cosine_embedding_loss(a[1], b[1], Variable(1).to(int64)), number64(1 - std::sqrt(0.5)), 1e-11);
  close(nn::margin_ranking_loss(x, numbers64({0.1, 0.3, 2}), signs, {.margin = 0.3, .reduction = Reduction::none}),
        numbers64({0, 0.2, 1.3}), 1e-15);
  Variable near = a + numbers64({0, 0.5});
  auto triplet = [&](bool swap) {
    return nn::triplet_margin_loss(a, near, b, {.p = 1, .epsilon = 0, .swap = swap, .reduction = Reduction::none});
  };
  close(triplet(false), numbers64({0, 0.5, 0}), 1e-15);
  close(triplet(true), numbers64({0, 0.5, 0}), 1e-15);
  close(nn::triplet_margin_loss(numbers64({0, 0}), numbers64({3, 4}), numbers64({6, 8}), {.margin = 7, .epsilon = 0}),
        number64(2));
  close(nn::triplet_margin_loss(numbers64({0, 0}), numbers64({3, 4}), numbers64({3, 2}), {.epsilon = 0, .swap = true}),
        number64(4));
}

BOOST_AUTO_TEST_CASE(derivatives_of_distance_losses) {
  seed(2);
  Variable a = randn({4, 3}, float64), b = randn({4, 3}, float64), c = randn({4, 3}, float64);
  Variable signs({1, -1, 1, -1}, int64), grid({{1, -1, 1}, {1, 1, -1}, {-1, -1, 1}, {1, -1, -1}}, int64);
  for (Reduction reduction : all_reductions) {
    has_derivatives([&](const Variable& x) { return nn::hinge_embedding_loss(x, grid, {0.8, reduction}); }, {a});
    has_derivatives([&](auto& x, auto& y) { return nn::margin_ranking_loss(x, y, grid, {0.8, reduction}); }, {a, b});
    has_derivatives(
        [&](auto& x, auto& y) {
          return nn::cosine_embedding_loss(x, y, signs, {-0.9, reduction});
        },
        {a, b});
    for (bool swap : {false, true})
      has_derivatives([&](auto& x, auto& y, auto& z) {
        return nn::triplet_margin_loss(x, y, z, {.margin = 9, .p = 3, .swap = swap, .reduction = reduction});
      }, {a, b, c});
  }
}

BOOST_AUTO_TEST_CASE(distance_losses_refuse_what_does_not_fit) {
  Variable x = zeros({3, 2}), signs({1, -1, 1}, int64);
  throws<ShapeError>([&] { nn::hinge_embedding_loss(x, signs); }, {"hinge_embedding_loss", "(3, 2)", "(3,)"});
  throws<ValueError>([&] { nn::hinge_embedding_loss(zeros({3}), signs * 2); },
                     {"hinge_embedding_loss", "label 2", "sample 0"});
  throws<ValueError>([&] { nn::hinge_embedding_loss(zeros({3}), signs, {.margin = NAN}); },
                     {"margin is nan", "finite"});
  throws<ValueError>([&] { nn::cosine_embedding_loss(x, x, signs, {.margin = 2}); },
                     {"cosine_embedding_loss", "margin is 2"});
  throws<ShapeError>([&] { nn::cosine_embedding_loss(x, x, zeros({2}, int64)); },
                     {"cosine_embedding_loss", "int64(2,)", "(3,)"});
  throws<ValueError>([&] { nn::cosine_embedding_loss(x, x, zeros({3}, int64)); }, {"cosine_embedding_loss", "label 0"});
  throws<ShapeError>([&] { nn::cosine_embedding_loss(Variable(1.0), Variable(1.0), signs); }, {"vectors"});
  throws<Error>([&] { nn::cosine_embedding_loss(x, x, {}); }, {"cosine_embedding_loss", "undefined"});
  throws<ShapeError>([&] { nn::margin_ranking_loss(x, x, signs); }, {"margin_ranking_loss", "(3, 2)", "(3,)"});
  throws<ShapeError>([&] { nn::margin_ranking_loss(x, zeros({3}), signs); }, {"margin_ranking_loss", "(3, 2)"});
  throws<ValueError>([&] { nn::margin_ranking_loss(zeros({3}), zeros({3}), signs * 0); },
                     {"margin_ranking_loss", "label 0", "sample 0"});
  throws<ValueError>([&] { nn::margin_ranking_loss(x, x, x, {.margin = INFINITY}); }, {"margin is inf", "finite"});
  throws<ShapeError>([&] { nn::triplet_margin_loss(x, x, zeros({3})); },
                     {"triplet_margin_loss", "negative float32(3,)"});
  throws<ValueError>([&] { nn::triplet_margin_loss(x, x, x, {.margin = 0}); }, {"margin is 0"});
  throws<ValueError>([&] { nn::triplet_margin_loss(x, x, x, {.p = -1}); }, {"p is -1"});
}

BOOST_AUTO_TEST_SUITE_END()
