// What a trial is asked to do, and whom it tells how it goes.
#pragma once

#include "cache/stage_entry.hpp"
#include "caption/caption_judge.hpp"
#include "experiment/input.hpp"
#include "experiment/stage.hpp"
#include "results/trial_result.hpp"
#include "run/component_pool.hpp"
#include <atomic>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <spdlog/fwd.h>
#include <string>
#include <vector>

namespace espalier {

struct TrialRequest {
  std::string trial_id;
  std::string combo_id;
  Json config;                   // resolved
  std::vector<StageRef> stages;  // what it shares with others
  std::filesystem::path folder;  // results/<experiment>/trials/<trial_id>
  std::filesystem::path cache;   // results/.cache
  std::int64_t cache_limit = unlimited;
  std::int64_t activation_limit = unlimited;  // bytes of one stage of activations
  std::int64_t attempt = 1;
  std::vector<TrialInput> inputs{};  // what it reads, as it was when it was named
};

struct TrialHooks {
  Loader* loader = nullptr;
  spdlog::logger* log = nullptr;
  std::string device = "cpu";     // where encoders compute, as device_of() takes it
  ComponentPool* pool = nullptr;  // null: datasets and encoders are made for the trial
  std::shared_ptr<PartShelf> shelf = std::make_shared<PartShelf>();
  std::shared_ptr<CaptionJudge> judge = std::make_shared<CaptionJudge>();
  std::int64_t loaders = 1;                           // threads that decode and transform pictures
  const std::atomic<bool>* stop = nullptr;            // set: checkpoint after this epoch
  std::function<void(const EpochMetrics&)> epoch;     // after every evaluation, in order
  std::function<void(std::string_view stage)> stage;  // a stage begins
  // How far a stage is, of what the trial lacked.
  std::function<void(std::string_view stage, std::size_t done, std::size_t all)> progress{};
  std::function<void(const std::string& text)> warning;  // something that the user should know
  // To be called before anything of the inputs is read: a dataset opened, an encoder used.
  std::function<void()> reading = [] {};
  // To be called before anything is stored that was made of the inputs: throws Error where they are
  // no longer what they were.
  std::function<void()> check_inputs{};
};

}  // namespace espalier
