// Transforms of functions of structs and containers, with several results, and with something beside them.
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include <autograd/autograd.hpp>
#include <nn/functional_call.hpp>
#include <nn/nn.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::throws;

namespace {

using Variables = std::vector<Variable>;
using Map = std::map<std::string, Variable>;

void close(const Variable& found, const Variable& expected, double tolerance = 1e-12) {
  xtape::testing::close(found, expected, tolerance);
}

Variable numbers(std::initializer_list<Nested> values) { return Variable(values, float64); }

const Variable X = numbers({0.5, 2}), T = numbers({2, 3});

struct Layer {
  Variable weight, bias;
  double slope = 0.5;
};

struct Network {
  std::vector<Layer> layers;
  std::array<Variable, 2> ends;
  std::optional<Variable> scale;
  std::string name;
};

// Takes part by what it says of itself.
class Line {
 public:
  Line(const Variable& slope, const Variable& offset) : slope_(slope), offset_(offset) {}
  static auto members(auto& self) { return std::tie(self.slope_, self.offset_); }
  Variable operator()(const Variable& x) const { return slope_ * x + offset_; }
  const Variable& slope() const { return slope_; }
  const Variable& offset() const { return offset_; }

 private:
  Variable slope_, offset_;
};

struct Sixteen {
  Variable a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(transforms_trees)

BOOST_AUTO_TEST_CASE(one_variable_for_one) {
  auto cube = [](const Variable& x) { return x * x * x; };
  auto sum_of_cubes = [&](const Variable& x) { return sum(cube(x)); };
  close(grad(sum_of_cubes, X), 3 * X * X);
  auto [value, slope] = value_and_grad(sum_of_cubes, X);
  close(value, sum(cube(X)));
  close(slope, 3 * X * X);
  close(vjp(cube, X, T).grads, 3 * X * X * T);
  close(jvp(cube, X, T).tangent, 3 * X * X * T);
  close(jacobian(cube, X), diag(3 * X * X));
  close(hessian(sum_of_cubes, X), diag(6 * X));
  close(hvp(sum_of_cubes, X, T).grads, 6 * X * T);
  auto line = linearize(cube, X);
  close(line(T), 3 * X * X * T);
  close(line.transpose(T), 3 * X * X * T);
  // Handles of other types are Variables; numbers are vectors.
  Variable x = X.copy();
  nn::Parameter member(parameter(X));
  close(grad([](auto& x) { return x * x; }, x[1]), 2 * X[1]);
  close(grad(sum_of_cubes, member).detach(), 3 * X * X);
  close(vjp(sum_of_cubes, X, 2).grads, 6 * X * X);
}

BOOST_AUTO_TEST_CASE(structs) {
  auto f = [](const Layer& l) { return sum(l.slope * l.weight * X + l.bias); };
  const Layer layer{T, numbers({1})};
  Layer g = grad(f, layer);
  close(g.weight, 0.5 * X);
  close(g.bias, numbers({2}));
  BOOST_TEST(g.slope == 0.5);
  close(jvp(f, layer, {X, numbers({1})}).tangent, sum(0.5 * X * X) + 2);
  auto square_of = [&](const auto& l) { return square(f(l)); };
  auto [value, product] = hvp(square_of, layer, Layer{X, numbers({0})});
  close(product.weight, 2 * sum(0.5 * X * X) * 0.5 * X);
  close(layer.weight, T, 0);
  BOOST_TEST(!layer.weight.requires_grad());
}

BOOST_AUTO_TEST_CASE(structs_of_containers_of_structs) {
  const Network net{{{X, T}, {T, X}}, {X, T}, std::nullopt, "net"};
  auto f = [](const Network& net) {
    Variable s = sum(net.layers[1].weight * net.ends[0]) + sum(net.layers[0].bias);
    return net.scale ? s * *net.scale : s;
  };
  Network g = grad(f, net);
  close(g.layers[1].weight, X);
  close(g.ends[0], T);
  close(g.layers[0].bias, ones({2}, float64));
  close(g.layers[0].weight, zeros({2}, float64));
  BOOST_TEST(!g.scale.has_value());
  BOOST_TEST(g.name == "net");
  Network scaled = net;
  scaled.scale = Variable(Array::full({}, 2.0, float64));
  close(*grad(f, scaled).scale, f(net));
  close(grad(f, scaled).ends[0], 2 * T);
}

BOOST_AUTO_TEST_CASE(classes_that_say_their_members) {
  Line g = grad([](const Line& line) { return sum(line(X)); }, Line(T, X));
  close(g.slope(), X);
  close(g.offset(), ones({2}, float64));
}

BOOST_AUTO_TEST_CASE(structs_of_sixteen) {
  Sixteen s{X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, T};
  Sixteen g = grad([](auto& s) { return sum(s.a * s.p); }, s);
  close(g.a, T);
  close(g.p, X);
  BOOST_TEST(tree_leaves(s).size() == 16u);
}

BOOST_AUTO_TEST_CASE(undefined_members) {
  auto f = [](const Layer& l) { return sum(l.bias.defined() ? l.weight * l.bias : square(l.weight)); };
  Layer g = grad(f, Layer{X, Variable()});
  close(g.weight, 2 * X);
  BOOST_TEST(!g.bias.defined());
  close(jvp(f, Layer{X, Variable()}, {T, Variable()}).tangent, sum(2 * X * T));
  throws<ShapeError>([&] { jvp(f, Layer{X, X}, {T, Variable()}); }, {"jvp: vector \"1\" is an undefined Variable"});
  throws<Error>([&] { grad([](auto& x) { return sum(x); }, Variable()); }, {"grad: ", "undefined"});
}

BOOST_AUTO_TEST_CASE(containers) {
  const Map m{{"a", X}, {"b", T}};
  auto f = [](const Map& m) { return sum(square(m.at("a")) * m.at("b")); };
  Map g = grad(f, m);
  close(g["a"], 2 * X * T);
  close(g["b"], X * X);
  auto H = hessian(f, m);
  close(H["a"]["a"], diag(2 * T));
  close(H["a"]["b"], diag(2 * X));
  close(H["b"]["b"], zeros({2, 2}, float64));
  auto [dx, dt] = grad([](auto& pair) { return sum(pair.first * pair.second); }, std::pair(X, T));
  close(dx, T);
  close(dt, X);
  auto g3 = grad([](auto& t) { return sum(std::get<0>(t) * std::get<1>(t)[0]); }, std::tuple(X, std::array{T}, 4));
  close(std::get<1>(g3)[0], X);
  BOOST_TEST(std::get<2>(g3) == 4);
  close(grad([](auto& d) { return sum(d[0] * d[1]); }, std::deque{X, T})[0], T);
  BOOST_TEST(!grad([](auto& p) { return sum(take(p.first, p.second)); }, std::pair(X, arange(2))).second.defined());
}

BOOST_AUTO_TEST_CASE(several_results) {
  auto f = [](const Variable& x) { return Variables{x * x, sum(x)}; };
  Variable one(Array::full({}, 1.0, float64));
  auto [values, gradients] = vjp(f, {X}, Variables{T, one});
  close(values[1], sum(X));
  close(gradients[0], 2 * X * T + 1);
  auto [same, tangents] = jvp(f, {X}, {T});
  close(tangents[0], 2 * X * T);
  close(tangents[1], sum(T));
  for (JacobianMode mode : {JacobianMode::automatic, JacobianMode::forward, JacobianMode::reverse}) {
    std::vector<Variables> J = jacobian(f, {X}, {.mode = mode});
    close(J[0][0], diag(2 * X));
    close(J[1][0], ones({2}, float64));
  }
  auto line = linearize([](auto& x) { return std::tuple(x * x, sum(x)); }, X);
  close(std::get<0>(line(T)), 2 * X * T);
  close(std::get<1>(line(T)), sum(T));
  close(line.transpose({T, one}), 2 * X * T + 1);
  auto named = [](const Map& m) { return Map{{"product", m.at("a") * m.at("b")}, {"a", m.at("a")}}; };
  auto J = jacobian(named, Map{{"a", X}, {"b", T}});
  close(J["product"]["a"], diag(T));
  close(J["a"]["b"], zeros({2, 2}, float64));
  auto r = jvp([](auto& x) { return Layer{x * x, 2 * x, 4}; }, X, T);
  close(r.tangent.weight, 2 * X * T);
  close(r.tangent.bias, 2 * T);
  BOOST_TEST(r.value.slope == 4);
}

// Results are handles of their own, though the function returns one several times.
BOOST_AUTO_TEST_CASE(the_same_result_twice) {
  auto [values, tangents] = jvp([](auto& x) { return Variables{x, x, x * 1}; }, X, T);
  values[0].mutable_data<double>()[0] = 9;
  tangents[0].mutable_data<double>()[0] = 9;
  close(values[1], X, 0);
  close(tangents[1], T, 0);
  close(X, numbers({0.5, 2}), 0);
  close(vjp([](auto& x) { return std::pair(x, x); }, X, std::pair(T, T)).grads, 2 * T);
}

BOOST_AUTO_TEST_CASE(something_beside_the_value) {
  auto f = [](const Variable& x, const Variable& y) {
    return with_aux(sum(x * y), std::pair(x * y, std::string("text")));
  };
  auto [value, gradients, aux] = value_and_grad(f, {X, T});
  close(value, sum(X * T));
  close(gradients[1], X);
  close(aux.first, X * T);
  BOOST_TEST(!aux.first.requires_grad());
  BOOST_TEST(aux.second == "text");
  close(grad(f, {X, T})[0], T);
  close(hessian(f, {X, T})[0][1], eye(2, float64));
  close(jacobian(f, {X, T})[0], T);
  auto g = [](const Variable& x) { return with_aux(x * x, argmax(x)); };
  BOOST_TEST(vjp(g, X, T).aux.item() == 1);
  BOOST_TEST(jvp(g, X, T).aux.item() == 1);
  BOOST_TEST(linearize(g, X).aux.item() == 1);
  close(linearize(g, X)(T), 2 * X * T);
  BOOST_TEST(hvp([](auto& x) { return with_aux(sum(x * x), 5); }, X, T).aux == 5);
  BOOST_TEST(!value_and_grad([](auto& x) { return with_aux(sum(x), Variable()); }, X).aux.defined());
}

// What stands beside can be differentiated by what the function captured, where the value does not depend on it: the
// walk leaves the record of both as it was.
BOOST_AUTO_TEST_CASE(what_stands_beside_is_recorded) {
  Variable w = parameter(X);
  auto f = [&](const Variable& y) {
    Variable shared = exp(y);
    return with_aux(sum(shared), shared * w);
  };
  auto check = [&](const Variable& aux, const auto& gradients) {
    BOOST_TEST(!gradients.requires_grad());
    w.zero_grad();
    sum(aux).backward();
    close(w.grad(), exp(T));
  };
  auto first = value_and_grad(f, T);
  check(first.aux, first.grads);
  auto second = hvp(f, T, T);
  check(second.aux, second.grads);
  auto third = vjp(f, T, 1);
  check(third.aux, third.grads);
  NoGrad guard;
  BOOST_TEST(!value_and_grad(f, T).aux.requires_grad());
}

BOOST_AUTO_TEST_CASE(parameters_of_a_module_by_name) {
  nn::Sequential net{nn::Dense(2, 3), nn::Tanh(), nn::Dense(3, 1)};
  net.to(float64);
  const Variable x = randn({4, 2}, float64);
  auto loss = [&](auto& p) { return mean(square(nn::functional_call(net, p, x))); };
  auto gradients = grad(loss, net.named_parameters());
  const auto named = net.named_parameters();
  const StateDict map(named.begin(), named.end());
  StateDict mapped = grad(loss, map);
  mean(square(net(x))).backward();
  BOOST_REQUIRE(gradients.size() == 4u);
  for (std::size_t i = 0; i < named.size(); ++i) {
    BOOST_TEST(gradients[i].first == named[i].first);
    close(gradients[i].second, named[i].second.grad());
    close(mapped.at(named[i].first), named[i].second.grad());
  }
  auto fails = [&] { grad([&](auto&) { return mean(square(net(x))); }, named); };
  throws<GraphError>(fails, {"grad: the function does not use its argument \"0.weight\", but captures"});
}

BOOST_AUTO_TEST_CASE(vectors_have_the_places_of_inputs) {
  auto f = [](const Map& m) { return sum(m.at("w")); };
  throws<ValueError>([&] { hvp(f, Map{{"w", X}}, Map{{"v", X}}); }, {"hvp: ", "\"w\"; and \"v\""});
  throws<ValueError>([&] { jvp(f, Map{{"w", X}}, Map{}); }, {"jvp: ", "\"w\"; and none"});
  throws<ShapeError>([&] { hvp(f, Map{{"w", X}}, Map{{"w", sum(X)}}); }, {"hvp: vector \"w\" is float64(), its input"});
  throws<DTypeError>([&] { hvp(f, Map{{"w", X}}, Map{{"w", ones({2})}}); }, {"hvp: vector \"w\" is float32(2,)"});
  auto two = [](const Variable& x) { return Variables{x, x}; };
  throws<ShapeError>([&] { vjp(two, X, Variables{T}); }, {"vjp: 1 vectors for 2 values"});
  throws<ShapeError>([&] { linearize(two, X).transpose({T, T, T}); }, {"linearize: 3 vectors for 2 values"});
  throws<Error>([&] { jvp([](auto& x) { return Variables{x, Variable()}; }, X, T); },
                {"jvp: the function returned an undefined"});
  throws<DTypeError>([&] { jvp([](auto& x) { return Variables{x, argmax(x)}; }, X, T); },
                     {"jvp: needs float32 or float64"});
}

BOOST_AUTO_TEST_CASE(walks_that_fail_name_the_transform) {
  auto f = [](const Variable& x) {
    Variable y = x * x;
    sum(y).backward();  // releases it
    return y;
  };
  auto fails = [&](const char* name, auto call) {
    throws<GraphError>(call, {name, "the graph was walked before and released"});
  };
  auto sum_of = [&](const Variable& x) { return sum(f(x)); };
  fails("vjp: ", [&] { vjp(f, X, T); });
  fails("jvp: ", [&] { jvp(f, X, T); });
  fails("jacobian: ", [&] { jacobian(f, X, {.mode = JacobianMode::reverse}); });
  fails("jacobian: ", [&] { jacobian(f, X, {.mode = JacobianMode::forward}); });
  fails("linearize: ", [&] { linearize(f, X).transpose(T); });
  fails("value_and_grad: ", [&] { value_and_grad(sum_of, X); });
  fails("grad: ", [&] { grad(sum_of, X); });
  fails("hvp: ", [&] { hvp(sum_of, X, T); });
  fails("hessian: ", [&] { hessian(sum_of, X); });
}

BOOST_AUTO_TEST_CASE(maps_of_trees) {
  Layer layer{X, T, 2}, gradient{T, X, 3};
  Layer moved = tree_map([](auto& w, auto& g) { return w - 0.5 * g; }, layer, gradient);
  close(moved.weight, X - 0.5 * T);
  close(moved.bias, T - 0.5 * X);
  BOOST_TEST(moved.slope == 2);
  close(tree_map([](auto& x) { return 2 * x; }, X), 2 * X);
  BOOST_TEST(!tree_map([](auto& x) { return 2 * x; }, Layer{X, Variable()}).bias.defined());
  auto pairs = [&] { tree_map([](auto& a, auto&) { return a; }, Map{{"a", X}}, Map{{"b", X}}); };
  throws<ValueError>(pairs, {"tree_map: trees of different Variables: \"a\"; and \"b\""});
  auto leaves = tree_leaves(Map{{"b", X}, {"a", T}});
  close(leaves[0], T, 0);
}

BOOST_AUTO_TEST_SUITE_END()
