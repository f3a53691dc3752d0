#include <nn/embedding.hpp>

#include <algorithm>
#include <limits>

#include <autograd/autograd.hpp>
#include <nn/checks.hpp>

namespace xtape::nn {
namespace {

// Scales the rows that the indices name, where they are longer, in place (embedding_renorm_ of PyTorch).
void limit_norms(const Variable& table, const Variable& indices, double max_norm, double p) {
  constexpr double epsilon = 1e-7;
  NoGrad guard;
  Variable used = index_fill(zeros({table.shape(0)}, table.dtype()), 0, reshape(indices, {-1}), 1);
  Variable lengths = norm(table, p, 1, true);
  Variable longer = logical_and(expand_dims(used != 0, 1), lengths > max_norm);
  if (any(longer).item() != 0) table.assign(where(longer, table * (max_norm / (lengths + epsilon)), table));
}

}  // namespace

detail::Table::Table(const std::string& name, std::size_t rows, std::size_t width, const EmbeddingOptions& options)
    : options_(options) {
  std::string whole = name + "(" + text(rows) + ", " + text(width) + ")";
  require_widths(whole, {rows, width});
  require_floating(whole, options.dtype);
  if (options.max_norm) require_positive(whole, "max_norm", *options.max_norm);
  require_positive(whole, "norm_type", options.norm_type);
  std::optional<std::size_t> padding = options.padding_idx;
  if (padding && *padding >= rows)
    throw ValueError(whole + ": padding_idx is " + text(*padding) + ", needs 0 to " + text(rows - 1));
  weight = initialized(whole + ": weight", options.weight_init, {rows, width}, options.dtype, options.generator);
  if (padding)
    visit_floating("Embedding", options.dtype, [&]<class T>(T) {
      std::fill_n(weight.mutable_data<T>() + *padding * width, width, T(0));
    });
  add("weight", weight);
}

std::string detail::Table::description() const {
  return std::to_string(weight.shape(0)) + ", " + std::to_string(weight.shape(1)) +
         (options_.padding_idx ? ", padding " + std::to_string(*options_.padding_idx) : "") +
         (options_.max_norm ? ", max_norm " + text(*options_.max_norm) : "");
}

Variable detail::Table::rows_of(const Variable& indices) const {
  if (options_.max_norm && indices.defined() && indices.dtype() == int64)
    limit_norms(weight, indices, *options_.max_norm, options_.norm_type);
  return embedding(weight, indices, options_.padding_idx, options_.scale_grad_by_freq);
}

// Bags

namespace {

// For each row its bag, where bag k ends with row ends[k] - 1.
Variable bags_of_rows(const std::vector<std::size_t>& ends, std::size_t rows) {
  Array bags({rows}, int64);
  std::int64_t* bag = bags.mutable_data<std::int64_t>();
  for (std::size_t k = 0, row = 0; k < ends.size(); ++k)
    for (; row < ends[k]; ++row) bag[row] = static_cast<std::int64_t>(k);
  return Variable(std::move(bags));
}

Variable sums_of_bags(const Variable& rows, const std::vector<std::size_t>& ends) {
  return segment_sum(rows, bags_of_rows(ends, rows.shape(0)), ends.size());
}

// The bags as rows of equal length: which row of all stands there, and whether one does.
struct Padded {
  Variable rows, valid;
};
Padded padded(const std::vector<std::size_t>& ends, const Variable& counts) {
  std::vector<std::vector<std::int64_t>> bags(ends.size());
  std::size_t longest = 1;
  for (std::size_t k = 0, row = 0; k < ends.size(); ++k) {
    for (; row < ends[k]; ++row)
      if (counts.data<bool>()[row]) bags[k].push_back(static_cast<std::int64_t>(row));
    longest = std::max(longest, bags[k].size());
  }
  Array rows = Array::full({ends.size(), longest}, 0, int64), valid = Array::full({ends.size(), longest}, 0, boolean);
  for (std::size_t k = 0; k < ends.size(); ++k) {
    std::copy(bags[k].begin(), bags[k].end(), rows.mutable_data<std::int64_t>() + k * longest);
    std::fill_n(valid.mutable_data<bool>() + k * longest, bags[k].size(), true);
  }
  return {Variable(std::move(rows)), Variable(std::move(valid))};
}

// The first of equal elements takes the gradient, as in PyTorch.
Variable greatest_of_bags(const Variable& rows, const std::vector<std::size_t>& ends, const Variable& counts) {
  if (rows.shape(0) == 0) return sums_of_bags(rows, ends);
  Padded places = padded(ends, counts);
  Variable candidates = where(expand_dims(places.valid, 2), take(rows, places.rows, 0),
                              -std::numeric_limits<double>::infinity());
  Variable greatest = take_along_axis(candidates, argmax(candidates, 1, true), 1);
  return where(any(places.valid, 1, true), squeeze(greatest, 1), 0);
}

}  // namespace

EmbeddingBag::EmbeddingBag(std::size_t rows, std::size_t width, const EmbeddingBagOptions& options)
    : Table("EmbeddingBag", rows, width,
            {.padding_idx = options.padding_idx, .max_norm = options.max_norm, .norm_type = options.norm_type,
             .scale_grad_by_freq = options.scale_grad_by_freq, .weight_init = options.weight_init,
             .dtype = options.dtype, .generator = options.generator}),
      mode_(options.mode), include_last_offset_(options.include_last_offset) {
  if (mode_ == BagMode::max && options.scale_grad_by_freq)
    throw ValueError("EmbeddingBag(" + description() + "): scale_grad_by_freq, needs sum or mean");
}

std::string EmbeddingBag::description() const {
  return Table::description() +
         (mode_ == BagMode::sum ? ", sum" : mode_ == BagMode::mean ? ", mean" : ", max");
}

std::vector<std::size_t> EmbeddingBag::ends_of_bags(const Variable& indices, const Variable& offsets) const {
  std::string name = "EmbeddingBag(" + description() + ")";
  if (!indices.defined() || indices.rank() != (offsets.defined() ? 1u : 2u))
    detail::refuse_input(name, indices, "indices (bags, indices in each), or (n,) with offsets");
  detail::require_dtype(name, indices, int64);
  std::vector<std::size_t> ends;
  if (!offsets.defined()) {
    for (std::size_t k = 0; k < indices.shape(0); ++k) ends.push_back((k + 1) * indices.shape(1));
    return ends;
  }
  if (offsets.dtype() != int64 || offsets.rank() != 1)
    throw DTypeError(name + ": offsets " + describe(offsets) + ", needs int64(bags,)");
  auto count = static_cast<std::int64_t>(indices.size());
  std::vector<std::int64_t> begins(offsets.data<std::int64_t>(), offsets.data<std::int64_t>() + offsets.size());
  if (!include_last_offset_) begins.push_back(count);
  if (begins.empty() || begins.front() != 0 || begins.back() != count || !std::is_sorted(begins.begin(), begins.end())) {
    std::string list;
    for (std::size_t k = 0; k < offsets.size(); ++k) list += (k ? ", " : "") + std::to_string(begins[k]);
    throw ValueError(name + ": offsets {" + list + "} of " + std::to_string(count) +
                     " indices, needs some that begin with 0 and do not fall" +
                     (include_last_offset_ ? ", to the number of indices" : ", nor go beyond them"));
  }
  for (std::size_t k = 1; k < begins.size(); ++k) ends.push_back(static_cast<std::size_t>(begins[k]));
  return ends;
}

void EmbeddingBag::check_weights(const Variable& indices, const Variable& per_sample_weights) const {
  if (!per_sample_weights.defined()) return;
  std::string what = "EmbeddingBag(" + description() + "): per_sample_weights " + describe(per_sample_weights);
  if (mode_ != BagMode::sum) throw ValueError(what + ", which only sums have");
  if (per_sample_weights.shape() != indices.shape())
    throw ShapeError(what + " of indices " + describe(indices) + ", needs their shape");
  if (per_sample_weights.dtype() != weight.dtype())
    throw DTypeError(what + ", needs " + std::string(to_string(weight.dtype())));
}

Variable EmbeddingBag::forward(const Variable& indices, const Variable& offsets, const Variable& per_sample_weights) {
  std::vector<std::size_t> ends = ends_of_bags(indices, offsets);
  check_weights(indices, per_sample_weights);
  Variable flat = reshape(indices, {-1}), rows = rows_of(flat);
  if (per_sample_weights.defined()) rows = rows * reshape(per_sample_weights, {-1, 1});
  Variable counts = Variable(Array::full({flat.size()}, 1, boolean));
  if (options_.padding_idx) {
    auto padding = static_cast<std::ptrdiff_t>(*options_.padding_idx);
    counts = logical_and(flat != padding, flat != padding - static_cast<std::ptrdiff_t>(weight.shape(0)));
    rows = where(expand_dims(counts, 1), rows, 0);
  }
  if (mode_ == BagMode::max) return greatest_of_bags(rows, ends, counts);
  Variable sums = sums_of_bags(rows, ends);
  if (mode_ == BagMode::sum) return sums;
  Variable divisors = maximum(sums_of_bags(expand_dims(counts, 1).to(weight.dtype()), ends), 1);
  return sums / divisors;
}

}  // namespace xtape::nn
