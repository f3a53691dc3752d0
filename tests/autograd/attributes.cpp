// What operations tell of their arguments.
#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/tape.hpp>

#include "samples.hpp"

using namespace xtape;

namespace {

// Calls f for each operation that was recorded behind y.
void for_each_operation(const Variable& y, const std::function<void(const Operation&)>& f) {
  std::set<const Node*> met;
  std::vector<const Node*> open;
  auto meet = [&](const NodePtr& node) {
    if (node && met.insert(node.get()).second) open.push_back(node.get());
  };
  meet(y.impl()->node);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node->operation()) f(*node->operation());
    for (const Edge& edge : node->edges()) meet(edge.node);
  }
}

// The attributes of the operations of that name behind y.
std::vector<std::string> told(const Variable& y, const std::string& name) {
  std::vector<std::string> result;
  for_each_operation(y, [&](const Operation& operation) {
    if (operation.name() == name) result.push_back(to_string(operation.attributes()));
  });
  return result;
}

// The names of all attributes there are, and whose they are, of operations that the samples record and their gradients.
// Elementwise operations have none. An operation without attributes stands here as well: a new one cannot forget them.
const std::vector<std::pair<std::string, std::vector<std::string>>> all_attributes{
    {"", {"all_reduce", "cholesky", "cross_entropy_rows", "det", "eigh", "eigvalsh", "inverse", "linear", "lu", "median",
          "slogdet", "solve", "svd", "svdvals"}},
    // Where their arguments make them give back the operand, or a part of them does.
    {"", {"block_diag", "broadcast_to", "dropout", "dstack", "group_norm", "hstack", "instance_norm", "layer_norm",
          "pad", "positive", "rms_norm", "roll", "to", "vstack"}},
    {"atol rtol hermitian", {"pinv"}},
    {"axes", {"transpose"}},
    {"axes keepdims", {"max", "min", "sum"}},
    {"axis", {"concatenate", "cumprod", "log_softmax", "logcumsumexp", "softmax", "take_along_axis"}},
    {"axis reverse", {"cumsum", "linear_scan"}},
    {"axis shape", {"take_along_axis_adjoint"}},
    {"epsilon", {"batch_norm", "group_norm", "instance_norm", "layer_norm"}},
    {"extents", {"adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d",
                 "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices"}},
    {"mode", {"qr"}},
    {"reduce include_self", {"scatter_reduce"}},
    {"shape", {"broadcast_to", "reshape", "sum_to"}},
    {"shape outer extent inner", {"slice", "slice_assign", "take"}},
    {"shape outer extent inner accumulate", {"slice", "slice_assign", "take"}},
    {"shape strides offset", {"diag_embed", "diagonal", "einsum", "fold", "slice", "slice_assign", "unfold", "unslice",
                              "windows"}},
    {"shape strides offset accumulate", {"diag_embed", "diagonal", "fold", "slice", "slice_assign", "unfold", "unslice",
                                         "windows"}},
    {"stride padding dilation groups", {"conv1d", "conv2d", "conv3d"}},
    {"stride padding dilation groups output_padding", {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}},
    {"transpose_a transpose_b", {"matmul"}},
    {"uplo", {"eigh", "eigvalsh", "pinv"}},
    {"window stride padding ceil_mode", {"avg_pool1d", "avg_pool2d", "avg_pool3d"}},
    {"window stride padding ceil_mode dilation", {"max_pool1d", "max_pool1d_with_indices", "max_pool2d",
                                                  "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices"}}};

Variable leaf(const Shape& shape) { return samples::numbers(shape).copy().requires_grad_(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(graphs)

BOOST_AUTO_TEST_CASE(operations_tell_their_attributes) {
  const Variable x = leaf({2, 3, 4}), m = leaf({3, 3}), v = leaf({7});
  const Variable signal = leaf({2, 2, 8}), image = leaf({1, 1, 6, 6});
  const Variable ids({0, 2}, int64);
  Recurrence recurrence(leaf({2, 1, 3}), m, {}, true);
  struct Row {
    const char* name;
    Variable result;
    const char* attributes;
  };
  for (const auto& [name, result, attributes] : std::vector<Row>{
           {"sum", sum(x, {0, -1}, true), "axes=(0, 2), keepdims=true"},
           {"sum", sum(x), "axes=(0, 1, 2), keepdims=false"},
           {"max", max(x, 1), "axes=(1,), keepdims=false"},
           {"min", min(x, {0, 1}, true), "axes=(0, 1), keepdims=true"},
           {"sum_to", sum_to(x, {1, 4}), "shape=(1, 4)"},
           {"cumsum", cumsum(x, -1), "axis=2, reverse=false"},
           {"cumprod", cumprod(x, -1), "axis=2"},
           {"logcumsumexp", logcumsumexp(x, 1), "axis=1"},
           {"softmax", softmax(x, -1), "axis=2"},
           {"log_softmax", log_softmax(x, 0), "axis=0"},
           {"reshape", reshape(x, {-1, 6}), "shape=(4, 6)"},
           {"transpose", transpose(x, {2, 0, -2}), "axes=(2, 0, 1)"},
           {"broadcast_to", broadcast_to(x, {5, 2, 3, 4}), "shape=(5, 2, 3, 4)"},
           {"concatenate", concatenate({x, x}, -2), "axis=1"},
           {"take_along_axis", take_along_axis(x, zeros({2, 1, 4}, int64), 1), "axis=1"},
           {"to", x.to(float32), "dtype=\"float32\""},
           {"slice", x[{1, range(none, none, -1)}], "shape=(3, 4), strides=(-4, 1), offset=20"},
           {"take", take(x, ids, 1), "shape=(2, 2, 4), outer=2, extent=3, inner=4"},
           {"diagonal", diagonal(m), "shape=(3,), strides=(4,), offset=0"},
           {"slice_assign", slice_assign(m, {0}, 1), "shape=(3,), strides=(1,), offset=0, accumulate=false"},
           {"unslice", unslice(v, {7, 2}, {range(), 1}), "shape=(7,), strides=(2,), offset=1, accumulate=true"},
           {"windows", windows(v, 0, 3, 2), "shape=(3, 3), strides=(2, 1), offset=0"},
           {"matmul", matmul(m, m), "transpose_a=false, transpose_b=false"},
           {"linear", linear(m, m), ""},
           {"conv1d", conv1d(signal, leaf({4, 1, 3}), {}, {.stride = 2, .padding = 1, .groups = 2}),
            "stride=(2,), padding=(1,), dilation=(1,), groups=2"},
           {"conv2d", conv2d(image, leaf({1, 1, 2, 2}), {}, {.padding = "same"}),
            "stride=(1, 1), padding=\"same\", dilation=(1, 1), groups=1"},
           {"conv_transpose2d", conv_transpose2d(image, leaf({1, 2, 3, 3}), {},
                                                 {.stride = {2, 3}, .padding = 1, .output_padding = {1, 2}}),
            "stride=(2, 3), padding=(1, 1), dilation=(1, 1), groups=1, output_padding=(1, 2)"},
           {"max_pool2d", max_pool2d(image, {3, 2}, {.stride = 2, .padding = 1}),
            "window=(3, 2), stride=(2, 2), padding=(1, 1), ceil_mode=false, dilation=(1, 1)"},
           {"avg_pool1d", avg_pool1d(signal, 3, {.ceil_mode = true}),
            "window=(3,), stride=(3,), padding=(0,), ceil_mode=true"},
           {"adaptive_max_pool1d", adaptive_max_pool1d(signal, 4), "extents=(4,)"},
           {"batch_norm", batch_norm(signal, {}, {}, 0.5), "epsilon=0.5"},
           {"layer_norm", layer_norm(x, 1, {}, {}, 0.125), "epsilon=0.125"},
           {"embedding", embedding(m, ids, {}, true), "scale_grad_by_freq=true"},
           {"scatter_reduce", scatter_reduce(v, 0, ids, leaf({2}), "amax", false),
            "reduce=\"amax\", include_self=false"},
           {"eigvalsh", eigvalsh(m, "U"), "uplo=\"U\""},
           {"qr", qr(m).q, "mode=\"reduced\""},
           {"pinv", pinv(m, {.rtol = 0.5}), "atol=0, rtol=0.5, hermitian=false"},
           {"recurrence step", recurrence.step(leaf({1, 3})), "row=1"},
           {"recurrence", recurrence.step(leaf({1, 3})), "steps=2, reverse=true"},
           {"mul", x * 2, ""}}) {
    std::vector<std::string> found = told(result, name);
    BOOST_TEST(std::ranges::count(found, attributes) > 0, name << " does not tell " << attributes);
  }
}

BOOST_AUTO_TEST_CASE(all_operations_tell_their_attributes) {
  std::set<std::string> found, expected;
  auto note = [&](const Operation& operation) {
    if (dynamic_cast<const ConstantOperation*>(&operation)) return;
    std::string names;
    for (const Attribute& attribute : operation.attributes()) names += (names.empty() ? "" : " ") + attribute.name;
    found.insert(std::string(operation.name()) + ": " + names);
    BOOST_TEST(to_string(operation.attributes()).empty() == names.empty());
  };
  for (const samples::Operation& operation : samples::operations()) {
    if (!operation.differentiable) continue;
    for (const samples::Sample& sample : operation.samples) {
      std::vector<Variable> xs;
      for (const Variable& x : sample.inputs) xs.push_back(x.copy().requires_grad_());
      Variable y = sample.f(xs), weights = samples::numbers(y.shape());
      for_each_operation(y, note);
      auto gradients = grad({y}, xs, {.create_graph = true, .allow_unused = true, .grad_outputs = {weights}});
      for (const Variable& g : gradients)
        if (g.defined()) for_each_operation(g, note);
    }
  }
  for (const auto& [names, operations] : all_attributes)
    for (const std::string& operation : operations) expected.insert(operation + ": " + names);
  for (const std::string& text : found) BOOST_TEST(expected.contains(text), "unexpected: \"" << text << '"');
  for (const std::string& text : expected) BOOST_TEST(found.contains(text), "not found: \"" << text << '"');
}

BOOST_AUTO_TEST_SUITE_END()
