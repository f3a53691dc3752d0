// Every operation of the list over a batch, against the loop: values, derivatives of the batch, and derivatives in each
// sample.
#include <set>

#include <boost/test/data/test_case.hpp>

#include "forward_samples.hpp"

using namespace xtape;
using namespace forward_mode;

namespace {

constexpr std::size_t batch = 3;

using Function = std::function<Variable(const Variables&)>;

// Samples that differ a little, where the function behaves alike.
Variable several(const Variable& x) {
  Variables rows;
  for (std::size_t i = 0; i < batch; ++i) rows.push_back(x * (1 - 0.03 * static_cast<double>(i)));
  return stack(rows);
}

using MappedAxes = std::vector<std::optional<std::ptrdiff_t>>;

Variable mapped(const Function& f, const Variables& xs, const MappedAxes& axes) {
  return vmap([&](const Variables& in) { return f(in); }, xs, {.in_axes = axes});
}

Variable looped(const Function& f, const Variables& xs, const MappedAxes& axes) {
  Variables results;
  for (std::size_t i = 0; i < batch; ++i) {
    Variables in;
    for (std::size_t k = 0; k < xs.size(); ++k)
      in.push_back(axes[k] ? take(xs[k], Variable(static_cast<std::int64_t>(i)), *axes[k]) : xs[k]);
    results.push_back(f(in));
  }
  return stack(results);
}

Variables parameters(const Variables& xs) {
  Variables result;
  for (const Variable& x : xs) result.push_back(parameter(x));
  return result;
}

// The gradients by all inputs, weighted; second ones too where asked.
Variables gradients_of(const Variable& y, const Variables& xs, bool twice) {
  if (!y.requires_grad()) return Variables(xs.size());
  Variables first = xtape::grad({y}, xs, {.create_graph = twice, .allow_unused = true, .grad_outputs = {weights(y)}});
  if (!twice) return first;
  Variable total = zeros({}, float64);
  for (const Variable& g : first)
    if (g.defined() && g.requires_grad()) total = total + sum(sin(g));
  if (!total.requires_grad()) return Variables(xs.size());
  return xtape::grad({total}, xs, {.allow_unused = true});
}

void all_close(const Variables& found, const Variables& expected, double tolerance, const char* what) {
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const Variable& x = found[k].defined() ? found[k] : expected[k];
    auto or_zeros = [&](const Variable& g) { return g.defined() ? g.detach() : zeros_like(x); };
    if (x.defined()) close(or_zeros(found[k]), or_zeros(expected[k]), tolerance, what);
  }
}

// All inputs with samples, then each of them alone.
std::vector<MappedAxes> ways_to_map(std::size_t inputs) {
  std::vector<MappedAxes> ways{MappedAxes(inputs, 0)};
  for (std::size_t k = 0; inputs > 1 && k < inputs; ++k) {
    ways.emplace_back(inputs, none);
    ways.back()[k] = 0;
  }
  return ways;
}

Variables inputs_for(const Sample& sample, const MappedAxes& axes) {
  Variables xs;
  for (std::size_t k = 0; k < axes.size(); ++k)
    xs.push_back(axes[k] ? several(sample.inputs[k]) : sample.inputs[k]);
  return xs;
}

// The gradient of each sample, by the inputs in turn, one behind the other.
Function gradient_in_each(const Function& f, bool twice) {
  return [&f, twice](const Variables& xs) {
    auto of_total = [&](const Variables& in) { return sum(sin(f(in))); };
    Variables found = twice ? hvp(of_total, xs, xs).grads : xtape::grad(of_total, xs);
    Variables flat;
    for (const Variable& g : found) flat.push_back(reshape(g, {-1}));
    return concatenate(flat);
  };
}

template <class Check>
void for_samples(const samples::Operation& operation, Check check) {
  for (const auto& sample : operation.samples) {
    if (sample.inputs.empty()) continue;
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) { check(sample); }
  }
}

// Those that are computed once for each sample: they draw random numbers, have results whose shapes depend on elements,
// or have no rule.
const std::set<std::string> looped_operations = {
    "all_reduce", "allclose", "argwhere", "batch_norm_with_statistics", "bernoulli", "bucketize", "categorical_sample",
    "gradient", "histogram", "interp", "multinomial", "nonzero", "rand_like", "randn_like", "scatter_reduce",
    "searchsorted", "unique"};

}  // namespace

BOOST_AUTO_TEST_SUITE(vmap_samples)

BOOST_DATA_TEST_CASE(values, samples::operations(), operation) {
  bool once = true;
  for_samples(operation, [&](const Sample& sample) {
    for (const MappedAxes& axes : ways_to_map(sample.inputs.size())) {
      int calls = 0;
      Function counted = [&](const Variables& xs) {
        ++calls;
        return sample.f(xs);
      };
      const Variables xs = inputs_for(sample, axes);
      seed(5);
      const Variable found = mapped(counted, xs, axes);
      seed(5);
      const Variable expected = looped(sample.f, xs, axes);
      BOOST_TEST((found.dtype() == expected.dtype()));
      if (operation.name != "empty_like") close(found.to(float64), expected.to(float64), 1e-12, "values");
      once = once && calls == 1;
    }
  });
  BOOST_TEST(once != looped_operations.contains(operation.name), operation.name << (once ? " is not" : " is") << " looped");
}

BOOST_DATA_TEST_CASE(gradients_of_the_batch, samples::operations(), operation) {
  if (!operation.differentiable) return;
  for_samples(operation, [&](const Sample& sample) {
    for (const MappedAxes& axes : ways_to_map(sample.inputs.size())) {
      const Variables xs = inputs_for(sample, axes), ps = parameters(xs), qs = parameters(xs);
      for (bool twice : {false, true}) {
        const Variable y = mapped(sample.f, ps, axes), z = looped(sample.f, qs, axes);
        BOOST_TEST(y.requires_grad() == z.requires_grad());
        all_close(gradients_of(y, ps, twice), gradients_of(z, qs, twice), 1e-9, twice ? "second" : "first");
      }
    }
  });
}

BOOST_DATA_TEST_CASE(gradients_in_each_sample, samples::operations(), operation) {
  if (!operation.differentiable) return;
  for_samples(operation, [&](const Sample& sample) {
    const MappedAxes axes(sample.inputs.size(), 0);
    const Variables xs = inputs_for(sample, axes);
    for (bool twice : {false, true}) {
      const Function f = gradient_in_each(sample.f, twice);
      close(mapped(f, xs, axes), looped(f, xs, axes), 1e-9, twice ? "Hessian by vector" : "gradient");
    }
  });
}

BOOST_DATA_TEST_CASE(tangents, samples::operations(), operation) {
  if (!operation.differentiable) return;
  for_samples(operation, [&](const Sample& sample) {
    const MappedAxes axes(sample.inputs.size(), 0);
    const Variables xs = inputs_for(sample, axes), ts = directions(xs, -1, 1.5);
    auto all = [&](const Variables& in) { return mapped(sample.f, in, axes); };
    auto one = [&](const Variables& in) { return looped(sample.f, in, axes); };
    const Variable expected = jvp(one, xs, ts).tangent;
    close(jvp(all, xs, ts).tangent, expected, 1e-9, "tangents of the batch");
    Variables both = xs;
    both.insert(both.end(), ts.begin(), ts.end());
    auto in_each = [&](const Variables& in) {
      const auto middle = in.begin() + static_cast<std::ptrdiff_t>(xs.size());
      return jvp(sample.f, Variables(in.begin(), middle), Variables(middle, in.end())).tangent;
    };
    close(mapped(in_each, both, MappedAxes(both.size(), 0)), expected, 1e-9, "tangents in each sample");
  });
}

BOOST_DATA_TEST_CASE(nested, samples::operations(), operation) {
  for_samples(operation, [&](const Sample& sample) {
    const MappedAxes axes(sample.inputs.size(), 0);
    const Variables xs = inputs_for(sample, axes);
    Variables pairs;
    for (const Variable& x : xs) pairs.push_back(stack({x, x * 0.96}, 1));  // (samples, 2, ...)
    auto inner = [&](const Variables& in) { return mapped(sample.f, in, axes); };
    auto inner_loop = [&](const Variables& in) { return looped(sample.f, in, axes); };
    Variables expected;
    seed(5);
    for (std::int64_t i : {0, 1}) {
      Variables in;
      for (const Variable& x : pairs) in.push_back(take(x, Variable(i), 1));
      expected.push_back(inner_loop(in));
    }
    seed(5);
    const Variable found = vmap(inner, pairs, {.in_axes = MappedAxes(pairs.size(), 1)});
    if (operation.name != "empty_like") close(found.to(float64), stack(expected).to(float64), 1e-12, "nested");
  });
}

BOOST_AUTO_TEST_SUITE_END()
