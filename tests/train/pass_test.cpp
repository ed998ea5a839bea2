#include "train/pass.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/graph/spmm.hpp>
#include <map>

#include "train/adapted_tower.hpp"
#include "train/live_bytes.hpp"

namespace espalier {
namespace {

using adapted::looks;
using Compare = ReplayedRows::Compare;

const Mode training_mode{.training = true, .dropout = {.key = 11, .rows = {}}};

Sources images_from(std::shared_ptr<const FeatureSource> source) {
  Sources sources;
  sources.images = std::move(source);
  return sources;
}

// A graph layer and a classifier behind the features, asked for every other sample.
class Behind {
 public:
  Behind(std::int64_t nodes, std::int64_t width, Parameters& parameters)
      : layer_(parameters.add("layer", adapted::noise({width, width}, "layer") * 0.2)),
        classes_(parameters.add("classes", adapted::noise({width, 3}, "classes"))) {
    std::vector<Edge> edges;
    for (std::int64_t i = 0; i < nodes; ++i) {
      edges.push_back({.target = i, .source = (i + 1) % nodes, .weight = 0.5F});
      edges.push_back({.target = i, .source = (i + 3) % nodes, .weight = 0.25F});
    }
    graph_ = graph_from_edges(nodes, nodes, std::move(edges));
  }

  [[nodiscard]] at::Tensor loss(const at::Tensor& x) const {
    const at::Tensor h = at::tanh((x + spmm(graph_, graph_.weight, x)).matmul(layer_));
    const at::Tensor asked = at::arange(0, x.size(0), 2, at::kLong);
    return at::cross_entropy_loss(h.matmul(classes_).index_select(0, asked),
                                  at::remainder(asked, 3));
  }

 private:
  CsrGraph graph_;
  at::Tensor layer_, classes_;
};

using Gradients = std::map<std::string, at::Tensor>;

Gradients take_gradients(const Parameters& parameters) {
  Gradients gradients;
  for (const auto& [name, tensor] : parameters.entries()) {
    EXPECT_TRUE(tensor.grad().defined()) << name;
    gradients[name] = tensor.grad().clone();
    tensor.mutable_grad().reset();
  }
  return gradients;
}

// By the norm of each.
void expect_equal(const Gradients& found, const Gradients& expected, double tolerance) {
  for (const auto& [name, gradient] : expected) {
    const double off = (found.at(name) - gradient).norm().item<double>();
    EXPECT_LT(off, tolerance * gradient.norm().item<double>()) << name;
    EXPECT_GT(gradient.norm().item<double>(), 0) << name;
  }
}

struct Case {
  const char* model;
  std::int64_t first_layer;  // that is adapted
};

class PassOver : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::size_t samples = 7;

  adapted::Tower tower_{GetParam().model, GetParam().first_layer};
  Behind behind_{samples, tower_.image().feature_width(), tower_.parameters};

  // The whole encoder with one tape, by nothing that a pass is made of.
  Gradients whole_tape() {
    std::vector<at::Tensor> pixels;
    std::vector<std::uint64_t> ids;
    for (const Look& look : looks(samples)) {
      pixels.push_back(tower_.pixels(look));
      ids.push_back(look_id(look));
    }
    Mode mode = training_mode;
    mode.dropout.rows = ids;
    const at::Tensor feature = forward(tower_.image(), at::stack(pixels), mode).feature;
    behind_.loss(feature.to(at::kFloat)).backward();
    return take_gradients(tower_.parameters);
  }
  Gradients by_passes_of(std::int64_t chunk) {
    const Sources sources = images_from(tower_.source(chunk));
    StateBank bank;
    Pass pass(sources, bank, looks(samples), training_mode, Compare::yes);
    behind_.loss(pass.values().images).backward();
    pass.backward();
    return take_gradients(tower_.parameters);
  }
};

TEST_P(PassOver, HasTheGradientsOfTheWholeTapeHoweverItIsCut) {
  const Gradients expected = whole_tape();
  const std::size_t masks = tower_.masks.size();
  for (const std::int64_t chunk : {1, 3, 7}) {
    SCOPED_TRACE(chunk);
    expect_equal(by_passes_of(chunk), expected, 1e-6);
  }
  EXPECT_EQ(tower_.masks.size(), masks);
  EXPECT_GT(masks, samples);
}

TEST_P(PassOver, TakesAChunkLargerThanTheData) {
  expect_equal(by_passes_of(1000), whole_tape(), 1e-6);
}

TEST_P(PassOver, RunsALayerTwiceForAReplayAndOnceWithoutOne) {
  std::map<std::int64_t, std::size_t> rows;  // by layer
  const Sources in_parts = images_from(tower_.source(3));
  const Sources at_once = images_from(tower_.source(7));
  for (Site* site : tower_.encoder->sites(SiteRole::norm, "norm1")) {
    if (site->tower != TowerKind::image || site->layer < GetParam().first_layer) continue;
    site->hook_output([&rows, site](const at::Tensor&, const at::Tensor& y, const Mode&) {
      rows[site->layer] += static_cast<std::size_t>(y.size(0));
      return y;
    });
  }
  for (const auto& [sources, times] : {std::pair(in_parts, 2u), std::pair(at_once, 1u)}) {
    rows.clear();
    StateBank bank;
    Pass pass(sources, bank, looks(samples), training_mode, Compare::yes);
    behind_.loss(pass.values().images).backward();
    pass.backward();
    for (const auto& [layer, count] : rows) EXPECT_EQ(count, times * samples) << layer;
    EXPECT_FALSE(rows.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Towers, PassOver,
                         testing::Values(Case{"clip-tiny-gelu", 1}, Case{"clip-tiny-gelu", 0},
                                         Case{"vit-tiny", 2}),
                         [](const auto& one) {
                           return std::string(one.param.model).substr(0, 3) +
                                  (one.param.first_layer == 0 ? "Whole" : "Top");
                         });

struct Peak {
  std::int64_t pass;
  std::int64_t whole;
};

// Bytes that tensors take at the most while gradients are computed, above those from before.
Peak peak_bytes(std::size_t samples) {
  adapted::Tower tower("vit-tiny", 2);
  const Behind behind(static_cast<std::int64_t>(samples), tower.image().feature_width(),
                      tower.parameters);
  const auto measured = [&](std::int64_t chunk) {
    const Sources sources = images_from(tower.source(chunk));
    const std::vector<Look> list = looks(samples);
    StateBank bank;
    const LiveBytes live;
    Pass pass(sources, bank, list, {}, Compare::no);
    behind.loss(pass.values().images).backward();
    pass.backward();
    const std::int64_t peak = live.peak();
    (void)take_gradients(tower.parameters);
    return peak;
  };
  return {measured(4), measured(1000)};
}

// Beyond a fixed part the memory of a pass grows by rows of features: the values, their gradients,
// the bank's, and the tape of the layer behind them, some twelve in all. A tape grows by tokens.
TEST(Pass, TakesNoMoreMemoryForMoreNodesThanTheirRows) {
  const Peak few = peak_bytes(16), many = peak_bytes(80);
  const std::int64_t row = 48 * static_cast<std::int64_t>(sizeof(float));
  EXPECT_LT(many.pass - few.pass, 64 * row * 20);
  EXPECT_GT(many.whole - few.whole, 64 * row * 200);
}

TEST(Pass, MiniBatchesOverFrozenFeaturesAreExact) {
  const at::Tensor table = adapted::noise({5, 4}, "table");
  const std::vector<std::size_t> samples = {7, 3, 9, 1, 4};
  const Sources sources = images_from(std::make_shared<FrozenSource>(table, samples));
  StateBank bank;
  std::vector<Look> list;
  for (const std::size_t sample : samples) list.push_back({.sample = sample});
  const std::vector<std::int64_t> batch = {3, 1};
  Pass pass(sources, bank, list, batch, training_mode);
  EXPECT_TRUE(pass.values().images.equal(table));
  EXPECT_FALSE(pass.values().images.requires_grad());
  EXPECT_FALSE(pass.values().texts.defined());
  pass.backward();
}

class MiniBatch : public testing::Test {
 protected:
  adapted::Tower tower_{"vit-tiny", 2};
  Sources sources_ = images_from(tower_.source(2));
  StateBank bank_;
  std::vector<Look> list_ = looks(6);
  const std::vector<std::int64_t> batch_{4, 1, 2};

  [[nodiscard]] at::Tensor exact() const {
    const c10::AutoGradMode no_grad(false);
    return sources_.images->rows(list_, {});
  }
};

TEST_F(MiniBatch, SendsGradientsToTheBatchAndTakesOthersFromTheBank) {
  const at::Tensor before = exact();
  { const Pass fills(sources_, bank_, list_, {}); }
  {
    const c10::AutoGradMode no_grad(false);
    for (const at::Tensor& parameter : tower_.parameters.tensors()) parameter.mul_(1.5);
  }
  const at::Tensor now = exact();
  EXPECT_FALSE(now.equal(before));
  Pass pass(sources_, bank_, list_, batch_, {}, Compare::yes);
  const at::Tensor& values = pass.values().images;
  for (std::int64_t i = 0; i < 6; ++i) {
    const bool fresh = std::count(batch_.begin(), batch_.end(), i) > 0;
    // Chunks of other numbers of rows round otherwise.
    EXPECT_LT((values[i] - (fresh ? now : before)[i]).abs().max().item<double>(), 1e-5) << i;
  }
  // Only the batch's rows lead back to the parameters.
  const at::Tensor weights = adapted::noise({6, 48}, "weights");
  (values * weights).sum().backward();
  pass.backward();
  const Gradients found = take_gradients(tower_.parameters);
  std::vector<Look> some;
  std::vector<at::Tensor> their_weights;
  for (const std::int64_t i : batch_) {
    some.push_back(list_[static_cast<std::size_t>(i)]);
    their_weights.push_back(weights[i]);
  }
  (sources_.images->rows(some, {}) * at::stack(their_weights)).sum().backward();
  expect_equal(found, take_gradients(tower_.parameters), 1e-6);
}

TEST_F(MiniBatch, ComputesWhatTheBankHasNeverSeen) {
  const Pass pass(sources_, bank_, list_, batch_, {}, Compare::yes);
  EXPECT_LT((pass.values().images - exact()).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(bank_.images.has(0));
}

TEST_F(MiniBatch, MeansAllWhereItHoldsAll) {
  std::vector<std::int64_t> all(list_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const Pass batch(sources_, bank_, list_, all, training_mode, Compare::yes);
  const Pass whole(sources_, bank_, list_, training_mode, Compare::yes);
  EXPECT_TRUE(batch.values().images.equal(whole.values().images));
}

}  // namespace
}  // namespace espalier
