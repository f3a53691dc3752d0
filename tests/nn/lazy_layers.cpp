// Layers that find their input width at the first call.
#include <sstream>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::throws;

namespace {

std::string printed(const nn::Module& module) {
  std::ostringstream out;
  out << module;
  return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lazy_layers)

BOOST_AUTO_TEST_CASE(widths_are_found_at_the_first_call) {
  Generator generator(3), same(3);
  nn::Dense dense(4, {.generator = generator});
  BOOST_TEST(!dense.materialized());
  BOOST_TEST((dense.weight.shape() == Shape{4, 0}));
  BOOST_TEST((dense(randn({2, 5, 3})).shape() == Shape{2, 5, 4}));
  BOOST_TEST(dense.materialized());
  BOOST_TEST((dense.weight.shape() == Shape{4, 3}));
  BOOST_TEST(dense.description() == "3, 4");
  nn::Dense eager(3, 4, {.generator = same});
  close(dense.weight, eager.weight);  // drawn as that of a layer of this width
  throws<ShapeError>([&] { dense(zeros({2, 5})); }, {"Dense(3, 4)", "(2, 5)", "3 as the last extent"});

  nn::Conv2D conv(6, {3, 2}, {.groups = 2});
  BOOST_TEST((conv(randn({1, 4, 5, 5})).shape() == Shape{1, 6, 3, 4}));
  BOOST_TEST((conv.weight.shape() == Shape{6, 2, 3, 2}));
  nn::ConvTranspose2D transposed(6, 4, {.stride = 2, .padding = 1, .groups = 2});
  BOOST_TEST((transposed(randn({1, 4, 5, 5})).shape() == Shape{1, 6, 10, 10}));
  BOOST_TEST((transposed.weight.shape() == Shape{4, 3, 4, 4}));
}

// Braces with names are options, braces without are a window.
BOOST_AUTO_TEST_CASE(arguments_mean_what_they_say) {
  auto shows = [](const nn::Module& layer, const std::string& text) { BOOST_TEST(layer.description() == text); };
  shows(nn::Conv2D(32, 5), "?, 32, 5 x 5");
  shows(nn::Conv2D(32, {5, 3}), "?, 32, 5 x 3");
  shows(nn::Conv2D(32, 5, {.stride = 2}), "?, 32, 5 x 5, stride 2 x 2");
  shows(nn::Conv2D(32, 5, {.stride = {1, 2}}), "?, 32, 5 x 5, stride 1 x 2");
  shows(nn::Conv2D(32, 5, {.bias = false}), "?, 32, 5 x 5, no bias");
  shows(nn::Conv2D(32, {5, 3}, {.groups = 2}), "?, 32, 5 x 3, groups 2");
  shows(nn::Conv2D(3, 32, {5, 3}), "3, 32, 5 x 3");
  shows(nn::Conv2D(3, 32, 5, {.stride = 2}), "3, 32, 5 x 5, stride 2 x 2");
  shows(nn::Conv2D(3, 32, {5, 3}, {.bias = false}), "3, 32, 5 x 3, no bias");
  shows(nn::Conv3D(3, 32, {5, 3, 1}), "3, 32, 5 x 3 x 1");
  shows(nn::Conv1D(32, 5, {.dilation = 2}), "?, 32, 5, dilation 2");
  shows(nn::ConvTranspose2D(32, 5, {.stride = 2}), "?, 32, 5 x 5, stride 2 x 2");
  shows(nn::ConvTranspose2D(3, 32, {5, 4}), "3, 32, 5 x 4");
  shows(nn::ConvTranspose2D(3, 32, 4, 2, 1), "3, 32, 4 x 4, stride 2 x 2, padding 1 x 1");
  shows(nn::Dense(4, {.bias = false}), "?, 4, no bias");
  shows(nn::Dense(4, 3), "4, 3");
}

BOOST_AUTO_TEST_CASE(a_network_as_in_tinynn) {
  seed(1);
  nn::Sequential net{nn::Conv2D(4, 5, {.padding = "same"}), nn::ReLU(), nn::MaxPool2D(2), nn::Flatten(), nn::Dense(10)};
  BOOST_TEST((net(randn({3, 1, 8, 8})).shape() == Shape{3, 10}));
  BOOST_TEST(net.parameter_count() == 4 * 25 + 4 + 64 * 10 + 10);
}

BOOST_AUTO_TEST_CASE(an_optimizer_made_before_the_first_call_works) {
  seed(2);
  nn::Sequential net{nn::Dense(8), nn::Tanh(), nn::Dense(1)};
  optim::Adam adam(net.parameters(), {.lr = 1e-2});
  Variable x = randn({32, 3}), y = sum(square(x), 1, true);
  double first = 0, last = 0;
  for (int step = 0; step < 1000; ++step) {
    adam.zero_grad();
    Variable loss = mean(square(net(x) - y));
    loss.backward();
    adam.step();
    (step == 0 ? first : last) = loss.item();
  }
  BOOST_TEST(last < 0.2 * first);
  for (const Variable& p : net.parameters()) BOOST_TEST(p.grad().defined());
}

BOOST_AUTO_TEST_CASE(what_is_not_yet_materialized_says_so) {
  nn::Sequential net{nn::Dense(400), nn::Dense(400, 10), nn::Conv1D(2, 3)};
  BOOST_TEST(printed(net) ==
             "Sequential            not yet materialized\n"
             "  0: Dense(?, 400)    not yet materialized\n"
             "  1: Dense(400, 10)                  4,010\n"
             "  2: Conv1D(?, 2, 3)  not yet materialized\n"
             "total: not yet materialized\n");
  throws<Error>([&] { net.parameter_count(); }, {"Sequential", "parameter_count", "0.weight, 2.weight", "first call"});
  StateDict state = net.state_dict();
  BOOST_TEST(state.size() == 6);
  BOOST_TEST(!state.at("0.weight").defined());
  BOOST_TEST(state.at("0.bias").defined());
  xtape::testing::TemporaryDirectory directory;
  throws<Error>([&] { nn::save_safetensors(directory / "net", state); }, {"0.weight"});
}

BOOST_AUTO_TEST_CASE(states_bring_the_widths) {
  nn::Sequential source{nn::Dense(3, 4), nn::Conv2D(2, 6, 3, {.groups = 2})};
  nn::Sequential net{nn::Dense(4), nn::Conv2D(6, 3, {.groups = 2})};
  Variable handle = net.parameters()[0];
  StateDict state = source.state_dict();
  net.load_state_dict(state);
  BOOST_TEST(net.materialized());
  close(handle, source.parameters()[0]);
  state.at("0.weight").mutable_data<float>()[0] += 1;
  close(handle, source.parameters()[0]);  // elements of its own
  BOOST_TEST(net[1]->description() == source[1]->description());

  // What does not fit the extents that are known changes nothing.
  nn::Sequential other{nn::Dense(5), nn::Dense(2)};
  StateDict wrong{{"0.weight", zeros({4, 3})}, {"0.bias", zeros({5})}, {"1.weight", zeros({2, 0})},
                  {"1.bias", ones({2})}};
  throws<ValueError>([&] { other.load_state_dict(wrong); },
                     {"0.weight: got float32(4, 3), needs float32(5, 0), where 0 stands for what is not yet known",
                      "1.weight: got float32(2, 0)"});
  BOOST_TEST(!other.materialized());
  BOOST_TEST(max(other.parameters()[3]).item() == 0);
  wrong.at("0.weight") = zeros({5, 3}, float64);
  wrong.at("1.weight") = zeros({2, 5});
  throws<ValueError>([&] { other.load_state_dict(wrong); }, {"0.weight: got float64(5, 3)"});

  // A state from before the first call leaves it open, or opens it again; it fits nothing else.
  nn::Sequential open{nn::Dense(5), nn::Dense(2)};
  other.load_state_dict(open.state_dict());
  BOOST_TEST(!other.materialized());
  other(zeros({1, 3}));
  Variable weight = other.parameters()[0];
  other.load_state_dict(open.state_dict());
  BOOST_TEST(!other.materialized());
  BOOST_TEST((weight.shape() == Shape{5, 0}));
  BOOST_TEST((other(zeros({1, 4})).shape() == Shape{1, 2}));
  BOOST_TEST((weight.shape() == Shape{5, 4}));
  nn::Sequential eager{nn::Dense(3, 5), nn::Dense(5, 2)};
  throws<ValueError>([&] { eager.load_state_dict(open.state_dict()); },
                     {"0.weight: got an undefined Variable, needs float32(5, 3)"});
}

BOOST_AUTO_TEST_CASE(conversion_comes_before_the_first_call) {
  nn::Dense dense(4);
  dense.to(float64);
  BOOST_TEST((dense.weight.dtype() == float64));
  throws<DTypeError>([&] { dense(zeros({1, 3})); }, {"Dense(?, 4)", "float32(1, 3)", "needs float64"});
  BOOST_TEST(!dense.materialized());
  BOOST_TEST((dense(zeros({1, 3}, float64)).dtype() == float64));
  BOOST_TEST(dense.weight.requires_grad());
}

BOOST_AUTO_TEST_CASE(clones_find_widths_of_their_own) {
  nn::Dense dense(4);
  nn::Dense copy = nn::clone(dense);
  dense(zeros({1, 3}));
  BOOST_TEST(!copy.materialized());
  copy(zeros({1, 5}));
  BOOST_TEST((copy.weight.shape() == Shape{4, 5}));
  BOOST_TEST((dense.weight.shape() == Shape{4, 3}));
  nn::Dense later = nn::clone(dense);
  close(later.weight, dense.weight);
  BOOST_TEST(later.materialized());
}

BOOST_AUTO_TEST_CASE(handles_share_what_is_found) {
  nn::Dense dense(4), same = dense;
  nn::Sequential net{dense};
  net(zeros({1, 3}));
  BOOST_TEST((same.weight.shape() == Shape{4, 3}));
  BOOST_TEST(same.materialized());
  BOOST_TEST((same(zeros({2, 3})).shape() == Shape{2, 4}));
}

BOOST_AUTO_TEST_CASE(failed_first_calls_change_nothing) {
  Generator generator(3);
  std::string state = generator.state();
  nn::Dense dense(4, {.bias = false, .generator = generator});
  throws<ShapeError>([&] { dense(zeros({2, 0})); }, {"Dense(?, 4, no bias)", "(2, 0)", "1 or more"});
  throws<ShapeError>([&] { dense(Variable(1.0)); }, {"Dense(?, 4, no bias)", "()"});
  nn::Conv2D conv(4, 3, {.groups = 2, .bias = false, .generator = generator});
  throws<ShapeError>([&] { conv(zeros({1, 3, 5, 5})); },
                     {"Conv2D(?, 4, 3 x 3, groups 2, no bias)", "(1, 3, 5, 5)", "2 groups"});
  throws<ShapeError>([&] { conv(zeros({1, 2, 5, 2})); }, {"extents of 3 x 3 or more"});
  throws<ShapeError>([&] { conv(zeros({2, 5, 5})); }, {"(batch, channels, height, width)"});
  nn::ConvTranspose1D transposed(2, 2, {.padding = 2, .bias = false, .generator = generator});
  throws<ShapeError>([&] { transposed(zeros({1, 2, 3})); }, {"extents of 4 or more"});
  BOOST_TEST((transposed(zeros({1, 2, 4})).shape() == Shape{1, 2, 1}));
  BOOST_TEST(!dense.materialized());
  BOOST_TEST(!conv.materialized());
  generator.set_state(state);
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_when_made) {
  throws<ValueError>([] { nn::Dense(0); }, {"Dense(0)", "1 or more"});
  throws<ValueError>([] { nn::Dense(2, {.weight_init = nullptr}); }, {"Dense(2)", "weight", "empty"});
  throws<ValueError>([] { nn::Conv2D(0, 3); }, {"Conv2D(?, 0, 3 x 3)", "1 or more"});
  throws<ValueError>([] { nn::Conv2D(3, 2, {.groups = 2}); }, {"Conv2D(?, 3, 2 x 2)", "2 groups"});
}

BOOST_AUTO_TEST_CASE(your_own_layers_can_be_lazy) {
  struct Scale : nn::Module {
    nn::Parameter factor = add_lazy("factor", {0});
    Variable forward(const Variable& x) override {
      if (factor.size() == 0) materialize(factor, Array::full({x.shape(-1)}, 2, factor.dtype()));
      return x * factor;
    }
  };
  Scale scale;
  close(scale(Variable{1, 2}), Variable{2, 4});
  throws<ShapeError>([&] { scale.materialize(scale.factor, Array::full({2}, 1, float32)); }, {"Scale", "not yet"});
  throws<ValueError>([&] { scale.add_lazy("known", {3}); }, {"Scale", "(3,)", "use add"});
  Scale fresh;
  throws<ShapeError>([&] { fresh.materialize(fresh.factor, Array::full({2, 2}, 1, float32)); }, {"(2, 2)", "(0,)"});
  throws<DTypeError>([&] { fresh.materialize(fresh.factor, Array::full({2}, 1, float64)); },
                     {"float64(2,)", "float32(0,)"});
  throws<ShapeError>([&] { fresh.materialize(Variable(), Array::full({2}, 1, float32)); }, {"undefined"});
}

// A layer that is made of a lazy one, and has a lazy parameter of its own.
BOOST_AUTO_TEST_CASE(lazy_layers_are_bases) {
  struct Gated : nn::Dense {
    nn::Parameter gate = add_lazy("gate", {0});
    Gated() : nn::Dense(2) {}
    Variable forward(const Variable& x) override {
      Variable first = nn::Dense::forward(x), second = nn::Dense::forward(x);
      complete(gate, [&] { materialize(gate, Array::full({2}, 3, gate.dtype())); });
      return (first + second) * gate;
    }
  };
  Gated gated;
  const Variable x = randn({4, 3});
  for (int times = 0; times < 2; ++times) {
    const Variable y = gated(x);
    close(y, 6 * linear(x, gated.weight, gated.bias), 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(gradcheck_materializes) {
  nn::Sequential net{nn::Dense(3), nn::Tanh(), nn::Dense(2)};
  net.to(float64);
  auto result = nn::gradcheck_module(net, randn({2, 4}, float64));
  BOOST_TEST(result.ok, result.message);
  BOOST_TEST(net.materialized());
}

// Weights are drawn once, the numbers of a dropout in both runs of a checkpoint: the second run gets the same of these.
BOOST_AUTO_TEST_CASE(materialized_in_a_checkpoint) {
  seed(2);
  nn::Sequential net{nn::Dense(50, {.dtype = float64}), nn::Dropout(0.5)};
  nn::Sequential convolutions{nn::Conv1D(50, 1, {.dtype = float64}), nn::Dropout(0.5)};
  auto check = [](const nn::Sequential& net, const Variable& x, const Axes& others) {
    Variable y = checkpoint([&](const Variable& x) { return net(x); }, x);
    // y = mask * (x W): the bias is 0, and its gradient is the mask.
    sum(y).backward();
    close(net.parameters()[1].grad(), sum((y.detach() != 0).to(float64), others) * 2);
  };
  check(net, randn({4, 3}, float64), {0});
  check(convolutions, randn({2, 3, 4}, float64), {0, 2});
}

BOOST_AUTO_TEST_SUITE_END()
