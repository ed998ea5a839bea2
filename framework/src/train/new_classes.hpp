// Classes that a trial did not learn, told apart by their texts: generalisation from base to new
// classes as Zhou et al. 2022 (CoCoOp) report it, and what adapting costs of it.
#pragma once

#include "results/trial_result.hpp"
#include "train/network.hpp"
#include "train/protocol.hpp"
#include "train/split.hpp"
#include "train/trial_features.hpp"
#include <string>
#include <vector>

namespace espalier {

struct NewClasses {
  SealedSamples test;
  std::vector<std::string> ids;
  std::vector<std::string> names;
  HeadParams head;
  // As the parameters make them now, and as the encoder was loaded; of all classes.
  Sources adapted;
  TrialFeatures loaded;
};

// Judges the network once and the encoder's own zero-shot classification once. Fills in the
// predictions `test_new`, new_top1, its harmonic mean with test_top1, which must be there, and,
// where the trial looks at pictures, new_zero_shot_top1 and forgetting.
void judge_new_classes(NewClasses classes, const Network& network, const Protocol& protocol,
                       TrialResult& result);

}  // namespace espalier
