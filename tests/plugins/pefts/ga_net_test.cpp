// The graph adapter inside a tiny CLIP: its numbers are held by recorded cases (peft_parity_test).
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "train/sample_graph.hpp"
#include <espalier/graph/csr.hpp>
#include <espalier/nn/replay.hpp>
#include <map>
#include <numeric>

#include "plugins/pefts/attached.hpp"
#include "train/adapted_tower.hpp"

namespace espalier {
namespace {

namespace graph_adapter {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

constexpr std::int64_t ring_size = 6, pictures = 9, width = 4;

// Each node has the two behind it as neighbours. Sample 6 is attached as node 0 is, and so on.
class Ring final : public SampleGraph {
 public:
  Ring() {
    std::iota(nodes_.begin(), nodes_.end(), std::int64_t{0});
    std::vector<Edge> edges;
    for (std::int64_t i = 0; i < ring_size; ++i) {
      edges.push_back({i, (i + 1) % ring_size, 0.5F});
      edges.push_back({i, (i + 2) % ring_size, 0.25F * static_cast<float>(i + 1)});
    }
    graph_ = graph_from_edges(ring_size, ring_size, std::move(edges));
  }
  std::span<const std::int64_t> nodes() const override { return nodes_; }
  const CsrGraph& graph() const override { return graph_; }
  CsrGraph rows(std::span<const std::int64_t> samples) const override {
    std::vector<Edge> edges;
    for (std::int64_t row = 0; row < std::ssize(samples); ++row) {
      for (Edge edge : edges_of(graph_)) {
        if (edge.target != samples[static_cast<std::size_t>(row)] % ring_size) continue;
        edge.target = row;
        edges.push_back(edge);
      }
    }
    CsrGraph found = graph_from_edges(std::ssize(samples), ring_size, std::move(edges));
    found.source_degree = in_degree(graph_);
    return found;
  }

 private:
  std::vector<std::int64_t> nodes_ = std::vector<std::int64_t>(ring_size);
  CsrGraph graph_;
};

// On clip-tiny, with pixels that follow from the sample.
class Adapted {
 public:
  explicit Adapted(const Json& params, const SampleGraph& graph)
      : encoder(load_pretrained(cases::encoder_case("clip-tiny-gelu"))),
        method(make<Peft>("ga_net", params)) {
    method->join(*encoder, graph, [&] {
      const c10::NoGradGuard no_grad;
      for (const std::int64_t node : graph.nodes()) (void)features({node}, {});
      return true;
    });
    Random random(1, "peft");
    method->attach(*encoder, parameters, random);
  }

  // W_up is zero at the start.
  void disturb() {
    const c10::NoGradGuard no_grad;
    Random random(std::uint64_t{5});
    for (at::Tensor& tensor : parameters.tensors()) {
      tensor.add_(normal_init(tensor.sizes(), 0.2, random));
    }
  }

  [[nodiscard]] at::Tensor features(const std::vector<std::int64_t>& samples, Mode mode) const {
    const VisionTower& tower = *encoder->image();
    const std::int64_t side = tower.image_size();
    std::vector<at::Tensor> pixels;
    std::vector<std::uint64_t> ids;
    for (const std::int64_t sample : samples) {
      pixels.push_back(adapted::noise({3, side, side}, std::to_string(sample)));
      ids.push_back(static_cast<std::uint64_t>(sample));
    }
    mode.samples = samples;
    mode.dropout.rows = ids;
    return forward(tower, at::stack(pixels), mode).feature;
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

const Json layer = {
    {"use", "gcn"}, {"layers", 2}, {"activation", "tanh"}, {"dropout", 0.3}, {"drop_edge", 0.3}};
const Json params = {{"bottleneck", width},
                     {"layer", layer},
                     {"activation", "tanh"},
                     {"target_modules", {"attention", "mlp"}},
                     {"top_layers", 2}};

Mode training_mode() { return {.training = true, .dropout = {.key = 9, .rows = {}}}; }

std::vector<std::int64_t> all_pictures() {
  std::vector<std::int64_t> samples(pictures);
  std::iota(samples.begin(), samples.end(), std::int64_t{0});
  return samples;
}

at::Tensor loss_of(const at::Tensor& features) {
  Random random(std::uint64_t{3});
  const at::Tensor probe = normal_init({pictures, features.size(1)}, 1, random);
  return (features * probe.slice(0, 0, features.size(0))).sum();
}

std::map<std::string, at::Tensor> taken_gradients(const Parameters& parameters) {
  std::map<std::string, at::Tensor> gradients;
  for (const auto& [name, tensor] : parameters.entries()) {
    EXPECT_TRUE(tensor.grad().defined()) << name;
    gradients[name] = tensor.grad().clone();
    tensor.mutable_grad().reset();
  }
  return gradients;
}

TEST(GraphAdapter, TrainsSoManyParameters) {
  const Ring ring;
  const Adapted adapted(params, ring);
  const std::int64_t w = adapted.encoder->image()->width(), m = width;
  const std::int64_t of_network = 2 * (m * m + m);
  EXPECT_EQ(adapted.parameters.count(), 4 * (m * w + m + of_network + w * m + w));
}

TEST(GraphAdapter, StartsAsTheIdentity) {
  const Ring ring;
  const Adapted adapted(params, ring);
  const at::Tensor with = adapted.features({0, 7}, {});
  adapted.encoder->reset();
  EXPECT_TRUE(with.equal(adapted.features({0, 7}, {})));
}

TEST(GraphAdapter, CutsBelowItsLowestBranch) {
  const Ring ring;
  const Adapted adapted(params, ring);
  const VisionTower& tower = *adapted.encoder->image();
  EXPECT_EQ(adapted.encoder->cut(TowerKind::image), tower.layers() - 2);
  EXPECT_EQ(adapted.encoder->cut(TowerKind::text), adapted.encoder->text()->layers() + 2);
}

// A chunk of one and of many, dropout of states and of edges included.
TEST(GraphAdapter, HasTheGradientsOfOneTapeInAnyChunk) {
  const Ring ring;
  Adapted adapted(params, ring);
  adapted.disturb();
  const std::vector<std::int64_t> samples = all_pictures();
  loss_of(adapted.features(samples, training_mode())).backward();
  const auto expected = taken_gradients(adapted.parameters);
  for (const std::int64_t chunk : {1, 4}) {
    const auto some = [&](std::int64_t begin, std::int64_t end) {
      return adapted.features({samples.begin() + begin, samples.begin() + end}, training_mode());
    };
    ReplayedRows rows(pictures, chunk, some, ReplayedRows::Compare::yes);
    loss_of(rows.values()).backward();
    rows.replay();
    for (const auto& [name, gradient] : taken_gradients(adapted.parameters)) {
      const double size = expected.at(name).norm().item<double>();
      EXPECT_GT(size, 0) << name;
      EXPECT_LT((gradient - expected.at(name)).norm().item<double>(), 1e-5 * size)
          << name << " in chunks of " << chunk;
    }
  }
}

// Along random directions; in float32 a quotient over 0.02 is off by about 1e-3.
TEST(GraphAdapter, HasGradientsThatEqualDifferenceQuotients) {
  const Ring ring;
  Adapted adapted(params, ring);
  adapted.disturb();
  const std::vector<std::int64_t> samples = all_pictures();
  loss_of(adapted.features(samples, training_mode())).backward();
  const auto gradients = taken_gradients(adapted.parameters);
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : adapted.parameters.entries()) {
    Random random(1, name);
    const at::Tensor direction = normal_init(tensor.sizes(), 1, random);
    const at::Tensor kept = tensor.clone();
    const double step = 0.01;
    const auto loss_at = [&](double by) {
      at::Tensor(tensor).copy_(kept + direction * by);
      return loss_of(adapted.features(samples, training_mode())).item<double>();
    };
    const double quotient = (loss_at(step) - loss_at(-step)) / (2 * step);
    at::Tensor(tensor).copy_(kept);
    const double slope = (gradients.at(name) * direction).sum().item<double>();
    EXPECT_NEAR(slope, quotient, 5e-3 * std::max(1.0, std::abs(quotient))) << name;
  }
}

// A picture by itself, as a trial asks a query: whoever was asked before, the same bits.
TEST(GraphAdapter, ClassifiesAQueryByItselfWhoeverElseIsThere) {
  const Ring ring;
  Adapted adapted(params, ring);
  adapted.disturb();
  const c10::NoGradGuard no_grad;
  const at::Tensor first = adapted.features({7}, {});
  const at::Tensor together = adapted.features({8, 1, 7}, {});
  EXPECT_TRUE(adapted.features({7}, {}).equal(first));
  EXPECT_TRUE(together.slice(0, 2).allclose(first, 1e-5, 1e-5));
  EXPECT_TRUE(adapted.features({7, 1, 8}, {}).slice(0, 0, 1).allclose(first, 1e-5, 1e-5));
}

TEST(GraphAdapter, SendsMessages) {
  const Ring ring;
  const LoneSamples nobody;
  Adapted with(params, ring), without(params, nobody);
  for (Adapted* one : {&with, &without}) one->disturb();
  const c10::NoGradGuard no_grad;
  EXPECT_FALSE(with.features({7}, {}).allclose(without.features({7}, {}), 1e-3, 1e-3));
}

TEST(GraphAdapter, LooksAtNoGraphWithoutMessages) {
  Json without = params;
  without["layer"] = {{"use", "mlp"}};
  const Ring ring;
  const LoneSamples nobody;
  Adapted with(without, ring), alone(without, nobody);
  for (Adapted* one : {&with, &alone}) one->disturb();
  const c10::NoGradGuard no_grad;
  EXPECT_TRUE(with.features({3, 7}, {}).allclose(alone.features({3, 7}, {}), 1e-5, 1e-5));
}

TEST(GraphAdapter, MustBeToldOfAGraphWhereItSendsMessages) {
  const auto clip = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  const auto attach = [&](const Json& given) {
    Parameters parameters;
    Random random(1, "peft");
    make<Peft>("ga_net", given)->attach(*clip, parameters, random);
  };
  EXPECT_THAT(error_of([&] { attach(params); }), HasSubstr("train it anew"));
  clip->reset();
  EXPECT_EQ(error_of([&] { attach({{"layer", {{"use", "mlp"}}}}); }), "");
}

TEST(GraphAdapter, AsksForAClassTokenWhereItPoolsByIt) {
  const auto siglip = load_pretrained(cases::encoder_case("siglip-tiny"));
  const auto attach = [&](const char* pool) {
    Parameters parameters;
    Random random(1, "peft");
    make<Peft>("ga_net", {{"pool", pool}, {"layer", {{"use", "mlp"}}}})
        ->attach(*siglip, parameters, random);
    return parameters.count();
  };
  EXPECT_THAT(error_of([&] { (void)attach("cls"); }), HasSubstr("peft.pool=mean"));
  EXPECT_GT(attach("mean"), 0);
}

// What a pass shows is thrown away where the trial is stopped in it.
TEST(GraphAdapter, LeavesNoHookWhereTheTrialIsStopped) {
  const auto clip = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  const Ring ring;
  make<Peft>("ga_net", params)->join(*clip, ring, [] { return false; });
  EXPECT_EQ(clip->cut(TowerKind::image), clip->image()->layers() + 2);
}

}  // namespace graph_adapter
}  // namespace
}  // namespace espalier
