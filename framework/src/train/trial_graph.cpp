#include "train/trial_graph.hpp"

#include <c10/core/GradMode.h>

#include "train/node_graphs.hpp"
#include <espalier/core/error.hpp>
#include <espalier/graph/statistics.hpp>
#include <utility>
#include <vector>

namespace espalier {
namespace {

FrozenNodes with_context(Nodes nodes, const Values& values, const GraphSetting& of,
                         std::span<const std::size_t> samples) {
  FrozenNodes frozen{.nodes = std::move(nodes), .others = {}, .texts = {}};
  if (of.setting.has("graph", "needs_other")) frozen.others = of.fusion.others(values);
  if (!of.setting.has("graph", "needs_texts")) return frozen;
  for (std::int64_t v = 0; v < frozen.nodes.views; ++v) {
    for (const std::size_t sample : samples) frozen.texts.push_back(of.frozen.captions.at(sample));
  }
  return frozen;
}

// Parameters that hold other values as long as it lives.
class Lent {
 public:
  Lent(Parameters& parameters, const std::vector<Parameters::Entry>& these)
      : parameters_(parameters), kept_(parameters.snapshot()) {
    parameters_.restore(these);
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { parameters_.restore(kept_); }

 private:
  Parameters& parameters_;
  std::vector<Parameters::Entry> kept_;
};

}  // namespace

NodesOf frozen_nodes(const GraphSetting& of) {
  return [of](std::span<const std::size_t> samples) {
    const Values values = values_of(of.frozen.sources, samples, {});
    return with_context(of.fusion.at_start(values), values, of, samples);
  };
}

NodesOf nodes_under(const GraphSetting& of, const Sources& sources,
                    std::vector<Parameters::Entry> these, Parameters& parameters) {
  return
      [of, &sources, these = std::move(these), &parameters](std::span<const std::size_t> samples) {
        const c10::AutoGradMode no_grad(false);
        const Lent lent(parameters, these);
        const Values values = values_of(sources, samples, {});
        return with_context(of.fusion(values), values, of, samples);
      };
}

std::unique_ptr<Protocol> make_protocol(const GraphSetting& of) {
  const std::vector<std::size_t>& train = of.train.samples;
  if (of.recipe.graph == "none") return no_graph(train, of.fusion.views());
  const GraphMaker maker{.builder = of.setting.component<GraphBuilder>(),
                         .name = of.setting.name_of("graph"),
                         .shared_space = of.setting.has("encoder", "shared_space"),
                         .nodes = frozen_nodes(of)};
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
  const std::vector<std::int64_t>& labels = of.train.labels;
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
