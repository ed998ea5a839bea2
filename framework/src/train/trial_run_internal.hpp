// What every kind of trial has: its request, its components, its result.
#pragma once

#include "experiment/sections.hpp"
#include "train/environment.hpp"
#include "train/features.hpp"
#include "train/split.hpp"
#include "train/test_set.hpp"
#include "train/trial.hpp"
#include <chrono>
#include <cstdint>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trial_context_internal.hpp"

namespace espalier {

using TrialClock = std::chrono::steady_clock;

class TrialRun {
 public:
  TrialRun(const TrialRequest& request, const TrialHooks& hooks);

 protected:
  template <class Params>
  [[nodiscard]] Params section(const char* name) const {
    return schema_of<Params>().parse(request_.config.at(name));
  }
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make() const {
    return hooks_.loader->make<Interface>(component(Interface::kind), context_);
  }
  // The same, from what the worker keeps between trials.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> keep() const {
    if (hooks_.pool == nullptr) return make<Interface>();
    return hooks_.pool->get<Interface>(component(Interface::kind), context_.seed(), *hooks_.log);
  }
  [[nodiscard]] std::shared_ptr<Encoder> clean_encoder() const;
  [[nodiscard]] const Json& component(std::string_view kind) const {
    return request_.config.at(std::string(kind));
  }
  [[nodiscard]] std::string name(std::string_view kind) const;
  [[nodiscard]] bool has(std::string_view kind, std::string_view capability) const;

  [[nodiscard]] bool stopped() const { return hooks_.stop != nullptr && hooks_.stop->load(); }
  void begin(std::string_view stage) const;
  void warn(const std::string& text) const;
  void time(const std::string& stage, TrialClock::time_point start, bool cached = false);

  // Makes the dataset and draws the split.
  void draw_data();
  [[nodiscard]] FeatureStages feature_stages() const;
  // Notes how long features took, and what encoder they come from.
  void note(const FeatureStages& stages, TrialClock::time_point start);
  // The identifiers of samples.
  [[nodiscard]] std::vector<std::string> ids(const std::vector<std::size_t>& samples) const;

  // The result, with what all trials report.
  [[nodiscard]] TrialResult conclude(const at::Tensor& val_logits, TestSet::Verdict verdict,
                                     std::int64_t trainable);

  const TrialRequest& request_;
  const TrialHooks& hooks_;
  TrialContext context_;
  ProtocolParams protocol_;
  std::shared_ptr<Dataset> dataset_;
  DataSplit split_;
  TrialResult result_;

 private:
  TrialClock::time_point start_ = TrialClock::now();
  MemoryWatch memory_;
  std::int64_t encoder_parameters_ = 0;
};

}  // namespace espalier
