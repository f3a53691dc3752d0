// Linear algebra, and what networks are trained with: shapes and options of any kind.
#include <cmath>

#include <nn/nn.hpp>
#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

// Mostly one or more matrices, square where that is asked for.
Shape matrix(Input& input, bool square) {
  if (input.below(8) == 0) return input.shape(4, 4);
  Shape shape = input.shape(2, 3);
  shape.push_back(input.below(5));
  shape.push_back(square ? shape.back() : input.below(5));
  return shape;
}

}  // namespace

void linalg(Input& input) {
  std::size_t which = input.below(28);
  bool flag = input.flag(), other_flag = input.flag();
  DType dtype = input.below(8) ? input.floating() : input.dtype();
  auto numbers = [&](const Shape& shape) {
    return input.flag() ? input.integers(shape, dtype) : input.reals(shape, dtype);
  };
  Variable a = numbers(matrix(input, which < 20)), b = numbers(matrix(input, false));
  double p = input.real(), q = input.real();
  std::function<Variable(const Variable&)> f;
  switch (which) {
    case 0: f = [&](const Variable& v) { return inverse(v); }; break;
    case 1: f = [&](const Variable& v) { return solve(v, b, flag); }; break;
    case 2: f = [&](const Variable& v) { return solve_triangular(v, b, flag, other_flag, input.flag()); }; break;
    case 3: f = [&](const Variable& v) { return det(v); }; break;
    case 4: f = [&](const Variable& v) { return slogdet(v).logabsdet; }; break;
    case 5: f = [&](const Variable& v) { return cholesky(flag ? matmul(v, swapaxes(v, -1, -2)) : v, other_flag); }; break;
    case 6: f = [&, how = input.word({"L", "U"})](const Variable& v) {
        auto [values, vectors] = eigh(v, how);
        return flag ? values : abs(vectors);
      };
      break;
    case 7: f = [&](const Variable& v) { return eigvalsh(v); }; break;
    case 8: f = [&](const Variable& v) { return logdet(v); }; break;
    case 9: f = [&](const Variable& v) { return matrix_exp(v); }; break;
    case 10: {
      using Limits = std::numeric_limits<int>;
      auto n = static_cast<int>(std::clamp<std::ptrdiff_t>(input.number(), Limits::min(), Limits::max()));
      f = [=](const Variable& v) { return matrix_power(v, n); };
      break;
    }
    case 11: f = [&](const Variable& v) { return cholesky_solve(b, v, flag); }; break;
    case 12: f = [&](const Variable& v) { return lu(v).u; }; break;
    case 13: f = [&](const Variable& v) { return trace(v); }; break;
    case 14: f = [&](const Variable& v) { return cond(v, p); }; break;
    case 20: f = [&](const Variable& v) { return svd(v, flag).s; }; break;
    case 21: f = [&, how = input.word({"reduced", "complete", "r"})](const Variable& v) { return qr(v, how).r; }; break;
    case 22: f = [&](const Variable& v) { return lstsq(v, b); }; break;
    case 23: f = [&](const Variable& v) { return pinv(v, {.atol = p, .rtol = q, .hermitian = flag}); }; break;
    case 24: f = [&, how = input.word({"fro", "nuc"}), axes = input.axes()](const Variable& v) {
        return flag ? matrix_norm(v, how, axes, other_flag) : matrix_norm(v, p, axes, other_flag);
      };
      break;
    case 25: f = [&](const Variable& v) { return matrix_rank(v, {.atol = p, .rtol = q, .hermitian = flag}); }; break;
    case 26: f = [&, axes_a = input.axes(), axes_b = input.axes(), n = input.count()](const Variable& v) {
        return flag ? tensordot(v, b, axes_a, axes_b) : tensordot(v, b, n);
      };
      break;
    case 15: f = [&](const Variable& v) { return flag ? kron(v, b) : multi_dot({v, b, v}); }; break;
    case 16: f = [&, n = input.count()](const Variable& v) { return vander(v, n, flag); }; break;
    case 17: f = [&, axis = input.number()](const Variable& v) {
        return flag ? cross(v, b, axis) : other_flag ? vecdot(v, b, axis) : cosine_similarity(v, b, axis, p);
      };
      break;
    case 18: f = [&](const Variable& v) { return flag ? cdist(v, b, p) : other_flag ? pdist(v,
        p) : pairwise_distance(v, b, p, q); }; break;
    case 19: f = [&](const Variable& v) { return flag ? dot(v, b) : other_flag ? inner(v, b) : bmm(v, b); }; break;
    default: f = [&](const Variable& v) { return flag ? outer(v, b) : other_flag ? addmm(b, v, b, p, q) : mv(v, b); };
  }
  differentiate(input, a, f);
  allowed([&] { matmul(a, b); });
}

void losses(Input& input) {
  using nn::Reduction;
  Shape shape = input.shape(3, 4);
  DType dtype = input.below(8) ? input.floating() : input.dtype();
  std::size_t which = input.below(16);
  Reduction reduction = input.pick({Reduction::mean, Reduction::sum, Reduction::none, Reduction::batchmean});
  Variable x = input.reals(shape, dtype), y = input.reals(input.below(8) ? shape : input.shape(3, 4), dtype);
  double p = input.real(), q = input.real();
  bool flag = input.flag();
  std::ptrdiff_t axis = input.below(4) ? -1 : input.number();
  Shape rows = shape;
  std::size_t classes = rows.empty() ? 1 : rows.back();
  if (!rows.empty()) rows.pop_back();
  Variable labels = input.positions(input.below(8) ? rows : input.shape(3, 4), classes), weights;
  if (input.flag()) weights = input.reals(input.below(8) ? Shape{classes} : input.shape(2), dtype);
  std::function<Variable(const Variable&)> f;
  switch (which) {
    case 0:
    case 1: {
      nn::SoftmaxCrossEntropyOptions options{.class_weights = weights, .ignore_index = input.number(),
          .reduction = reduction,
                                             .label_smoothing = input.flag() ? 0.125 : p,
                                             .temperature = input.flag() ? 1 : q, .axis = axis};
      f = [=](const Variable& v) { return nn::cross_entropy(v, which ? labels : y, options); };
      break;
    }
    case 2: {
      nn::NLLOptions options{.class_weights = weights, .ignore_index = input.number(), .reduction = reduction,
          .axis = axis};
      f = [=](const Variable& v) { return nn::nll_loss(v, labels, options); };
      break;
    }
    case 3: f = [&](const Variable& v) {
        return nn::sigmoid_cross_entropy(v, y, {.weight = weights, .reduction = reduction, .positive_weight = weights});
      };
      break;
    case 4: f = [&](const Variable& v) { return nn::binary_cross_entropy(sigmoid(v), y, {.weight = weights,
        .reduction = reduction}); }; break;
    case 5: f = [&](const Variable& v) { return nn::kl_div(v, y, {.reduction = reduction, .log_target = flag}); }; break;
    case 6: f = [&](const Variable& v) { return nn::hinge_loss(v, flag ? sign(y) : labels, {.reduction = reduction});
        }; break;
    case 7: {
      Variable lengths = input.positions(input.shape(1), 4), targets = input.positions(input.shape(2), 4);
      nn::CTCOptions options{.blank = input.number(), .reduction = reduction, .zero_infinity = flag};
      Variable input_lengths = input.positions(lengths.shape(), 5);
      if (x.rank() == 3 && input.below(8)) {
        auto batch = x.shape()[1];
        lengths = input.positions({batch}, 3);
        input_lengths = input.positions({batch}, x.shape()[0] + 1);
        targets = input.positions({batch, 3}, classes);
      }
      f = [=](const Variable& v) { return nn::ctc_loss(log_softmax(v), targets, input_lengths, lengths, options); };
      break;
    }
    case 8: f = [&](const Variable& v) { return nn::hinge_embedding_loss(v, flag ? sign(y) : labels, {p, reduction});
        }; break;
    case 9: f = [&](const Variable& v) { return nn::cosine_embedding_loss(v, y, flag ? sign(labels) : labels, {p,
        reduction}); }; break;
    case 10: f = [&](const Variable& v) { return nn::triplet_margin_loss(v, y, x, {p, q, 1e-6, flag, reduction}); };
        break;
    case 11: f = [&](const Variable& v) { return flag ? nn::huber_loss(v, y, {reduction, p}) : nn::smooth_l1_loss(v, y,
        {reduction, p}); }; break;
    case 12: f = [&](const Variable& v) { return nn::poisson_nll_loss(v, y, {flag, !flag, p, reduction}); }; break;
    case 13: f = [&](const Variable& v) { return nn::gaussian_nll_loss(v, y, flag ? abs(y) : weights, {flag, p,
        reduction}); }; break;
    case 14: {
      std::optional<std::ptrdiff_t> padding = input.maybe_number();
      f = [=](const Variable& v) { return embedding(v, labels, padding, flag); };
      break;
    }
    default: {
      Variable mask;
      if (input.flag()) mask = input.integers(input.shape(4, 4), boolean);
      f = [=](const Variable& v) {
        return scaled_dot_product_attention(v, y, y, mask, flag, p == 1 ? std::optional<double>() : p, q);
      };
    }
  }
  differentiate(input, x, f);
}

}  // namespace xtape::fuzz
