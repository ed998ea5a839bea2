#include "experiment/tuning.hpp"

#include "data_checks_internal.hpp"

namespace espalier {
namespace {

// Traits of a trial that say what it looks at of an encoder.
constexpr const char* looked_at[] = {"image", "text", "class_vectors"};

}  // namespace

void DataChecks::note(std::uint32_t trial, std::uint32_t context) {
  if (inspector_ == nullptr) return;
  const Picks& texts = state_.texts[trial];
  const std::uint32_t dataset = texts[dataset_section];
  with_protocol_.emplace(std::pair(dataset, texts[section_index("protocol")]), trial);
  const auto has = [&](const char* trait) { return state_.identities.has_trait(context, trait); };
  const auto chooses = [&](std::string_view section) {
    choosing_.emplace(std::tuple(section, dataset, texts[section_index("protocol")]), trial);
  };
  if (texts[section_index("tune")] != Identities::inert) chooses("tune");
  if (has("edges") && leaves_tau_to_validation(state_.resolved(trial, section_index("graph")))) {
    chooses("graph");
  }
  if (has("told_classes")) {
    with_head_.emplace(std::pair(dataset, texts[section_index("head")]), trial);
  }
  if (has("captions")) note_captions(trial);
  if (!has("adapted")) return;
  std::uint32_t towers = 0;
  for (std::size_t i = 0; i < std::size(looked_at); ++i) towers |= has(looked_at[i]) ? 1U << i : 0;
  const MethodKey key = {dataset,
                         texts[section_index("protocol")],
                         texts[section_index("encoder")],
                         texts[section_index("peft")],
                         texts[section_index("train")],
                         towers};
  with_method_[key].push_back(trial);
}

void DataChecks::note_captions(std::uint32_t trial) {
  const Picks& texts = state_.texts[trial];
  const std::uint32_t captioner = texts[section_index("captioner")];
  if (state_.is_unrecorded(state_.resolved(trial, section_index("captioner")))) return;
  // A file that cannot be read counts as null, and was reported.
  const std::string_view identity = state_.identities.texts()[captioner];
  if (identity.find(":null") != std::string_view::npos) return;
  with_captioner_.emplace(std::pair(texts[dataset_section], captioner), trial);
}

void DataChecks::require_validation(std::uint32_t trial, std::string_view section) const {
  const Picks& texts = state_.texts[trial];
  const auto found = sizes_.find({texts[dataset_section], texts[section_index("protocol")]});
  if (found == sizes_.end() || found->second.val > 0) return;
  const bool of_tune = section == "tune";
  const std::string use = inspected(trial, "dataset").resolved->at("use");
  throw Error({.what = (of_tune ? "tune" : "graph.tau_from: validation") +
                       std::string(" chooses by validation photos, and dataset/") + use +
                       " has none under this protocol",
               .where = {},
               .expected = "one validation photo at least",
               .found = {},
               .fix = "protocol.val_fraction above 0 takes some of the training photos; without "
                      "any, give " +
                      std::string(of_tune ? "train one value instead of tune" : "graph a tau")});
}

// Of pictures, views included.
std::int64_t DataChecks::looks(std::uint32_t trial) const {
  const Picks& texts = state_.texts[trial];
  const auto found = sizes_.find({texts[dataset_section], texts[section_index("protocol")]});
  if (found == sizes_.end()) return 0;
  const auto views = inspected(trial, "train").resolved->at("views").get<std::int64_t>();
  return found->second.train * (1 + views) + found->second.others;
}

void DataChecks::find_cuts(const std::vector<std::uint32_t>& trials, std::uint32_t towers,
                           const Impossible& impossible) {
  std::vector<std::string> looks_at;
  for (std::size_t i = 0; i < std::size(looked_at); ++i) {
    if ((towers & 1U << i) != 0) looks_at.emplace_back(looked_at[i]);
  }
  const std::uint32_t trial = trials.front();
  const InspectedSection encoder = inspected(trial, "encoder"), peft = inspected(trial, "peft");
  const MethodCuts found = inspector_->cuts(encoder, peft, looks_at);
  for (const TowerCut& cut : found.towers) cuts_.push_back({trial, cut, looks(trial)});
  warnings_.insert(found.warnings.begin(), found.warnings.end());
  if (found.nothing.empty()) return;
  const auto use = [](const InspectedSection& section) {
    return section.resolved->at("use").get<std::string>();
  };
  impossible(trials, "peft/" + use(peft) +
                         " has nothing to train in what is looked at of encoder/" + use(encoder) +
                         ", " + found.nothing);
}

InspectedSection DataChecks::inspected(std::uint32_t trial, std::string_view section) const {
  const std::size_t index = section_index(section);
  return {&state_.resolved(trial, index), state_.identities.texts()[state_.texts[trial][index]]};
}

void DataChecks::run(const Report& report, const Impossible& impossible) {
  const auto guarded = [&](std::string_view section, const auto& check) {
    try {
      check();
    } catch (const Error& error) {
      report(section, error);
    }
  };
  for (const auto& [sections, trial] : with_protocol_) {
    guarded("dataset", [&, sections = sections, of = trial] {
      sizes_[sections] =
          inspector_->check_protocol(inspected(of, "dataset"), inspected(of, "protocol"));
    });
  }
  for (const auto& [key, trial] : choosing_) {
    const std::string_view section = std::get<0>(key);
    guarded(section, [&, of = trial] { require_validation(of, section); });
  }
  for (const auto& [sections, trial] : with_head_) {
    guarded("head", [&, of = trial] {
      inspector_->check_head(inspected(of, "dataset"), inspected(of, "head"));
    });
  }
  for (const auto& [sections, trial] : with_captioner_) {
    guarded("captioner", [&, of = trial] {
      inspector_->check_captions(inspected(of, "dataset"), inspected(of, "captioner"));
    });
  }
  for (const auto& [key, trials] : with_method_) {
    guarded("peft", [&, towers = key.back(), &of = trials] { find_cuts(of, towers, impossible); });
  }
}

}  // namespace espalier
