#include "experiment/plan.hpp"

#include "experiment/content_paths.hpp"
#include <espalier/core/builtin.hpp>
#include <optional>
#include <utility>

#include "plan_internal.hpp"

namespace espalier {
std::string_view to_string(TrialState state) {
  switch (state) {
    case TrialState::planned:
      return "planned";
    case TrialState::duplicate:
      return "duplicate";
    case TrialState::excluded:
      return "excluded";
    case TrialState::impossible:
      return "impossible";
  }
  return "planned";
}

Plan Plan::make(const ExperimentSource& source, const Catalog& catalog,
                const std::filesystem::path& results, const ContentHasher::Progress& progress,
                DataInspector* inspector) {
  Problems problems;
  Plan plan;
  plan.state_ =
      plan_trials(source, catalog, ContentHasher(results / ".cache" / "content", progress),
                  results / ".captions", inspector, problems);
  problems.throw_if_any();
  return plan;
}

const std::string& Plan::name() const { return state_->source.name; }
const std::string& Plan::about() const { return state_->source.about; }
const std::vector<Axis>& Plan::axes() const { return state_->expansion.axes; }
const std::vector<PlannedTrial>& Plan::trials() const { return state_->trials; }
const std::vector<std::string>& Plan::reasons() const { return state_->reasons; }
const std::vector<std::string>& Plan::warnings() const { return state_->warnings; }

Json Plan::axis_values(std::size_t trial) const {
  Json values = Json::object();
  const std::vector<std::uint32_t>& row = trials()[trial].axes;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] != PlannedTrial::npos) values[axes()[i].key] = axes()[i].values[row[i]];
  }
  return values;
}

Json Plan::config(std::size_t trial) const {
  Json config = Json::object();
  for (std::size_t i = 0; i < trial_sections.size(); ++i) {
    config[std::string(trial_sections[i])] = state_->resolved(trial, i);
  }
  return config;
}

Json Plan::identity(std::size_t trial) const {
  if (!state_->has_id(trial)) return nullptr;
  return parse_json(state_->identity_text(trial, true), "identity");
}

const std::vector<PlannedCaptions>& Plan::missing_captions() const {
  return state_->missing_captions;
}

const std::vector<PlannedCut>& Plan::cuts() const { return state_->cuts; }

const std::vector<PlannedSize>& Plan::sizes() const { return state_->sizes; }

const std::vector<StageRef>& Plan::stages(std::size_t trial) const {
  return state_->stage_lists[state_->stages[trial]];
}

std::vector<TrialInput> Plan::inputs(std::size_t trial) const {
  std::vector<TrialInput> inputs;
  if (!state_->has_id(trial)) return inputs;
  for (HashedPath& found : content_paths(identity(trial), config(trial))) {
    std::filesystem::path path = resolve_path(found.path);
    const std::optional<HashedContent> content = state_->hasher.known(path, found.scope);
    if (content) inputs.push_back({std::move(found.key), std::move(path), *content});
  }
  return inputs;
}

const Catalog& Plan::catalog() const { return state_->catalog; }

}  // namespace espalier
