// Operands of different dtypes: bool and int64 join floating-point ones, as in NumPy and PyTorch; the default dtype.
#include <thread>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::same;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(promotion)

BOOST_AUTO_TEST_CASE(the_higher_kind_decides) {
  Variable mask({1, 0, 1}, boolean), i = arange(3), f({0.5, 1.5, 2.5}), d({0.5, 1.5, 2.5}, float64);
  same(f * i, Variable{0, 1.5, 5});
  same(i * f, Variable{0, 1.5, 5});
  same(i * d, Variable({0, 1.5, 5}, float64));
  same(mask * f, Variable{0.5, 0, 2.5});
  same(d - mask, Variable({-0.5, 1.5, 1.5}, float64));
  same(mask * i, Variable({0, 0, 2}, int64));
  same(mask + 1, Variable({2, 1, 2}, int64));
  same(mask * 0.5, Variable{0.5, 0, 0.5});
  same(i + 0.5, Variable{0.5, 1.5, 2.5});
  same(i * 2.0, Variable{0, 2, 4});
  same(i + 1e30, Variable{1e30, 1e30, 1e30});
  same(pow(i, 2), Variable({0, 1, 4}, int64));
  same(pow(i, 2.0), Variable{0, 1, 4});
  same(i / (i + 1), Variable{0, 0.5, 2.0f / 3});
  same(i / 2, Variable{0, 0.5, 1});
  same(maximum(i, f), Variable{0.5, 1.5, 2.5});
  same(clip(i, 0.5, 1.5), Variable{0.5, 1, 1.5});
  same(where(mask, f, i), Variable{0.5, 1, 2.5});
  same(where(mask, mask, false), mask);
  same(where(mask, mask, 2), Variable({1, 2, 1}, int64));
  same(where(mask, 1, 0), Variable({1, 0, 1}, int64));
  same(where(mask, 0.5, 0), Variable{0.5, 0, 0.5});
  same(lerp(i, f, 0.5), Variable{0.25, 1.25, 2.25});
  same(ldexp(f, i), Variable{0.5, 3, 10});
  same(i == f + 0.5, Variable({0, 0, 0}, boolean));
  same(i < f, Variable({1, 1, 1}, boolean));
}

BOOST_AUTO_TEST_CASE(not_only_elementwise) {
  Variable mask({1, 0, 1}, boolean), i = arange(3), f({0.5, 1.5, 2.5}), d({0.5, 1.5, 2.5}, float64);
  same(concatenate({i, f}), Variable{0, 1, 2, 0.5, 1.5, 2.5});
  same(concatenate({mask, i}), Variable({1, 0, 1, 0, 1, 2}, int64));
  same(stack({i, d}), Variable({{0, 1, 2}, {0.5, 1.5, 2.5}}, float64));
  same(stack({1, 2}), Variable({1, 2}, int64));
  same(stack({Variable({2.5}, float64)[0], 0.1}), Variable({2.5, 0.1}, float64));
  same(matmul(i, f), Variable({6.5})[0]);
  same(matmul(d, mask), Variable({3}, float64)[0]);
  same(solve(2 * eye(3, float64), i), Variable({0, 0.5, 1}, float64));
  same(slice_assign(f, {0}, Variable({7}, int64)[0]), Variable{7, 1.5, 2.5});
  same(masked_fill(f, mask, 1), Variable{1, 1.5, 1});
  f.assign(i);
  same(f, Variable{0, 1, 2});
}

BOOST_AUTO_TEST_CASE(gradients_pass_the_conversion) {
  Variable i = arange(3), x = parameter(Variable({0.5, 1.5, 2.5}, float64));
  // One after the other: C++ leaves it to the compiler which operand of + comes first, and gradients are added up in the
  // order of the tape.
  Variable chosen = where(i > 1, x, i), quotient = x / (i + 1), product = i * x;
  sum(product + quotient + chosen).backward();
  same(x.grad(), Variable({1.0, 1.5, 2 + 1.0 / 3 + 1}, float64));
  GradcheckResult result = gradcheck([&](auto& v) { return i * v * v / (1 + i) + square(concatenate({v, i}))[range(0, 3)]; },
                                     {Variable({0.5, 1.5, 2.5}, float64)}, {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(numbers_that_are_parameters_are_floating) {
  BOOST_TEST((parameter(3).dtype() == float32));
  Variable x = 2;
  x.requires_grad_();
  (x * x).backward();
  BOOST_TEST(x.grad().item() == 4);
  throws<DTypeError>([] { parameter(true); }, {"requires_grad_", "bool"});
  throws<DTypeError>([] { parameter(arange(3)); }, {"parameter", "int64"});
}

BOOST_AUTO_TEST_CASE(a_default_dtype) {
  BOOST_TEST((default_dtype() == float32));
  {
    DefaultDType precise(float64);
    for (const Variable& x : std::initializer_list<Variable>{
             zeros({2}), ones({2}), full({2}, 3), eye(2), rand({2}), randn({2}), linspace(0, 1, 3),
                              logspace(0, 1, 3), arange(0.0, 1, 0.5), one_hot(arange(2)), Variable{1, 2}, Variable(0.5),
                              arange(3) + 0.5, arange(3) / 2, nn::Dense(2, 3).weight, nn::BatchNorm1D(3).running_mean,
                              nn::LSTM(2, 3).parameters()[0], nn::sinusoidal_encoding(2, 4)})
      BOOST_TEST((x.dtype() == float64));
    BOOST_TEST(Variable({0.1}).item() == 0.1);
    BOOST_TEST((zeros({2}, float32).dtype() == float32 && arange(3).dtype() == int64));
    {
      DefaultDType coarse(float32);
      BOOST_TEST((zeros({2}).dtype() == float32));
    }
    BOOST_TEST((zeros({2}).dtype() == float64));
    DType elsewhere = float64;
    std::thread([&] { elsewhere = zeros({2}).dtype(); }).join();
    BOOST_TEST((elsewhere == float32));
    nn::FunctionDataset data(4, [](std::size_t) { return nn::Batch{zeros({1}), zeros({1})}; });
    for (auto& [x, y] : nn::DataLoader(data, {.batch_size = 2, .num_workers = 2})) BOOST_TEST((x.dtype() == float64));
  }
  BOOST_TEST((zeros({2}).dtype() == float32));
  throws<DTypeError>([] { DefaultDType integers(int64); }, {"DefaultDType: int64", "float32 or float64"});
}

BOOST_AUTO_TEST_SUITE_END()
