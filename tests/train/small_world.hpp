// A few labelled samples in clusters, and networks on them.
#pragma once

#include "train/evaluation.hpp"
#include "train/network.hpp"
#include "train/protocol.hpp"
#include "train/training.hpp"
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "graph/golden.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::small_world {

inline constexpr std::int64_t classes = 4;

// Samples first to last - 1.
inline Samples range(std::size_t first, std::size_t last) {
  Samples list(last - first);
  std::iota(list.begin(), list.end(), first);
  return list;
}

inline std::string id_of(std::size_t sample) { return "sample-" + std::to_string(sample); }

// 60 samples of 16 features in 4 classes: 24 to train on, 12 to choose by, 24 queries.
struct Data {
  golden::Case reference{"gnn/graphs"};
  at::Tensor x = reference["x"];
  Samples train = range(0, 24);
  Samples val = range(24, 36);
  Samples test = range(36, 60);

  [[nodiscard]] std::vector<std::int64_t> labels(std::size_t first, std::size_t last) const {
    const at::Tensor all = reference["labels"].contiguous();
    const auto* values = all.data_ptr<std::int64_t>();
    return {values + first, values + last};
  }
  [[nodiscard]] LabelledSamples labelled(std::size_t first, std::size_t last) const {
    return {range(first, last), labels(first, last)};
  }
};

// A network with its protocol on nodes that are the features as they are, drawn from `seed`.
struct World {
  World(const std::string& protocol_name, const std::string& gnn, const Json& params,
        std::int64_t seed = 1, const HeadParams& head = {}, Data given = Data(),
        std::int64_t class_width = 0)
      : data(std::move(given)),
        sources{.images = std::make_shared<FrozenSource>(
                    data.x, range(0, static_cast<std::size_t>(data.x.size(0))))},
        fusion(
            make_fusion({.fuse = "image", .normalize = false}, {.images = data.x.size(1)}, false)),
        maker{.builder = testing_support::make<GraphBuilder>("knn", {{"k", 4}}),
              .name = "graph/knn",
              .nodes = [this](std::span<const std::size_t> samples) { return nodes(samples); }},
        protocol(protocol_of(protocol_name, seed)),
        network({.fusion = fusion,
                 .gnn = testing_support::make<Gnn>(gnn, params),
                 .gnn_name = "gnn/" + gnn,
                 .head = make_head(head, {.width = class_width}),
                 .node_rows = true},
                classes, seed, parameters) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] FrozenNodes nodes(std::span<const std::size_t> samples) const {
    return {.nodes = (*fusion)(values_of(sources, samples, {})), .others = {}, .texts = {}};
  }
  [[nodiscard]] std::unique_ptr<Protocol> protocol_of(const std::string& name,
                                                      std::int64_t seed) const {
    if (name == "none") return no_graph(data.train, 1);
    if (name == "inductive_attach") return inductive_attach(data.train, maker);
    if (name == "inductive_batch") return inductive_batch(data.train, maker, id_of, seed);
    Samples others = data.val;
    others.insert(others.end(), data.test.begin(), data.test.end());
    return transductive(data.train, others, maker);
  }

  // Logits of the training samples, and of any queries.
  [[nodiscard]] at::Tensor trained() const {
    StateBank bank;
    return Evaluation(network, sources, *protocol, bank).training();
  }
  [[nodiscard]] at::Tensor answers(const Samples& queries) const {
    StateBank bank;
    return Evaluation(network, sources, *protocol, bank)
        .answers(protocol->scenes(queries), std::ssize(queries));
  }

  Data data;
  Sources sources;
  std::shared_ptr<Fusion> fusion;
  GraphMaker maker;
  std::unique_ptr<Protocol> protocol;
  Parameters parameters;
  Network network;
};

inline const Json adapter = {{"layer", {{"use", "gcn"}, {"dropout", 0.3}}}, {"bottleneck", 8}};

struct AdapterWorld : World {
  explicit AdapterWorld(std::int64_t seed = 1)
      : World("inductive_attach", "ga_net", adapter, seed) {}
};

inline TrainParams settings() {
  return {.epochs = 12, .batch_size = 7, .lr = 0.02, .label_smoothing = 0.1, .clip_norm = 1.0};
}

inline Training training(World& world, const TrainParams& params, std::int64_t seed = 1) {
  return {{world.network, world.parameters, world.sources, *world.protocol,
           world.data.labelled(0, 24), world.data.labelled(24, 36)},
          params,
          seed};
}

inline void expect_same_bits(const std::vector<Parameters::Entry>& a,
                             const std::vector<Parameters::Entry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

}  // namespace espalier::small_world
