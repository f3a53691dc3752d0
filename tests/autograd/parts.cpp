// Writing to a part of a Variable: `x[0] = y`, `x[mask] += 1`.
#include <vector>

#include "values_support.hpp"

using namespace xtape;
using namespace xtape::testing;

namespace {

Variable counted(const Dims& shape) { return arange(static_cast<std::int64_t>(element_count(shape.shape("counted"))))
                                         .to(float64).reshape(shape); }

// What does not compile.
template <class X>
concept assignable_parts = requires(X&& x, Variable y) { std::forward<X>(x)[0] = y; };
template <class X>
concept addable_parts = requires(X&& x, Variable y) { std::forward<X>(x)[{0, 1}] += y; };
template <class X>
concept writable_at_once = requires(X&& x) { std::forward<X>(x).template mutable_data<float>(); };

static_assert(assignable_parts<Variable&> && addable_parts<Variable&>);
static_assert(!assignable_parts<Variable> && !addable_parts<Variable>);
static_assert(!assignable_parts<const Variable&> && !addable_parts<const Variable&>);
static_assert(assignable_parts<Part>, "a part of a part reaches the origin");
static_assert(writable_at_once<Part&> && !writable_at_once<Part>);
static_assert(std::derived_from<Part, Variable>);

struct Write {
  const char* name;
  std::vector<Index> part;
  Variable value;   // float64
  Variable result;  // of counted({3, 4}) after the assignment
};

const std::vector<Write>& writes() {
  static const std::vector<Write> all_writes = {
      {"a row", {0}, doubles({-1, -2, -3, -4}), doubles({{-1, -2, -3, -4}, {4, 5, 6, 7}, {8, 9, 10, 11}})},
      {"the last row, a number", {-1}, -1.0, doubles({{0, 1, 2, 3}, {4, 5, 6, 7}, {-1, -1, -1, -1}})},
      {"an element", {1, 2}, -1.0, doubles({{0, 1, 2, 3}, {4, 5, -1, 7}, {8, 9, 10, 11}})},
      {"every other column", {all, range(0, 4, 2)}, doubles({{-1}, {-2}, {-3}}),
       doubles({{-1, 1, -1, 3}, {-2, 5, -2, 7}, {-3, 9, -3, 11}})},
      {"backwards", {range(none, none, -1), 0}, doubles({-1, -2, -3}), doubles({{-3, 1, 2, 3}, {-2, 5, 6, 7}, {-1, 9, 10, 11}})},
      {"a mask", {counted({3, 4}) < 2}, doubles({-1, -2}), doubles({{-1, -2, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}})},
      {"rows by their numbers", {integers({2, 0})}, doubles({{-1, -1, -1, -1}, {-2, -2, -2, -2}}),
       doubles({{-2, -2, -2, -2}, {4, 5, 6, 7}, {-1, -1, -1, -1}})},
      {"columns by their numbers", {all, integers({-1, 1})}, doubles({-1, -2}),
       doubles({{0, -2, 2, -1}, {4, -2, 6, -1}, {8, -2, 10, -1}})},
      {"elements by their numbers", {integers({0, 2}), integers({3, 1})}, doubles({-1, -2}),
       doubles({{0, 1, 2, -1}, {4, 5, 6, 7}, {8, -2, 10, 11}})},
      {"numbers in a range of columns", {integers({2, 1}), range(1, 3)}, doubles({{-1, -2}, {-3, -4}}),
       doubles({{0, 1, 2, 3}, {4, -3, -4, 7}, {8, -1, -2, 11}})},
      {"new axes", {newaxis, ellipsis, integers({0})}, -1.0, doubles({{-1, 1, 2, 3}, {-1, 5, 6, 7}, {-1, 9, 10, 11}})},
      {"everything", {ellipsis}, doubles({-1, -2, -3, -4}), doubles({{-1, -2, -3, -4}, {-1, -2, -3, -4}, {-1, -2, -3, -4}})},
      {"nothing", {range(1, 1)}, -1.0, counted({3, 4})},
      {"by an empty mask", {counted({3, 4}) < 0}, -1.0, counted({3, 4})},
      {"more axes than the part has", {0, range(0, 2)}, doubles({{{-1, -2}}}), doubles({{-1, -2, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}})},
  };
  return all_writes;
}

// x[part] = value, for any number of indices.
void assign(Variable& x, const std::vector<Index>& part, const Variable& value) {
  if (part.size() == 1) x[part[0]] = value;
  else if (part.size() == 2) x[{part[0], part[1]}] = value;
  else x[{part[0], part[1], part[2]}] = value;
}
void add(Variable& x, const std::vector<Index>& part, const Variable& value) {
  if (part.size() == 1) x[part[0]] += value;
  else if (part.size() == 2) x[{part[0], part[1]}] += value;
  else x[{part[0], part[1], part[2]}] += value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parts)

BOOST_AUTO_TEST_CASE(what_is_written_to_a_part_is_seen_by_every_handle_and_by_nothing_else) {
  for (bool recorded : {false, true})
    for (const Write& write : writes()) BOOST_TEST_CONTEXT(write.name) {
      Variable leaf = counted({3, 4}).requires_grad_(recorded), x = leaf * 1;
      Variable handle = x, detached = x.detach(), reshaped = x.reshape({4, 3});
      assign(x, write.part, write.value);
      same(x, write.result);
      same(handle, write.result);
      same(handle, slice_assign(leaf, write.part, write.value));
      same(detached, counted({3, 4}));
      same(reshaped, counted({4, 3}));
      BOOST_TEST(x.requires_grad() == recorded);

      Variable y = leaf * 1, sum = slice(y, write.part) + write.value;
      if (sum.shape() != slice(y, write.part).shape()) continue;  // += wants a value of no more axes
      add(y, write.part, write.value);
      same(slice(y, write.part), sum);
    }
}

BOOST_AUTO_TEST_CASE(compound_assignments) {
  Variable x = counted({2, 3}), y = doubles({2, 3, 4});
  x[0] += 3.0;
  same(x, doubles({{3, 4, 5}, {3, 4, 5}}));
  x[{1, 0}] -= 1;
  x[{all, range(0, 3, 2)}] *= 2;
  same(x, doubles({{6, 4, 10}, {4, 4, 10}}));
  x[x > 5] /= 2;
  same(x, doubles({{3, 4, 5}, {4, 4, 5}}));
  x[integers({1})] *= y;
  same(x, doubles({{3, 4, 5}, {8, 12, 20}}));
  x[0] = x[1];
  same(x, doubles({{8, 12, 20}, {8, 12, 20}}));
  x[{0, range(1, 3)}] = x[{0, range(0, 2)}];
  same(x, doubles({{8, 8, 12}, {8, 12, 20}}));
  x[0].assign(7);
  same(x, doubles({{7, 7, 7}, {8, 12, 20}}));
  x[ellipsis] = x;
  same(x, doubles({{7, 7, 7}, {8, 12, 20}}));

  Variable number = full({}, 0.0, float64), flags = zeros({3}, boolean), counts = zeros({2}, int64);
  number[ellipsis] = 2.5;
  BOOST_TEST(number.item() == 2.5);
  flags[1] = true;
  same(flags, Variable({false, true, false}, boolean));
  counts[0] += 5;
  counts[range(1, 2)] = 9007199254740993;
  same(counts, integers({5, 9007199254740993}));
  BOOST_TEST(counts.data<std::int64_t>()[1] == 9007199254740993);  // which no double has
}

BOOST_AUTO_TEST_CASE(a_part_with_a_name_is_a_variable_of_its_own) {
  Variable x = counted({2, 2}), y = doubles({5, 6});
  auto row = x[0];
  static_assert(std::derived_from<decltype(row), Variable>);
  row = y * 1;
  row += 1;
  row[0] = -1.0;
  same(row, doubles({-1, 7}));
  same(x, counted({2, 2}));
  same(y, doubles({5, 6}));
  auto other = x[1];
  std::swap(row, other);
  same(row, doubles({2, 3}));
  const Variable& constant = x;
  same(constant[1], doubles({2, 3}));
  auto both = std::vector<Variable>{x[0], x[1]};
  same(stack(both), x);
  Variable leaf = counted({2}).requires_grad_(), first = leaf * 1;
  same(grad(first[0], leaf), doubles({1, 0}));
}

BOOST_AUTO_TEST_CASE(parts_of_parts) {
  for (bool recorded : {false, true}) {
    Variable x = counted({2, 3, 4}).requires_grad_(recorded) * 1, expected = x.detach();
    x[1][2][3] = -1.0;
    x[{all, 0}][range(0, 1)][{0, range(1, 3)}] *= 10;
    x[integers({1})][{0, 1}] = -2.0;
    x[0][x.detach()[0] > 10] = -3.0;
    x[{ellipsis, integers({0, 3})}][1][0][1] -= 0.5;
    for (auto [i, j, k, v] : {std::tuple{1, 2, 3, -1.0}, {0, 0, 1, 10.0}, {0, 0, 2, 20.0}, {1, 1, 0, -2.0}, {1, 1, 1, -2.0},
                              {1, 1, 2, -2.0}, {1, 1, 3, -2.0}, {0, 0, 2, -3.0}, {0, 2, 3, -3.0}, {1, 0, 3, 14.5}})
      expected = slice_assign(expected, {i, j, k}, v);
    same(x.detach(), expected);
  }
}

BOOST_AUTO_TEST_CASE(derivatives_reach_what_was_written_and_what_was_not_written_over) {
  auto square_of_writes = [](const std::vector<Variable>& xs) {
    Variable x = xs[0] * xs[0], y = xs[1];
    x[0] = y * y;
    x[{1, 1}] += y[0] * xs[0][0][0];
    x[{all, range(0, 3, 2)}] *= y[range(0, 2)];
    x[Variable({{false, true, false}, {false, false, true}}, boolean)] = x[1][range(0, 2)] * y[2];
    x[integers({1, 0})] -= y * x;
    x[0][1] /= y[1];
    return sum(x * x * x, 1);
  };
  std::vector<Variable> inputs = {doubles({{0.5, -1.25, 0.75}, {1.5, 0.25, -0.5}}), doubles({1.25, -0.75, 0.5})};
  BOOST_TEST(gradcheck(square_of_writes, inputs, {.order = 3}).message == "");

  Variable x = doubles({1, 2, 3}).requires_grad_(), y = doubles({5}).requires_grad_(), z = x * 1;
  z[1] = y[0];
  sum(z * z).backward();
  same(x.grad(), doubles({2, 0, 6}));
  same(y.grad(), doubles({10}));
}

BOOST_AUTO_TEST_CASE(what_was_saved_before_a_write_stays) {
  Variable x = doubles({1, 2}).requires_grad_(), y = x * 1, product = y * y;
  y[0] = 100.0;
  sum(product).backward();
  same(x.grad(), doubles({2, 4}));
  Variable z = zeros({2}, float64), sum_of = x + z;
  z[1] = x[0];
  BOOST_TEST(z.requires_grad());
  same(grad(sum(sum_of + z), x, {.retain_graph = true}), doubles({2, 1}));
}

BOOST_AUTO_TEST_CASE(elements_that_nothing_shares_are_written_in_place) {
  for (bool recorded : {false, true}) {
    Variable leaf = counted({100}).requires_grad_(), x = recorded ? leaf * 1 : counted({100});
    const double* elements = x.data<double>();
    for (std::int64_t i = 0; i < 100; ++i) {
      x[i] = x[i] * 2;
      x[integers({i})] += 1;
    }
    BOOST_TEST(x.data<double>() == elements);
    same(x.detach(), counted({100}) * 2 + 1);
    if (!recorded) continue;
    sum(x).backward();
    same(leaf.grad(), full({100}, 2, float64));
  }
}

BOOST_AUTO_TEST_CASE(a_leaf_is_written_to_where_nothing_is_recorded) {
  Variable w = counted({2, 2}).requires_grad_();
  throws<GraphError>([&] { w[0] = 1; }, {"slice_assign", "leaf", "NoGrad"});
  throws<GraphError>([&] { w[0] += 1; }, {"+=", "leaf", "NoGrad"});
  same(w.detach(), counted({2, 2}));
  {
    NoGrad guard;
    w[0] = 5;
  }
  same(w.detach(), doubles({{5, 5}, {2, 3}}));
  BOOST_TEST(w.is_leaf());
  sum(w * w).backward();
  same(w.grad(), doubles({{10, 10}, {4, 6}}));
  w.grad()[0];
  Variable g = w.grad();
  g[0] = 0;
  same(w.grad(), doubles({{0, 0}, {4, 6}}));
}

BOOST_AUTO_TEST_CASE(a_refused_write_leaves_everything_as_it_was) {
  Variable x = counted({2, 3}).requires_grad_() * 1, unchanged = x.detach(), undefined;
  std::string made_by = x.operation();
  throws<ShapeError>([&] { x[0] = zeros({4}, float64); }, {"slice_assign", "(4,)", "(3,)"});
  throws<ShapeError>([&] { x[0] += zeros({2, 3}, float64); }, {"+=", "(2, 3)", "(3,)"});
  throws<DTypeError>([&] { x[0] = zeros({3}); }, {"slice_assign", "float32", "float64"});
  throws<DTypeError>([&] { x[0] *= zeros({3}); }, {"mul", "float32", "float64"});
  throws<ValueError>([&] { x[2] = 1; }, {"index 2", "(2, 3)"});
  throws<ValueError>([&] { x[integers({0, 0})] += 1; }, {"+=", "twice", "index_add"});
  throws<ValueError>([&] { x[integers({0, -2})] = 1; }, {"slice_assign", "twice"});
  throws<ValueError>([&] { x[integers({0, 0})][0] = 1; }, {"twice"});
  throws<ShapeError>([&] { x[Variable({true}, boolean)] = 1; }, {"mask", "(1,)", "(2,)"});
  throws<Error>([&] { x[0] = undefined; }, {"slice_assign", "undefined"});
  throws<Error>([&] { undefined[0] = 1; }, {"slice", "undefined"});
  same(x.detach(), unchanged);
  BOOST_TEST(x.operation() == made_by);
  Variable counts = zeros({2}, int64);
  throws<ValueError>([&] { counts[0] = 0.5; }, {"0.5", "int64"});
  throws<Error>([&] { counts[0] /= 2; }, {"/=", "int64"});
  same(counts, zeros({2}, int64));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_writes_once) {
  Variable state = zeros({2}, float64), x = doubles({3}).requires_grad_();
  Variable y = checkpoint([&](const Variable& v) {
    NoGrad guard;
    state[0] += v[0].detach();
    GradMode on(true);
    return v * v * state.detach()[0];
  }, x);
  same(state, doubles({3, 0}));
  sum(y).backward();
  same(state, doubles({3, 0}));
  same(x.grad(), doubles({18}));
}

BOOST_AUTO_TEST_SUITE_END()
