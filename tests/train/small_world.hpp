// A few labelled nodes in clusters, and models on them.
#pragma once

#include "train/fit.hpp"
#include "train/graph_protocol.hpp"
#include "train/model.hpp"
#include <memory>
#include <string>
#include <utility>

#include "graph/golden.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::small_world {

inline constexpr std::int64_t classes = 4;

// 60 nodes of 16 features in 4 classes: 24 to train on, 12 to choose by, 24 queries.
struct Data {
  golden::Case reference{"gnn/graphs"};
  Nodes all{.x = reference["x"]};
  Nodes train = slice(all, 0, 24);
  Nodes val = slice(all, 24, 36);
  Nodes test = slice(all, 36, 60);

  [[nodiscard]] std::vector<std::int64_t> labels(std::int64_t first, std::int64_t last) const {
    const at::Tensor some = reference["labels"].slice(0, first, last).contiguous();
    return {some.data_ptr<std::int64_t>(), some.data_ptr<std::int64_t>() + some.numel()};
  }
  [[nodiscard]] TrainingLabels training_labels() const { return {labels(0, 24), labels(24, 36)}; }
};

// A model with its graph, everything drawn from `seed`.
struct World {
  World(const std::string& protocol_name, const std::string& gnn, const Json& params,
        std::int64_t seed = 1, const HeadParams& head = {}, Data given = Data())
      : data(std::move(given)),
        builder(testing_support::make<GraphBuilder>("knn", {{"k", 4}})),
        graphs(*builder, "graph/knn", false),
        protocol(make_graph_protocol(protocol_name, nodes(protocol_name), graphs)),
        model(testing_support::make<Gnn>(gnn, params), "gnn/" + gnn, head, data.all.x.size(1), 1,
              classes, seed, parameters) {}

  [[nodiscard]] TrainingNodes nodes(const std::string& protocol_name) const {
    std::optional<Nodes> unlabelled;
    if (protocol_name == "transductive") unlabelled = data.test;
    return {data.train, data.val, unlabelled};
  }

  Data data;
  std::shared_ptr<GraphBuilder> builder;
  NodeGraphs graphs;
  std::unique_ptr<GraphProtocol> protocol;
  Parameters parameters;
  Model model;
};

}  // namespace espalier::small_world
