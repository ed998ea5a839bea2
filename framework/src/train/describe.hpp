// What a trial says of its training and of its parameters.
#pragma once

#include "results/trial_result.hpp"
#include "train/training.hpp"
#include "train/trial_setting.hpp"
#include <espalier/nn/parameters.hpp>

namespace espalier {

// Who asked for it, and where it ran.
void describe_request(const TrialSetting& setting, TrialResult& result);

void describe_training(const Progress& progress, TrialResult& result);

// A method's are those behind `peft.`.
void describe_parameters(const Parameters& parameters, std::int64_t optimizer_bytes,
                         const TrialSetting& setting, TrialResult& result);

}  // namespace espalier
