// What a method is told before it is attached.
#pragma once

#include "train/fusion.hpp"
#include "train/recipe.hpp"
#include "train/split.hpp"
#include "train/trial_features.hpp"
#include <espalier/plugin/peft.hpp>

namespace espalier {

// From the encoder as it was loaded: features are what the nodes that a sample's class comes from
// hold at the start.
[[nodiscard]] MethodInput method_input(const Recipe& recipe, const TrialFeatures& frozen,
                                       const Fusion& fusion, const DataSplit& split);

}  // namespace espalier
