// Losses whose options are not given, against those of libtorch.
#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>

#include <nn/losses.hpp>
#include <tests/torch_orders.hpp>

namespace {

namespace nn = xtape::nn;
namespace F = torch::nn::functional;
using samples::numbers;
using xtape::range;
using xtape::Variable;
using xtape::testing::to_torch;
using Case = xtape::testing::PeerCase;

Variable integers(std::initializer_list<xtape::Nested> values) { return Variable(values, xtape::int64); }

std::vector<Case> cases() {
  std::vector<Case> l;
  Variable x = numbers({4, 3}, -3, 3), y = numbers({4, 3}, -1.9, 2.1), z = numbers({4, 3}, -1, 3),
           p = numbers({4, 3}, 0.03, 0.97, 0), labels = integers({0, 2, -100, 1}), signs = integers({1, -1, -1, 1});
  auto add = [&l](const char* name, const std::vector<Variable>& inputs, auto own, auto other, std::size_t orders = 2) {
    l.push_back({name, inputs, own, other, orders});
  };
  add("mse", {x, y}, [](auto& v) { return nn::mse_loss(v[0], v[1]); },
      [](auto& v) { return F::mse_loss(v[0], v[1]); });
  add("l1", {x, y}, [](auto& v) { return nn::l1_loss(v[0], v[1]); }, [](auto& v) { return F::l1_loss(v[0], v[1]); });
  add("huber", {x, y}, [](auto& v) { return nn::huber_loss(v[0], v[1]); },
      [](auto& v) { return F::huber_loss(v[0], v[1]); });
  add("smooth_l1", {x, y}, [](auto& v) { return nn::smooth_l1_loss(v[0], v[1]); },
      [](auto& v) { return F::smooth_l1_loss(v[0], v[1]); });
  add("poisson", {x, p}, [](auto& v) { return nn::poisson_nll_loss(v[0], v[1]); },
      [](auto& v) { return F::poisson_nll_loss(v[0], v[1]); });
  add("softmax_cross_entropy", {x}, [=](auto& v) { return nn::softmax_cross_entropy(v[0], labels); },
      [=](auto& v) { return F::cross_entropy(v[0], to_torch(labels)); });
  add("nll", {x}, [=](auto& v) { return nn::nll_loss(v[0], labels); },
      [=](auto& v) { return F::nll_loss(v[0], to_torch(labels)); });
  add("sigmoid_cross_entropy", {x, p}, [](auto& v) { return nn::sigmoid_cross_entropy(v[0], v[1]); },
      [](auto& v) { return F::binary_cross_entropy_with_logits(v[0], v[1]); });
  add("binary_cross_entropy", {p, 1 - p}, [=](auto& v) { return nn::binary_cross_entropy(v[0], v[1]); },
      [=](auto& v) { return F::binary_cross_entropy(v[0], v[1]); }, 1);
  add("kl_div", {log(p), numbers({4, 3}, 0.1, 0.9, 0)}, [](auto& v) { return nn::kl_div(v[0], v[1]); },
      [](auto& v) { return F::kl_div(v[0], v[1]); });
  add("hinge_embedding", {x[{range(), 0}]}, [=](auto& v) { return nn::hinge_embedding_loss(v[0], signs); },
      [=](auto& v) { return F::hinge_embedding_loss(v[0], to_torch(signs)); });
  add("cosine_embedding", {x, z}, [=](auto& v) { return nn::cosine_embedding_loss(v[0], v[1], signs); },
      [=](auto& v) { return F::cosine_embedding_loss(v[0], v[1], to_torch(signs)); });
  add("margin_ranking", {x[{range(), 0}], y[{range(), 1}]},
      [=](auto& v) { return nn::margin_ranking_loss(v[0], v[1], signs); },
      [=](auto& v) { return F::margin_ranking_loss(v[0], v[1], to_torch(signs)); });
  add("triplet_margin", {x, y, z}, [](auto& v) { return nn::triplet_margin_loss(v[0], v[1], v[2]); },
      [](auto& v) { return F::triplet_margin_loss(v[0], v[1], v[2]); });
  Variable steps = numbers({7, 2, 4}, -2, 2, 0), targets = integers({{1, 2, 2}, {3, 1, 1}}), full = integers({7, 6}),
           lengths = integers({3, 2});
  add("ctc", {steps}, [=](auto& v) { return nn::ctc_loss(log_softmax(v[0]), targets, full, lengths); },
      [=](auto& v) {
        return F::ctc_loss(v[0].log_softmax(-1), to_torch(targets), to_torch(full), to_torch(lengths));
      }, 1);
  return l;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peers_loss_defaults)

BOOST_DATA_TEST_CASE(losses_agree_with_libtorch, cases(), c) {
  xtape::testing::agree_in_all_orders(c, {1e-9, 1e-9, 1e-9}, 0);
}

BOOST_AUTO_TEST_SUITE_END()
