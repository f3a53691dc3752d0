// Every operation of the list, differentiated.
#include <set>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "declarations.hpp"
#include "samples.hpp"

using namespace xtape;
using samples::Variables;

namespace {

Variables leaves(const Variables& xs, DType dtype = float64) {
  Variables result;
  for (const Variable& x : xs) result.push_back(x.to(dtype).copy().requires_grad_());
  return result;
}

double greatest_difference(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return a.size() == 0 ? 0 : max(abs(a.to(float64) - b.to(float64))).item();
}

Variables gradients(const samples::Sample& sample, const Variables& xs, bool create_graph) {
  Variable y = sample.f(xs);
  Variable weights = samples::numbers(y.shape()).to(y.dtype());
  return grad({y}, xs, {.create_graph = create_graph, .allow_unused = true, .grad_outputs = {weights}});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(derivatives)

BOOST_DATA_TEST_CASE(first_and_second_order, samples::operations(), operation) {
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      if (!operation.differentiable) {
        BOOST_TEST(!sample.f(leaves(sample.inputs)).requires_grad());
        continue;
      }
      auto result = gradcheck(sample.f, sample.inputs, {.order = 2});
      BOOST_TEST(result.ok, result.message);
    }
  }
}

// The kernels of the first order, and the differentiable operations of which the higher orders are made.
BOOST_DATA_TEST_CASE(fused_equals_composed, samples::operations(), operation) {
  if (!operation.differentiable) return;
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      Variables xs = leaves(sample.inputs);
      Variables fused = gradients(sample, xs, false), composed = gradients(sample, xs, true);
      for (std::size_t i = 0; i < xs.size(); ++i) {
        BOOST_TEST(fused[i].defined() == composed[i].defined());
        if (fused[i].defined()) BOOST_TEST(greatest_difference(fused[i], composed[i]) <= 1e-14 * 64);
      }
    }
  }
}

BOOST_DATA_TEST_CASE(float32_agrees_with_float64, samples::operations(), operation) {
  if (!operation.differentiable) return;
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      Variables narrow = leaves(sample.inputs, float32), wide = leaves(sample.inputs, float64);
      Variable y = sample.f(narrow), exact = sample.f(wide);
      BOOST_TEST((y.dtype() == float32));
      double scale = exact.size() ? std::max(1.0, max(abs(exact)).item()) : 1;
      BOOST_TEST(greatest_difference(y, exact) <= 1e-5 * scale);
      Variables g = gradients(sample, narrow, false), h = gradients(sample, wide, false);
      for (std::size_t i = 0; i < g.size(); ++i) {
        if (!g[i].defined()) continue;
        double scale = h[i].size() ? std::max(1.0, max(abs(h[i])).item()) : 1;
        BOOST_TEST(greatest_difference(g[i], h[i]) <= 1e-4 * scale);
      }
    }
  }
}

// The list of operations is what the public headers declare: none may be left out of it.
BOOST_AUTO_TEST_CASE(the_list_is_complete) {
  std::set<std::string> listed;
  for (const auto& operation : samples::operations()) BOOST_TEST(listed.insert(operation.name).second);
  std::set<std::string> declared = declared_operations();
  std::erase_if(declared, [](const std::string& name) { return name.starts_with("operator"); });
  declared.erase("from_blob");  // takes no Variable
  BOOST_TEST(declared.size() > 50);
  for (const auto& operation : samples::operations())
    BOOST_TEST(operation.samples.size() >= (operation.name == "exp" || operation.name == "add" ? 8u : 1u), operation.name);
  BOOST_TEST(listed == declared, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
