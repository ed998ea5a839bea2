#include "train/trial_graph.hpp"

#include "train/node_graphs.hpp"
#include <espalier/core/error.hpp>
#include <espalier/graph/statistics.hpp>
#include <vector>

namespace espalier {
namespace {

FrozenNodes frozen_nodes(const GraphSetting& of, std::span<const std::size_t> samples) {
  const Values values = values_of(of.frozen.sources, samples, {});
  FrozenNodes frozen{.nodes = of.fusion(values), .others = {}, .texts = {}};
  if (of.setting.has("graph", "needs_other")) frozen.others = of.fusion.others(values);
  if (!of.setting.has("graph", "needs_texts")) return frozen;
  for (std::int64_t v = 0; v < frozen.nodes.views; ++v) {
    for (const std::size_t sample : samples) frozen.texts.push_back(of.frozen.captions.at(sample));
  }
  return frozen;
}

}  // namespace

std::unique_ptr<Protocol> make_protocol(const GraphSetting& of) {
  const std::vector<std::size_t>& train = of.split.train.samples;
  if (of.recipe.graph == "none") return no_graph(train, of.fusion.views());
  const GraphMaker maker{
      .builder = of.setting.component<GraphBuilder>(),
      .name = of.setting.name_of("graph"),
      .shared_space = of.shared_space,
      .nodes = [of](std::span<const std::size_t> samples) { return frozen_nodes(of, samples); }};
  if (of.recipe.graph == "inductive_attach") return inductive_attach(train, maker);
  if (of.recipe.graph == "inductive_batch") {
    const auto id_of = [&photos = of.photos](std::size_t sample) { return photos.id(sample); };
    return inductive_batch(train, maker, id_of, of.setting.seed());
  }
  ESPALIER_ASSERT(of.recipe.graph == "transductive", "a protocol that the schema allows");
  std::vector<std::size_t> others = of.split.val.samples;
  others.insert(others.end(), of.split.test.samples.begin(), of.split.test.samples.end());
  return transductive(train, others, maker);
}

Json describe_graph(const GraphSetting& of, const Protocol& protocol) {
  if (of.recipe.graph == "none") return Json::object();
  const Scene& scene = protocol.training();
  const std::int64_t views = of.fusion.views();
  const std::vector<std::int64_t>& labels = of.split.train.labels;
  std::vector<std::int64_t> of_nodes;
  for (std::int64_t v = 0; v < views; ++v) {
    of_nodes.insert(of_nodes.end(), labels.begin(), labels.end());
    of_nodes.resize(static_cast<std::size_t>(v + 1) * scene.samples.size(), -1);
  }
  Json statistics = graph_statistics(scene.graph, of_nodes);
  if (views == 1) return statistics;
  const auto homophily =
      edge_homophily(without_pairs(scene.graph, std::ssize(scene.samples)), of_nodes);
  statistics["edge_homophily"] = homophily ? Json(*homophily) : Json(nullptr);
  return statistics;
}

}  // namespace espalier
