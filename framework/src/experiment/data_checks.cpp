#include "data_checks_internal.hpp"

namespace espalier {

void DataChecks::note(std::uint32_t trial, std::uint32_t context) {
  if (inspector_ == nullptr) return;
  const Picks& texts = state_.texts[trial];
  const std::uint32_t dataset = texts[dataset_section];
  with_protocol_.emplace(std::pair(dataset, texts[section_index("protocol")]), trial);
  if (!state_.identities.has_trait(context, "class_texts")) return;
  with_head_.emplace(std::pair(dataset, texts[section_index("head")]), trial);
}

InspectedSection DataChecks::inspected(std::uint32_t trial, std::string_view section) const {
  const std::size_t index = section_index(section);
  return {&state_.variants.at(index, state_.picks[trial][index]).resolved,
          state_.identities.texts()[state_.texts[trial][index]]};
}

void DataChecks::run(
    const std::function<void(std::string_view section, const Error&)>& report) const {
  const auto guarded = [&](std::string_view section, const auto& check) {
    try {
      check();
    } catch (const Error& error) {
      report(section, error);
    }
  };
  for (const auto& [sections, trial] : with_protocol_) {
    guarded("dataset", [&, of = trial] {
      inspector_->check_protocol(inspected(of, "dataset"), inspected(of, "protocol"));
    });
  }
  for (const auto& [sections, trial] : with_head_) {
    guarded("head", [&, of = trial] {
      inspector_->check_head(inspected(of, "dataset"), inspected(of, "head"));
    });
  }
}

}  // namespace espalier
