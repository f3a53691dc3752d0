// What every layer does: right derivatives, conversion, modes, state, independent clones, printing, clean failure.
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <boost/test/data/test_case.hpp>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

#include "layer_samples.hpp"

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;

namespace {

using Pointer = std::shared_ptr<nn::Module>;

// A layer of a sample in float64, materialized.
Pointer made(const layer_samples::Sample& sample) {
  seed(5);
  Pointer layer = sample.make();
  layer->to(float64);
  if (!layer->materialized()) NoGrad(), (*layer)(sample.input);
  return layer;
}

Variable in_evaluation(const Pointer& layer, const Variable& x) {
  bool before = layer->training();
  layer->eval();
  Variable y = (*layer)(x);
  layer->train(before);
  return y;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(all_layers)

BOOST_DATA_TEST_CASE(derivatives, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  for (bool training : {true, false}) {
    if (training && !sample.same_in_training) continue;
    layer->train(training);
    auto result = nn::gradcheck_module(*layer, sample.input, {.order = 2});
    BOOST_TEST(result.ok, result.message << (training ? ", in training" : ", in evaluation"));
  }
}

BOOST_DATA_TEST_CASE(conversion, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  Variable exact = in_evaluation(layer, sample.input);
  BOOST_TEST((exact.dtype() == float64));
  layer->to(float32);
  for (const Variable& x : layer->parameters()) BOOST_TEST((x.dtype() == float32 && x.requires_grad() && x.is_leaf()));
  Variable y = in_evaluation(layer, is_floating(sample.input.dtype()) ? sample.input.to(float32) : sample.input);
  BOOST_TEST((y.dtype() == float32));
  close(y.to(float64), exact, 1e-5 * std::max(1.0, max(abs(exact)).item()));
}

BOOST_DATA_TEST_CASE(modes, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  for (bool training : {false, true}) {
    layer->train(training);
    layer->apply([&](nn::Module& module) { BOOST_TEST(module.training() == training); });
  }
  if (sample.same_in_training) close((*layer)(sample.input), (*layer)(sample.input));
  layer->eval();
  StateDict before = layer->state_dict();
  close((*layer)(sample.input), (*layer)(sample.input));
  same(layer->state_dict(), before);
}

BOOST_DATA_TEST_CASE(state, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  (*layer)(sample.input);  // so that running statistics are those of no new layer
  StateDict state = layer->state_dict();
  BOOST_TEST(state.size() == layer->named_parameters().size() + layer->named_buffers().size());
  seed(6);
  Pointer other = sample.make();  // where a width is left out, it comes from the state
  other->to(float64);
  other->load_state_dict(state);
  BOOST_TEST(other->materialized());
  same(other->state_dict(), state);
  close(in_evaluation(other, sample.input), in_evaluation(layer, sample.input));
}

BOOST_DATA_TEST_CASE(clones, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  layer->eval();
  Pointer copy = nn::clone(layer);
  BOOST_TEST(!copy->training());
  same(copy->state_dict(), layer->state_dict());
  close((*copy)(sample.input), (*layer)(sample.input));
  StateDict before = layer->state_dict();
  auto originals = layer->parameters(), copies = copy->parameters();
  BOOST_REQUIRE(originals.size() == copies.size());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    BOOST_TEST(copies[i].impl() != originals[i].impl());
    for (std::size_t k = 0; k < copies[i].size(); ++k) copies[i].mutable_data<double>()[k] += 0.5;
  }
  copy->train();
  Variable y = (*copy)(sample.input);
  BOOST_TEST(!layer->training());
  same(layer->state_dict(), before);
  if (copies.empty()) return;
  // The clone computes with its own parameters, and only those get gradients.
  sum(square(y)).backward();
  bool any = false;
  for (const Variable& x : copies) any = any || x.grad().defined();
  BOOST_TEST(any);
  for (const Variable& x : originals) BOOST_TEST(!x.grad().defined());
}

// A layer that is computed again on the way back gives what it gave, and changes its buffers once.
BOOST_DATA_TEST_CASE(checkpoints, layer_samples::all(), sample) {
  auto step = [&](auto&& call) {
    Pointer layer = made(sample);
    Variable x = is_floating(sample.input.dtype()) ? parameter(sample.input) : sample.input;
    auto f = [&](const Variable& x) { return (*layer)(x); };
    seed(6);
    for (int i = 0; i < 2; ++i) sum(square(call(f, x))).backward();
    std::vector<Variable> results{x.grad()};
    for (const Variable& p : layer->parameters()) results.push_back(p.grad());
    for (const auto& [name, buffer] : layer->named_buffers()) results.push_back(buffer.copy());
    return results;
  };
  auto once = [](auto& f, auto& x) {
    xtape::detail::RandomFork numbers;  // those of a checkpoint
    return f(x);
  };
  auto nested_once = [&](auto& f, auto& x) {
    xtape::detail::RandomFork numbers;
    return once(f, x);
  };
  auto again = [](auto& f, auto& x) { return checkpoint(f, x); };
  auto nested_again = [](auto& f, auto& x) {
    return checkpoint([&](const Variable& x) { return checkpoint(f, x); }, x);
  };
  auto compare = [](const std::vector<Variable>& found, const std::vector<Variable>& expected) {
    BOOST_REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_REQUIRE(found[i].defined() == expected[i].defined());
      if (found[i].defined()) close(found[i], expected[i], 1e-12);
    }
  };
  compare(step(again), step(once));
  compare(step(nested_again), step(nested_once));
}

BOOST_DATA_TEST_CASE(printing, layer_samples::all(), sample) {
  Pointer layer = made(sample);
  std::ostringstream out;
  out << *layer;
  BOOST_TEST((out.str().find(sample.name) != std::string::npos), out.str());
  BOOST_TEST((out.str().find("parameters\n") != std::string::npos), out.str());
  BOOST_TEST((out.str().find('?') == std::string::npos), out.str());
}

BOOST_DATA_TEST_CASE(failed_calls_change_nothing, layer_samples::all(), sample) {
  seed(5);
  Pointer layer = sample.make();
  layer->to(float64);
  bool materialized = layer->materialized();
  StateDict before = layer->state_dict();
  BOOST_CHECK_THROW((*layer)(Variable()), Error);
  same(layer->state_dict(), before);
  if (layer->parameters().empty() || !is_floating(sample.input.dtype())) return;
  BOOST_CHECK_THROW((*layer)(sample.input.to(float32)), DTypeError);
  BOOST_TEST(layer->materialized() == materialized);
  same(layer->state_dict(), before);
}

// The list of layers is what the headers declare: none may be left out of it.
BOOST_AUTO_TEST_CASE(the_list_is_complete) {
  std::set<std::string> listed, declared;
  for (const auto& sample : layer_samples::all()) listed.insert(sample.name);
  const std::regex declaration(R"(^(?:class|struct) (\w+)(?: final)? : public)");
  for (const auto& file : std::filesystem::directory_iterator(testing::source_folder() + "/nn")) {
    if (file.path().extension() != ".hpp") continue;
    std::ifstream header(file.path());
    bool detail = false;
    for (std::string line; std::getline(header, line);) {
      if (line == "namespace detail {") detail = true;
      if (line == "}  // namespace detail") detail = false;
      if (std::smatch name; !detail && std::regex_search(line, name, declaration)) declared.insert(name[1]);
    }
  }
  declared.erase("Recurrent");  // the base of RNN, LSTM and GRU
  declared.erase("Parameter");  // a member of layers
  BOOST_TEST(declared.size() > 40);
  BOOST_TEST(listed == declared, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
