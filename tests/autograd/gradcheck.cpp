// gradcheck itself: it must find what is wrong, and name it.
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/tape.hpp>

using namespace xtape;

namespace {

Array cubes(const Array& x) { return (Variable(x) * Variable(x) * Variable(x)).value(); }

// x^3, whose derivative leaves out an element, or whose second derivative is wrong.
Variable wrong_at(const Variable& x, std::size_t element) {
  return record("wrong", cubes, wrt(x, [x = save(x), element](const Variable& g) {
                  Variable right = g * 3 * square(x());
                  Variable broken = right.copy();
                  broken.mutable_data<double>()[element] += 0.01;
                  return broken;
                }));
}

Variable wrong_in_second_order(const Variable& x) {
  return record("wrong", cubes, wrt(x, [x = save(x)](const Variable& g) {
                  return g * 3 * square(x()).detach();
                }));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(gradcheck_)

BOOST_AUTO_TEST_CASE(accepts_what_is_right) {
  Variable x({0.3, -0.7, 2.0}, float64), w({{1.0, 2.0, 0.5}}, float64);
  auto result = gradcheck([](const Variable& x, const Variable& w) { return tanh(w * x) / (1 + x * x); }, {x, w},
                          {.order = 3});
  BOOST_TEST(result.ok, result.message);
  BOOST_TEST(!x.requires_grad());
}

BOOST_AUTO_TEST_CASE(names_the_input_the_element_and_both_values) {
  Variable x({0.5, 1.0, 2.0}, float64), y({1.0, 2.0, 3.0}, float64);
  auto result = gradcheck([](const Variable& y, const Variable& x) { return y + wrong_at(x, 2); }, {y, x});
  BOOST_TEST(!result.ok);
  for (const char* part : {"order 1", "input 1", "element 2 of (3,)", "value 2", "analytic", "numerical"})
    BOOST_TEST(contains(result.message, part), result.message << " lacks " << part);
}

BOOST_AUTO_TEST_CASE(finds_errors_of_the_second_order) {
  Variable x({0.5, 1.0}, float64);
  BOOST_TEST(gradcheck(wrong_in_second_order, {x}).ok);
  auto result = gradcheck(wrong_in_second_order, {x}, {.order = 2});
  BOOST_TEST(!result.ok);
  BOOST_TEST(contains(result.message, "order 2"), result.message);
}

BOOST_AUTO_TEST_CASE(finds_a_lost_connection) {
  Variable x({0.5, 1.0}, float64);
  BOOST_TEST(!gradcheck([](const Variable& x) { return x * x.detach(); }, {x}).ok);
}

BOOST_AUTO_TEST_CASE(finds_nan) {
  Variable x({0.0}, float64);
  BOOST_TEST(!gradcheck([](const Variable& x) { return x * log(x); }, {x}).ok);
}

BOOST_AUTO_TEST_CASE(passes_integers_on) {
  Variable x({{0.5, 1.0}, {2.0, 3.0}}, float64), rows({1, 0, 1}, int64);
  auto result = gradcheck([](const Variable& x, const Variable& rows) { return square(take(x, rows)); }, {x, rows},
                          {.order = 2});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_CASE(works_within_no_grad) {
  NoGrad guard;
  BOOST_TEST(gradcheck([](const Variable& x) { return exp(x); }, {Variable({1.0}, float64)}).ok);
}

BOOST_AUTO_TEST_CASE(refuses_float32) {
  BOOST_CHECK_EXCEPTION(gradcheck([](const Variable& x) { return exp(x); }, {Variable({1.0})}), DTypeError,
                        [](const DTypeError& e) { return contains(e.what(), "float64"); });
}

BOOST_AUTO_TEST_CASE(third_order_of_inputs_of_several_shapes) {
  auto f = [](auto& x, auto& y) { return exp(x) * sum(square(y) * y); };
  GradcheckResult result = gradcheck(f, {randn({3}, float64), randn({2}, float64)}, {.order = 3});
  BOOST_TEST(result.ok, result.message);
}

BOOST_AUTO_TEST_SUITE_END()
