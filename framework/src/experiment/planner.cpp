#include "experiment/sections.hpp"
#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>

#include "keys_internal.hpp"
#include "plan_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t most_problems = 50;

struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

struct Condition {
  Predicate predicate;
  bool excludes = false;  // else a `when`
};

// The keys that conditions may name in a section: of all components of the kind.
std::vector<std::string> keys_of(const Catalog& catalog, const std::string& section) {
  std::vector<std::string> keys;
  const auto add = [&](const SchemaInfo& schema) {
    for (const FieldInfo& field : schema.fields) keys.push_back(section + "." + field.name);
  };
  if (std::find(std::begin(fixed_sections), std::end(fixed_sections), section) !=
      std::end(fixed_sections)) {
    add(section_schema(section));
    return keys;
  }
  keys.push_back(section + ".use");
  for (const ComponentInfo& component : catalog.all()) {
    if (component.kind == section) add(component.schema);
  }
  return keys;
}

class Planner {
 public:
  Planner(Plan::State& state, Problems& problems) : state_(state), problems_(problems) {
    for (const SweepBlock& block : state.source.blocks) {
      std::vector<Condition>& conditions = conditions_.emplace_back();
      for (const auto& [text, where] : block.when) add_condition(text, where, false, conditions);
      for (const auto& [text, where] : block.exclude) add_condition(text, where, true, conditions);
    }
  }

  void plan() {
    std::vector<Expansion::Row>& rows = state_.expansion.rows;
    state_.trials.reserve(rows.size());
    state_.picks.reserve(rows.size());
    state_.texts.reserve(rows.size());
    for (Expansion::Row& row : rows) {
      Picks picks{};
      for (std::size_t i = 0; i < picks.size(); ++i) {
        picks[i] = state_.variants.find(i, row.values);
      }
      state_.picks.push_back(picks);
      state_.texts.emplace_back().fill(Identities::inert);
      state_.trials.push_back({.axes = std::move(row.values)});
      guarded_decide(row.block);
    }
    rows = {};
    if (problems_.empty()) refuse_an_empty_plan();
  }

 private:
  void add_condition(const std::string& text, const std::string& where, bool excludes,
                     std::vector<Condition>& out) {
    out.push_back({Predicate::parse(text, where), excludes});
    for (const std::string& word : out.back().predicate.words()) {
      const std::size_t dot = word.find('.');
      if (dot != std::string::npos) check_word(word, word.substr(0, dot), where);
    }
  }

  void check_word(const std::string& word, const std::string& section, const std::string& where) {
    if (!check_key(word, where, problems_)) return;
    const std::vector<std::string> known = keys_of(state_.catalog, section);
    const bool found = std::any_of(known.begin(), known.end(),
                                   [&](const std::string& key) { return is_under(word, key); });
    if (found) return;
    const auto near = nearest_name(word, known);
    add({.what = "a condition names an unknown key \"" + word + "\"",
         .where = where,
         .expected = "a key of " + section,
         .found = {},
         .fix = near ? "did you mean \"" + *near + "\"?" : ""});
  }

  // Each problem once, however many trials have it.
  void add(const Problem& problem) {
    const auto& list = problems_.list();
    if (list.size() > most_problems || std::find(list.begin(), list.end(), problem) != list.end()) {
      return;
    }
    if (list.size() < most_problems) return problems_.add(problem);
    problems_.add({.what = "there are more problems than these",
                   .where = state_.source.file,
                   .expected = {},
                   .found = {},
                   .fix = "put the first ones right"});
  }

  void guarded_decide(std::uint32_t block) try { decide(block); } catch (const Error& error) {
    for (const Problem& problem : error.problems()) add(problem);
  }

  void decide(std::uint32_t block) {
    const Picks& picks = state_.picks.back();
    PlannedTrial& trial = state_.trials.back();
    const PredicateScope scope = state_.identities.scope(picks);
    for (const Condition& condition : conditions_[block]) {
      if (condition.predicate.holds(scope) != condition.excludes) continue;
      return settle(trial, TrialState::excluded,
                    (condition.excludes ? "exclude: " : "not when: ") + condition.predicate.text());
    }
    if (!sound(picks)) return;
    const std::uint32_t context = state_.identities.context(picks);
    if (const std::string& reason = state_.identities.impossible(context); !reason.empty()) {
      return settle(trial, TrialState::impossible, reason);
    }
    identify(trial, picks, context);
  }

  void settle(PlannedTrial& trial, TrialState state, const std::string& reason) {
    const auto [it, fresh] =
        reason_ids_.emplace(reason, static_cast<std::uint32_t>(state_.reasons.size()));
    if (fresh) state_.reasons.push_back(reason);
    trial.state = state;
    trial.reason = it->second;
  }

  bool sound(const Picks& picks) {
    bool all = true;
    for (std::size_t i = 0; i < picks.size(); ++i) {
      for (const Problem& problem : state_.variants.at(i, picks[i]).problems) {
        add(problem);
        all = false;
      }
    }
    return all;
  }

  void identify(PlannedTrial& trial, const Picks& picks, std::uint32_t context) {
    Problems found;
    Picks& texts = state_.texts.back();
    for (std::size_t i = 0; i < picks.size(); ++i) {
      texts[i] = state_.identities.section(i, picks, context, found);
    }
    for (const Problem& problem : found.list()) add(problem);
    const auto index = static_cast<std::uint32_t>(state_.trials.size() - 1);
    trial.trial_id = sha256(state_.identity_text(index, true));
    trial.combo_id = combo_id(index);
    const auto [it, fresh] = seen_.emplace(trial.trial_id, index);
    if (fresh) return;
    trial.original = it->second;
    settle(trial, TrialState::duplicate, difference(trial, state_.trials[it->second]));
  }

  Digest combo_id(std::uint32_t index) {
    if (index > 0) {
      Picks before = state_.texts[index - 1];
      before[seed_section] = state_.texts[index][seed_section];
      if (before == state_.texts[index] && state_.has_id(index - 1)) {
        return state_.trials[index - 1].combo_id;
      }
    }
    return sha256(state_.identity_text(index, false));
  }

  std::string difference(const PlannedTrial& trial, const PlannedTrial& original) const {
    std::string keys;
    for (std::size_t i = 0; i < trial.axes.size(); ++i) {
      if (trial.axes[i] == original.axes[i]) continue;
      keys += (keys.empty() ? "" : ", ") + state_.expansion.axes[i].key;
    }
    return keys.empty()
               ? "the same as an earlier trial"
               : "differs from an earlier trial only in what makes no difference here: " + keys;
  }

  void refuse_an_empty_plan() {
    const bool some =
        std::any_of(state_.trials.begin(), state_.trials.end(),
                    [](const PlannedTrial& trial) { return trial.state == TrialState::planned; });
    if (some) return;
    std::string reasons;
    for (std::size_t i = 1; i < std::min<std::size_t>(state_.reasons.size(), 10); ++i) {
      reasons += (i == 1 ? "" : "\n") + state_.reasons[i];
    }
    add({.what = "no trial of the experiment can run",
         .where = state_.source.file,
         .expected = {},
         .found = std::move(reasons),
         .fix = {}});
  }

  Plan::State& state_;
  Problems& problems_;
  std::vector<std::vector<Condition>> conditions_;
  std::unordered_map<std::string, std::uint32_t> reason_ids_;
  std::unordered_map<Digest, std::uint32_t, DigestHash> seen_;
};

}  // namespace

std::string Plan::State::identity_text(std::size_t trial, bool with_seed) const {
  std::string text = "{";
  for (std::size_t i = 0; i < trial_sections.size(); ++i) {
    if (trial_sections[i] == "gnn") {
      text +=
          (text.size() > 1 ? ",\"espalier\":" : "\"espalier\":") + std::to_string(identity_version);
    }
    const std::uint32_t index = texts[trial][i];
    if (index == Identities::inert || (i == seed_section && !with_seed)) continue;
    text += text.size() > 1 ? ",\"" : "\"";
    text.append(trial_sections[i]).append("\":").append(identities.texts()[index]);
  }
  return text + "}";
}

std::shared_ptr<const Plan::State> plan_trials(const ExperimentSource& source,
                                               const Catalog& catalog, ContentHasher hasher,
                                               Problems& problems) {
  auto state = std::make_shared<Plan::State>(source, catalog, std::move(hasher), problems);
  if (problems.empty()) Planner(*state, problems).plan();
  state->hasher.save();
  return state;
}

}  // namespace espalier
