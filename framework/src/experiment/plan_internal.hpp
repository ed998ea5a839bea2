// What a plan remembers, and how it comes about.
#pragma once

#include "experiment/plan.hpp"
#include <deque>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "expand_internal.hpp"
#include "identity_internal.hpp"
#include "variants_internal.hpp"

namespace espalier {

struct Plan::State {
  State(const ExperimentSource& source_of, const Catalog& catalog_of, ContentHasher hasher_of,
        DataInspector* inspector, Problems& problems)
      : source(source_of),
        catalog(catalog_of),
        hasher(std::move(hasher_of)),
        expansion(expand(source, catalog, problems)),
        variants(source, catalog, expansion),
        identities(catalog, variants, hasher, inspector) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] bool has_id(std::size_t trial) const {
    return trials[trial].state == TrialState::planned ||
           trials[trial].state == TrialState::duplicate;
  }
  // A section as a worker gets it.
  [[nodiscard]] const Json& resolved(std::size_t trial, std::size_t section) const;
  // Whether a captioner has to be recorded and was not: no set is named.
  [[nodiscard]] bool is_unrecorded(const Json& captioner) const {
    return captioner.value("captions", Json()) == "" &&
           catalog.has("captioner", captioner, "recorded");
  }
  // The canonical JSON of a trial's identity.
  [[nodiscard]] std::string identity_text(std::size_t trial, bool with_seed) const;

  ExperimentSource source;
  Catalog catalog;
  ContentHasher hasher;
  Expansion expansion;
  Variants variants;
  Identities identities;
  std::vector<PlannedTrial> trials;
  std::vector<Picks> picks;  // of every trial
  std::vector<Picks> texts;  // of every trial, indices into identities.texts()
  struct Towers {
    std::uint32_t image = Identities::inert;
    std::uint32_t text = Identities::inert;
    bool told_classes = false;  // whether it is told of the classes
  };
  std::vector<Towers> towers;  // of every trial, the encoder's identity for these, as in texts
  std::vector<std::uint32_t> stages;                 // of every trial, an index into stage_lists
  std::deque<std::vector<StageRef>> stage_lists{1};  // the first is empty
  std::vector<std::string> warnings;
  std::vector<PlannedCut> cuts;
  std::vector<PlannedSize> sizes;
  std::map<std::uint32_t, Json> recorded;  // captioners by their identity, with their captions
  std::vector<PlannedCaptions> missing_captions;
  std::vector<std::string> reasons{""};
};

// Fills `stages`; of a plan without problems.
void add_stages(Plan::State& state);

// Recorded captions lie in the folder `captions`. Adds all that is wrong with the experiment to
// `problems`.
[[nodiscard]] std::shared_ptr<const Plan::State> plan_trials(
    const ExperimentSource& source, const Catalog& catalog, ContentHasher hasher,
    const std::filesystem::path& captions, DataInspector* inspector, Problems& problems);

}  // namespace espalier
