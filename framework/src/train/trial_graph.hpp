// The graph of a trial: who may stand in it, and what it is made from.
#pragma once

#include "train/fusion.hpp"
#include "train/protocol.hpp"
#include "train/recipe.hpp"
#include "train/split.hpp"
#include "train/trial_features.hpp"
#include "train/trial_setting.hpp"
#include "train/unlabelled_dataset.hpp"
#include <espalier/core/json.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>

namespace espalier {

// What protocols look at: of features those of the encoder as it was loaded, whatever is trained.
struct GraphSetting {
  const TrialSetting& setting;
  const Recipe& recipe;
  const DataSplit& split;
  LabelledSamples train;  // that stand in the training graph
  const UnlabelledDataset& photos;
  const TrialFeatures& frozen;
  const Fusion& fusion;
  bool shared_space;  // features of images and texts can be compared
};

// What nodes of samples hold under these parameters, which are put back; the references must
// outlive it.
[[nodiscard]] NodesOf nodes_under(const GraphSetting& setting, const Sources& sources,
                                  std::vector<Parameters::Entry> these, Parameters& parameters);
// As the features of the encoder that was loaded make them.
[[nodiscard]] NodesOf frozen_nodes(const GraphSetting& setting);

// The graph's component, on nodes as frozen_nodes() has them.
[[nodiscard]] GraphMaker graph_maker(const GraphSetting& setting);

// The one that the recipe names; it goes on reading the setting, which must outlive it.
[[nodiscard]] std::unique_ptr<Protocol> make_protocol(const GraphSetting& setting);

// That of a method inside the encoder, under protocol.graph: none or inductive_attach; the same
// holds of the setting.
[[nodiscard]] std::unique_ptr<SampleGraph> make_sample_graph(const GraphSetting& setting);

// Statistics of a graph among so many samples, of which the training samples are the first, for
// result.h5.
[[nodiscard]] Json describe_graph(const GraphSetting& setting, const CsrGraph& graph,
                                  std::int64_t samples);

}  // namespace espalier
