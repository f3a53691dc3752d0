#include <optim/residuals.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <autograd/autograd.hpp>

namespace xtape::optim::detail {

Fit Residuals::at(const Variable& x) {
  Fit fit;
  std::vector<Variable> parts = inputs_.parts(x);
  fit.x = inputs_.flat(parts);
  fit.value = INFINITY;
  if (!all(isfinite(fit.x)).item<bool>()) return fit;  // beyond what the dtype holds
  ++evaluations_;
  Variable y = f_(parts, inputs_.who().c_str());
  if (!y.defined())
    throw ValueError(inputs_.who() + ": the function returned an undefined Variable, needs residuals");
  if (!is_floating(y.dtype()))
    throw DTypeError(inputs_.who() + ": the function's value is " + describe(y) + ", needs float32 or float64");
  if (y.size() == 0) throw ValueError(inputs_.who() + ": the function returned no residuals");
  if (evaluations_ == 1) shape_ = y.shape();
  if (y.shape() != shape_)
    throw ShapeError(inputs_.who() + ": the function's value has shape " + to_string(y.shape()) + ", and had " +
                     to_string(shape_));
  fit.residuals = y.detach();
  fit.r = fit.residuals.to(float64).reshape({-1});
  double value = dot(fit.r, fit.r).item();
  if (std::isfinite(value)) fit.value = value;
  return fit;
}

Columns::Columns(const FlatInputs& inputs, const Callable& f, const Fit& at)
    : inputs_(inputs), u_(zeros_like(at.residuals).requires_grad_()) {
  EnableGrad recording;
  pulled_ = inputs.floating(vjp(f, inputs.parts(at.x), u_).grads);
}

Variable Columns::times(const Variable& v) const {
  std::vector<Variable> directions = inputs_.floating(inputs_.parts(v)), outputs, seeds;
  for (std::size_t i = 0; i < pulled_.size(); ++i)
    if (pulled_[i].requires_grad()) outputs.push_back(pulled_[i]), seeds.push_back(directions[i]);
  Variable product;
  if (!outputs.empty())
    product = grad(outputs, {u_}, {.retain_graph = true, .allow_unused = true, .grad_outputs = seeds})[0];
  if (!product.defined()) return zeros({u_.size()}, float64);
  return product.detach().to(float64).reshape({-1});
}

Variable Columns::rounded(const Variable& v) const { return inputs_.flat(inputs_.parts(v)); }

double Columns::epsilon() const {
  bool single = u_.dtype() == float32;
  for (const Variable& slope : pulled_) single = single || slope.dtype() == float32;
  return single ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

std::unique_ptr<Linear> Residuals::linear(const Fit& at, Sparsity* sparsity) {
  ++jacobians_;
  if (sparsity) return sparsity->linear(Columns(inputs_, f_, at), at.r);
  return dense_linear(jacobian(at), at.r);
}

Variable Residuals::jacobian(const Fit& at) const {
  std::vector<Variable> blocks;
  if (at.r.size() < inputs_.size()) {
    for (const Variable& block : inputs_.floating(xtape::jacobian(f_, inputs_.parts(at.x))))
      blocks.push_back(block.to(float64).reshape({static_cast<std::ptrdiff_t>(at.r.size()), -1}));
    return concatenate(blocks, 1);
  }
  Columns columns(inputs_, f_, at);
  for (const Variable& unit : unbind(eye(inputs_.size(), float64))) blocks.push_back(columns.times(unit));
  return stack(blocks, 1);
}

namespace {

// By QR decompositions (Moré 1978, section 3): that of J once, and that of its R above the damping for each mu.
class Dense : public Linear {
 public:
  Dense(Variable jacobian, const Variable& r) : j_(std::move(jacobian)), finite_(all(isfinite(j_)).item<bool>()) {
    if (!finite_) return;
    QR factors = qr(j_);
    r_ = factors.r;
    b_ = matmul(transpose(factors.q), r);
  }
  bool is_finite() const override { return finite_; }
  Variable norms() const override { return norm(r_, 2, 0); }
  Variable gradient() const override { return matmul(b_, r_); }
  Variable times(const Variable& p) const override { return matmul(j_, p); }

  // In the scaled vector D p, for which the columns have norms of about 1.
  Variable solve(double mu, const Variable& D) const override {
    std::size_t n = D.size();
    Variable a = concatenate({r_ / D, std::sqrt(mu) * eye(n, float64)});
    return lstsq(a, concatenate({-b_, zeros({n}, float64)})) / D;
  }

 private:
  Variable j_;
  bool finite_;
  Variable r_, b_;  // R, and Q' r
};

// By conjugate gradients (Björck, Numerical methods for least squares problems, 1996, algorithm 7.4.1, CGLS).
class Sparse : public Linear {
 public:
  Sparse(std::vector<std::int64_t> rows, std::vector<std::int64_t> columns, std::vector<double> values,
         std::size_t size, const Variable& r)
      : rows_(std::move(rows)), columns_(std::move(columns)), values_(std::move(values)), size_(size), r_(r) {}

  bool is_finite() const override {
    return std::all_of(values_.begin(), values_.end(), [](double v) { return std::isfinite(v); });
  }
  Variable norms() const override {
    std::vector<double> norms(size_);
    for (std::size_t k = 0; k < values_.size(); ++k)
      norms[at(columns_, k)] = std::hypot(norms[at(columns_, k)], values_[k]);
    return Variable(std::move(norms));
  }
  Variable gradient() const override { return transposed_times(r_); }
  Variable times(const Variable& p) const override { return product(values_, p); }
  // The sums of the magnitudes of the terms in `times`.
  Variable sizes(const Variable& p) const {
    std::vector<double> magnitudes;
    for (double value : values_) magnitudes.push_back(std::abs(value));
    return product(magnitudes, abs(p));
  }

  Variable solve(double mu, const Variable& D) const override {
    Variable z = zeros({size_}, float64), rest = -r_;  // z is D p
    Variable s = transposed_times(rest) / D, d = s;
    double first = dot(s, s).item(), ss = first;
    for (std::size_t step = 0; step < 10 * size_ + 100 && ss > 1e-20 * first; ++step) {
      Variable q = times(d / D);
      double alpha = ss / (dot(q, q) + mu * dot(d, d)).item();
      z = z + alpha * d;
      rest = rest - alpha * q;
      s = transposed_times(rest) / D - mu * z;
      double before = std::exchange(ss, dot(s, s).item());
      d = s + ss / before * d;
    }
    return z / D;
  }

 private:
  static std::size_t at(const std::vector<std::int64_t>& indices, std::size_t k) {
    return static_cast<std::size_t>(indices[k]);
  }
  Variable product(const std::vector<double>& values, const Variable& p) const {
    std::vector<double> sums(r_.size());
    const double* from = p.data<double>();
    for (std::size_t k = 0; k < values.size(); ++k) sums[at(rows_, k)] += values[k] * from[at(columns_, k)];
    return Variable(std::move(sums));
  }
  Variable transposed_times(const Variable& v) const {
    std::vector<double> product(size_);
    const double* from = v.data<double>();
    for (std::size_t k = 0; k < values_.size(); ++k) product[at(columns_, k)] += values_[k] * from[at(rows_, k)];
    return Variable(std::move(product));
  }

  std::vector<std::int64_t> rows_, columns_;
  std::vector<double> values_;
  std::size_t size_;  // the number of columns
  Variable r_;
};

std::vector<std::int64_t> checked_indices(const std::string& name, const Variable& x, std::size_t extent) {
  if (x.dtype() != int64) throw DTypeError(name + " are " + describe(x) + ", needs int64");
  if (x.rank() != 1) throw ShapeError(name + " have shape " + to_string(x.shape()) + ", needs one axis");
  std::vector<std::int64_t> indices(x.data<std::int64_t>(), x.data<std::int64_t>() + x.size());
  for (std::int64_t i : indices)
    if (i < 0 || i >= static_cast<std::int64_t>(extent))
      throw ValueError(name + " have " + std::to_string(i) + ", needs 0 to " + std::to_string(extent - 1));
  return indices;
}

}  // namespace

std::unique_ptr<Linear> dense_linear(Variable jacobian, const Variable& r) {
  return std::make_unique<Dense>(std::move(jacobian), r);
}

Sparsity::Sparsity(const char* who, const JacobianStructure& structure, std::size_t rows, std::size_t columns)
    : who_(who) {
  std::string name = std::string(who) + ": structure: ";
  if (!structure.rows.defined() || !structure.columns.defined()) throw ValueError(name + "needs both rows and columns");
  auto of_rows = checked_indices(name + "rows", structure.rows, rows);
  auto of_columns = checked_indices(name + "columns", structure.columns, columns);
  if (of_rows.size() != of_columns.size())
    throw ShapeError(name + std::to_string(of_rows.size()) + " rows for " + std::to_string(of_columns.size()) +
                     " columns");
  std::vector<std::pair<std::int64_t, std::int64_t>> elements;
  for (std::size_t k = 0; k < of_rows.size(); ++k) elements.emplace_back(of_columns[k], of_rows[k]);
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());

  // Each column that has elements goes to the first group that has none of its rows.
  std::vector<std::vector<std::size_t>> groups_of_row(rows);
  group_.assign(columns, static_cast<std::size_t>(-1));
  for (std::size_t begin = 0, end = 0; begin < elements.size(); begin = end) {
    std::vector<bool> taken(groups_ + 1);
    for (end = begin; end < elements.size() && elements[end].first == elements[begin].first; ++end)
      for (std::size_t group : groups_of_row[static_cast<std::size_t>(elements[end].second)]) taken[group] = true;
    auto group = static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
    group_[static_cast<std::size_t>(elements[begin].first)] = group;
    groups_ = std::max(groups_, group + 1);
    for (std::size_t k = begin; k < end; ++k) {
      groups_of_row[static_cast<std::size_t>(elements[k].second)].push_back(group);
      rows_.push_back(elements[k].second);
      columns_.push_back(elements[k].first);
    }
  }
}

// Of magnitudes from 0.5 to 1.5, and any sign.
Variable Sparsity::random_vector(std::size_t size) {
  std::vector<double> result(size);
  for (double& v : result) {
    double x = std::ldexp(static_cast<double>(random_() >> 11), -52) - 1;
    v = x + std::copysign(0.5, x);
  }
  return Variable(std::move(result));
}

std::unique_ptr<Linear> Sparsity::linear(const Columns& columns, const Variable& r) {
  std::size_t size = group_.size();
  auto lacks_an_element_of = [&](std::ptrdiff_t row) {
    return ValueError(std::string(who_) + ": structure: lacks an element of row " + std::to_string(row) +
                      ", where the derivative is not 0");
  };
  std::vector<std::vector<std::size_t>> elements(groups_);
  for (std::size_t k = 0; k < rows_.size(); ++k) elements[group_[static_cast<std::size_t>(columns_[k])]].push_back(k);
  std::vector<double> values(rows_.size());
  for (std::size_t group = 0; group < groups_; ++group) {
    std::vector<double> seed(size);
    for (std::size_t j = 0; j < size; ++j) seed[j] = group_[j] == group ? 1 : 0;
    Variable product = columns.times(Variable(std::move(seed)));
    std::vector<double> rest(product.data<double>(), product.data<double>() + product.size());
    for (std::size_t k : elements[group]) values[k] = std::exchange(rest[static_cast<std::size_t>(rows_[k])], 0);
    auto beyond = std::find_if(rest.begin(), rest.end(), [](double v) { return v != 0; });
    if (beyond != rest.end()) throw lacks_an_element_of(beyond - rest.begin());
  }
  auto result = std::make_unique<Sparse>(rows_, columns_, std::move(values), size, r);
  // An element that the structure lacks was taken for one of its row and group, or is in none. Both show in the product
  // with a vector of different elements, another one each time. Derivatives that tend to 0 may be all rounding in the
  // end: what is small beside those before counts as equal.
  if (!result->is_finite()) return result;
  Variable probe = columns.rounded(random_vector(size)), product = columns.times(probe), sizes = result->sizes(probe);
  sizes_ = sizes_.defined() ? maximum(sizes_, sizes) : sizes;
  Variable good = abs(product - result->times(probe)) <= std::cbrt(columns.epsilon()) * sizes_;
  const bool *begin = good.data<bool>(), *end = begin + good.size(), *bad = std::find(begin, end, false);
  if (bad != end) throw lacks_an_element_of(bad - begin);
  return result;
}

}  // namespace xtape::optim::detail
