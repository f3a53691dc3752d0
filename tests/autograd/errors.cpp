// What misuse says, and that it changes nothing.
#include <autograd/autograd.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::throws;

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(shapes_that_do_not_broadcast) {
  Variable a = zeros({2, 3}), b = zeros({4});
  const std::pair<const char*, Variable (*)(const Variable&, const Variable&)> operations[]{
      {"add", add},         {"sub", sub},         {"mul", mul},     {"div", div},
      {"pow", pow},         {"maximum", maximum}, {"minimum", minimum}, {"equal", equal},
      {"not_equal", not_equal}, {"less", less},   {"less_equal", less_equal}, {"greater", greater},
      {"greater_equal", greater_equal}};
  for (auto [name, f] : operations) throws<ShapeError>([&, f = f] { f(a, b); }, {name, "(2, 3)", "(4,)", "broadcast"});
  throws<ShapeError>([&] { where(a > 0, a, b); }, {"where", "(2, 3)", "(4,)"});
  throws<ShapeError>([&] { clip(a, b, 1); }, {"clip", "(2, 3)", "(4,)"});
  throws<ShapeError>([&] { logical_and(a > 0, b > 0); }, {"logical_and", "(2, 3)", "(4,)"});
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_multiply) {
  throws<ShapeError>([] { matmul(zeros({128, 784}), zeros({400, 100})); },
                     {"matmul: (128, 784) x (400, 100): inner dimensions 784 and 400 differ"});
  throws<ShapeError>([] { matmul(zeros({3}), zeros({4})); }, {"matmul: (3,) x (4,)", "3 and 4"});
  throws<ShapeError>([] { matmul(zeros({2, 3, 4}), zeros({5, 4, 3})); }, {"matmul", "(2,)", "(5,)"});
  throws<ShapeError>([] { matmul(zeros({}), zeros({3})); }, {"matmul: () x (3,)", "one axis"});
  throws<DTypeError>([] { matmul(zeros({3}), zeros({3}, float64)); }, {"matmul", "float32", "float64"});
  throws<DTypeError>([] { matmul(arange(3) > 0, arange(3) > 1); }, {"matmul", "bool", "int64"});
}

BOOST_AUTO_TEST_CASE(products) {
  Variable a = zeros({2, 3}), v = zeros({3});
  throws<ShapeError>([&] { dot(a, v); }, {"dot", "(2, 3) and (3,)", "needs 1 and 1 axes"});
  throws<ShapeError>([&] { inner(a, zeros({2})); }, {"inner", "(2, 3) and (2,)", "3 and 2 differ"});
  throws<ShapeError>([&] { outer(a, v); }, {"outer", "needs 1 and 1 axes"});
  throws<ShapeError>([&] { mv(a, zeros({2})); }, {"mv", "3 and 2 differ"});
  throws<ShapeError>([&] { bmm(zeros({2, 3, 4}), zeros({1, 4, 3})); }, {"bmm", "2 and 1 differ"});
  throws<ShapeError>([&] { addmm(zeros({3, 3}), a, zeros({3, 4})); }, {"addmm"});
  throws<ShapeError>([&] { tensordot(a, v, 2); }, {"tensordot", "2 axes", "(3,)"});
  throws<ShapeError>([&] { tensordot(a, v, Axes(0), Axes(0)); }, {"tensordot", "2 and 3 differ"});
  throws<ShapeError>([&] { tensordot(a, v, {0, 1}, {0}); }, {"tensordot", "as many of both"});
  throws<DTypeError>([&] { kron(a, arange(3) > 1); }, {"kron", "bool"});
  throws<DTypeError>([&] { einsum("ij,j", {a, zeros({3}, float64)}); }, {"float32", "float64"});
  throws<ShapeError>([&] { einsum("ij,ij", {a, zeros({3, 2})}); }, {"einsum", "axis 0 of operand 1", "(3, 2)"});
  for (auto [subscripts, reason] : std::vector<std::pair<const char*, const char*>>{
           {"ij", "1 terms for 2 operands"}, {"i,j", "names 1 axes, its operand has 2"}, {"i?,j", "'?'"},
           {"ij,j->k", "'k'"}, {"ij,j->ii", "'i'"}, {"......,j", "neither a letter"}})
    throws<ValueError>([&, s = subscripts] { einsum(s, {a, v}); }, {"einsum", subscripts, reason});
}

BOOST_AUTO_TEST_CASE(axes_out_of_range) {
  Variable x = zeros({2, 3});
  const std::pair<const char*, Variable (*)(const Variable&, const Axes&, bool)> reductions[]{
      {"sum", sum}, {"mean", mean}, {"prod", prod}, {"max", max}, {"min", min}, {"logsumexp", logsumexp}};
  for (auto [name, f] : reductions) {
    throws<ShapeError>([&, f = f] { f(x, 2, false); }, {name, "axis 2", "2 dimensions"});
    throws<ShapeError>([&, f = f] { f(x, {0, -2}, false); }, {name, "axis -2", "twice"});
  }
  throws<ShapeError>([&] { var(x, -3); }, {"var", "axis -3"});
  throws<ValueError>([&] { var(x, {}, false, -1); }, {"var", "ddof", "-1"});
  throws<ShapeError>([&] { softmax(x, 2); }, {"softmax", "axis 2"});
  throws<ShapeError>([&] { log_softmax(x, -3); }, {"log_softmax", "axis -3"});
  throws<ShapeError>([&] { argmax(x, 5); }, {"argmax", "axis 5"});
  throws<ShapeError>([&] { transpose(x, {0, 0}); }, {"transpose", "twice"});
  throws<ShapeError>([&] { transpose(x, {0}); }, {"transpose", "(2, 3)", "each axis once"});
  throws<ShapeError>([&] { squeeze(x, 0); }, {"squeeze", "(2, 3)", "needs 1"});
  throws<ShapeError>([&] { expand_dims(x, 4); }, {"expand_dims", "axis 4"});
  throws<ShapeError>([&] { concatenate({x, x}, 2); }, {"concatenate", "axis 2"});
  throws<ShapeError>([&] { take(x, Variable({0}, int64), 2); }, {"take", "axis 2"});
}

BOOST_AUTO_TEST_CASE(nothing_to_choose_from) {
  throws<ShapeError>([] { max(zeros({0})); }, {"max", "(0,)", "no elements"});
  throws<ShapeError>([] { min(zeros({2, 0}), 1); }, {"min", "(2, 0)", "no elements"});
  throws<ShapeError>([] { argmax(zeros({0})); }, {"argmax", "(0,)", "no elements"});
  throws<ShapeError>([] { argmin(zeros({0, 2}), 0); }, {"argmin", "(0, 2)", "no elements"});
  throws<ShapeError>([] { norm(zeros({0}), -1); }, {"norm", "(0,)", "no elements"});
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit) {
  Variable x = zeros({2, 3});
  throws<ShapeError>([&] { reshape(x, {4}); }, {"reshape", "6 elements", "(4,)"});
  throws<ShapeError>([&] { reshape(x, {4, -1}); }, {"reshape", "6 elements", "(4, -1)"});
  throws<ShapeError>([&] { reshape(x, {-1, -1}); }, {"reshape", "negative"});
  throws<ShapeError>([&] { reshape(zeros({0}), {0, -1}); }, {"reshape", "(0, -1)"});
  throws<ShapeError>([&] { broadcast_to(x, {2, 4}); }, {"broadcast_to", "(2, 3)", "(2, 4)"});
  throws<ShapeError>([&] { broadcast_to(x, {3}); }, {"broadcast_to", "(2, 3)", "(3,)"});
  throws<ShapeError>([&] { sum_to(x, {4}); }, {"sum_to", "(2, 3)", "(4,)"});
  throws<ShapeError>([&] { concatenate({}); }, {"concatenate", "no arrays"});
  throws<ShapeError>([&] { concatenate({x, zeros({2, 4})}); }, {"concatenate", "(2, 3)", "(2, 4)"});
  throws<ShapeError>([&] { concatenate({x, zeros({3})}); }, {"concatenate", "(2, 3)", "(3,)"});
  throws<DTypeError>([&] { concatenate({x, x.to(float64)}); }, {"concatenate", "float32", "float64"});
  throws<ShapeError>([&] { stack({}); }, {"stack", "no arrays"});
  throws<ShapeError>([&] { stack({x, zeros({2})}); }, {"stack", "(2, 3)", "(2,)"});
  throws<ShapeError>([&] { split(x, 2, 1); }, {"split", "(2, 3)", "2 equal parts"});
  throws<ShapeError>([&] { split(x, 0); }, {"split", "0 equal parts"});
  throws<ShapeError>([&] { split(x, {1, 3}, 1); }, {"split", "4", "is 3"});
  throws<ShapeError>([&] { (Variable{{1, 2}, {3}}); }, {"nested", "(2,)", "(1,)"});
  throws<ShapeError>([&] { zeros({-1}); }, {"full", "negative"});
  throws<ShapeError>([&] { zeros({std::size_t(1) << 40, std::size_t(1) << 40}); }, {"more elements"});
  throws<ShapeError>([&] { x.item(); }, {"item", "(2, 3)", "exactly one"});
}

BOOST_AUTO_TEST_CASE(positions_out_of_range) {
  Variable x = zeros({2, 3});
  throws<ShapeError>([&] { pad(x, {{-1, -2}}); }, {"pad: (-1, -2)", "axis 0 of (2, 3)"});
  throws<ValueError>([&] { meshgrid({zeros({2})}, "yx"); }, {"meshgrid", "\"yx\"", "\"xy\""});
  throws<ValueError>([&] { one_hot(zeros({0}, int64)); }, {"one_hot", "no indices"});
  throws<ShapeError>([&] { repeat_interleave(x, Variable({1, 2}, int64)); }, {"repeat_interleave", "(2,)", "(6,)"});
  throws<ValueError>([&] { x[2]; }, {"slice", "index 2", "axis 0", "(2, 3)"});
  throws<ValueError>([&] { (x[{range(), -4}]); }, {"slice", "index -4", "axis 1"});
  throws<ShapeError>([&] { (x[{0, 0, 0}]); }, {"slice", "3 indices", "(2, 3)"});
  throws<ShapeError>([&] { (x[{ellipsis, ellipsis}]); }, {"slice", "ellipsis"});
  throws<ValueError>([&] { x[range(0, 2, 0)]; }, {"slice", "step 0"});
  throws<ShapeError>([&] { unslice(zeros({2}), {5}, {range(0, 3)}); }, {"unslice", "(2,)", "(3,)"});
  throws<ValueError>([&] { take(x, Variable({0, 2}, int64)); }, {"take", "index 2", "axis of 2", "(2, 3)"});
  throws<ValueError>([&] { take(x, Variable({-4}, int64), 1); }, {"take", "index -4"});
  throws<DTypeError>([&] { take(x, Variable({0.0})); }, {"take", "float32", "int64"});
  throws<ValueError>([&] { take_along_axis(x, Variable({{3}, {0}}, int64), 1); }, {"take_along_axis", "index 3"});
  throws<ShapeError>([&] { take_along_axis(x, Variable({0}, int64), 1); }, {"take_along_axis", "(1,)", "(2, 3)"});
}

BOOST_AUTO_TEST_CASE(memory_that_there_is_not) {
  static constexpr std::size_t much = std::size_t{1} << 55;  // bytes beyond what processors address
  throws<MemoryError>([] { zeros({much}); }, {"zeros: ", "144115188075855872 bytes", "float32(36028797018963968,)"});
  throws<MemoryError>([] { arange(static_cast<std::int64_t>(much)); }, {"arange: ", "288230376151711744 bytes", "int64"});
  throws<MemoryError>([] { rand({much}, float64); }, {"rand: ", "288230376151711744 bytes", "float64"});
  throws<MemoryError>([] { eye(much, 1); }, {"eye: ", "144115188075855872 bytes"});
  Variable column = zeros({1 << 23, 1}), row = zeros({1, 1 << 25});
  throws<MemoryError>([&] { column + row; }, {"add: ", "1125899906842624 bytes", "float32(8388608, 33554432)"});
  throws<MemoryError>([&] { return column < row; }, {"less: ", "281474976710656 bytes", "bool(8388608, 33554432)"});
  throws<MemoryError>([&] { matmul(column, row); }, {"matmul: ", "1125899906842624 bytes"});
  throws<MemoryError>([] { broadcast_to(zeros({}), {much}); }, {"broadcast_to: ", "144115188075855872 bytes"});
  throws<MemoryError>([] { tile(zeros({1}), {much}); }, {"tile: ", "144115188075855872 bytes"});
  throws<MemoryError>([] { pad(zeros({1}), {{0, much}}); }, {"pad: ", "bytes"});
  throws<ShapeError>([] { zeros({much, much}); }, {"zeros: ", "(36028797018963968, 36028797018963968)"});
}

BOOST_AUTO_TEST_CASE(dtypes_that_do_not_mix) {
  Variable f = zeros({2}), d = zeros({2}, float64), i = arange(2), mask = f > 0;
  throws<DTypeError>([&] { f + d; }, {"add", "float32(2,)", "float64(2,)", ".to(float32)"});
  throws<DTypeError>([&] { i + f + d; }, {"add", "float32(2,)", "float64(2,)", ".to(float32)"});
  throws<DTypeError>([&] { concatenate({i, f, d}); }, {"concatenate", "float32(2,)", "float64(2,)", ".to(float32)"});
  throws<ValueError>([&] { div(1, 2, "up"); }, {"div", "\"up\"", "needs \"trunc\" or \"floor\""});
  throws<DTypeError>([&] { exp(i); }, {"exp", "int64"});
  throws<DTypeError>([&] { var(i); }, {"var", "int64"});
  throws<DTypeError>([&] { mask + mask; }, {"add", "bool", ".to(float32)"});
  std::string power = xtape::testing::message([&] { pow(mask, true); });
  BOOST_TEST((power.starts_with("pow: needs") && power.find("square") == std::string::npos), power);
  throws<DTypeError>([&] { where(f, f, f); }, {"where", "float32", "bool"});
  throws<DTypeError>([&] { where(f > 0, f, d); }, {"where", "float32", "float64"});
  throws<DTypeError>([&] { logical_not(f); }, {"logical_not", "float32", "bool"});
  throws<DTypeError>([&] { f.array<double>(); }, {"float32", "float64"});
  throws<DTypeError>([&] { i.requires_grad_(); }, {"requires_grad_", "int64"});
}

BOOST_AUTO_TEST_CASE(undefined_variables) {
  Variable none, x = zeros({2});
  throws<Error>([&] { none + x; }, {"add", "undefined"});
  throws<Error>([&] { exp(none); }, {"exp", "undefined"});
  throws<Error>([&] { sum(none); }, {"sum", "undefined"});
  throws<Error>([&] { matmul(x, none); }, {"matmul", "undefined"});
  throws<Error>([&] { reshape(none, {1}); }, {"reshape", "undefined"});
  throws<Error>([&] { none.shape(); }, {"undefined"});
  throws<Error>([&] { none.backward(); }, {"backward", "undefined"});
}

BOOST_AUTO_TEST_CASE(walks_that_cannot_be) {
  Variable x = ones({2, 3}).requires_grad_(), y = x * 2;
  throws<ShapeError>([&] { y.backward(); }, {"backward", "(2, 3)", "seed"});
  throws<ShapeError>([&] { y.backward(ones({3})); }, {"backward", "(3,)", "(2, 3)"});
  throws<ShapeError>([&] { y.backward(ones({2, 3}, float64)); }, {"backward", "float64", "float32"});
  throws<GraphError>([&] { ones({}).backward(); }, {"backward", "requires_grad_"});
  BOOST_TEST(!x.grad().defined());

  Variable z = sum(square(x));
  z.backward();
  Variable before = x.grad().copy();
  throws<GraphError>([&] { z.backward(); }, {"backward", "released", "retain_graph"});
  BOOST_TEST(sum(x.grad() != before).item() == 0);

  Variable other = ones({}).requires_grad_();
  Variable s = sum(x);
  throws<GraphError>([&] { grad(s, other); }, {"grad", "input 0", "allow_unused"});
  throws<GraphError>([&] { grad(sum(x), ones({})); }, {"grad", "input 0", "requires_grad_"});
  throws<ValueError>([&] { grad({sum(x)}, {x}, {.grad_outputs = {ones({}), ones({})}}); }, {"grad", "2 grad_outputs", "1 outputs"});
  BOOST_TEST((!grad(sum(x), other, {.allow_unused = true}).defined()));
}

BOOST_AUTO_TEST_CASE(changes_that_are_refused) {
  Variable w = ones({3}).requires_grad_(), x = full({3}, 2), y = sum(w * x);
  throws<GraphError>([&] { w += 1; }, {"+=", "leaf", "NoGrad"});
  throws<GraphError>([&] { w.assign(x); }, {"assign", "leaf"});
  throws<GraphError>([&] { y.requires_grad_(false); }, {"requires_grad_", "sum", "detach"});
}

BOOST_AUTO_TEST_CASE(in_place_results_that_do_not_fit) {
  Variable x = zeros({3});
  throws<ShapeError>([&] { x += zeros({2, 3}); }, {"+=", "(2, 3)", "(3,)"});
  throws<ShapeError>([&] { x.assign(zeros({2})); }, {"broadcast_to", "(2,)", "(3,)"});
  throws<ShapeError>([&] { x.set_grad(zeros({2})); }, {"set_grad", "(2,)", "(3,)"});
  BOOST_TEST((x.shape() == Shape{3}));
}

BOOST_AUTO_TEST_CASE(arguments_out_of_range) {
  throws<ValueError>([] { arange(0, 1, 0); }, {"arange", "step"});
  throws<ValueError>([] { set_num_threads(0); }, {"set_num_threads", "0 threads"});
  throws<ValueError>([] { Generator().set_state("nonsense"); }, {"generator", "state"});
  throws<ValueError>([] { Generator().uniform({2}, 1, 0, float32); }, {"uniform", "bounds"});
  throws<ValueError>([] { Generator().normal({2}, 0, -1, float32); }, {"normal", "stddev"});
}

BOOST_AUTO_TEST_CASE(convolutions) {
  Variable x = zeros({1, 2, 5, 5}), w = zeros({3, 2, 3, 3});
  throws<ShapeError>([&] { conv2d(zeros({5, 5}), w); }, {"conv2d", "(5, 5)", "needs (batch, channels, height, width)"});
  throws<ShapeError>([&] { conv2d(x, zeros({3, 3, 3, 3})); }, {"conv2d", "(1, 2, 5, 5)", "(3, 3, 3, 3)", "channels"});
  throws<ShapeError>([&] { conv2d(x, zeros({3, 2, 3})); }, {"conv2d", "needs a kernel of 4 axes"});
  throws<ShapeError>([&] { conv2d(x, w, zeros({2})); }, {"conv2d", "a bias (2,) for 3 channels"});
  throws<ShapeError>([&] { conv2d(x, zeros({3, 2, 6, 3})); }, {"conv2d", "a window of 6 along axis 2"});
  throws<ShapeError>([&] { conv2d(x, w, {}, {.stride = {1, 1, 1}}); }, {"conv2d", "3 numbers for stride"});
  throws<ValueError>([&] { conv2d(x, w, {}, {.stride = 0}); }, {"conv2d: stride is 0, needs 1 or more"});
  throws<ValueError>([&] { conv2d(x, w, {}, {.groups = 0}); }, {"conv2d", "0 groups"});
  throws<ShapeError>([&] { conv2d(x, zeros({3, 1, 3, 3}), {}, {.groups = 2}); }, {"conv2d", "in 2 groups"});
  throws<ShapeError>([&] { conv_transpose2d(x, w); }, {"conv_transpose2d", "channels"});
  throws<ValueError>([&] { conv_transpose2d(x, zeros({2, 1, 3, 3}), {}, {.output_padding = 1}); },
                     {"conv_transpose2d", "an output_padding of 1"});
  throws<ShapeError>([&] { conv_transpose2d(x, zeros({2, 1, 3, 3}), {}, {.padding = 4}); }, {"cuts off all 7"});
  throws<ValueError>([&] { max_pool2d(x, 2, {.padding = 2}); }, {"max_pool2d", "a padding of 2 for a window of 2"});
  throws<ShapeError>([&] { max_pool1d(zeros({1, 1, 0}), 2, {.stride = 3, .ceil_mode = true}); },
                     {"max_pool1d", "axis 2 of (1, 1, 0)"});
  throws<ShapeError>([&] { max_pool1d(zeros({1, 1, 2}), 2, {.padding = 1, .dilation = 3}); },
                     {"max_pool1d", "no element inside of (1, 1, 2)"});
  throws<ValueError>([&] { max_pool1d(zeros({1, 1, (1 << 24) + 1}), (1 << 24) + 1); },
                     {"max_pool1d", "a window of 16777217 elements, needs at most 2^24"});
  throws<DTypeError>([&] { conv2d(x, w.to(float64)); }, {"conv2d", "a kernel of float64 for images of float32"});
  // The pixels with their padding number 2^96.
  Variable two = zeros({1, 1, 2, 2, 2});
  throws<ShapeError>([&] { conv3d(two, two, {}, {.stride = 2147483646, .padding = 2147483647, .dilation = 3}); },
                     {"4294967296", "more elements than memory can address"});
  throws<DTypeError>([&] { conv2d(x, w, ones({3}, float64)); }, {"conv2d", "a bias of float64 for images of float32"});
  throws<ValueError>([&] { conv2d(x, w, {}, {.stride = {1, 2}, .padding = "same"}); },
                     {"conv2d", "\"same\" with a stride of 2"});
  throws<ValueError>([&] { conv2d(zeros({1, 2, 0, 5}), w, {}, {.padding = "same"}); }, {"conv2d: extent is 0"});
  throws<ValueError>([&] { conv2d(x, w, {}, {.padding = "some"}); }, {"padding: \"some\"", "\"same\" or \"valid\""});
  Variable image = zeros({2, 5, 5});  // without the batch, which is not named either
  throws<ShapeError>([&] { conv2d(image, zeros({3, 2, 3, 6})); }, {"conv2d", "axis 2 of (2, 5, 5)"});
  throws<ShapeError>([&] { conv_transpose2d(image, zeros({2, 1, 3, 3}), {}, {.padding = 4}); }, {"elements of axis 1"});
  throws<ValueError>([&] { conv_transpose2d(zeros({2, 5, 0}), zeros({2, 1, 3, 3})); }, {"conv_transpose2d: extent is 0"});
  throws<ShapeError>([&] { max_pool2d(image, 6); }, {"max_pool2d", "axis 1 of (2, 5, 5)"});
  throws<ShapeError>([&] { conv2d(zeros({1, 0, 5, 5}), zeros({3, 0, 3, 3})); }, {"conv2d", "channels"});
  throws<ValueError>([&] { conv2d(x, w, {}, {.dilation = -1}); }, {"conv2d", "dilation is -1"});
  throws<ValueError>([&] { conv2d(x, w, {.dilation = -1}); }, {"conv2d", "dilation is -1"});  // options, not a bias
  throws<ValueError>([&] { unfold(x, 2, {.dilation = std::size_t{1} << 63}); }, {"unfold", "dilation"});
  throws<ValueError>([&] { unfold(x, 2, {.dilation = std::size_t{1} << 40}); }, {"unfold", "dilation is 1099511627776"});
  throws<ValueError>([&] { conv_transpose2d(x, zeros({2, 1, 3, 3}), {}, {.stride = -1}); }, {"conv_transpose2d", "stride is -1"});
  throws<ValueError>([&] { adaptive_avg_pool2d(x, -1); }, {"adaptive_avg_pool2d", "extents is -1"});
  throws<ShapeError>([&] { instance_norm(x, ones({7})); }, {"instance_norm", "(7,)"});
  throws<DTypeError>([&] { batch_norm(x, ones({2}), ones({2}, float64), {}, {}); }, {"batch_norm", "float64"});
  throws<ValueError>([&] { sum(slogdet(parameter(ones({2, 2}))).logabsdet).backward(); },
                     {"backward of slogdet: inverse", "(2, 2)"});
  throws<ValueError>([&] { avg_pool2d(x, 2, {.divisor_override = 0}); }, {"avg_pool2d", "a divisor_override of 0"});
  throws<ValueError>([&] { avg_pool2d(x, 0); }, {"avg_pool2d: window is 0, needs 1 or more"});
  throws<ShapeError>([&] { max_pool1d(x, 2); }, {"max_pool1d", "needs (batch, channels, length)"});
  throws<ShapeError>([&] { adaptive_avg_pool2d(x, 0); }, {"adaptive_avg_pool2d", "0 windows"});
}

BOOST_AUTO_TEST_CASE(special_functions) {
  Variable x = ones({2}, float64);
  throws<ValueError>([&] { mvlgamma(x, 0); }, {"mvlgamma", "p is 0"});
  throws<GraphError>([&] { gammainc(parameter(x), x); }, {"gammainc", "first operand"});
  throws<GraphError>([&] { gammaincc(parameter(x), x); }, {"gammaincc", "first operand"});
  throws<DTypeError>([&] { logical_xor(x, x > 0); }, {"logical_xor", "float64", "bool"});
  throws<Error>([&] { clamp(x, {}, {}); }, {"clip", "undefined"});
}

BOOST_AUTO_TEST_CASE(neural_operations) {
  Variable x = zeros({2, 6, 4});
  throws<ShapeError>([&] { layer_norm(x, 4); }, {"layer_norm", "last 4 axes", "(2, 6, 4)"});
  throws<ShapeError>([&] { layer_norm(x, 1, zeros({3})); }, {"layer_norm", "a weight (3,), needs (4,)"});
  throws<ShapeError>([&] { batch_norm(zeros({1, 6})); }, {"batch_norm", "(1, 6) has 1 element in each channel"});
  throws<ShapeError>([&] { instance_norm(zeros({2, 6, 1})); }, {"instance_norm", "1 element in each channel"});
  throws<ValueError>([&] { embedding(zeros({3, 2}), zeros({1}, int64), 3); }, {"embedding", "padding_idx is 3", "3 rows"});
  throws<ShapeError>([&] { group_norm(x, 4); }, {"group_norm", "6 channels in 4 groups"});
  throws<ShapeError>([&] { batch_norm(zeros({3})); }, {"batch_norm", "(3,)"});
  throws<ShapeError>([&] { batch_norm(x, {}, zeros({5})); }, {"batch_norm", "a bias (5,), needs (6,)"});
  throws<ValueError>([&] { dropout(x, 1.5); }, {"dropout", "1.5"});
  throws<ValueError>([&] { dropout(x, NAN); }, {"dropout", "nan"});
  Variable rows = zeros({2, 3}), two = Variable({0, 3}, int64);
  throws<ValueError>([&] { cross_entropy_rows(rows, two, ones({2})); }, {"cross_entropy_rows", "label 3 of row 1", "3 classes"});
  throws<ShapeError>([&] { cross_entropy_rows(rows, two, ones({3})); }, {"cross_entropy_rows", "float32(2, 3)", "float32(3,)"});
  throws<ShapeError>([&] { cross_entropy_rows(rows, two, ones({2}, float64)); }, {"cross_entropy_rows", "float64(2,)"});
  throws<DTypeError>([&] { cross_entropy_rows(rows, ones({2}), ones({2})); }, {"cross_entropy_rows", "int64"});
  throws<ShapeError>([&] { embedding(x, arange(2).to(int64)); }, {"embedding", "(rows, width)"});
  throws<ValueError>([&] { embedding(zeros({3, 2}), Variable{3}.to(int64)); }, {"3"});
  throws<DTypeError>([&] { embedding(zeros({3, 2}), zeros({1})); }, {"embedding", "int64"});
  throws<ShapeError>([&] { scaled_dot_product_attention(x, x, zeros({2, 5, 4})); },
                     {"scaled_dot_product_attention", "(2, 5, 4)", "(..., m, e)"});
  throws<ShapeError>([&] { pixel_shuffle(zeros({1, 6, 2, 2}), 2); }, {"pixel_shuffle", "(1, 6, 2, 2) by 2"});
  throws<ShapeError>([&] { pixel_shuffle(zeros({4, 4}), 2); }, {"pixel_shuffle", "(4, 4) by 2"});
  throws<ShapeError>([&] { pixel_shuffle(zeros({1, 1, 1}), 1l << 32); }, {"pixel_shuffle", "by 4294967296"});
  throws<ShapeError>([&] { pixel_shuffle(zeros({1, 1, 1}), -1); }, {"pixel_shuffle", "by -1"});
  throws<ShapeError>([&] { pixel_unshuffle(zeros({1, 2, 3}), 2); }, {"pixel_unshuffle", "(1, 2, 3) by 2"});
  throws<ShapeError>([&] { interpolate(x, 2, 2); }, {"interpolate", "(2, 6, 4)"});
  throws<ShapeError>([&] { interpolate(zeros({2, 6}), {.size = 2}); }, {"interpolate", "(2, 6)"});
  throws<ShapeError>([&] { interpolate(zeros({2, 1, 0}), {.size = 2}); }, {"interpolate", "(2, 1, 0)"});
  throws<ValueError>([&] { interpolate(x, {}); }, {"interpolate", "either a size or a scale_factor"});
  throws<ValueError>([&] { interpolate(x, {.size = 3, .scale_factor = {2}}); }, {"interpolate", "either"});
  throws<ValueError>([&] { interpolate(x, {.scale_factor = {0.1}}); }, {"interpolate", "an extent of 4 becomes 0"});
  throws<ValueError>([&] { interpolate(x, {.scale_factor = {NAN}}); }, {"interpolate", "becomes"});
  throws<ValueError>([&] { interpolate(x, {.scale_factor = {1e9}}); }, {"interpolate", "becomes 4000000000", "2^31"});
  throws<ShapeError>([&] { interpolate(x, {.scale_factor = {2, 3}}); }, {"interpolate", "2 numbers for scale_factor"});
  throws<ValueError>([&] { interpolate(x, {.size = 3, .mode = Interpolation::bilinear}); },
                     {"interpolate", "bilinear for (2, 6, 4)"});
  throws<ValueError>([&] { interpolate(x, {.size = 3, .align_corners = true}); },
                     {"interpolate", "align_corners with nearest"});
}

BOOST_AUTO_TEST_CASE(decompositions) {
  Variable a = zeros({2, 3}), singular = ones({2, 2});
  throws<ShapeError>([&] { inverse(a); }, {"inverse", "(2, 3)", "square"});
  throws<ShapeError>([&] { det(zeros({2})); }, {"det", "(2,)"});
  throws<ShapeError>([&] { qr(zeros({3})); }, {"qr", "(3,)", "needs matrices"});
  throws<ShapeError>([&] { svd(zeros({3})); }, {"svd", "(3,)", "needs matrices"});
  throws<DTypeError>([&] { svdvals(zeros({3, 3}, int64)); }, {"svdvals", "int64"});
  throws<ValueError>([&] { svd(full({2, 2}, NAN)); }, {"svd", "the matrix (2, 2)", "NaN"});
  throws<ValueError>([&] { qr(a, "r"); }, {"qr", "mode is \"r\"", "needs \"reduced\" or \"complete\""});
  throws<ValueError>([&] { sum(qr(ones({3, 2}).requires_grad_(), "complete").r).backward(); },
                     {"qr", "\"complete\" has no derivatives", "needs \"reduced\""});
  throws<ValueError>([&] { pinv(a, {.atol = -1}); }, {"pinv", "atol is -1", "needs 0 or more"});
  throws<ValueError>([&] { pinv(a, {.rtol = NAN}); }, {"pinv", "rtol nan", "needs 0 or more"});
  throws<ShapeError>([&] { pinv(a, {.hermitian = true}); }, {"pinv", "(2, 3)", "needs square matrices"});
  throws<ValueError>([&] { matrix_norm(a, "max"); }, {"matrix_norm", "\"max\"", "needs \"fro\""});
  throws<ValueError>([&] { matrix_norm(a, 3); }, {"matrix_norm", "p is 3", "needs 1, 2, infinity"});
  throws<ShapeError>([&] { matrix_norm(a, 1, 0); }, {"matrix_norm", "1 axes, needs two"});
  throws<ShapeError>([&] { matrix_norm(zeros({3})); }, {"matrix_norm", "axis"});
  throws<ShapeError>([&] { unfold(zeros({3, 4}), 2); }, {"unfold", "(3, 4)", "needs (batch, channels, height, width)"});
  throws<ShapeError>([&] { unfold(zeros({1, 1, 2, 4}), 3); }, {"unfold", "is longer"});
  throws<ShapeError>([&] { fold(zeros({1, 5, 4}), {3, 3}, 2); }, {"fold", "(1, 5, 4)", "channels * 4"});
  throws<ShapeError>([&] { fold(zeros({1, 4, 5}), {3, 3}, 2); }, {"fold", "has 5 windows, needs the 4"});
  throws<ShapeError>([&] { solve(eye(2), zeros({3})); }, {"solve", "(2, 2) x = (3, 1)"});
  throws<ShapeError>([&] { solve(eye(2), zeros({2}), false); }, {"solve", "needs rows"});
  throws<ShapeError>([&] { solve(eye(3), zeros({2, 4}), false); }, {"solve", "x (3, 3) = (2, 4)", "rows"});
  throws<ValueError>([&] { eigh(eye(2), "l"); }, {"eigh", "\"l\"", "\"L\" or \"U\""});
  throws<ShapeError>([&] { lstsq(eye(2), zeros({3})); }, {"lstsq", "(2, 2) x = (3,)"});
  throws<DTypeError>([&] { solve(eye(2), zeros({2}, float64)); }, {"solve", "float32", "float64", "dtypes differ"});
  throws<ValueError>([&] { inverse(singular); }, {"inverse", "(2, 2) is singular"});
  throws<ValueError>([&] { inverse(stack({eye(2), singular})); }, {"inverse", "matrix 1 of (2, 2, 2) is singular"});
  throws<ValueError>([&] { solve(singular, zeros({2})); }, {"solve", "singular"});
  throws<ValueError>([&] { cholesky(-eye(2)); }, {"cholesky", "not positive definite"});
  throws<ValueError>([&] { matrix_power(singular, -1); }, {"singular"});
}

BOOST_AUTO_TEST_SUITE_END()
