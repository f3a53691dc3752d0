#include <autograd/ops/products.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include <autograd/kernels/layout.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/views.hpp>

namespace xtape {

using detail::require_numbers;

namespace {

void require_ranks(const char* operation, const Variable& a, std::size_t rank_a, const Variable& b,
                   std::size_t rank_b) {
  require_numbers(operation, a);
  require_numbers(operation, b);
  if (a.rank() != rank_a || b.rank() != rank_b)
    throw ShapeError(std::string(operation) + ": " + to_string(a.shape()) + " and " + to_string(b.shape()) +
                     ": needs " + std::to_string(rank_a) + " and " + std::to_string(rank_b) + " axes");
}

void require_equal(const char* operation, const Variable& a, std::ptrdiff_t axis_a, const Variable& b,
                   std::ptrdiff_t axis_b) {
  if (a.shape(axis_a) != b.shape(axis_b))
    throw ShapeError(std::string(operation) + ": " + to_string(a.shape()) + " and " + to_string(b.shape()) + ": " +
                     std::to_string(a.shape(axis_a)) + " and " + std::to_string(b.shape(axis_b)) + " differ");
}

}  // namespace

Variable dot(const Variable& a, const Variable& b) {
  detail::Calling calling("dot");
  require_ranks("dot", a, 1, b, 1);
  require_equal("dot", a, 0, b, 0);
  return matmul(a, b);
}

Variable inner(const Variable& a, const Variable& b) {
  detail::Calling calling("inner");
  require_numbers("inner", a);
  require_numbers("inner", b);
  if (a.rank() == 0 || b.rank() == 0) return a * b;
  require_equal("inner", a, -1, b, -1);
  return tensordot(a, b, Axes(-1), Axes(-1));
}

Variable outer(const Variable& a, const Variable& b) {
  detail::Calling calling("outer");
  require_ranks("outer", a, 1, b, 1);
  return expand_dims(a, 1) * b;
}

Variable mv(const Variable& matrix, const Variable& vector) {
  detail::Calling calling("mv");
  require_ranks("mv", matrix, 2, vector, 1);
  require_equal("mv", matrix, 1, vector, 0);
  return matmul(matrix, vector);
}

Variable bmm(const Variable& a, const Variable& b) {
  detail::Calling calling("bmm");
  require_ranks("bmm", a, 3, b, 3);
  require_equal("bmm", a, 0, b, 0);
  require_equal("bmm", a, 2, b, 1);
  return matmul(a, b);
}

Variable addmm(const Variable& input, const Variable& a, const Variable& b, const Scalar& beta,
               const Scalar& alpha) {
  detail::Calling calling("addmm");
  require_numbers("addmm", input);
  require_ranks("addmm", a, 2, b, 2);
  require_equal("addmm", a, 1, b, 0);
  Shape shape{a.shape(0), b.shape(1)};
  if (input.rank() > 2 || broadcast_shapes("addmm", input.shape(), shape) != shape)
    throw ShapeError("addmm: the input " + to_string(input.shape()) + " does not broadcast to " + to_string(shape));
  Variable product = matmul(a, b);
  if (alpha.as_double() != 1) product = product * Variable(alpha);
  // As in PyTorch, with beta = 0 nothing in the input counts, not even NaN.
  if (beta.as_double() == 0) return product;
  return product + (beta.as_double() == 1 ? input : input * Variable(beta));
}

namespace {

// The axes of x that are not among `axes`, in order.
std::vector<std::ptrdiff_t> others(const Variable& x, const std::vector<std::ptrdiff_t>& axes) {
  std::vector<std::ptrdiff_t> result;
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(x.rank()); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) result.push_back(i);
  return result;
}

std::size_t extent(const Variable& x, const std::vector<std::ptrdiff_t>& axes) {
  std::size_t n = 1;
  for (std::ptrdiff_t axis : axes) n *= x.shape(axis);
  return n;
}

// x with its axes in the order first, second, each group made one axis.
Variable as_matrix(const Variable& x, const std::vector<std::ptrdiff_t>& first,
                   const std::vector<std::ptrdiff_t>& second) {
  std::vector<std::ptrdiff_t> order = first;
  order.insert(order.end(), second.begin(), second.end());
  Variable ordered = std::is_sorted(order.begin(), order.end()) ? x : transpose(x, order);
  return reshape(ordered, {extent(x, first), extent(x, second)});
}

std::vector<std::ptrdiff_t> normalized(const Axes& axes, const Variable& x) {
  axes_mask("tensordot", axes, x.rank());
  std::vector<std::ptrdiff_t> result;
  for (std::ptrdiff_t axis : axes)
    result.push_back(static_cast<std::ptrdiff_t>(normalize_axis("tensordot", axis, x.rank())));
  return result;
}

}  // namespace

Variable tensordot(const Variable& a, const Variable& b, const Axes& axes_a, const Axes& axes_b) {
  detail::Calling calling("tensordot");
  require_numbers("tensordot", a);
  require_numbers("tensordot", b);
  auto summed_a = normalized(axes_a, a), summed_b = normalized(axes_b, b);
  if (summed_a.size() != summed_b.size())
    throw ShapeError("tensordot: " + std::to_string(summed_a.size()) + " axes of " + to_string(a.shape()) + ", " +
                     std::to_string(summed_b.size()) + " of " + to_string(b.shape()) + ": needs as many of both");
  for (std::size_t i = 0; i < summed_a.size(); ++i) require_equal("tensordot", a, summed_a[i], b, summed_b[i]);
  auto free_a = others(a, summed_a), free_b = others(b, summed_b);
  Shape shape;
  for (std::ptrdiff_t axis : free_a) shape.push_back(a.shape(axis));
  for (std::ptrdiff_t axis : free_b) shape.push_back(b.shape(axis));
  return reshape(matmul(as_matrix(a, free_a, summed_a), as_matrix(b, summed_b, free_b)), shape);
}

Variable tensordot(const Variable& a, const Variable& b, std::size_t axes) {
  detail::Calling calling("tensordot");
  require_numbers("tensordot", a);
  require_numbers("tensordot", b);
  if (axes > a.rank() || axes > b.rank())
    throw ShapeError("tensordot: " + std::to_string(axes) + " axes of " + to_string(a.shape()) + " and " +
                     to_string(b.shape()) + ": there are fewer");
  std::vector<std::ptrdiff_t> last(axes), first(axes);
  std::iota(last.begin(), last.end(), static_cast<std::ptrdiff_t>(a.rank() - axes));
  std::iota(first.begin(), first.end(), 0);
  return tensordot(a, b, Axes(last), Axes(first));
}

Variable kron(const Variable& a, const Variable& b) {
  detail::Calling calling("kron");
  require_numbers("kron", a);
  require_numbers("kron", b);
  std::size_t rank = std::max(a.rank(), b.rank());
  Shape spread_a, spread_b, shape;
  for (std::size_t i = 0; i < rank; ++i) {
    std::size_t n = i + a.rank() < rank ? 1 : a.shape()[i + a.rank() - rank];
    std::size_t m = i + b.rank() < rank ? 1 : b.shape()[i + b.rank() - rank];
    spread_a.push_back(n), spread_a.push_back(1);
    spread_b.push_back(1), spread_b.push_back(m);
    shape.push_back(n * m);
  }
  return reshape(reshape(a, spread_a) * reshape(b, spread_b), shape);
}

namespace {

// An operand of einsum and the label of each axis: a letter, or a number below 32 for an axis of the ellipsis, counted
// from the right.
struct Labeled {
  Variable x;
  std::string labels;
};

bool has(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

[[noreturn]] void no_subscripts(std::string_view subscripts, const std::string& reason) {
  throw ValueError("einsum: \"" + std::string(subscripts) + "\": " + reason);
}

// "i...j" for an array of so many axes.
std::string labels_of(std::string_view subscripts, std::string_view term, std::size_t rank) {
  std::string before, after;
  bool ellipsis = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (term.substr(i, 3) == "..." && !ellipsis) ellipsis = true, i += 2;
    else if (std::isalpha(static_cast<unsigned char>(term[i]))) (ellipsis ? after : before) += term[i];
    else no_subscripts(subscripts, "'" + std::string(1, term[i]) + "' is neither a letter nor one \"...\"");
  }
  std::size_t named = before.size() + after.size();
  if (named > rank || (named < rank && !ellipsis) || rank - named >= 32)
    no_subscripts(subscripts, "\"" + std::string(term) + "\" names " + std::to_string(named) +
                              " axes, its operand has " + std::to_string(rank));
  for (std::size_t i = rank - named; i-- > 0;) before += static_cast<char>(i);
  return before + after;
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    std::size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// Takes the diagonal of axes of one label, and drops axes of extent 1 that others are longer on: these broadcast.
Labeled simplified(const Variable& x, const std::string& labels, const std::map<char, std::size_t>& extents) {
  kernels::Strides strides = kernels::dense_strides(x.shape());
  kernels::View view;
  Labeled result;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::size_t first = labels.find(labels[i]); x.shape()[first] != x.shape()[i])
      throw ShapeError("einsum: an operand of " + to_string(x.shape()) + " with axes of one label \"" + labels[i] +
                       "\" that differ");
    if (x.shape()[i] == 1 && extents.at(labels[i]) != 1) continue;
    if (std::size_t at = result.labels.find(labels[i]); at != std::string::npos) {
      view.strides[at] += strides[i];
      continue;
    }
    result.labels += labels[i];
    view.shape.push_back(x.shape()[i]);
    view.strides.push_back(strides[i]);
  }
  if (result.labels.size() == labels.size()) result.x = x;
  else if (element_count(view.shape) == x.size()) result.x = reshape(x, view.shape);
  else result.x = detail::read_part("einsum", x, view);
  return result;
}

Labeled summed(const Labeled& a, const std::string& wanted) {
  std::vector<std::ptrdiff_t> axes;
  Labeled result;
  for (std::size_t i = 0; i < a.labels.size(); ++i)
    if (has(wanted, a.labels[i])) result.labels += a.labels[i];
    else axes.push_back(static_cast<std::ptrdiff_t>(i));
  result.x = axes.empty() ? a.x : sum(a.x, axes);
  return result;
}

Variable ordered(const Labeled& a, const std::string& labels) {
  if (a.labels == labels) return a.x;
  std::vector<std::ptrdiff_t> order;
  for (char label : labels) order.push_back(static_cast<std::ptrdiff_t>(a.labels.find(label)));
  return transpose(a.x, order);
}

// The labels of a contraction: in both and kept, in both and summed over, in one alone.
struct Contraction {
  std::string batch, inner, free_a, free_b;

  Contraction(const std::string& a, const std::string& b, const std::string& kept) {
    for (char label : a) (!has(b, label) ? free_a : has(kept, label) ? batch : inner) += label;
    for (char label : b)
      if (!has(a, label)) free_b += label;
  }
  std::string result() const { return batch + free_a + free_b; }
};

Labeled contract(const Labeled& left, const Labeled& right, const std::string& kept) {
  Labeled a = summed(left, kept + right.labels), b = summed(right, kept + left.labels);
  Contraction c(a.labels, b.labels, kept);
  Variable x = ordered(a, c.batch + c.free_a + c.inner), y = ordered(b, c.batch + c.inner + c.free_b);
  auto extents = [](const Variable& v, std::size_t first, std::size_t count) {
    return Shape(v.shape().begin() + static_cast<std::ptrdiff_t>(first),
                 v.shape().begin() + static_cast<std::ptrdiff_t>(first + count));
  };
  Shape batch = extents(x, 0, c.batch.size()), free_a = extents(x, c.batch.size(), c.free_a.size());
  Shape free_b = extents(y, c.batch.size() + c.inner.size(), c.free_b.size());
  std::size_t inner = element_count(extents(y, c.batch.size(), c.inner.size()));
  std::size_t m = element_count(free_a), n = element_count(free_b), products = element_count(batch);
  Variable rows = reshape(x, {products, m, inner}), columns = reshape(y, {products, inner, n});
  // Where a product of matrices would be one of numbers or vectors, broadcasting is faster.
  Variable z = c.inner.empty()       ? rows * columns
               : m == 1 && n == 1    ? sum(reshape(rows, {products, inner}) * reshape(columns, {products, inner}), -1)
                                     : matmul(rows, columns);
  Shape shape = batch;
  for (std::size_t extent : free_a) shape.push_back(extent);
  for (std::size_t extent : free_b) shape.push_back(extent);
  return {reshape(z, shape), c.result()};
}

std::string labels_but(const std::vector<Labeled>& operands, std::size_t i, std::size_t j, std::string labels) {
  for (std::size_t k = 0; k < operands.size(); ++k)
    if (k != i && k != j) labels += operands[k].labels;
  return labels;
}

// The pair whose product has the fewest elements; of equal ones the first.
std::pair<std::size_t, std::size_t> cheapest_pair(const std::vector<Labeled>& operands, const std::string& output,
                                                  const std::map<char, std::size_t>& extents) {
  std::pair<std::size_t, std::size_t> best{0, 1};
  double least = INFINITY;
  for (std::size_t j = 1; j < operands.size(); ++j)
    for (std::size_t i = 0; i < j; ++i) {
      std::string kept = labels_but(operands, i, j, output);
      double size = 1;
      for (auto& [label, extent] : extents)
        if (has(kept, label) && (has(operands[i].labels, label) || has(operands[j].labels, label)))
          size *= static_cast<double>(extent);
      if (size < least) least = size, best = {i, j};
    }
  return best;
}

// Without "->": the ellipsis, and the letters that occur once, in alphabetical order.
std::string implicit_output(const std::map<char, std::size_t>& occurrences) {
  std::string ellipsis, letters;
  for (auto [label, count] : occurrences)
    if (label < 32) ellipsis.insert(0, 1, label);
    else if (count == 1) letters += label;
  return ellipsis + letters;
}

}  // namespace

Variable einsum(std::string_view subscripts, const std::vector<Variable>& xs) {
  detail::Calling calling("einsum");
  std::string text(subscripts);
  std::erase(text, ' ');
  std::size_t arrow = text.find("->");
  std::vector<std::string_view> terms = split_at_commas(std::string_view(text).substr(0, arrow));
  if (terms.size() != xs.size() || xs.empty())
    no_subscripts(subscripts, "has " + std::to_string(terms.size()) + " terms for " + std::to_string(xs.size()) +
                              " operands");

  std::vector<std::string> labels;
  std::map<char, std::size_t> extents, occurrences;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    require_numbers("einsum", xs[k]);
    labels.push_back(labels_of(subscripts, terms[k], xs[k].rank()));
    for (std::size_t i = 0; i < xs[k].rank(); ++i) {
      ++occurrences[labels[k][i]];
      std::size_t extent = xs[k].shape()[i], &known = extents.try_emplace(labels[k][i], extent).first->second;
      if (known == 1) known = extent;
      if (extent != known && extent != 1)
        throw ShapeError("einsum: \"" + std::string(subscripts) + "\": axis " + std::to_string(i) + " of operand " +
                         std::to_string(k) + ", of shape " + to_string(xs[k].shape()) + ", is " +
                         std::to_string(extent) + ", another of that name " + std::to_string(known));
    }
  }

  std::string output;
  if (arrow == std::string::npos) {
    output = implicit_output(occurrences);
  } else {
    std::size_t ellipsis_axes = 0;
    while (extents.contains(static_cast<char>(ellipsis_axes))) ++ellipsis_axes;
    std::string_view term = std::string_view(text).substr(arrow + 2);
    bool ellipsis = term.find("...") != std::string::npos;
    output = labels_of(subscripts, term, ellipsis ? term.size() - 3 + ellipsis_axes : term.size());
    for (char label : output)
      if (!extents.contains(label) || std::count(output.begin(), output.end(), label) > 1)
        no_subscripts(subscripts, std::string("the output's '") + label + "' is not named once, and by an operand");
  }

  std::vector<Labeled> operands;
  for (std::size_t k = 0; k < xs.size(); ++k) operands.push_back(simplified(xs[k], labels[k], extents));
  while (operands.size() > 1) {
    auto [i, j] = cheapest_pair(operands, output, extents);
    operands[i] = contract(operands[i], operands[j], labels_but(operands, i, j, output));
    operands.erase(operands.begin() + static_cast<std::ptrdiff_t>(j));
  }
  return ordered(summed(operands[0], output), output);
}

}  // namespace xtape
