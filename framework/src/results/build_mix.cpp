#include "results/build_mix.hpp"

#include "plugin/build_id.hpp"

namespace espalier {

BuildMix::BuildMix(std::span<const TrialRecord> records) {
  for (const TrialRecord& record : records) {
    if (record.status != TrialStatus::complete) continue;
    for (const auto& [component, build] : record.builds) ++trials_[component][build];
  }
  std::erase_if(trials_, [](const auto& component) { return component.second.size() < 2; });
}

std::string BuildMix::of(const TrialRecord& record) const {
  std::string text;
  for (const auto& [component, build] : record.builds) {
    if (!trials_.contains(component)) continue;
    text += (text.empty() ? "" : " ") + component + "=" + short_build(build);
  }
  return text;
}

std::string BuildMix::text() const {
  std::string text;
  for (const auto& [component, builds] : trials_) {
    std::string line;
    for (const auto& [build, trials] : builds) {
      line += (line.empty() ? component + ": " : ", ") + short_build(build) + " (" +
              std::to_string(trials) + (trials == 1 ? " trial)" : " trials)");
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace espalier
