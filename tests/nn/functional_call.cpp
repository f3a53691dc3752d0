// A module as a function of its parameters, against products written out and against the module itself.
#include <autograd/autograd.hpp>
#include <nn/functional_call.hpp>
#include <nn/nn.hpp>
#include <tests/support.hpp>

using namespace xtape;

namespace {

void close(const Variable& found, const Variable& expected, double tolerance = 1e-12) {
  xtape::testing::close(found, expected, tolerance);
}

nn::Sequential network() {
  nn::Sequential net{nn::Dense(3, 4), nn::Tanh(), nn::Dense(4, 2)};
  net.to(float64);
  return net;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(functional_call)

BOOST_AUTO_TEST_CASE(other_parameters_for_one_call) {
  nn::Sequential net = network();
  const Variable x = randn({5, 3}, float64), before = net(x).detach();
  std::vector<Variable> others;
  for (const Variable& p : net.parameters()) others.push_back(p.detach() * 2 + 0.25);
  const Variable expected = matmul(tanh(matmul(x, transpose(others[0])) + others[1]), transpose(others[2])) + others[3];
  close(nn::functional_call(net, others, x), expected);
  BOOST_TEST(!nn::functional_call(net, others, x).requires_grad());
  close(net(x), before, 0);
  // By names, one alone.
  const std::string name = net.named_parameters()[3].first;
  close(nn::functional_call(net, {{name, others[3]}}, x), before - net.parameters()[3] + others[3]);
  close(net(x), before, 0);
}

BOOST_AUTO_TEST_CASE(transforms_of_a_network) {
  nn::Sequential net = network();
  const Variable x = randn({5, 3}, float64), y = randn({5, 2}, float64);
  auto loss = [&](const std::vector<Variable>& p) { return nn::mse_loss(nn::functional_call(net, p, x), y); };
  const std::vector<Variable> parameters = net.parameters(), gradients = grad(loss, parameters);
  nn::mse_loss(net(x), y).backward();
  for (std::size_t i = 0; i < parameters.size(); ++i) close(gradients[i], parameters[i].grad());
  // v' H against differences of gradients.
  std::vector<Variable> v, up, down;
  for (const Variable& p : parameters) {
    v.push_back(randn(p.shape(), float64));
    up.push_back(p.detach() + 1e-5 * v.back()), down.push_back(p.detach() - 1e-5 * v.back());
  }
  const std::vector<Variable> products = hvp(loss, parameters, v).grads, more = grad(loss, up), less = grad(loss, down);
  for (std::size_t i = 0; i < v.size(); ++i) close(products[i], (more[i] - less[i]) / 2e-5, 1e-8);
  // A function that captures the parameters instead of taking them says so.
  BOOST_CHECK_THROW(hvp([&](const std::vector<Variable>&) { return nn::mse_loss(net(x), y); }, parameters, v), GraphError);
}

BOOST_AUTO_TEST_CASE(a_step_of_descent_that_is_differentiated) {
  // As in meta-learning: the loss after a step, by the parameters before it.
  nn::Sequential net = network();
  const Variable x = randn({5, 3}, float64), y = randn({5, 2}, float64);
  auto loss = [&](const std::vector<Variable>& p) { return nn::mse_loss(nn::functional_call(net, p, x), y); };
  auto after = [&](const std::vector<Variable>& p) {
    std::vector<Variable> moved;
    const std::vector<Variable> g = grad(loss, p);
    for (std::size_t i = 0; i < p.size(); ++i) moved.push_back(p[i] - 0.1 * g[i]);
    return loss(moved);
  };
  const GradcheckResult found = gradcheck(after, net.parameters());
  BOOST_TEST(found.ok, found.message);
}

BOOST_AUTO_TEST_CASE(buffers_are_written_where_they_stand) {
  nn::BatchNorm1D norm(2);
  const Variable x({{1.0, 2.0}, {3.0, 6.0}}, float32), mean_before = norm.named_buffers()[0].second.detach();
  const std::string name = norm.named_buffers()[0].first;
  Variable mine = zeros({2});
  nn::functional_call(norm, {{name, mine}}, x);
  close(norm.named_buffers()[0].second, mean_before, 0);
  BOOST_TEST(mine[1].item() == 0.4, boost::test_tools::tolerance(1e-6));  // a tenth of the mean of 2 and 6
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_named) {
  nn::Sequential net = network();
  const Variable x = randn({5, 3}, float64), before = net(x).detach();
  const auto named = net.named_parameters();
  BOOST_CHECK_THROW(nn::functional_call(net, std::vector<Variable>{x}, x), ValueError);
  BOOST_CHECK_THROW(nn::functional_call(net, {{"none", x}}, x), ValueError);
  BOOST_CHECK_THROW(nn::functional_call(net, {{named[1].first, x}}, x), ShapeError);
  BOOST_CHECK_THROW(nn::functional_call(net, {{named[1].first, Variable()}}, x), ShapeError);
  BOOST_CHECK_THROW(nn::functional_call(net, {{named[1].first, zeros({4})}}, x), DTypeError);
  BOOST_CHECK_THROW(nn::functional_call(net, {{named[1].first, named[1].second}, {named[1].first, named[1].second}}, x), ValueError);
  // The network throws: everything is back in its place.
  std::vector<Variable> others;
  for (const Variable& p : net.parameters()) others.push_back(p.detach() * 2);
  BOOST_CHECK_THROW(nn::functional_call(net, others, randn({5, 4}, float64)), ShapeError);
  close(net(x), before, 0);
}

BOOST_AUTO_TEST_SUITE_END()
