#include "train/trial_graph.hpp"

#include <c10/core/GradMode.h>

#include "train/labelled_protocol.hpp"
#include "train/node_graphs.hpp"
#include "train/sample_graph.hpp"
#include <espalier/core/error.hpp>
#include <espalier/graph/similarity.hpp>
#include <espalier/graph/statistics.hpp>
#include <utility>
#include <vector>

namespace espalier {
namespace {

FrozenNodes with_context(Nodes nodes, const Values& values, const GraphSetting& of,
                         std::span<const std::size_t> samples) {
  FrozenNodes frozen{.nodes = std::move(nodes), .others = {}, .texts = {}};
  if (of.setting.has("graph", "needs_other")) frozen.others = of.fusion.others(values);
  if (of.recipe.class_nodes > 0) frozen.classes = of.fusion.of_classes(values);
  const bool texts = of.setting.has("graph", "needs_texts");
  const bool ids = of.setting.has("graph", "needs_ids");
  for (std::int64_t v = 0; v < frozen.nodes.views; ++v) {
    for (const std::size_t sample : samples) {
      if (texts) frozen.texts.push_back(of.frozen.captions.at(sample));
      if (ids) frozen.ids.push_back(of.photos.id(sample));
    }
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

std::vector<std::string> known_ids(const GraphSetting& of) {
  std::vector<std::string> ids;
  if (!of.setting.has("graph", "needs_ids")) return ids;
  for (std::size_t sample = 0; sample < of.photos.size(); ++sample) {
    ids.push_back(of.photos.id(sample));
  }
  return ids;
}

// Of the training nodes in their first view, and how many other samples have a near copy there.
Json describe_similarities(const GraphSetting& of) {
  constexpr std::int64_t pairs = 20000;
  const auto rows = [&](std::span<const std::size_t> samples) {
    return of.fusion.at_start(values_of(of.frozen.sources, samples, {})).view(0);
  };
  const SimilaritySearch search(rows(of.train.samples));
  Json out = similarity_statistics(search, pairs);
  for (const auto& [name, samples] : {std::pair("near_duplicates_val", &of.split.val.samples),
                                      {"near_duplicates_test", &of.split.test.samples}}) {
    out[name] = samples->empty() ? 0 : near_duplicates(search, rows(*samples));
  }
  return out;
}

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

GraphMaker graph_maker(const GraphSetting& of) {
  return {.builder = of.setting.component<GraphBuilder>(),
          .name = of.setting.name_of("graph"),
          .shared_space = of.shared_space,
          .nodes = frozen_nodes(of),
          .known_ids = known_ids(of),
          .nearest_classes = of.recipe.class_nodes};
}

namespace {

std::unique_ptr<Protocol> unlabelled_protocol(const GraphSetting& of) {
  const std::vector<std::size_t>& train = of.train.samples;
  if (of.recipe.graph == "none") return no_graph(train, of.fusion.views());
  const GraphMaker maker = graph_maker(of);
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

}  // namespace

std::unique_ptr<Protocol> make_protocol(const GraphSetting& of) {
  return with_labels(unlabelled_protocol(of), of.train, of.fusion.views());
}

std::unique_ptr<SampleGraph> make_sample_graph(const GraphSetting& of) {
  if (of.recipe.method_graph == "none") return std::make_unique<LoneSamples>();
  ESPALIER_ASSERT(of.recipe.method_graph == "inductive_attach", "a protocol that the plan allows");
  GraphMaker maker = graph_maker(of);
  maker.nearest_classes = 0;
  return std::make_unique<AttachedSamples>(of.train.samples, std::move(maker));
}

Json describe_graph(const GraphSetting& of, const CsrGraph& graph, std::int64_t samples) {
  const std::int64_t views = of.fusion.views();
  const std::vector<std::int64_t>& labels = of.train.labels;
  std::vector<std::int64_t> of_nodes;
  for (std::int64_t v = 0; v < views; ++v) {
    of_nodes.insert(of_nodes.end(), labels.begin(), labels.end());
    of_nodes.resize(static_cast<std::size_t>((v + 1) * samples), -1);
  }
  of_nodes.resize(static_cast<std::size_t>(graph.targets), -1);  // of classes
  Json statistics = graph_statistics(graph);
  const CsrGraph similar = views == 1 ? graph : without_pairs(graph, samples);
  statistics.update(homophily_statistics(similar, of_nodes));
  statistics.update(describe_similarities(of));
  return statistics;
}

}  // namespace espalier
