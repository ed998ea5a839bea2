// Runs one trial in this process.
#pragma once

#include <optional>

#include "results/trial_result.hpp"
#include "run/trial_request.hpp"

namespace espalier {

// Resumes from `folder`/checkpoint where there is one, with bit-equal results. Empty when it was
// stopped; the checkpoint is then on disk. Throws Error when the trial fails (a non-finite loss, a
// component that throws or breaks its contract).
[[nodiscard]] std::optional<TrialResult> run_trial(const TrialRequest& request,
                                                   const TrialHooks& hooks);

}  // namespace espalier
