// Modules: what a handle shares, registration, the tree, conversion, state, cloning, printing.
#include <sstream>

#include <nn/nn.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

struct Highway : nn::Module {
  nn::Dense transform, gate;
  explicit Highway(std::size_t width) : transform(width, width), gate(width, width) {
    add("transform", transform);
    add("gate", gate);
  }
  Variable forward(const Variable& x) override {
    Variable t = sigmoid(gate(x));
    return t * relu(transform(x)) + (1 - t) * x;
  }
};

// A layer with parameters, buffers and plain data.
struct Scale : nn::Module {
  nn::Parameter factor = add("factor", parameter(Variable{1.0, 2.0}));
  nn::Parameter mean = add("mean", Variable{0.5, 0.25});
  nn::Parameter calls = add("calls", Variable({0}, int64));
  double gain;
  explicit Scale(double gain) : gain(gain) {}
  Variable forward(const Variable& x) override {
    calls += 1;
    return gain * factor * (x - mean);
  }
};

std::vector<std::string> names(const std::vector<std::pair<std::string, Variable>>& named) {
  std::vector<std::string> result;
  for (const auto& [name, x] : named) result.push_back(name);
  return result;
}

std::string printed(const nn::Module& module) {
  std::ostringstream out;
  out << module;
  return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(module_)

BOOST_AUTO_TEST_CASE(names_are_dotted_and_in_order) {
  nn::Sequential net{nn::Dense(3, 2), Highway(2), Scale(2)};
  std::vector<std::string> expected{"0.weight", "0.bias", "1.transform.weight", "1.transform.bias", "1.gate.weight",
                                    "1.gate.bias", "2.factor"};
  BOOST_TEST(names(net.named_parameters()) == expected, boost::test_tools::per_element());
  BOOST_TEST(names(net.named_buffers()) == (std::vector<std::string>{"2.mean", "2.calls"}),
             boost::test_tools::per_element());
  BOOST_TEST(net.parameters().size() == 7);
  BOOST_TEST(net.parameter_count() == 3 * 2 + 2 + 2 * (2 * 2 + 2) + 2);
  BOOST_TEST(net.children().size() == 3);
}

BOOST_AUTO_TEST_CASE(copies_and_moves_stay_one_module) {
  Highway original(2);
  Highway copy = original;
  nn::Sequential net{original, nn::ReLU()};
  Highway moved = std::move(original);
  {
    NoGrad guard;
    moved.transform.weight.assign(Variable{{1, 2}, {3, 4}});
  }
  close(copy.transform.weight, Variable{{1, 2}, {3, 4}});
  close(net.parameters()[0], Variable{{1, 2}, {3, 4}});
  copy.eval();
  BOOST_TEST(!moved.training());
  BOOST_TEST(!moved.gate.training());
  moved.add("late", parameter(Variable{1.0}));
  BOOST_TEST(copy.parameters().size() == 5);
  Variable x = rand({3, 2});
  auto captured = [copy](const Variable& x) { return copy(x); };
  close(captured(x), relu(moved(x)), 10);
  close(captured(x), moved(x));
}

BOOST_AUTO_TEST_CASE(gradients_arrive_in_every_handle) {
  Highway layer(2);
  nn::Sequential net{layer};
  sum(net(rand({3, 2}))).backward();
  for (const Variable& x : layer.parameters()) BOOST_TEST(x.grad().defined());
  BOOST_TEST(layer.gate.weight.grad().defined());
  net.zero_grad();
  BOOST_TEST(!layer.gate.weight.grad().defined());
}

BOOST_AUTO_TEST_CASE(shared_parameters_count_once) {
  nn::Dense dense(2, 2);
  nn::Sequential net{dense, nn::ReLU(), dense};
  BOOST_TEST(net.parameters().size() == 2);
  BOOST_TEST(net.parameter_count() == 6);
  nn::Module tied;
  tied.add("a", dense.weight);
  tied.add("b", dense.weight);
  BOOST_TEST(names(tied.named_parameters()) == std::vector<std::string>{"a"}, boost::test_tools::per_element());
  BOOST_TEST(tied.state_dict().size() == 1);
}

BOOST_AUTO_TEST_CASE(refuses_bad_registrations) {
  Scale scale(1);
  throws<ValueError>([&] { scale.add("", Variable{1}); }, {"Scale", "empty"});
  throws<ValueError>([&] { scale.add("a.b", nn::ReLU()); }, {"Scale", "a.b", "'.'"});
  for (const char* taken : {"factor", "mean"})
    throws<ValueError>([&] { scale.add(taken, Variable{1}); }, {"Scale", taken, "taken"});
  throws<ValueError>([&] { scale.add("x", Variable()); }, {"x", "undefined"});
  throws<GraphError>([&] { scale.add("x", scale.factor * 2); }, {"x", "recorded", "parameter"});
  throws<ValueError>([&] { scale.add("x", std::shared_ptr<nn::Module>()); }, {"x", "null"});
  throws<ValueError>([&] { scale.add("x", scale); }, {"x", "contains"});
  nn::Sequential around{scale};
  throws<ValueError>([&] { scale.add("x", around); }, {"x", "contains"});
  BOOST_TEST(scale.children().empty());
  BOOST_TEST(scale.parameters().size() == 1);
}

BOOST_AUTO_TEST_CASE(forward_is_to_be_overridden) {
  struct Nothing : nn::Module {};
  throws<Error>([] { Nothing()(Variable{1}); }, {"Nothing", "forward"});
}

BOOST_AUTO_TEST_CASE(mode_reaches_everything_below) {
  Highway layer(2);
  nn::Sequential net{nn::Sequential{layer}};
  BOOST_TEST(layer.gate.training());
  net.eval();
  BOOST_TEST(!layer.gate.training());
  net.train();
  BOOST_TEST(layer.gate.training());
}

BOOST_AUTO_TEST_CASE(apply_visits_each_module_once_children_first) {
  nn::Dense dense(2, 2);
  nn::Sequential net{dense, Highway(2), dense};
  std::vector<std::string> visited;
  net.apply([&](nn::Module& module) { visited.push_back(module.name()); });
  std::vector<std::string> expected{"Dense", "Dense", "Dense", "Highway", "Sequential"};
  BOOST_TEST(visited == expected, boost::test_tools::per_element());
  net.apply([](nn::Module& module) {
    if (auto* layer = dynamic_cast<nn::Dense*>(&module)) layer->bias.mutable_data<float>()[0] = 7;
  });
  BOOST_TEST(dense.bias.value().at(0) == 7);
}

BOOST_AUTO_TEST_CASE(conversion_is_seen_by_every_handle) {
  Scale scale(3);
  nn::Sequential net{scale, nn::Dense(2, 2)};
  sum(net(Variable{{1, 2}})).backward();
  net.to(float64);
  BOOST_TEST((scale.factor.dtype() == float64));
  BOOST_TEST((scale.mean.dtype() == float64));
  BOOST_TEST((scale.calls.dtype() == int64));
  BOOST_TEST(!scale.factor.grad().defined());
  BOOST_TEST(scale.factor.requires_grad());
  BOOST_TEST(scale.factor.is_leaf());
  Variable x({{1.0, 2.0}}, float64);
  close(scale(x), Variable({{3 * 1 * 0.5, 3 * 2 * 1.75}}, float64));
  sum(net(x)).backward();
  BOOST_TEST((scale.factor.grad().dtype() == float64));
  net.to(float32);
  close(scale.factor, Variable{1, 2});
  throws<DTypeError>([&] { net.to(int64); }, {"Sequential", "int64", "float32 or float64"});
}

BOOST_AUTO_TEST_CASE(conversion_between_forward_and_backward_is_noticed) {
  nn::Dense dense(2, 2);
  Variable loss = sum(dense(Variable{{1, 2}}.requires_grad_()));
  dense.to(float64);
  BOOST_CHECK_THROW(loss.backward(), GraphError);
}

BOOST_AUTO_TEST_CASE(state_is_a_copy_and_comes_back) {
  nn::Sequential net{nn::Dense(2, 2), Scale(1)};
  Variable x = rand({3, 2});
  Variable before = net(x).detach();
  StateDict state = net.state_dict();
  BOOST_TEST(state.size() == 5);
  for (Variable p : net.parameters()) NoGrad(), p.mutable_data<float>()[0] += 1;
  net.load_state_dict(state);
  close(net(x), before);
  state.at("0.weight").mutable_data<float>()[0] += 1;
  close(net(x), before);
}

BOOST_AUTO_TEST_CASE(state_that_does_not_fit_is_listed_and_changes_nothing) {
  nn::Sequential net{nn::Dense(2, 3), nn::Dense(3, 4)};
  StateDict before = net.state_dict(), state = before;
  state.at("0.weight") = ones({3, 2});
  state.erase("0.bias");
  state.at("1.weight") = zeros({3, 4});
  state.at("1.bias") = zeros({4}, float64);
  state.emplace("other", zeros({5}));
  throws<ValueError>([&] { net.load_state_dict(state); },
                     {"Sequential", "load_state_dict", "missing: 0.bias, float32(3,)",
                      "1.weight: got float32(3, 4), needs float32(4, 3)",
                      "1.bias: got float64(4,), needs float32(4,)", "unexpected: other, float32(5,)"});
  same(net.state_dict(), before);
  throws<ValueError>([&] { net.load_state_dict(state, false); }, {"1.weight", "1.bias"});
  same(net.state_dict(), before);
  state.erase("1.weight");
  state.erase("1.bias");
  net.load_state_dict(state, false);
  close(net.named_parameters()[0].second, ones({3, 2}).requires_grad_());
  close(net.state_dict().at("0.bias"), before.at("0.bias"));
}

BOOST_AUTO_TEST_CASE(a_clone_is_independent) {
  nn::Sequential net{nn::Dense(2, 2), Highway(2), Scale(3)};
  net.eval();
  sum(net(rand({3, 2}))).backward();
  nn::Sequential copy = nn::clone(net);
  Variable x = rand({3, 2});
  StateDict before = net.state_dict();
  close(copy(x), net(x));
  BOOST_TEST(!copy.training());
  auto originals = net.parameters(), copies = copy.parameters();
  BOOST_REQUIRE(copies.size() == originals.size());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    BOOST_TEST(copies[i].impl() != originals[i].impl());
    BOOST_TEST(copies[i].requires_grad());
    BOOST_TEST(!copies[i].grad().defined());
    copies[i].mutable_data<float>()[0] += 1;
  }
  before.at("2.calls") = net.state_dict().at("2.calls");
  same(net.state_dict(), before);
  copy.train();
  BOOST_TEST(!net.training());
}

BOOST_AUTO_TEST_CASE(a_clones_members_are_its_own) {
  Highway layer(2);
  Highway copy = nn::clone(layer);
  BOOST_TEST(copy.gate.weight.impl() == copy.named_parameters()[2].second.impl());
  BOOST_TEST(copy.gate.weight.impl() != layer.gate.weight.impl());
  BOOST_TEST(copy.gate.parameters()[0].impl() == copy.gate.weight.impl());
  sum(copy(rand({3, 2}))).backward();
  for (const Variable& x : copy.parameters()) BOOST_TEST(x.grad().defined());
  for (const Variable& x : layer.parameters()) BOOST_TEST(!x.grad().defined());
  copy.gate.eval();
  BOOST_TEST(layer.gate.training());
  BOOST_TEST(!copy.children()[1].second->training());
}

BOOST_AUTO_TEST_CASE(a_clone_keeps_what_is_shared_within) {
  nn::Dense dense(2, 2);
  // The lambda stands before what it holds.
  nn::Sequential net{[w = dense.weight](const Variable& x) { return matmul(x, w); }, dense, dense};
  nn::Sequential copy = nn::clone(net);
  BOOST_TEST(copy.parameters().size() == 2);
  BOOST_TEST(copy[1]->parameters()[0].impl() == copy[2]->parameters()[0].impl());
  sum((*copy[0])(ones({1, 2}))).backward();
  BOOST_TEST(copy.parameters()[0].grad().defined());
  BOOST_TEST(!dense.weight.grad().defined());
}

BOOST_AUTO_TEST_CASE(modules_that_are_not_registered_are_cloned_as_well) {
  nn::Dense inner(2, 2);
  nn::Lambda outer([inner](const Variable& x) { return inner(x); });
  nn::Lambda copy = nn::clone(outer);
  sum(copy(ones({1, 2}))).backward();
  BOOST_TEST(!inner.weight.grad().defined());
  sum(outer(ones({1, 2}))).backward();
  BOOST_TEST(inner.weight.grad().defined());
}

BOOST_AUTO_TEST_CASE(pointers_to_the_base_class_are_cloned_as_what_they_are) {
  std::shared_ptr<nn::Module> layer = nn::Sequential{Highway(2)}[0];
  nn::Sequential net{layer, *layer};
  BOOST_TEST(net.parameters().size() == 4);
  std::shared_ptr<nn::Module> copy = nn::clone(net[1]);
  BOOST_TEST(dynamic_cast<Highway*>(copy.get()) != nullptr);
  BOOST_TEST(copy->parameters()[0].impl() != layer->parameters()[0].impl());
  std::shared_ptr<nn::Module> unknown = std::make_shared<Highway>(2);
  throws<Error>([&] { nn::clone(unknown); }, {"Highway", "not known"});
  throws<Error>([&] { nn::clone(*layer); }, {"Highway", "derived"});
  throws<Error>([&] { net.append(*unknown); }, {"Highway", "not known"});
  BOOST_TEST(net.size() == 2);
}

BOOST_AUTO_TEST_CASE(the_printed_tree_counts_parameters) {
  nn::Sequential net{nn::Dense(784, 400), nn::ReLU(), Highway(400), nn::Dense(400, 10, {.bias = false})};
  BOOST_TEST(printed(net) ==
             "Sequential                      638,800\n"
             "  0: Dense(784, 400)            314,000\n"
             "  1: ReLU\n"
             "  2: Highway                    320,800\n"
             "    transform: Dense(400, 400)  160,400\n"
             "    gate: Dense(400, 400)       160,400\n"
             "  3: Dense(400, 10, no bias)      4,000\n"
             "total: 638,800 parameters\n");
}

template <class T>
struct Templated : nn::Module {};

BOOST_AUTO_TEST_CASE(names_are_those_of_classes) {
  struct Local : nn::Module {};
  BOOST_TEST(nn::Dense(1, 1).name() == "Dense");
  BOOST_TEST(Local().name() == "Local");
  BOOST_TEST((Templated<std::vector<std::pair<int, int>>>().name()) == "Templated");
}

BOOST_AUTO_TEST_SUITE_END()
