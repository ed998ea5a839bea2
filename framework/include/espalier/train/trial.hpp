// Runs one trial in this process.
#pragma once

#include <atomic>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/results/trial_result.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <spdlog/fwd.h>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

struct TrialRequest {
  std::string trial_id;
  std::string combo_id;
  Json config;                                              // resolved
  std::vector<std::pair<std::string, std::string>> stages;  // name, key
  std::filesystem::path folder;  // results/<experiment>/trials/<trial_id>
  std::filesystem::path cache;   // results/.cache
  std::int64_t attempt = 1;
};

struct TrialHooks {
  Loader* loader = nullptr;
  spdlog::logger* log = nullptr;
  const std::atomic<bool>* stop = nullptr;            // set: checkpoint after this epoch
  std::function<void(const EpochMetrics&)> epoch;     // after every evaluation, in order
  std::function<void(std::string_view stage)> stage;  // a stage begins
};

// Resumes from `folder`/checkpoint where there is one, with bit-equal results. Empty when it was
// stopped; the checkpoint is then on disk. Throws Error when the trial fails (a non-finite loss, a
// component that throws or breaks its contract).
[[nodiscard]] std::optional<TrialResult> run_trial(const TrialRequest& request,
                                                   const TrialHooks& hooks);

}  // namespace espalier
