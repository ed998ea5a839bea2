#include "train/trial_setting.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>

namespace espalier {

std::int64_t TrialSetting::seed() const { return request_.config.at("seed"); }

const Json& TrialSetting::config_of(std::string_view kind) const {
  return request_.config.at(std::string(kind));
}

std::string TrialSetting::name_of(std::string_view kind) const {
  return std::string(kind) + "/" + config_of(kind).at("use").get<std::string>();
}

bool TrialSetting::has(std::string_view kind, std::string_view capability) const {
  return hooks_.loader->catalog().has(kind, config_of(kind), capability);
}

bool TrialSetting::reads(std::string_view kind) const {
  if (kind == Dataset::kind || kind == Captioner::kind || kind == Encoder::kind) return true;
  const std::string prefix = std::string(kind) + ".";
  return std::ranges::any_of(
      request_.inputs, [&](const TrialInput& input) { return input.name.starts_with(prefix); });
}

bool TrialSetting::stopped() const { return hooks_.stop != nullptr && hooks_.stop->load(); }

void TrialSetting::begin(std::string_view stage) const {
  if (hooks_.stage) hooks_.stage(stage);
}

void TrialSetting::warn(const std::string& text) const {
  hooks_.log->warn("{}", text);
  if (hooks_.warning) hooks_.warning(text);
}

// One text for all trials with so many photos, so that a sweep says it once.
void TrialSetting::warn_of_size(std::int64_t parameters, std::int64_t photos) const {
  constexpr std::int64_t most_a_photo = 100;
  if (parameters <= most_a_photo * photos) return;
  warn("more than " + std::to_string(most_a_photo) + " parameters are trained for each of the " +
       std::to_string(photos) +
       " photos, which they can learn by heart: trials.csv has trainable_parameters");
}

void TrialSetting::check_inputs() const {
  if (hooks_.check_inputs) hooks_.check_inputs();
}

std::shared_ptr<void> TrialSetting::make_component(std::string_view kind,
                                                   const ComponentRef& ref) const {
  Json section = ref.params;
  section["use"] = ref.use;
  return hooks_.loader->make(kind, section, *this);
}

}  // namespace espalier
