// plan.jsonl.
#include <algorithm>
#include <array>
#include <espalier/core/file.hpp>
#include <espalier/core/predicate.hpp>
#include <map>
#include <numeric>
#include <utility>

#include "experiment/sections.hpp"

#include "plan_internal.hpp"

namespace espalier {
namespace {

// `"captioner":TEXT,...` of a trial's configuration, with the texts of its variants.
class ConfigTexts {
 public:
  explicit ConfigTexts(const Plan::State& state) : state_(state) {}

  void add(std::size_t trial, std::string& text) {
    for (std::size_t i = 0; i < trial_sections.size(); ++i) {
      text.append(i == 0 ? "\"" : ",\"").append(trial_sections[i]).append("\":");
      const bool recorded = state_.recorded.contains(state_.texts[trial][i]);
      text +=
          recorded ? canonical_json(state_.resolved(trial, i)) : section(i, state_.picks[trial][i]);
    }
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
  if (identity.is_object() && identity.contains(std::string(key))) return true;  // of tune
  const std::string name(key.substr(0, key.find('.')));
  const std::string_view rest = key.size() > name.size() ? key.substr(name.size() + 1) : "";
  const bool of_component = name != "use" && identity.is_object() && identity.contains("params");
  const Json& members = of_component ? identity.at("params") : identity;
  return members.is_object() && members.contains(name) && has_place(members.at(name), rest);
}

// Whether it is left out of an identity at one of its values alone, the default of old, and so
// counts at that value too.
bool counts_by_itself(std::string_view section, std::string_view key) {
  if (!is_fixed_section(section)) return false;
  const FieldInfo* field = section_schema(section).find(key);
  if (field == nullptr || field->only_if.empty()) return false;
  const std::vector<std::string> words = Predicate::parse(field->only_if, section).words();
  return std::find(words.begin(), words.end(), field->name) != words.end();
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
      std::string_view rest = std::string_view(key).substr(section.size());
      rest = rest.substr(std::min<std::size_t>(1, rest.size()));
      known->second = counts_by_itself(section, rest) ||
                      has_place(Json::parse(state_.identities.texts()[text]), rest);
    }
    return known->second;
  }

 private:
  const Plan::State& state_;
  std::map<std::pair<std::uint32_t, std::size_t>, bool> known_;
};

// `"KEY":VALUE,...` of a trial's axes, sorted by key as JSON's members are.
class AxisTexts {
 public:
  explicit AxisTexts(const Plan::State& state)
      : state_(state), counting_(state), order_(axes().size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](std::size_t a, std::size_t b) { return axes()[a].key < axes()[b].key; });
    for (const Axis& axis : axes()) {
      std::vector<std::string>& values = values_.emplace_back();
      for (const Json& value : axis.values) values.push_back(value.dump());
      keys_.push_back(Json(axis.key).dump() + ":");
    }
  }

  void add(std::size_t trial, std::string& text) {
    const std::vector<std::uint32_t>& row = state_.trials[trial].axes;
    bool first = true;
    for (const std::size_t axis : order_) {
      const bool counts = counting_.has(axis, trial);
      if (counts && row[axis] == PlannedTrial::npos) continue;
      text.append(std::exchange(first, false) ? "" : ",").append(keys_[axis]);
      text += counts ? values_[axis][row[axis]] : "null";
    }
  }

 private:
  [[nodiscard]] const std::vector<Axis>& axes() const { return state_.expansion.axes; }

  const Plan::State& state_;
  CountingAxes counting_;
  std::vector<std::size_t> order_;
  std::vector<std::string> keys_;
  std::vector<std::vector<std::string>> values_;  // of every axis
};

class Lines {
 public:
  explicit Lines(const Plan::State& state) : state_(state), axes_(state), configs_(state) {}

  void add(std::size_t trial, std::string& text) {
    const PlannedTrial& planned = state_.trials[trial];
    text += "{\"axes\":{";
    axes_.add(trial, text);
    text.append("},\"combo_id\":\"").append(hex(planned.combo_id)).append("\",\"config\":{");
    configs_.add(trial, text);
    text += sees_test(trial) ? "},\"sees_test\":true,\"stages\":{" : "},\"stages\":{";
    bool first = true;
    for (const StageRef& stage : state_.stage_lists[state_.stages[trial]]) {
      text.append(std::exchange(first, false) ? "\"" : ",\"").append(stage.name);
      text.append("\":\"").append(stage.key).append("\"");
    }
    text.append("},\"trial_id\":\"").append(hex(planned.trial_id)).append("\"}\n");
  }

 private:
  // Whether features of the test split are in its training graph.
  [[nodiscard]] bool sees_test(std::size_t trial) const {
    const std::uint32_t text = state_.texts[trial][section_index("protocol")];
    if (text == Identities::inert) return false;
    return state_.identities.texts()[text].find(R"("graph":"transductive")") != std::string::npos;
  }

  const Plan::State& state_;
  AxisTexts axes_;
  ConfigTexts configs_;
};

}  // namespace

void Plan::write(const std::filesystem::path& file) const {
  Lines all(*state_);
  std::string lines;
  for (std::size_t i = 0; i < trials().size(); ++i) {
    if (trials()[i].state != TrialState::planned) continue;
    const bool first = lines.empty();
    all.add(i, lines);
    if (first) lines.reserve((lines.size() + lines.size() / 16) * (trials().size() - i));
  }
  Json keys = Json::array();
  for (const Axis& axis : axes()) keys.push_back(axis.key);
  const Json header{{"plan", 1}, {"name", name()}, {"axes", keys}, {"sha256", hex(sha256(lines))}};
  const std::string first = header.dump() + "\n";
  const std::string_view pieces[] = {first, lines};
  write_file(file, pieces);
}

}  // namespace espalier
