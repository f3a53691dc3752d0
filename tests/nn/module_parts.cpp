// Modules whose parts are replaced, by assigning to members and by name; parts that were not registered; modules that
// were moved from.
#include <sstream>

#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::close;
using xtape::testing::same;
using xtape::testing::throws;

namespace {

struct Net : nn::Module {
  nn::Dense body, fc;
  Net() : body(4, 8), fc(8, 3) {
    add("body", body);
    add("fc", fc);
  }
  Variable forward(const Variable& x) override { return fc(relu(body(x))); }
};

// The same with initializers of members.
struct Terse : nn::Module {
  nn::Dense body = add("body", nn::Dense(4, 8)), fc = add("fc", nn::Dense(8, 3));
  Variable forward(const Variable& x) override { return fc(relu(body(x))); }
};

struct Scale : nn::Module {
  nn::Parameter factor = add("factor", parameter(Variable{1.0, 2.0}));
  nn::Parameter mean = add("mean", Variable{0.5, 0.25});
  Variable forward(const Variable& x) override { return factor * (x - mean); }
};

// A member that is a plain Variable.
struct Plain : nn::Module {
  Variable factor = add("factor", parameter(Variable{1.0, 2.0}));
  Variable forward(const Variable& x) override { return factor * x; }
};

std::string printed(const nn::Module& module) {
  std::ostringstream out;
  out << module;
  return out.str();
}

bool has(const nn::Module& module, const Variable& x) {
  for (const Variable& own : module.parameters())
    if (own.impl() == x.impl()) return true;
  return false;
}

// The new part is what is computed with, trained, saved, printed and cloned.
template <class N>
void check_new_head(N& net, std::size_t outputs) {
  Variable x = randn({5, 4});
  BOOST_TEST((net(x).shape() == Shape{5, outputs}));
  BOOST_TEST(has(net, net.fc.weight));
  BOOST_TEST(has(net, net.fc.bias));
  BOOST_TEST(net.parameters().size() == 4);
  same(net.state_dict().at("fc.weight"), net.fc.weight.detach());
  BOOST_TEST(printed(net).find("fc: " + net.fc.name() + "(8, " + std::to_string(outputs) + ")") != std::string::npos);
  Variable before = net.fc.weight.copy().detach();
  optim::SGD sgd(net.parameters(), {.lr = 0.1});
  sum(square(net(x))).backward();
  sgd.step();
  BOOST_TEST(max(abs(net.fc.weight - before)).item() > 0);
  N copy = nn::clone(net);
  close(copy(x), net(x));
  BOOST_TEST(has(copy, copy.fc.weight));
  BOOST_TEST(!has(net, copy.fc.weight));
  net.eval();
  BOOST_TEST(!net.fc.training());
  net.train();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(module_parts)

BOOST_AUTO_TEST_CASE(a_member_that_is_assigned_is_registered_in_the_old_ones_place) {
  Net net;
  net.fc = nn::Dense(8, 2);
  check_new_head(net, 2);
  nn::Dense next(8, 5);
  net.fc = next;  // and again, from a handle that goes on to be one
  check_new_head(net, 5);
  BOOST_TEST(next.weight.impl() == net.fc.weight.impl());
  Terse terse;
  terse.fc = nn::Dense(8, 2);
  check_new_head(terse, 2);
  net.fc = terse.fc;
  check_new_head(net, 2);
  BOOST_TEST(has(terse, net.fc.weight));
}

BOOST_AUTO_TEST_CASE(every_handle_sees_the_new_part) {
  Net net;
  Net copy = net;
  nn::Sequential around{net, nn::ReLU()};
  copy.fc = nn::Dense(8, 2);
  Variable x = randn({5, 4});
  close(net(x), copy(x));
  close(around(x), relu(copy(x)));
  BOOST_TEST(has(around, copy.fc.weight));
  BOOST_TEST(around.parameters().size() == 4);
  check_new_head(net, 2);
  auto inner = std::dynamic_pointer_cast<Net>(around[0]);
  inner->fc = nn::Dense(8, 7);
  check_new_head(copy, 7);
}

BOOST_AUTO_TEST_CASE(other_handles_just_go_elsewhere) {
  Net net;
  Variable weight = net.fc.weight;
  nn::Dense handle = net.fc;
  handle = nn::Dense(8, 2);
  nn::Parameter p = net.fc.weight;
  p = parameter(zeros({2, 8}));
  auto q = net.fc.weight;
  q = net.body.weight;
  BOOST_TEST(net.fc.weight.impl() == weight.impl());
  BOOST_TEST(has(net, weight));
  Net other = net;
  other = Net();
  BOOST_TEST(net.fc.weight.impl() == weight.impl());
  BOOST_TEST(has(net, weight));
  check_new_head(net, 3);
  check_new_head(other, 3);
  nn::Dense layer(8, 3);
  nn::Sequential list;
  list.append(layer);
  layer = nn::Dense(3, 3);
  list.append(layer);
  BOOST_TEST((list(zeros({1, 8})).shape() == Shape{1, 3}));
  nn::Dense wrapped(4, 2);
  nn::WeightNorm norm(wrapped);
  wrapped = nn::Dense(4, 3);
  BOOST_TEST((norm(zeros({1, 4})).shape() == Shape{1, 2}));
  // Added from outside: the local handle is no member.
  Net late;
  nn::Dense more(2, 2);
  late.add("more", more);
  more = nn::Dense(3, 3);
  BOOST_TEST((late.named_parameters()[4].second.shape() == Shape{2, 2}));
}

BOOST_AUTO_TEST_CASE(a_whole_module_is_assigned_with_its_members) {
  Net a, b;
  Net handle = a;
  a = b;
  BOOST_TEST(a.fc.weight.impl() == b.fc.weight.impl());
  BOOST_TEST(a.fc.weight.impl() != handle.fc.weight.impl());
  BOOST_TEST(has(handle, handle.fc.weight));
  BOOST_TEST(!has(handle, b.fc.weight));
  a.fc = nn::Dense(8, 2);
  check_new_head(b, 2);
  check_new_head(handle, 3);
  Scale s, t;
  Scale kept = s;
  s = t;
  s.factor = parameter(Variable{3.0, 4.0});
  close(t.factor, s.factor);
  close(kept.factor, parameter(Variable{1.0, 2.0}));
  nn::LSTM lstm(2, 3);
  nn::Sequential around{lstm};
  Variable first = lstm.parameters()[0];
  lstm = nn::LSTM(2, 3);
  BOOST_TEST(has(around, first));
  BOOST_TEST(!has(lstm, first));
}

BOOST_AUTO_TEST_CASE(weights_are_tied_by_assigning) {
  nn::Dense encoder(4, 3), decoder(4, 3);
  nn::Sequential net{encoder, nn::Dense(3, 4), decoder};
  decoder.weight = encoder.weight;
  BOOST_TEST(net.parameters().size() == 5);
  BOOST_TEST(net.parameter_count() == 12 + 3 + 12 + 4 + 3);
  Variable x = randn({2, 4});
  NoGrad(), encoder.weight.assign(ones({3, 4}));
  close(decoder(x) - decoder.bias, encoder(x) - encoder.bias);
  close((*net[2])(x), decoder(x));
  sum(decoder(x)).backward();
  BOOST_TEST(encoder.weight.grad().defined());
  // In the registered modules, too, and in a clone.
  nn::Sequential copy = nn::clone(net);
  BOOST_TEST(copy.parameters().size() == 5);
  BOOST_TEST(copy[0]->parameters()[0].impl() == copy[2]->parameters()[0].impl());
}

BOOST_AUTO_TEST_CASE(parameters_and_buffers_are_assigned) {
  nn::LearnedEncoding encoding(10, 4);
  nn::Sequential net{encoding};
  Variable first = encoding.weight[range(0, 6)].detach();
  encoding.weight = parameter(encoding.weight[range(0, 6)]);
  BOOST_TEST((net.parameters()[0].shape() == Shape{6, 4}));
  close(net(zeros({6, 1, 4})), first.reshape({6, 1, 4}));
  throws<ShapeError>([&] { net(zeros({7, 1, 4})); }, {"7 steps", "6"});
  BOOST_TEST((net.state_dict().at("0.weight").shape() == Shape{6, 4}));
  Scale scale;
  Scale copy = scale;
  scale.mean = Variable{0.0, 0.0};
  close(copy(Variable{1.0, 1.0}), Variable{1.0, 2.0});
  BOOST_TEST(scale.named_buffers()[0].second.impl() == copy.mean.impl());
  Variable old = scale.factor;
  throws<ValueError>([&] { scale.factor = Variable{1.0, 1.0}; }, {"Scale", "factor", "parameter(x)", "float32(2,)"});
  throws<GraphError>([&] { scale.factor = scale.factor * 2; }, {"Scale", "factor", "parameter(x)"});
  throws<ValueError>([&] { scale.factor = Variable(); }, {"Scale", "factor", "undefined"});
  throws<ValueError>([&] { scale.mean = parameter(Variable{1.0, 1.0}); }, {"Scale", "mean", "detach()"});
  BOOST_TEST(scale.factor.impl() == old.impl());
  BOOST_TEST(scale.parameters()[0].impl() == old.impl());
}

BOOST_AUTO_TEST_CASE(parts_are_replaced_by_name) {
  Net net;
  Net copy = net;
  net.replace("fc", nn::Dense(8, 2));
  check_new_head(net, 2);
  check_new_head(copy, 2);
  net.replace("fc", std::make_shared<nn::Dense>(8, 6));
  check_new_head(copy, 6);
  net.replace("fc.weight", parameter(ones({6, 8})));
  close(net.fc.weight, parameter(ones({6, 8})));
  close(copy.fc.weight, net.fc.weight);
  nn::Sequential around{nn::Dense(3, 4), net, nn::BatchNorm1D(6)};
  around.replace("1.fc", nn::Dense(8, 2));
  check_new_head(copy, 2);
  around.replace("2", nn::LayerNorm(2));
  around.replace("0", [](const Variable& x) { return 2 * x; });
  Variable x = randn({5, 4});
  close(around(x), layer_norm(net(2 * x), 1, ones({2}), zeros({2}), 1e-5), 100);
  nn::BatchNorm1D norm(3);
  norm.replace("running_mean", ones({3}));
  norm.eval();
  close(norm(ones({2, 3})), zeros({2, 3}));
}

BOOST_AUTO_TEST_CASE(replacements_that_do_not_fit_change_nothing) {
  Net net;
  Variable weight = net.fc.weight;
  throws<ValueError>([&] { net.replace("fc", nn::LayerNorm(3)); }, {"Net", "fc", "LayerNorm", "Dense"});
  throws<ValueError>([&] { net.replace("cf", nn::Dense(8, 2)); }, {"Net", "cf", "body, fc"});
  throws<ValueError>([&] { net.replace("x.fc", nn::Dense(8, 2)); }, {"Net", "x"});
  throws<ValueError>([&] { net.replace("fc.weights", ones({3, 8})); }, {"fc.weights", "weight, bias"});
  throws<ValueError>([&] { net.replace("fc.weight", ones({3, 8})); }, {"fc.weight", "parameter(x)"});
  throws<ValueError>([&] { net.replace("fc", std::shared_ptr<nn::Dense>()); }, {"fc", "null"});
  nn::Sequential around{net};
  throws<ValueError>([&] { around.replace("0.fc", around); }, {"0.fc"});
  nn::Sequential other{nn::ReLU()};
  throws<ValueError>([&] { other.replace("0", nn::Sequential{other}); }, {"0", "contains"});
  BOOST_TEST(net.fc.weight.impl() == weight.impl());
  check_new_head(net, 3);
  nn::WeightNorm norm(nn::Dense(3, 2));
  throws<ValueError>([&] { norm.replace("module.weight", parameter(ones({3, 2}))); }, {"computed"});
}

// Moving is copying: what was moved from computes as before, even where its members are plain Variables.
BOOST_AUTO_TEST_CASE(a_module_that_was_moved_from_stays_a_handle) {
  Variable x = randn({2, 4});
  auto moved = [&](auto& module, const Variable& x) {
    Variable before = module(x);
    auto taken = std::move(module);
    close(module(x), before);
    close(taken(x), before);
    auto other = taken;
    other = std::move(taken);
    close(taken(x), before);
  };
  nn::Dense dense(4, 4);
  nn::LayerNorm layer_norm(4);
  nn::MultiHeadAttention attention(4, 2);
  nn::LSTM lstm(4, 3);
  nn::Conv1D conv(4, 3, 1);
  nn::Sequential sequential{dense, layer_norm};
  nn::WeightNorm weight_norm(nn::Dense(4, 3));
  Net net;
  Plain plain;
  moved(dense, x);
  moved(layer_norm, x);
  moved(attention, x.reshape({2, 1, 4}));
  moved(lstm, x.reshape({2, 1, 4}));
  moved(conv, x.reshape({2, 4, 1}));
  nn::ConvTranspose1D transposed(4, 3, 1);
  nn::MaxPool1D pool(1);
  nn::SpectralNorm spectral(nn::Dense(4, 3));
  nn::BatchNorm1D batch_norm(4);
  nn::Embedding embedding(5, 3);
  nn::TransformerEncoderLayer encoder(4, 2, {.dim_feedforward = 5, .dropout = 0});
  nn::Residual residual{dense};
  nn::Lambda lambda([](const Variable& x) { return 2 * x; });
  spectral.eval();
  batch_norm.eval();
  moved(transposed, x.reshape({2, 4, 1}));
  moved(pool, x.reshape({2, 4, 1}));
  moved(spectral, x);
  moved(batch_norm, x);
  moved(embedding, Variable({1, 4}, int64));
  moved(encoder, x.reshape({2, 1, 4}));
  moved(residual, x);
  moved(lambda, x);
  moved(sequential, x);
  moved(weight_norm, x);
  moved(net, x);
  moved(plain, ones({2}));
}

// The members of a clone are the clone's, or it is refused.
BOOST_AUTO_TEST_CASE(a_plain_variable_as_a_member_cannot_be_cloned) {
  Plain plain;
  throws<Error>([&] { nn::clone(plain); }, {"clone", "Plain", "factor", "nn::Parameter factor = add(\"factor\", ...)"});
  nn::Sequential net{plain};
  throws<Error>([&] { nn::clone(net); }, {"clone", "Plain", "factor"});
  Scale scale;
  Scale copy = nn::clone(scale);
  NoGrad(), copy.factor.assign(zeros({2}));
  close(scale.factor, parameter(Variable{1.0, 2.0}));
  close(copy(ones({2})).detach(), zeros({2}));
  copy.factor = parameter(ones({2}));
  BOOST_TEST(has(copy, copy.factor));
  close(scale.factor, parameter(Variable{1.0, 2.0}));
}

struct Forgetful : nn::Module {
  nn::Dense first = nn::Dense(4, 4), second = nn::Dense(4, 2);
  Forgetful() { add("first", first); }
  Variable forward(const Variable& x) override { return second(first(x)); }
};

// Its layers are in a list, and one is changed there.
struct Listed : nn::Module {
  std::vector<nn::Dense> layers{nn::Dense(4, 4), nn::Dense(4, 4)};
  Listed() {
    for (std::size_t i = 0; i < layers.size(); ++i) add(std::to_string(i), layers[i]);
  }
  Variable forward(const Variable& x) override { return layers[1](layers[0](x)); }
};

struct Teacher : nn::Module {
  nn::Dense frozen = nn::Dense(4, 2), student = nn::Dense(4, 2);
  Teacher() {
    for (Variable x : frozen.parameters()) x.requires_grad_(false);
    add("student", student);
  }
  Variable forward(const Variable& x) override { return student(x) - frozen(x); }
};

BOOST_AUTO_TEST_CASE(modules_that_are_not_registered_are_noticed) {
  Forgetful forgetful;
  throws<Error>([&] { forgetful.parameters(); }, {"Forgetful", "Dense(4, 2)", "add("});
  nn::Sequential around{Forgetful()};
  throws<Error>([&] { around.parameters(); }, {"Forgetful", "Dense(4, 2)"});
  Net kept;
  nn::Dense old = kept.fc;
  kept.fc = nn::Dense(8, 2);
  BOOST_TEST(kept.parameters().size() == 4);  // the old head is somebody else's now
  Listed listed;
  BOOST_TEST(listed.parameters().size() == 4);
  listed(zeros({1, 4}));
  listed.layers.push_back(nn::Dense(4, 4));
  listed.layers[1] = nn::Dense(4, 2);
  if (!has(listed, listed.layers[1].weight)) throws<Error>([&] { listed(zeros({1, 4})); }, {"Listed", "Dense(4, 2)"});
  Teacher teacher;
  BOOST_TEST(teacher.parameters().size() == 2);
  teacher(zeros({1, 4}));
}

// In braces, layers draw from left to right, whatever the compiler.
BOOST_AUTO_TEST_CASE(layers_draw_in_their_order) {
  auto draws = [](const nn::Module& net) {
    std::vector<Variable> matrices;
    for (const auto& [name, x] : net.named_parameters())
      if (x.rank() == 2) matrices.push_back(x.detach());
    return matrices;
  };
  Generator generator(3), same_generator(3);
  nn::DenseOptions one{.generator = generator}, other{.generator = same_generator};
  nn::Dense a(3, 4, one), b(4, 3, one);
  std::vector<Variable> found = draws(nn::Sequential{nn::Dense(3, 4, other), nn::Dense(4, 3, other)});
  close(found[0], a.weight.detach());
  close(found[1], b.weight.detach());
  same_generator.set_state(Generator(3).state());
  nn::ModuleDict dict{{"a", nn::Dense(3, 4, other)}, {"b", nn::Dense(4, 3, other)}};
  close(draws(dict)[1], b.weight.detach());
  same_generator.set_state(Generator(3).state());
  nn::Residual residual{nn::Dense(3, 4, other), nn::Dense(4, 3, other)};
  close(draws(residual)[1], b.weight.detach());
  static_assert(!std::is_constructible_v<nn::Sequential, nn::Dense, nn::ReLU>);
  static_assert(!std::is_constructible_v<nn::Residual, nn::Dense, nn::Dense>);
}

BOOST_AUTO_TEST_CASE(prefixes_of_states) {
  nn::Sequential net{nn::Dense(3, 4), nn::ReLU()};
  nn::Dense part(3, 4);
  part.load_state_dict(without_prefix(net.state_dict(), "0."));
  close(part.weight.detach(), net.parameters()[0].detach());
  StateDict whole = with_prefix(part.state_dict(), "encoder.");
  BOOST_TEST(whole.contains("encoder.weight"));
  same(without_prefix(whole, "encoder."), part.state_dict());
  throws<ValueError>([&] { without_prefix(whole, "decoder."); }, {"without_prefix", "decoder.", "encoder.bias"});
}

BOOST_AUTO_TEST_SUITE_END()
