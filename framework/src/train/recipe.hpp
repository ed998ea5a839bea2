// What a trial trains behind the features, and what it has to look at for that.
#pragma once

#include "experiment/sections.hpp"
#include "train/trial_setting.hpp"
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
  std::string graph;  // the protocol; none where no network looks at edges
  bool adapted;       // a method trains inside the encoder

  // What of the encoder, of captions and of the classes' texts.
  bool images;
  bool texts;
  bool captions;
  bool classes;
  bool class_start;  // the head starts from these texts, and looks at them no more
};

}  // namespace espalier
