// Tangents of every operation of the list, against the reverse mode and against differences.
#include <boost/test/data/test_case.hpp>

#include "forward_samples.hpp"

using namespace xtape;
using namespace forward_mode;

namespace {

// f with tangents for one of its inputs alone: the others are constants.
Variable tangent_of_one(const Sample& sample, const Variables& ts, std::size_t i) {
  auto f = [&](const Variable& x) {
    Variables xs = sample.inputs;
    xs[i] = x;
    return sample.f(xs);
  };
  return jvp(f, {sample.inputs[i]}, {ts[i]}).tangent;
}

void check_against_reverse(const Sample& sample, const Variables& ts, const ValueAndTangent& forward) {
  Variable u = weights(forward.value);
  auto [value, gradients] = vjp(sample.f, sample.inputs, u);
  close(forward.value, value, 0, "values");
  close(product({u}, {forward.tangent}), product(gradients, ts), 1e-11, "u (J t) and (u J) t");
}

void check_against_differences(const Sample& sample, const Variables& ts, const Variable& tangent) {
  constexpr double step = 1e-5;
  Variable after = sample.f(moved(sample.inputs, ts, step)), before = sample.f(moved(sample.inputs, ts, -step));
  close(tangent, (after - before) / (2 * step), 1e-6, "J t and differences");
}

// The inputs one by one, and as Variables that the result can be differentiated by.
void check_other_ways(const Sample& sample, const Variables& ts, const Variable& tangent) {
  Variable total = zeros_like(tangent);
  for (std::size_t i = 0; i < ts.size(); ++i) total = total + tangent_of_one(sample, ts, i);
  close(total, tangent, 1e-11, "inputs one by one");
  Variables recorded;
  for (const Variable& x : sample.inputs) recorded.push_back(parameter(x));
  close(jvp(sample.f, recorded, ts).tangent.detach(), tangent, 1e-11, "recorded");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_mode_samples)

BOOST_DATA_TEST_CASE(first_order, samples::operations(), operation) {
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      if (!operation.differentiable) continue;
      Variables ts = directions(sample.inputs, -1, 1.5);
      auto forward = jvp(sample.f, sample.inputs, ts);
      BOOST_TEST(!forward.tangent.requires_grad());
      check_against_reverse(sample, ts, forward);
      check_against_differences(sample, ts, forward.tangent);
      check_other_ways(sample, ts, forward.tangent);
    }
  }
}

BOOST_DATA_TEST_CASE(float32_agrees_with_float64, samples::operations(), operation) {
  auto narrow = [](const Variables& xs) {
    Variables result;
    for (const Variable& x : xs) result.push_back(x.to(float32));
    return result;
  };
  for (const auto& sample : operation.samples) {
    BOOST_TEST_CONTEXT(operation.name << ", " << sample.text) {
      if (!operation.differentiable) continue;
      Variables ts = directions(sample.inputs, -1, 1.5);
      Variable found = jvp(sample.f, narrow(sample.inputs), narrow(ts)).tangent;
      BOOST_TEST((found.dtype() == float32));
      close(found.to(float64), jvp(sample.f, sample.inputs, ts).tangent, 1e-4, "float32 and float64");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
