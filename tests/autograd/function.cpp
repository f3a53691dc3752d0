// Operations with a backward of their own, and bounds on gradients.
#include <limits>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/function.hpp>
#include <tests/autograd/cube.hpp>

using namespace xtape;
using xtape::testing::Cube;

namespace {

using Variables = std::vector<Variable>;

// exp(scale x), which keeps its result; another input that plays no part.
struct Exponential : Function<Exponential> {
  static Variable forward(FunctionContext& context, const Variables& inputs, double scale) {
    Variable y = exp(scale * inputs[0]);
    context.save({y});
    context.data = scale;
    return y;
  }
  static Variables backward(FunctionContext& context, const Variable& gradient) {
    BOOST_TEST(context.needs_gradient(0));
    return {std::any_cast<double>(context.data) * context.saved()[0] * gradient, Variable()};
  }
};

template <class Backward>
struct Wrong : Function<Wrong<Backward>> {
  static Variable forward(FunctionContext&, const Variables& inputs) { return inputs[0] * 2; }
  static Variables backward(FunctionContext&, const Variable& gradient) { return Backward()(gradient); }
};
struct TooMany {
  Variables operator()(const Variable& g) { return {g, g}; }
};
struct WrongShape {
  Variables operator()(const Variable& g) { return {expand_dims(g, 0)}; }
};

auto says(const char* part) {
  return [part](const Error& error) { return std::string(error.what()).find(part) != std::string::npos; };
}

bool equal(const Variable& x, std::initializer_list<Nested> expected) {
  return all(x == Variable(expected, x.dtype())).item() == 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(functions)

BOOST_AUTO_TEST_CASE(backward_is_called) {
  Variable x = parameter(Variable{1, 2, 3});
  Variable y = Cube::apply({x});
  BOOST_TEST(equal(y, {1, 8, 27}));
  BOOST_TEST(y.requires_grad());
  sum(y).backward();
  BOOST_TEST(equal(x.grad(), {3, 12, 27}));
}

BOOST_AUTO_TEST_CASE(any_order) {
  Variable x = randn({3}, float64), unused = ones({2}, float64);
  BOOST_TEST(gradcheck([](const Variable& x) { return Cube::apply({x}); }, {x}, {.order = 3}).ok);
  GradcheckResult result = gradcheck([](auto& x, auto& u) { return Exponential::apply({sin(x), u}, 0.5); }, {x, unused},
                                     {.order = 3});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(nothing_is_recorded_without_need) {
  BOOST_TEST(!Cube::apply({ones({2})}).requires_grad());
  NoGrad guard;
  BOOST_TEST(!Cube::apply({parameter(ones({2}))}).requires_grad());
}

BOOST_AUTO_TEST_CASE(saved_values_are_protected_and_released) {
  Variable x = parameter(ones({2})), y = Cube::apply({x * 1});
  {
    Variable h = x * 1;
    Array elements = h.value();
    y = Cube::apply({h});
    h = Variable();
    BOOST_TEST(!elements.unique());
    y.backward(ones({2}));
    BOOST_TEST(elements.unique());
  }
  BOOST_CHECK_THROW(y.backward(ones({2})), GraphError);
  y = Cube::apply({x});
  x.mutable_data<float>()[0] = 2;
  x.zero_grad();
  y.backward(ones({2}));
  BOOST_TEST(x.grad().value().at(0) == 3);  // at the value of the forward
}

BOOST_AUTO_TEST_CASE(misuse) {
  Variable x = parameter(ones({2}));
  BOOST_CHECK_EXCEPTION(sum(Wrong<TooMany>::apply({x})).backward(), GraphError, says("returned 2 gradients for 1 inputs"));
  BOOST_CHECK_EXCEPTION(sum(Wrong<WrongShape>::apply({x})).backward(), GraphError,
                        says("float32(1, 2) for input 0, float32(2,)"));
  BOOST_CHECK_EXCEPTION(Cube::apply({Variable()}), Error, says("Cube"));
}

BOOST_AUTO_TEST_CASE(clipping) {
  Variable x = parameter(zeros({2})), y = parameter(zeros({}, float64)), z = parameter(zeros({1}));
  auto reset = [&] {
    x.set_grad(Variable{3, 0});
    y.set_grad(full({}, -4, float64));
  };
  reset();
  BOOST_TEST(clip_grad_norm({x, y, z}, 10) == 5);
  BOOST_TEST(equal(x.grad(), {3, 0}));
  BOOST_TEST(clip_grad_norm({x, y, z}, 2.5) == 5);
  BOOST_TEST(max(abs(x.grad() - Variable{3 * 2.5 / (5 + 1e-6), 0})).item() <= 0x1p-23);
  BOOST_TEST(y.grad().item() == -4 * (2.5 / (5 + 1e-6)));
  BOOST_TEST(!z.grad().defined());
  reset();
  BOOST_TEST(clip_grad_norm({x, y}, 2, std::numeric_limits<double>::infinity()) == 4);
  BOOST_TEST(y.grad().item() == -4 * (2 / (4 + 1e-6)));
  reset();
  clip_grad_value({x, y, z}, 3.5);
  BOOST_TEST(equal(x.grad(), {3, 0}));
  BOOST_TEST(y.grad().item() == -3.5);
  BOOST_TEST(clip_grad_norm({z}, 1) == 0);
  BOOST_CHECK_EXCEPTION(clip_grad_norm({x}, NAN), ValueError, says("clip_grad_norm: a bound of nan"));
  BOOST_CHECK_EXCEPTION(clip_grad_value({x}, -1), ValueError, says("clip_grad_value"));
  x.set_grad(Variable{NAN, 1});
  BOOST_CHECK_EXCEPTION(clip_grad_norm({x}, 1), ValueError, says("norm is nan"));
  BOOST_TEST(x.grad().value().at(1) == 1);
}

// The quotient and the product, of which the second keeps the first: both are results.
struct Pair : Function<Pair> {
  static std::vector<Variable> forward(FunctionContext& context, const std::vector<Variable>& inputs) {
    Variable quotient = inputs[0] / inputs[1], product = inputs[0] * inputs[1];
    context.save({inputs[0], inputs[1], quotient});
    return {quotient, product};
  }
  static std::vector<Variable> backward(FunctionContext& context, const std::vector<Variable>& gradients) {
    auto saved = context.saved();
    const Variable &a = saved[0], &b = saved[1], &quotient = saved[2];
    return {gradients[0] / b + gradients[1] * b, gradients[1] * a - gradients[0] * quotient / b};
  }
};

// Where the greatest element stands, and what it is.
struct Greatest : Function<Greatest> {
  static std::vector<Variable> forward(FunctionContext& context, const std::vector<Variable>& inputs) {
    Variable index = argmax(inputs[0], 0);
    context.save({index, inputs[0]});
    return {index, max(inputs[0])};
  }
  static std::vector<Variable> backward(FunctionContext& context, const std::vector<Variable>& gradients) {
    auto saved = context.saved();
    return {one_hot(saved[0], saved[1].size(), saved[1].dtype()) * gradients[1]};
  }
};

struct Widen : Function<Widen> {
  static Variable forward(FunctionContext&, const std::vector<Variable>& inputs) { return inputs[0].to(float64); }
  static std::vector<Variable> backward(FunctionContext&, const Variable& g) { return {g.to(float32)}; }
};

BOOST_AUTO_TEST_CASE(results_of_other_dtypes) {
  Variable x = parameter(Variable{1, 5, 3});
  auto y = Greatest::apply({x});
  BOOST_TEST(!y[0].requires_grad());
  BOOST_TEST(y[0].item() == 1);
  (y[1] * 2).backward();
  BOOST_TEST(equal(x.grad(), {0, 2, 0}));
  x.zero_grad();
  sum(Widen::apply({x})).backward();
  BOOST_TEST(equal(x.grad(), {1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(several_results) {
  Variables inputs{Variable({-0.7, 0.4, 1.3}, float64), Variable({2.0, 3.1, -1.7}, float64)};
  for (int which = 0; which < 3; ++which) {
    auto f = [which](const Variables& x) {
      Variables y = Pair::apply(x);
      return which == 0 ? y[0] : which == 1 ? y[1] : y[0] * exp(y[1] * 0.1);
    };
    auto result = gradcheck(f, inputs, {.order = 3});
    BOOST_TEST(result.ok, result.message);
  }
  Variables y = Pair::apply(inputs);
  BOOST_TEST(y.size() == 2u);
  BOOST_TEST(!y[0].requires_grad());
}

BOOST_AUTO_TEST_SUITE_END()
