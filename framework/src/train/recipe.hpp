// What a trial trains behind the features, and what it has to look at for that.
#pragma once

#include "experiment/sections.hpp"
#include "train/trial_setting.hpp"
#include <cstdint>
#include <string>

namespace espalier {

// The sections that say it. `head.use: zero_shot` is the head `prompts` with nothing to train:
// pictures as the encoder gives them, no network, no update.
struct Recipe {
  explicit Recipe(const TrialSetting& setting);

  HeadParams head;
  bool zero_shot;
  NodesParams nodes;
  TrainParams train;
  // The protocol of the network behind the encoder, and that of the method inside it; none where
  // it looks at no edges.
  std::string graph;
  std::string method_graph;
  std::int64_t tasks;          // that the classes come in
  bool told;                   // whether a sample's task is known, in training and when it is asked
  std::int64_t graph_refresh;  // epochs; 0: the graph stays as it was made
  bool scores;                 // the network scores classes itself, by training labels and edges
  bool adapted;                // a method trains inside the encoder

  // What of the encoder, of captions and of the classes' texts.
  bool images;
  bool texts;
  bool captions;
  bool classes;              // as they are in every pass
  std::int64_t class_nodes;  // that a node is joined with; 0: classes have no nodes
  bool class_start;          // the head starts from these texts, and looks at them no more

  // Whether there is a graph at all.
  [[nodiscard]] bool edges() const { return graph != "none" || method_graph != "none"; }
  // What parameters are held to by elastic weight consolidation.
  [[nodiscard]] bool holds_to_zero_shot() const {
    return train.ewc > 0 && train.ewc_source == "zero_shot";
  }
  [[nodiscard]] bool holds_to_tasks() const { return train.ewc > 0 && !holds_to_zero_shot(); }
};

}  // namespace espalier
