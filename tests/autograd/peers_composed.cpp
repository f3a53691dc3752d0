// Further operations, most of them compositions of others, against libtorch's in float64: results, gradients, and gradients of
// gradients.
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include <tests/torch_orders.hpp>

#include "samples.hpp"

namespace {

using xtape::Variable;
using samples::numbers;
using torch::Tensor;
using xtape::testing::to_torch;
using Case = xtape::testing::PeerCase;
using Variables = std::vector<Variable>;
using Tensors = std::vector<Tensor>;
namespace F = torch::nn::functional;

class Cases {
 public:
  template <class Own, class Other>
  Case& one(const std::string& name, const Variable& x, Own own, Other other) {
    return all(name, {x}, [own](auto& v) { return own(v[0]); }, [other](auto& v) { return other(v[0]); });
  }
  template <class Own, class Other>
  Case& two(const std::string& name, const Variable& a, const Variable& b, Own own, Other other) {
    return all(name, {a, b}, [own](auto& v) { return own(v[0], v[1]); }, [other](auto& v) { return other(v[0], v[1]); });
  }
  template <class Own, class Other>
  Case& all(const std::string& name, const Variables& xs, Own own, Other other) {
    list.push_back({name, xs, [own](const Variables& v) { return own(v); }, [other](const Tensors& v) { return other(v); }});
    return list.back();
  }

  std::vector<Case> list;
};

void statistics(Cases& cases) {
  Variable x = numbers({3, 4, 2}), ties({{1, 3, 3, 2, 3}, {0, 0, -1, 0, -1}}, xtape::float64);
  Variable holes({{1, NAN, 3, 2, 5}, {0, 4, -1, NAN, NAN}}, xtape::float64);
  cases.one("nansum", holes, [](auto& v) { return nansum(v, 0); }, [](auto& v) { return v.nansum(0); });
  cases.one("nanmean", holes, [](auto& v) { return nanmean(v, -1, true); }, [](auto& v) { return v.nanmean(-1, true); });
  for (std::string kind : {"linear", "lower", "higher", "midpoint", "nearest"})
    for (double q : {0.0, 0.3, 0.5, 0.77, 1.0})
      for (bool keepdims : {false, true}) {
        std::string text = "quantile " + kind + " " + std::to_string(q);
        Variable several({q, 0.25}, xtape::float64);
        cases.one(text, x, [=](auto& v) { return quantile(v, q, 1, keepdims, kind); },
                  [=](auto& v) { return v.quantile(q, 1, keepdims, kind); });
        cases.one(text + ", of all", x, [=](auto& v) { return quantile(v, q, {}, keepdims, kind); },
                  [=](auto& v) { return v.quantile(q, c10::nullopt, keepdims, kind); });
        cases.one(text + ", several", x, [=](auto& v) { return quantile(v, several, -1, keepdims, kind); },
                  [=](auto& v) { return v.quantile(to_torch(several), -1, keepdims, kind); });
      }
  cases.one("kthvalue", x, [](auto& v) { return xtape::kthvalue(v, 3, 1).values; },
            [](auto& v) { return std::get<0>(v.kthvalue(3, 1)); });
  for (const Variable& v : {ties, holes}) {
    cases.one("cummax", v, [](auto& v) { return xtape::cummax(v, -1).values; }, [](auto& v) { return std::get<0>(v.cummax(-1)); });
    cases.one("cummin", v, [](auto& v) { return xtape::cummin(v, 1).values; }, [](auto& v) { return std::get<0>(v.cummin(1)); });
    cases.one("cummax, places", v, [](auto& v) { return xtape::cummax(v, -1).indices.to(xtape::float64); },
              [](auto& v) { return std::get<1>(v.cummax(-1)).to(torch::kFloat64); });
  }
  cases.one("diff", x, [](auto& v) { return diff(v, 2, 1); }, [](auto& v) { return v.diff(2, 1); });
  Variable points = numbers({4}, 0, 5);
  cases.one("trapezoid", x, [](auto& v) { return trapezoid(v, 0.3, 1); }, [](auto& v) { return torch::trapezoid(v, 0.3, 1); });
  cases.two("trapezoid at points", transpose(x, {0, 2, 1}), points, [](auto& v, auto& p) { return trapezoid(v, p); },
            [](auto& v, auto& p) { return torch::trapezoid(v, p); });
  cases.two("cumulative_trapezoid at points", x, numbers({3, 4, 2}, 0, 5), [](auto& v, auto& p) { return cumulative_trapezoid(v, p, 1); },
            [](auto& v, auto& p) { return torch::cumulative_trapezoid(v, p, 1); });
  cases.one("cov", numbers({3, 6}), [](auto& v) { return cov(v); }, [](auto& v) { return v.cov(); });
  cases.one("cov, biased", numbers({6}), [](auto& v) { return cov(v, 0); }, [](auto& v) { return v.cov(0); });
  cases.one("corrcoef", numbers({3, 6}), [](auto& v) { return triu(corrcoef(v), 1); }, [](auto& v) { return v.corrcoef().triu(1); });
}

void arrangements(Cases& cases) {
  for (const xtape::Shape& shape : {xtape::Shape{}, xtape::Shape{3}, xtape::Shape{2, 3}, xtape::Shape{2, 3, 2}}) {
    Variable a = numbers(shape), b = numbers(shape, -1, 3);
    auto joined = [&](const std::string& name, auto own, auto other) {
      cases.two(name + " " + xtape::to_string(shape), a, b, [own](auto& u, auto& v) { return own({u, v}); },
                [other](auto& u, auto& v) { return other({u, v}); });
    };
    joined("hstack", [](const Variables& v) { return hstack(v); }, [](const Tensors& v) { return torch::hstack(v); });
    joined("vstack", [](const Variables& v) { return vstack(v); }, [](const Tensors& v) { return torch::vstack(v); });
    joined("dstack", [](const Variables& v) { return dstack(v); }, [](const Tensors& v) { return torch::dstack(v); });
    if (shape.size() < 3)
      joined("block_diag", [](const Variables& v) { return block_diag(v); }, [](const Tensors& v) { return torch::block_diag(v); });
  }
  Variable x = numbers({7, 3});
  for (std::size_t n : {1, 2, 3, 4, 7}) {
    auto count = static_cast<std::int64_t>(n);
    for (bool last : {false, true}) {
      auto of = [last](auto parts) { return last ? parts.back() : parts.front(); };
      cases.one("chunk", x, [=](auto& v) { return of(chunk(v, n)); }, [=](auto& v) { return of(v.chunk(count)); });
      cases.one("array_split", x, [=](auto& v) { return of(array_split(v, n)); }, [=](auto& v) { return of(v.tensor_split(count)); });
    }
  }
  cases.one("unflatten", numbers({2, 6}), [](auto& v) { return unflatten(v, 1, {2, 3}); }, [](auto& v) { return v.unflatten(1, torch::IntArrayRef({2, 3})); });
  for (int k : {-3, -1, 0, 1, 2, 3, 5})
    cases.one("rot90", x, [k](auto& v) { return rot90(v, k); }, [k](auto& v) { return torch::rot90(v, k, {0, 1}); });
  for (int k : {-1, 0, 2})
    cases.one("diag_embed", x, [k](auto& v) { return diag_embed(v, k); }, [k](auto& v) { return v.diag_embed(k); });
  Variable cube = numbers({3, 2, 4}), rows = Variable{2, 0, 2}.to(xtape::int64), columns = Variable{3, 1, 1}.to(xtape::int64);
  using torch::indexing::Slice;
  cases.one("arrays apart", cube, [=](auto& v) { return v[{rows, xtape::range(), columns}]; },
            [=](auto& v) { return v.index({to_torch(rows), Slice(), to_torch(columns)}); });
  cases.one("arrays and a position", cube, [=](auto& v) { return v[{rows, 1, columns}]; },
            [=](auto& v) { return v.index({to_torch(rows), 1, to_torch(columns)}); });
  cases.one("arrays and a new axis", cube, [=](auto& v) { return v[{rows, xtape::newaxis, xtape::range(), columns}]; },
            [=](auto& v) { return v.index({to_torch(rows), torch::indexing::None, Slice(), to_torch(columns)}); });
  Variable places = Variable{2, 0, 2}.to(xtape::int64), other_places = Variable{2, 0}.to(xtape::int64);
  cases.two("index_add", x, numbers({7, 3}), [=](auto& v, auto& s) { return index_add(v, 1, places, s, 0.5); },
            [=](auto& v, auto& s) { return v.index_add(1, to_torch(places), s, 0.5); });
  cases.two("index_copy", x, numbers({2, 3}), [=](auto& v, auto& s) { return index_copy(v, 0, other_places, s); },
            [=](auto& v, auto& s) { return v.index_copy(0, to_torch(other_places), s); });
  cases.one("index_fill", x, [=](auto& v) { return index_fill(v, 1, places, 4); }, [=](auto& v) { return v.index_fill(1, to_torch(places), 4); });
  cases.two("masked_scatter", x, numbers({30}), [](auto& v, auto& s) { return masked_scatter(v, v > 0, s); },
            [](auto& v, auto& s) { return v.masked_scatter(v > 0, s); });
}

void distances(Cases& cases) {
  Variable a = numbers({2, 3, 4}), b = numbers({3, 4}, -1.5, 2.5);
  cases.two("cross", numbers({2, 3}), numbers({1, 3}), [](auto& a, auto& b) { return cross(a, b); },
            [](auto& a, auto& b) { return torch::linalg_cross(a, b); });
  cases.two("vecdot", a, b, [](auto& a, auto& b) { return vecdot(a, b, 1); }, [](auto& a, auto& b) { return torch::linalg_vecdot(a, b, 1); });
  cases.two("cosine_similarity", a, b, [](auto& a, auto& b) { return cosine_similarity(a, b, -1); },
            [](auto& a, auto& b) { return torch::cosine_similarity(a, b, -1); });
  for (double p : {1.0, 2.0, 3.0}) {
    cases.two("pairwise_distance", a, b, [p](auto& a, auto& b) { return pairwise_distance(a, b, p); },
              [p](auto& a, auto& b) { return torch::pairwise_distance(a, b, p); });
    cases.two("cdist", a, b, [p](auto& a, auto& b) { return cdist(a, b, p); }, [p](auto& a, auto& b) { return torch::cdist(a, b, p); }).orders = 1;
    cases.one("pdist", b, [p](auto& a) { return pdist(a, p); }, [p](auto& a) { return torch::pdist(a, p); }).orders = 1;
    cases.one("normalize", a, [p](auto& a) { return normalize(a, p); }, [p](auto& a) { return F::normalize(a, F::NormalizeFuncOptions().p(p)); });
  }
}

void matrix_functions(Cases& cases) {
  Variable square = numbers({2, 3, 3}), regular = square + 3 * xtape::eye(3, xtape::float64);
  Variable definite = matmul(regular, swapaxes(regular, -1, -2));
  for (double scale : {0.01, 1.0, 6.0})
    cases.one("matrix_exp", square * scale, [](auto& a) { return matrix_exp(a); }, [](auto& a) { return torch::matrix_exp(a); });
  cases.one("logdet", definite, [](auto& a) { return logdet(a); }, [](auto& a) { return torch::logdet(a); });
  for (bool upper : {false, true})
    cases.two("cholesky_solve", numbers({2, 3, 2}), regular,
              [=](auto& b, auto& l) { return cholesky_solve(b, upper ? triu(l) : tril(l), upper); },
              [=](auto& b, auto& l) { return torch::cholesky_solve(b, upper ? l.triu() : l.tril(), upper); });
  cases.all("multi_dot", {numbers({4}), numbers({4, 2}), numbers({2, 5}), numbers({5})}, [](auto& v) { return multi_dot(v); },
            [](auto& v) { return torch::linalg_multi_dot(v); });
  cases.one("vander", numbers({2, 3}), [](auto& v) { return vander(v, 4, true); }, [](auto& v) { return torch::linalg_vander(v, 4); });
}

void neural(Cases& cases) {
  cases.all("linear", {numbers({2, 3}), numbers({4, 3}), numbers({4})}, [](auto& v) { return linear(v[0], v[1], v[2]); },
            [](auto& v) { return torch::linear(v[0], v[1], v[2]); });
  for (std::size_t size : {1, 2, 3, 4})
    cases.one("local_response_norm", numbers({2, 5, 3}), [=](auto& v) { return local_response_norm(v, size, 0.4, 0.7, 1.5); },
              [=](auto& v) { return F::local_response_norm(v, F::LocalResponseNormFuncOptions(static_cast<std::int64_t>(size)).alpha(0.4).beta(0.7).k(1.5)); });
  using P = xtape::GridPadding;
  std::vector<std::pair<P, F::GridSampleFuncOptions::padding_mode_t>> paddings{
      {P::zeros, torch::kZeros}, {P::border, torch::kBorder}, {P::reflection, torch::kReflection}};
  for (auto& [padding, other] : paddings)
    for (bool align : {false, true})
      for (bool nearest : {false, true}) {
        xtape::GridSampleOptions own{.nearest = nearest, .padding = padding, .align_corners = align};
        auto options = F::GridSampleFuncOptions().padding_mode(other).align_corners(align);
        if (nearest) options.mode(torch::kNearest);
        else options.mode(torch::kBilinear);
        // libtorch has no second derivatives of it in some forms.
        for (auto& [x, places] : {std::pair(numbers({2, 3, 4, 5}), numbers({2, 3, 2, 2}, -2.5, 2.5)),
                                  std::pair(numbers({2, 2, 3, 2, 4}), numbers({2, 2, 1, 3, 3}, -2.5, 2.5))})
          cases.two("grid_sample", x, places, [=](auto& x, auto& places) { return grid_sample(x, places, own); },
                    [=](auto& x, auto& places) { return F::grid_sample(x, places, options); }).orders = 1;
      }
  for (bool align : {false, true}) {
    cases.one("affine_grid", numbers({2, 2, 3}), [=](auto& v) { return affine_grid(v, {2, 1, 3, 4}, align); },
              [=](auto& v) { return torch::affine_grid_generator(v, {2, 1, 3, 4}, align); });
    cases.one("affine_grid, three axes", numbers({2, 3, 4}), [=](auto& v) { return affine_grid(v, {2, 1, 3, 1, 4}, align); },
              [=](auto& v) { return torch::affine_grid_generator(v, {2, 1, 3, 1, 4}, align); });
  }
}

// Of no use as derivatives: as numbers.
void truths(Cases& cases) {
  Variable a({1.0, 2.0, NAN, -0.0, INFINITY, 0.0}, xtape::float64), b({2.0, 2.0, NAN, 1.0, INFINITY, -1.0}, xtape::float64);
  auto one = [&](const std::string& name, auto own, auto other) {
    cases.one(name, a, [own](auto& x) { return own(x).to(xtape::float64); },
              [other](auto& x) { return other(x).to(torch::kFloat64); });
  };
  auto two = [&](const std::string& name, auto own, auto other) {
    cases.two(name, a, b, [own](auto& x, auto& y) { return own(x, y).to(xtape::float64); },
              [other](auto& x, auto& y) { return other(x, y).to(torch::kFloat64); });
  };
  two("equal", [](auto& x, auto& y) { return equal(x, y); }, [](auto& x, auto& y) { return x.eq(y); });
  two("not_equal", [](auto& x, auto& y) { return not_equal(x, y); }, [](auto& x, auto& y) { return x.ne(y); });
  two("less", [](auto& x, auto& y) { return less(x, y); }, [](auto& x, auto& y) { return x.lt(y); });
  two("less_equal", [](auto& x, auto& y) { return less_equal(x, y); }, [](auto& x, auto& y) { return x.le(y); });
  two("greater", [](auto& x, auto& y) { return greater(x, y); }, [](auto& x, auto& y) { return x.gt(y); });
  two("greater_equal", [](auto& x, auto& y) { return greater_equal(x, y); }, [](auto& x, auto& y) { return x.ge(y); });
  two("logical_and", [](auto& x, auto& y) { return logical_and(x > 0, y > 0); }, [](auto& x, auto& y) { return (x > 0).logical_and(y > 0); });
  two("logical_or", [](auto& x, auto& y) { return logical_or(x > 1, y > 1); }, [](auto& x, auto& y) { return (x > 1).logical_or(y > 1); });
  two("logical_xor", [](auto& x, auto& y) { return logical_xor(x > 1, y > 1); }, [](auto& x, auto& y) { return (x > 1).logical_xor(y > 1); });
  one("logical_not", [](auto& x) { return logical_not(x > 1); }, [](auto& x) { return (x > 1).logical_not(); });
  one("isnan", [](auto& x) { return isnan(x); }, [](auto& x) { return x.isnan(); });
  one("isinf", [](auto& x) { return isinf(x); }, [](auto& x) { return x.isinf(); });
  one("isfinite", [](auto& x) { return isfinite(x); }, [](auto& x) { return x.isfinite(); });
  one("signbit", [](auto& x) { return signbit(x); }, [](auto& x) { return x.signbit(); });
  one("count_nonzero", [](auto& x) { return count_nonzero(x); }, [](auto& x) { return x.count_nonzero(c10::nullopt); });
  one("any", [](auto& x) { return any(x); }, [](auto& x) { return x.any(); });
  one("all", [](auto& x) { return all(x); }, [](auto& x) { return x.all(); });
  one("argmin", [](auto& x) { return argmin(x); }, [](auto& x) { return x.argmin(); });
  one("argmax", [](auto& x) { return argmax(x, 0, true); }, [](auto& x) { return x.argmax(0, true); });
  cases.one("argsort", numbers({3, 5}), [](auto& x) { return argsort(x, 0, true).to(xtape::float64); },
            [](auto& x) { return x.argsort(0, true).to(torch::kFloat64); });
  Variable classes({2, 0, 3}, xtape::int64);
  cases.one("one_hot", a, [=](auto&) { return one_hot(classes, 5, xtape::float64); },
            [=](auto&) { return torch::one_hot(to_torch(classes), 5).to(torch::kFloat64); });
}

void products(Cases& cases) {
  Variable v = numbers({3}), w = numbers({3}, -1, 3), m = numbers({2, 3}), n = numbers({3, 4}), cube = numbers({2, 3, 4});
  cases.two("dot", v, w, [](auto& a, auto& b) { return dot(a, b); }, [](auto& a, auto& b) { return a.dot(b); });
  cases.two("inner", m, v, [](auto& a, auto& b) { return inner(a, b); }, [](auto& a, auto& b) { return a.inner(b); });
  cases.two("mv", m, v, [](auto& a, auto& b) { return mv(a, b); }, [](auto& a, auto& b) { return a.mv(b); });
  cases.two("bmm", cube, numbers({2, 4, 2}), [](auto& a, auto& b) { return bmm(a, b); }, [](auto& a, auto& b) { return a.bmm(b); });
  cases.all("addmm", {numbers({4}), m, n}, [](auto& x) { return addmm(x[0], x[1], x[2], 0.3, 1.7); },
            [](auto& x) { return torch::addmm(x[0], x[1], x[2], 0.3, 1.7); });
  cases.two("tensordot", cube, numbers({4, 2, 5}), [](auto& a, auto& b) { return tensordot(a, b, {2, 0}, {0, 1}); },
            [](auto& a, auto& b) { return torch::tensordot(a, b, {2, 0}, {0, 1}); });
}

void rearrangements(Cases& cases) {
  Variable x = numbers({3, 1, 4}), m = numbers({3, 4});
  auto one = [&](const std::string& name, const Variable& x, auto own, auto other) { cases.one(name, x, own, other); };
  one("neg", m, [](auto& x) { return neg(x); }, [](auto& x) { return x.neg(); });
  one("clip", m, [](auto& x) { return clip(x, -1, 0.5); }, [](auto& x) { return x.clip(-1, 0.5); });
  one("glu", m, [](auto& x) { return glu(x, 1); }, [](auto& x) { return torch::glu(x, 1); });
  one("softmin", m, [](auto& x) { return softmin(x, 0); }, [](auto& x) { return F::softmin(x, F::SoftminFuncOptions(0)); });
  one("min_with_indices", m, [](auto& x) { return xtape::min_with_indices(x, 0).values; }, [](auto& x) { return std::get<0>(x.min(0)); });
  one("squeeze", x, [](auto& x) { return squeeze(x, 1); }, [](auto& x) { return x.squeeze(1); });
  one("broadcast_to", x, [](auto& x) { return broadcast_to(x, {2, 3, 5, 4}); }, [](auto& x) { return x.broadcast_to({2, 3, 5, 4}); });
  one("split", m, [](auto& x) { return split(x, std::vector<std::size_t>{1, 2, 1}, 1)[1]; }, [](auto& x) { return x.split_with_sizes({1, 2, 1}, 1)[1]; });
  one("unbind", m, [](auto& x) { return unbind(x, 1)[2]; }, [](auto& x) { return x.unbind(1)[2]; });
  one("flatten", x, [](auto& x) { return flatten(x, 1); }, [](auto& x) { return x.flatten(1); });
  one("repeat", m, [](auto& x) { return repeat(x, {2, 1, 3}); }, [](auto& x) { return x.repeat({2, 1, 3}); });
  for (int k : {-1, 0, 2}) {
    one("diag of a matrix", m, [k](auto& x) { return diag(x, k); }, [k](auto& x) { return x.diag(k); });
    one("diag of a vector", numbers({3}), [k](auto& x) { return diag(x, k); }, [k](auto& x) { return x.diag(k); });
  }
  one("trace", m, [](auto& x) { return trace(x); }, [](auto& x) { return x.trace(); });
  one("masked_select", m, [](auto& x) { return masked_select(x, x > 0); }, [](auto& x) { return x.masked_select(x > 0); });
  one("masked_fill", m, [](auto& x) { return masked_fill(x, x > 0, 3); }, [](auto& x) { return x.masked_fill(x > 0, 3); });
  Variable places = Variable{{0, 2, 2, 1}, {0, 0, 2, 2}}.to(xtape::int64);
  cases.two("scatter_add", m, numbers({2, 4}), [=](auto& x, auto& s) { return scatter_add(x, 0, places, s); },
            [=](auto& x, auto& s) { return x.scatter_add(0, to_torch(places), s); });
  cases.two("slice_assign", m, numbers({3, 2}), [](auto& x, auto& s) { return slice_assign(x, {xtape::range(), xtape::range(1, 3)}, s); },
            [](auto& x, auto& s) { return x.slice_scatter(s, 1, 1, 3); });
  cases.two("slice_assign by a mask", m, numbers({}), [](auto& x, auto& s) { return slice_assign(x, {x > 0}, s); },
            [](auto& x, auto& s) { return x.index_put({x > 0}, s); });
}

void pools(Cases& cases) {
  Variable x = numbers({2, 3, 9}), cube = numbers({1, 2, 4, 5, 4});
  cases.one("max_pool1d", x, [](auto& x) { return max_pool1d(x, 3, {.stride = 2, .padding = 1}); }, [](auto& x) { return torch::max_pool1d(x, 3, 2, 1); });
  cases.one("avg_pool1d", x, [](auto& x) { return avg_pool1d(x, 3, {.stride = 2, .padding = 1}); }, [](auto& x) { return torch::avg_pool1d(x, 3, 2, 1); });
  cases.one("max_pool3d_with_indices", cube, [](auto& x) { return xtape::max_pool3d_with_indices(x, 2).values; },
            [](auto& x) { return std::get<0>(torch::max_pool3d_with_indices(x, 2)); });
  for (int n : {1, 4, 9}) {
    cases.one("adaptive_avg_pool1d", x, [n](auto& x) { return adaptive_avg_pool1d(x, n); }, [n](auto& x) { return torch::adaptive_avg_pool1d(x, n); });
    cases.one("adaptive_max_pool1d", x, [n](auto& x) { return adaptive_max_pool1d(x, n); },
              [n](auto& x) { return std::get<0>(torch::adaptive_max_pool1d(x, n)); });
    cases.one("adaptive_max_pool1d_with_indices", x, [n](auto& x) { return xtape::adaptive_max_pool1d_with_indices(x, n).indices.to(xtape::float64); },
              [n](auto& x) { return std::get<1>(torch::adaptive_max_pool1d(x, n)).to(torch::kFloat64); });
  }
  cases.all("instance_norm", {x, numbers({3}), numbers({3})}, [](auto& x) { return instance_norm(x[0], x[1], x[2]); },
            [](auto& x) { return torch::instance_norm(x[0], x[1], x[2], {}, {}, true, 0.1, 1e-5, false); });
}

std::vector<Case> all_cases() {
  Cases cases;
  for (auto family : {statistics, arrangements, distances, matrix_functions, neural, truths, products, rearrangements, pools})
    family(cases);
  return cases.list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(composed_peers)

BOOST_DATA_TEST_CASE(compositions_agree_with_libtorch, all_cases(), c) {
  xtape::testing::agree_in_all_orders(c, {1e-10, 1e-10, 1e-8}, 1);
}

BOOST_AUTO_TEST_SUITE_END()
