// Misuse of every operation in the list of samples: what is thrown is an Error, and names the operation that was called.
#include <map>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>

#include "samples.hpp"

using namespace xtape;

namespace {

// Operands that hardly any operation takes in the place of another.
std::map<std::string, Variable> misfits(const Variable& x) {
  Shape longer = x.shape();
  for (std::size_t& extent : longer) extent += 3;
  return {{"an undefined Variable", {}},
          {"int64", ones(x.shape(), int64)},
          {"bool", ones(x.shape(), boolean)},
          {"float32", ones(x.shape(), float32)},
          {"another shape", ones(longer, float64)},
          {"more axes", ones({2, 3, 2, 3, 2, 3}, float64)},
          {"no axes", ones({}, float64)},
          {"no elements", ones({0}, float64)}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(errors_by_name)

BOOST_DATA_TEST_CASE(messages_name_the_operation, samples::operations(), operation) {
  if (operation.name == "cholesky") return;  // its samples make definite matrices first
  const samples::Sample& sample = operation.samples.front();
  for (std::size_t i = 0; i < sample.inputs.size(); ++i)
    for (auto& [what, misfit] : misfits(sample.inputs[i])) {
      samples::Variables inputs = sample.inputs;
      inputs[i] = misfit;
      try {
        sample.f(inputs);
      } catch (const Error& error) {
        std::string message = error.what();  // many samples square what the operation gave
        BOOST_TEST((message.starts_with(operation.name + ":") || message.starts_with("square:")),
                   what << " as operand " << i << " of " << operation.name << ": " << error.what());
      } catch (const samples::NoSuchPart&) {
      } catch (const std::exception& error) {
        BOOST_ERROR(what << " as operand " << i << " of " << operation.name << " throws no Error: " << error.what());
      }
    }
}

BOOST_AUTO_TEST_SUITE_END()
