// Classification by prompts alone (Radford et al. 2021, section 3.1): the baseline that trains
// nothing.
#pragma once

#include "train/trial.hpp"
#include <optional>

namespace espalier {

// A trial whose head is `zero_shot`: the logits of a picture are the cosines of its features and
// the class vectors, times the encoder's scale. Captions, graph, network and training play no part.
// Empty when it was stopped. Throws Error as run_trial does.
[[nodiscard]] std::optional<TrialResult> run_zero_shot(const TrialRequest& request,
                                                       const TrialHooks& hooks);

}  // namespace espalier
