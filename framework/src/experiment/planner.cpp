#include <algorithm>
#include <cstring>
#include <espalier/plugin/capabilities.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "caption_binding_internal.hpp"
#include "condition_internal.hpp"
#include "data_checks_internal.hpp"
#include "derived_internal.hpp"
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

class Planner {
 public:
  Planner(Plan::State& state, const std::filesystem::path& captions, DataInspector* inspector,
          Problems& problems)
      : state_(state),
        problems_(problems),
        captions_(state, captions),
        checks_(state, inspector),
        derived_(state.catalog, state.variants, state.identities, inspector) {
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
    state_.towers.reserve(rows.size());
    for (Expansion::Row& row : rows) {
      Picks picks{};
      for (std::size_t i = 0; i < picks.size(); ++i) {
        picks[i] = state_.variants.find(i, row.values);
      }
      state_.picks.push_back(picks);
      state_.texts.emplace_back().fill(Identities::inert);
      state_.towers.emplace_back();
      state_.trials.push_back({.axes = std::move(row.values)});
      guarded_decide(row.block);
    }
    rows = {};
    check_data();
    state_.cuts = checks_.take_cuts();
    state_.sizes = derived_.sizes();
    if (problems_.empty()) refuse_an_empty_plan();
    warn();
  }

 private:
  void add_condition(const std::string& text, const std::string& where, bool excludes,
                     std::vector<Condition>& out) {
    out.push_back({Predicate::parse(text, where), excludes});
    check_condition(out.back().predicate, where, state_.catalog, problems_);
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
    report("dataset", error);
  }

  void decide(std::uint32_t block) {
    Picks& picks = state_.picks.back();
    PlannedTrial& trial = state_.trials.back();
    if (const Condition* condition = excluding(block, picks)) {
      return settle(
          trial, TrialState::excluded,
          (condition->excludes ? "exclude: " : "not when: ") + condition->predicate.text());
    }
    if (!sound(picks)) return open_data(picks);
    const std::uint32_t context = state_.identities.context(picks);
    if (const std::string& reason = state_.identities.impossible(context); !reason.empty()) {
      return settle(trial, TrialState::impossible, reason);
    }
    Problems found;
    const DerivedSettings::Settled derived = derived_.settle(picks, context, found);
    for (const Problem& problem : found.list()) add(problem);
    if (!derived.impossible.empty()) {
      return settle(trial, TrialState::impossible, derived.impossible);
    }
    picks = derived.picks;
    identify(trial, picks, state_.identities.context(picks));
  }

  const Condition* excluding(std::uint32_t block, const Picks& picks) {
    const PredicateScope scope = state_.identities.scope(picks);
    const auto excludes = [&](const Condition& condition) {
      return condition.predicate.holds(scope) == condition.excludes;
    };
    const std::vector<Condition>& all = conditions_[block];
    const auto found = std::find_if(all.begin(), all.end(), excludes);
    return found == all.end() ? nullptr : &*found;
  }

  void settle(PlannedTrial& trial, TrialState state, const std::string& reason) {
    const auto [it, fresh] =
        reason_ids_.emplace(reason, static_cast<std::uint32_t>(state_.reasons.size()));
    if (fresh) state_.reasons.push_back(reason);
    trial.state = state;
    trial.reason = it->second;
  }

  // What is the same as an impossible trial is impossible too.
  void check_data() {
    checks_.run([this](std::string_view section, const Error& error) { report(section, error); },
                [this](const std::vector<std::uint32_t>& trials, const std::string& reason) {
                  for (const std::uint32_t i : trials) {
                    settle(state_.trials[i], TrialState::impossible, reason);
                  }
                });
    for (PlannedTrial& trial : state_.trials) {
      if (trial.state != TrialState::duplicate) continue;
      const PlannedTrial& original = state_.trials[trial.original];
      if (original.state != TrialState::impossible) continue;
      trial.state = original.state;
      trial.reason = original.reason;
    }
  }

  bool sound(const Picks& picks) {
    bool all = true;
    for (std::size_t i = 0; i < picks.size(); ++i) {
      const Variant& variant = state_.variants.at(i, picks[i]);
      for (const Problem& problem : variant.problems) add(problem);
      all = all && variant.sound;
    }
    return all;
  }

  // Mistakes of the data are said with those of the rest.
  void open_data(const Picks& picks) {
    const bool known = state_.variants.at(dataset_section, picks[dataset_section]).sound;
    if (known) (void)state_.identities.scope(picks).has("dataset", data_capabilities().front());
  }

  void identify(PlannedTrial& trial, const Picks& picks, std::uint32_t context) {
    Problems found;
    Picks& texts = state_.texts.back();
    for (std::size_t i = 0; i < picks.size(); ++i) {
      texts[i] = state_.identities.section(i, picks, context, found);
    }
    if (state_.identities.has_trait(context, "image")) {
      state_.towers.back().image = state_.identities.tower("image", picks, context, found);
    }
    if (state_.identities.has_trait(context, "text")) {
      state_.towers.back().text = state_.identities.tower("text", picks, context, found);
    }
    state_.towers.back().told_classes = state_.identities.has_trait(context, "told_classes");
    for (const Problem& problem : found.list()) add(problem);
    captions_.bind(picks, texts);
    const auto index = static_cast<std::uint32_t>(state_.trials.size() - 1);
    trial.trial_id = sha256(state_.identity_text(index, true));
    trial.combo_id = combo_id(index);
    const auto [it, fresh] = seen_.emplace(trial.trial_id, index);
    if (fresh) return checks_.note(index, context);
    trial.original = it->second;
    settle(trial, TrialState::duplicate, difference(trial, state_.trials[it->second]));
  }

  // Belongs to the section unless it says where it belongs.
  void report(std::string_view section, const Error& error) {
    for (Problem problem : error.problems()) {
      if (problem.where.empty()) problem.where = state_.variants.locate(section);
      add(problem);
    }
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

  void warn() {
    state_.warnings = state_.source.warnings;
    state_.identities.add_warnings(state_.warnings);
    state_.warnings.insert(state_.warnings.end(), checks_.warnings().begin(),
                           checks_.warnings().end());
    for (std::size_t axis = 0; axis < state_.expansion.axes.size(); ++axis) {
      const Axis& swept = state_.expansion.axes[axis];
      if (!only_its_first_value_counts(axis)) continue;
      state_.warnings.push_back("the axis " + swept.key + " makes no difference: of its " +
                                std::to_string(swept.values.size()) +
                                " values only the first is run");
    }
  }

  // Whether trials are duplicates that differ in this axis, and none that is planned does.
  [[nodiscard]] bool only_its_first_value_counts(std::size_t axis) const {
    bool repeated = false;
    std::optional<std::uint32_t> planned;
    for (const PlannedTrial& trial : state_.trials) {
      const std::uint32_t value = trial.axes[axis];
      if (trial.state == TrialState::duplicate) {
        repeated = repeated || value != state_.trials[trial.original].axes[axis];
      } else if (trial.state == TrialState::planned && value != PlannedTrial::npos) {
        if (planned && *planned != value) return false;
        planned = value;
      }
    }
    return repeated;
  }

  Plan::State& state_;
  Problems& problems_;
  CaptionBinding captions_;
  DataChecks checks_;
  DerivedSettings derived_;
  std::vector<std::vector<Condition>> conditions_;
  std::unordered_map<std::string, std::uint32_t> reason_ids_;
  std::unordered_map<Digest, std::uint32_t, DigestHash> seen_;
};

}  // namespace

const Json& Plan::State::resolved(std::size_t trial, std::size_t section) const {
  const auto found = recorded.find(texts[trial][section]);
  return found != recorded.end() ? found->second
                                 : variants.at(section, picks[trial][section]).resolved;
}

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
                                               const std::filesystem::path& captions,
                                               DataInspector* inspector, Problems& problems) {
  for (const Problem& mistake : source.mistakes) problems.add(mistake);
  auto state =
      std::make_shared<Plan::State>(source, catalog, std::move(hasher), inspector, problems);
  Planner(*state, captions, inspector, problems).plan();
  if (problems.empty()) add_stages(*state);
  state->hasher.save();
  return state;
}

}  // namespace espalier
