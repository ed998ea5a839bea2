// What a trial says of its training and of its parameters.
#pragma once

#include "results/trial_result.hpp"
#include "train/training.hpp"
#include "train/trial_setting.hpp"
#include <espalier/nn/optimizer.hpp>
#include <espalier/nn/parameters.hpp>

namespace espalier {

// Who asked for it, and where it ran.
void describe_request(const TrialSetting& setting, TrialResult& result);

// Warns where no epoch was better than the start.
void describe_training(const Progress& progress, const TrialSetting& setting, TrialResult& result);

// A method's are those behind `peft.`.
void describe_parameters(const Parameters& parameters, const Optimizer& optimizer,
                         const TrialSetting& setting, TrialResult& result);

}  // namespace espalier
