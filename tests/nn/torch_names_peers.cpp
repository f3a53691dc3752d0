// States under PyTorch's names against libtorch's own: what its modules have, mapped, makes ours compute the same, and
// what ours have, mapped, its. Optional, like libtorch.
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>

#include <tests/nn/torch_modules.hpp>

using namespace peers;

namespace {

struct Case {
  std::string name;
  std::shared_ptr<nn::Module> own;
  std::shared_ptr<torch::nn::Module> other;
  Variable input;
  std::function<Tensor()> other_output;
  Variable own_output() const { return (*own)(input); }
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

// Of several results, the first: the outputs.
Tensor output_of(const Tensor& result) { return result; }
template <class... Rest>
Tensor output_of(const std::tuple<Tensor, Rest...>& results) { return std::get<0>(results); }

template <class Own, class Holder, class Call>
Case case_of(const std::string& name, const Own& own, Holder other, const Variable& x, Call call) {
  auto module = std::make_shared<Own>(own);
  module->to(xtape::float64);
  if (!module->materialized()) module->forward(x);
  module->eval();
  other->to(torch::kFloat64);
  other->eval();
  return {name, module, other.ptr(), x, [=]() mutable { return output_of(call(other, to_torch(x))); }};
}

template <class Own, class Holder>
Case case_of(const std::string& name, const Own& own, const Holder& other, const Variable& x) {
  return case_of(name, own, other, x, [](Holder& module, const Tensor& t) { return module->forward(t); });
}

Variable numbers(const Shape& shape) {
  xtape::Generator generator(4);
  return Variable(generator.normal(shape, 0, 1, xtape::float64));
}

// Several layers, with names as PyTorch gives them.
struct TorchBlockImpl : torch::nn::Module {
  tn::Sequential body{tn::Conv2d(2, 4, 3), tn::BatchNorm2d(4), tn::Flatten()};
  tn::Linear head{36, 3};
  TorchBlockImpl() {
    register_module("body", body);
    register_module("head", head);
  }
  Tensor forward(const Tensor& x) { return head->forward(body->forward(x)); }
};
TORCH_MODULE(TorchBlock);
struct Block : nn::Module {
  nn::Sequential body{nn::Conv2D(2, 4, 3), nn::BatchNorm2D(4), nn::Flatten()};
  nn::Dense head{3};
  Block() {
    add("body", body);
    add("head", head);
  }
  Variable forward(const Variable& x) override { return head(body(x)); }
};

std::vector<Case> cases() {
  std::vector<Case> l;
  l.push_back(case_of("Linear", nn::Dense(3, 4), tn::Linear(3, 4), numbers({5, 3})));
  l.push_back(case_of("Conv2d", nn::Conv2D(4, 6, {3, 2}, {.groups = 2}),
                  tn::Conv2d(tn::Conv2dOptions(4, 6, {3, 2}).groups(2)), numbers({2, 4, 5, 6})));
  l.push_back(case_of("ConvTranspose2d", nn::ConvTranspose2D(3, 2, 4, 2, 1),
                  tn::ConvTranspose2d(tn::ConvTranspose2dOptions(3, 2, 4).stride(2).padding(1)),
                  numbers({2, 3, 4, 3})));
  l.push_back(case_of("BatchNorm2d", nn::BatchNorm2D(3), tn::BatchNorm2d(3), numbers({4, 3, 2, 5})));
  l.push_back(case_of("LayerNorm", nn::LayerNorm(5), tn::LayerNorm(tn::LayerNormOptions({5})), numbers({4, 5})));
  l.push_back(case_of("Embedding", nn::Embedding(6, 3), tn::Embedding(6, 3), Variable({{0, 5}, {2, 2}}, xtape::int64)));
  l.push_back(case_of("Block", Block(), TorchBlock(), numbers({2, 2, 5, 5})));
  l.push_back(case_of("RNN", nn::RNN(3, 4), tn::RNN(3, 4), numbers({5, 2, 3})));
  l.push_back(case_of("GRU", nn::GRU(3, 4, {.num_layers = 2, .bidirectional = true}),
                       tn::GRU(tn::GRUOptions(3, 4).num_layers(2).bidirectional(true)), numbers({5, 2, 3})));
  l.push_back(case_of("LSTM", nn::LSTM(3, 4, {.num_layers = 2, .bidirectional = true}),
                       tn::LSTM(tn::LSTMOptions(3, 4).num_layers(2).bidirectional(true)), numbers({5, 2, 3})));
  l.push_back(case_of("MultiheadAttention", nn::MultiHeadAttention(8, 2), tn::MultiheadAttention(8, 2),
                      numbers({5, 2, 8}), [](auto& module, const Tensor& t) { return module->forward(t, t, t); }));
  l.push_back(case_of("TransformerEncoderLayer", nn::TransformerEncoderLayer(8, 2), tn::TransformerEncoderLayer(8, 2),
                  numbers({5, 2, 8})));
  return l;
}

std::vector<std::pair<std::string, Tensor>> named(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, Tensor>> result;
  for (const auto& list : {module.named_parameters(), module.named_buffers()})
    for (const auto& item : list) result.emplace_back(item.key(), item.value());
  return result;
}

// Other values than those that layers begin with: of running variances, positive ones.
void draw(const torch::nn::Module& module) {
  torch::NoGradGuard guard;
  for (auto& [name, t] : named(module))
    if (name.ends_with("num_batches_tracked")) t.fill_(7);
    else t.copy_(torch::rand_like(t) + (name.ends_with("running_var") ? 0.5 : -0.5));
}

// As PyTorch has it: libtorch's `to` makes floating-point numbers of counts, too.
xtape::StateDict state_of(const torch::nn::Module& module) {
  xtape::StateDict state;
  for (const auto& [name, t] : named(module)) {
    xtape::Array values(Shape(t.sizes().begin(), t.sizes().end()), xtape::float64);
    Tensor row_major = t.detach().contiguous();
    std::copy_n(row_major.data_ptr<double>(), t.numel(), values.mutable_data<double>());
    state.emplace(name, Variable(values).to(name.ends_with("num_batches_tracked") ? xtape::int64 : xtape::float64));
  }
  return state;
}

void load_into(torch::nn::Module& module, const xtape::StateDict& state) {
  torch::NoGradGuard guard;
  auto all = named(module);
  BOOST_TEST(all.size() == state.size());
  for (auto& [name, t] : all) {
    BOOST_REQUIRE_MESSAGE(state.contains(name), name);
    Tensor value = to_torch(state.at(name));
    BOOST_REQUIRE_MESSAGE(value.sizes() == t.sizes(), name);
    t.copy_(value);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_names_peers)

BOOST_DATA_TEST_CASE(libtorch_to_ours_and_back, cases(), c) {
  begin();
  draw(*c.other);
  Tensor expected = c.other_output();
  c.own->load_state_dict(nn::from_torch(*c.own, state_of(*c.other)));
  agree(c.own_output(), expected, "from libtorch");
  // Back into a module with other values.
  xtape::StateDict ours = nn::to_torch(*c.own);
  draw(*c.other);
  BOOST_TEST(xtape::testing::difference(c.own_output(), c.other_output(), 0) > 1e-3);
  load_into(*c.other, ours);
  BOOST_TEST(c.other_output().equal(expected));
}

// The values that our layers begin with.
BOOST_DATA_TEST_CASE(ours_to_libtorch, cases(), c) {
  load_into(*c.other, nn::to_torch(*c.own));
  agree(c.own_output(), c.other_output(), "to libtorch");
}

BOOST_AUTO_TEST_SUITE_END()
