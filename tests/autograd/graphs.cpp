// Random graphs, against numerical derivatives. XTAPE_GRAPH_SEED=n runs graph n alone.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "random_graphs.hpp"
#include "samples.hpp"

namespace xtape {
static Variable row_sums(const Variable& x) { return sum(x, 1, true); }
static Variable column_means(const Variable& x) { return mean(x, 0, true); }
static Variable turned(const Variable& x) { return transpose(x); }
static Variable scaled_sum(const Variable& x) { return sum(x) * 0.1; }
}  // namespace xtape

using namespace xtape;

BOOST_AUTO_TEST_SUITE(graphs)

BOOST_DATA_TEST_CASE(agree_with_numerical_derivatives, random_graphs::seeds(120), seed) {
  random_graphs::Program program(seed);
  auto f = [&](const std::vector<Variable>& xs) { return random_graphs::run(program, xs); };
  std::vector<Variable> xs;
  for (std::size_t i = 0; i < random_graphs::inputs; ++i)
    xs.push_back(samples::numbers({random_graphs::extent, random_graphs::extent}, -1.5 + 0.1 * double(i), 1.5));
  auto result = gradcheck(f, xs, {.order = 2});
  BOOST_TEST(result.ok, "XTAPE_GRAPH_SEED=" << seed << " replays: " << result.message);
}

// The same gradients whether the graph is walked with or without being recorded, twice, or through a checkpoint.
BOOST_DATA_TEST_CASE(walks_agree, random_graphs::seeds(40), seed) {
  random_graphs::Program program(seed);
  std::vector<Variable> xs;
  for (std::size_t i = 0; i < random_graphs::inputs; ++i)
    xs.push_back(samples::numbers({random_graphs::extent, random_graphs::extent}).copy().requires_grad_());
  Variable y = sum(random_graphs::run(program, xs));
  auto first = grad({y}, xs, {.retain_graph = true}), recorded = grad({y}, xs, {.create_graph = true});
  auto again = checkpoint([&](const std::vector<Variable>& v) { return sum(random_graphs::run(program, v)); }, xs);
  auto recomputed = grad({again}, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    BOOST_TEST(max(abs(first[i] - recorded[i])).item() <= 1e-13, "XTAPE_GRAPH_SEED=" << seed << " replays");
    BOOST_TEST(max(abs(first[i] - recomputed[i])).item() <= 1e-13, "XTAPE_GRAPH_SEED=" << seed << " replays");
  }
}

BOOST_AUTO_TEST_SUITE_END()
