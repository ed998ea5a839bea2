#include "experiment/plan.hpp"

#include "experiment/content_paths.hpp"
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/file.hpp>
#include <map>
#include <utility>

#include "plan_internal.hpp"
#include "stages_internal.hpp"

namespace espalier {
namespace {

// `"captioner":TEXT,...` of a trial's configuration, with the texts of its variants.
class ConfigTexts {
 public:
  explicit ConfigTexts(const Plan::State& state) : state_(state) {}

  std::string of(std::size_t trial) {
    std::string text = "{";
    for (std::size_t i = 0; i < trial_sections.size(); ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::string(trial_sections[i]) +
              "\":" + section(i, state_.picks[trial][i]);
    }
    return text + "}";
  }

 private:
  const std::string& section(std::size_t index, std::uint32_t variant) {
    std::vector<std::string>& known = texts_[index];
    if (known.empty()) known.resize(state_.variants.count(index));
    if (known[variant].empty()) {
      known[variant] = canonical_json(state_.variants.at(index, variant).resolved);
    }
    return known[variant];
  }

  const Plan::State& state_;
  std::array<std::vector<std::string>, trial_sections.size()> texts_;
};

// Whether a dotted key has a place in the identity of a section.
bool has_place(const Json& identity, std::string_view key) {
  if (key.empty()) return true;
  const std::string name(key.substr(0, key.find('.')));
  const std::string_view rest = key.size() > name.size() ? key.substr(name.size() + 1) : "";
  const bool of_component = name != "use" && identity.is_object() && identity.contains("params");
  const Json& members = of_component ? identity.at("params") : identity;
  return members.is_object() && members.contains(name) && has_place(members.at(name), rest);
}

// The axes that make a difference to a trial: those that its identity knows.
class CountingAxes {
 public:
  explicit CountingAxes(const Plan::State& state) : state_(state) {}

  bool has(std::size_t axis, std::size_t trial) {
    const std::string& key = state_.expansion.axes[axis].key;
    const std::string_view section = std::string_view(key).substr(0, key.find('.'));
    const std::uint32_t text = state_.texts[trial][section_index(section)];
    if (text == Identities::inert) return false;
    const auto [known, fresh] = known_.try_emplace({text, axis});
    if (fresh) {
      const std::string_view rest = std::string_view(key).substr(section.size());
      known->second = has_place(Json::parse(state_.identities.texts()[text]),
                                rest.substr(std::min<std::size_t>(1, rest.size())));
    }
    return known->second;
  }

 private:
  const Plan::State& state_;
  std::map<std::pair<std::uint32_t, std::size_t>, bool> known_;
};

}  // namespace

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
                  inspector, problems);
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
    config[std::string(trial_sections[i])] =
        state_->variants.at(i, state_->picks[trial][i]).resolved;
  }
  return config;
}

Json Plan::identity(std::size_t trial) const {
  if (!state_->has_id(trial)) return nullptr;
  return parse_json(state_->identity_text(trial, true), "identity");
}

std::vector<StageRef> Plan::stages(std::size_t trial) const {
  if (!state_->has_id(trial)) return {};
  const Picks& picks = state_->picks[trial];
  const auto has = [&](std::string_view kind, std::string_view capability) {
    const std::size_t index = section_index(kind);
    return state_->catalog.has(kind, state_->variants.at(index, picks[index]).resolved, capability);
  };
  const auto text = [&](std::uint32_t index) {
    return index == Identities::inert ? nullptr : &state_->identities.texts()[index];
  };
  StageInputs inputs;
  for (std::size_t i = 0; i < trial_sections.size(); ++i) {
    inputs.identity[i] = text(state_->texts[trial][i]);
  }
  inputs.image_tower = text(state_->towers[trial].image);
  inputs.text_tower = text(state_->towers[trial].text);
  const std::size_t head = section_index("head");
  const std::string use = state_->variants.at(head, picks[head]).resolved.at("use");
  inputs.class_texts = use == "prompts" || use == "zero_shot";
  inputs.captions = inputs.identity[section_index("captioner")] != nullptr;
  inputs.seeded_captions = has("captioner", "seeded");
  inputs.fitted_encoder = has("encoder", "fitted");
  return stage_refs(inputs);
}

std::vector<TrialInput> Plan::inputs(std::size_t trial) const {
  std::vector<TrialInput> inputs;
  if (!state_->has_id(trial)) return inputs;
  for (HashedPath& found : content_paths(identity(trial), config(trial))) {
    std::filesystem::path path = resolve_path(found.path);
    const std::optional<HashedContent> content = state_->hasher.known(path);
    if (content) inputs.push_back({std::move(found.key), std::move(path), *content});
  }
  return inputs;
}

const Catalog& Plan::catalog() const { return state_->catalog; }

void Plan::write(const std::filesystem::path& file) const {
  ConfigTexts configs(*state_);
  CountingAxes counting(*state_);
  std::string lines;
  for (std::size_t i = 0; i < trials().size(); ++i) {
    const PlannedTrial& trial = trials()[i];
    if (trial.state != TrialState::planned) continue;
    std::string stage_text;
    for (const StageRef& stage : stages(i)) {
      stage_text += (stage_text.empty() ? "\"" : ",\"") + stage.name + "\":\"" + stage.key + "\"";
    }
    Json values = axis_values(i);
    for (std::size_t axis = 0; axis < axes().size(); ++axis) {
      if (!counting.has(axis, i)) values[axes()[axis].key] = nullptr;
    }
    lines += "{\"axes\":" + values.dump() + ",\"combo_id\":\"" + hex(trial.combo_id) +
             "\",\"config\":" + configs.of(i) + ",\"stages\":{" + stage_text + "},\"trial_id\":\"" +
             hex(trial.trial_id) + "\"}\n";
  }
  Json keys = Json::array();
  for (const Axis& axis : axes()) keys.push_back(axis.key);
  const Json header{{"plan", 1}, {"name", name()}, {"axes", keys}, {"sha256", hex(sha256(lines))}};
  const std::string first = header.dump() + "\n";
  const std::string_view pieces[] = {first, lines};
  write_file(file, pieces);
}

}  // namespace espalier
