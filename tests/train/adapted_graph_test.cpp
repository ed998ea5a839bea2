// Low-rank adapters in a tower with a graph network behind it: exact gradients in full batch.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "train/index_of.hpp"
#include "train/network.hpp"
#include "train/pass.hpp"
#include "train/protocol.hpp"
#include <map>
#include <numeric>

#include "plugins/plugin_support.hpp"
#include "train/adapted_tower.hpp"

namespace espalier {
namespace {

constexpr std::size_t photos = 9;

// GA-Net around a GCN, or a GCN, on the neighbours that the frozen features have.
class AdaptedGraph : public testing::TestWithParam<const char*> {
 protected:
  AdaptedGraph() {
    samples_.resize(photos);
    std::iota(samples_.begin(), samples_.end(), std::size_t{0});
    const c10::AutoGradMode no_grad(false);
    const at::Tensor frozen = tower_.source(4)->rows(plain_looks(samples_), {});
    fusion_ = make_fusion({}, {.images = frozen.size(1)}, false);
    const GraphMaker maker{.builder = testing_support::make<GraphBuilder>("knn", {{"k", 3}}),
                           .name = "graph/knn",
                           .nodes = [&](std::span<const std::size_t>) {
                             return FrozenNodes{.nodes = (*fusion_)({.images = frozen})};
                           }};
    protocol_ = inductive_attach(samples_, maker);
    const std::string use = GetParam();
    const Json layer = {{"layers", 2}, {"dropout", 0.2}};
    Json params = layer;
    if (use == "ga_net") {
      params = {{"layer", layer}, {"bottleneck", 6}};
      params["layer"]["use"] = "gcn";
    }
    network_ =
        std::make_unique<Network>(NetworkParts{fusion_, testing_support::make<Gnn>(use, params),
                                               "gnn/" + use, make_head({.use = "cosine"}, {})},
                                  3, 1, tower_.parameters);
    // W_up is zero at the start, and nothing behind it would have a gradient.
    for (const auto& [name, tensor] : tower_.parameters.entries()) {
      at::Tensor(tensor).add_(adapted::noise(tensor.sizes(), name).to(tensor.scalar_type()) * 0.1);
    }
  }

  // Asked for two photos of three.
  at::Tensor loss(const at::Tensor& images, const Mode& mode) const {
    const Scene& scene = protocol_->training();
    const at::Tensor logits = network_->scores(scene.graph, {.images = images}, mode).logits;
    return at::cross_entropy_loss(logits.index_select(0, index_of({0, 1, 3, 4, 6, 7}, at::kCPU)),
                                  index_of({0, 1, 0, 1, 2, 2}, at::kCPU));
  }

  std::map<std::string, at::Tensor> take_gradients() {
    std::map<std::string, at::Tensor> gradients;
    for (const auto& [name, tensor] : tower_.parameters.entries()) {
      EXPECT_TRUE(tensor.grad().defined()) << name;
      gradients[name] = tensor.grad().clone();
      tensor.mutable_grad().reset();
    }
    return gradients;
  }

  adapted::Tower tower_{"vit-tiny", 1};
  std::vector<std::size_t> samples_;
  std::shared_ptr<Fusion> fusion_;
  std::unique_ptr<Protocol> protocol_;
  std::unique_ptr<Network> network_;
};

TEST_P(AdaptedGraph, HasTheGradientsOfTheWholeTapeHoweverItIsCut) {
  EXPECT_GT(protocol_->training().graph.edges(), std::ssize(samples_));
  const std::vector<Look> looks = plain_looks(samples_);
  std::vector<at::Tensor> pixels;
  std::vector<std::uint64_t> ids;
  for (const Look& look : looks) {
    pixels.push_back(tower_.pixels(look));
    ids.push_back(look_id(look));
  }
  std::vector<std::uint64_t> nodes(photos);
  std::iota(nodes.begin(), nodes.end(), std::uint64_t{0});
  const Mode of_tower{.training = true, .dropout = {.key = 5, .rows = ids}};
  const Mode of_network{.training = true, .dropout = {.key = 5, .rows = nodes}};

  const at::Tensor feature = forward(tower_.image(), at::stack(pixels), of_tower).feature;
  loss(feature.to(at::kFloat), of_network).backward();
  const auto expected = take_gradients();
  for (const std::int64_t chunk : {1, 4, 9}) {
    const Sources sources{.images = tower_.source(chunk)};
    StateBank bank;
    Pass pass(sources, bank, looks, of_network, ReplayedRows::Compare::yes);
    loss(pass.values().images, of_network).backward();
    pass.backward();
    for (const auto& [name, gradient] : take_gradients()) {
      const double size = expected.at(name).norm().item<double>();
      EXPECT_GT(size, 0) << name;
      EXPECT_LT((gradient - expected.at(name)).norm().item<double>(), 1e-6 * size)
          << name << " in chunks of " << chunk;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, AdaptedGraph, testing::Values("ga_net", "gcn"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace espalier
