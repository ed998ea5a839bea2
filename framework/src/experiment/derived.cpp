#include <algorithm>
#include <limits>
#include <optional>

#include "experiment/tuning.hpp"

#include "derived_internal.hpp"

namespace espalier {
namespace {

const std::size_t budget_index = section_index("budget");
const std::size_t encoder_index = section_index("encoder");
const std::size_t method_index = section_index("peft");
const std::size_t train_index = section_index("train");
const std::size_t tune_index = section_index("tune");

// Powers of two and what is half way between them, within the setting's range, those that train
// less first: what lies between two of them is searched where the encoder is.
std::vector<std::int64_t> values_to_try(const FieldInfo& field) {
  const auto least = std::max<std::int64_t>(1, static_cast<std::int64_t>(field.min.value_or(1)));
  const auto most = static_cast<std::int64_t>(field.max.value_or(65536));
  std::vector<std::int64_t> values;
  for (std::int64_t power = 1; power <= most; power *= 2) {
    if (power >= least) values.push_back(power);
    if (power > 1 && power / 2 * 3 >= least && power / 2 * 3 <= most) {
      values.push_back(power / 2 * 3);
    }
  }
  if (values.empty() || values.front() > least) values.insert(values.begin(), least);
  if (field.sizes < 0) std::reverse(values.begin(), values.end());
  return values;
}

std::vector<std::string> towers_looked_at(const Identities& identities, std::uint32_t context) {
  std::vector<std::string> towers;
  for (const char* trait : {"image", "text", "class_vectors"}) {
    if (identities.has_trait(context, trait)) towers.emplace_back(trait);
  }
  return towers;
}

}  // namespace

const Json& DerivedSettings::resolved(std::size_t section, const Picks& picks) const {
  return variants_.at(section, picks[section]).resolved;
}

std::string DerivedSettings::method_of(const Picks& picks) const {
  return "peft/" + resolved(method_index, picks).at("use").get<std::string>();
}

DerivedSettings::Settled DerivedSettings::settle(const Picks& picks, std::uint32_t context,
                                                 Problems& problems) {
  Settled settled{.picks = picks, .impossible = {}};
  if (identities_.has_trait(context, "adapted")) {
    take_preset(settled, problems);
    take_budget(settled, context, problems);
  }
  if (identities_.has_trait(context, "judged")) take_candidate(settled);
  return settled;
}

void DerivedSettings::take_preset(Settled& settled, Problems& problems) {
  const Picks& picks = settled.picks;
  if (resolved(train_index, picks).at("preset") == "none") return;
  const auto [it, fresh] = published_.try_emplace({picks[train_index], picks[method_index]});
  if (fresh) it->second = published(picks);
  settled.impossible = it->second.impossible;
  settled.picks[train_index] = it->second.variant;
  for (const Problem& problem : variants_.at(train_index, it->second.variant).problems) {
    problems.add(problem);
  }
}

void DerivedSettings::take_budget(Settled& settled, std::uint32_t context, Problems& problems) {
  const Picks& picks = settled.picks;
  if (inspector_ == nullptr || resolved(budget_index, picks).at("trainable") == 0) return;
  const auto [it, fresh] = sized_.try_emplace({picks[budget_index], picks[dataset_section],
                                               picks[encoder_index], picks[method_index], context});
  if (fresh) it->second = sized(picks, context, problems);
  settled.picks[method_index] = it->second.variant;
  if (!it->second.impossible.empty()) settled.impossible = it->second.impossible;
}

// What `tune` chooses is as if it were not given: such trials have one name.
void DerivedSettings::take_candidate(Settled& settled) {
  const Picks& picks = settled.picks;
  if (resolved(tune_index, picks).at("candidates") == 0) return;
  const auto [it, fresh] = tuned_.try_emplace({picks[train_index], picks[tune_index]});
  if (fresh) {
    const Json first = tune_candidates(resolved(tune_index, picks)).front();
    it->second =
        variants_.add(train_index, variants_.tuned(train_index, picks[train_index], first));
  }
  settled.picks[train_index] = it->second;
}

DerivedSettings::Change DerivedSettings::published(const Picks& picks) {
  const std::string use = resolved(method_index, picks).at("use");
  const std::string preset = resolved(train_index, picks).at("preset");
  const TrainPreset* found = catalog_.find("peft", use)->schema.preset(preset);
  if (found == nullptr) {
    return {.variant = picks[train_index],
            .impossible = "train.preset: " + preset + " has nothing to say of peft/" + use +
                          ", which was published with no settings of its own"};
  }
  Variant variant = variants_.preset(train_index, picks[train_index], found->train);
  Json keys = Json::array();
  for (const auto& [key, value] : found->train.items()) {
    if (!variant.given.contains(key)) keys.push_back(key);
  }
  if (variant.resolved.is_object()) variant.resolved["from_preset"] = std::move(keys);
  return {.variant = variants_.add(train_index, std::move(variant)), .impossible = {}};
}

SizeQuestion DerivedSettings::question(std::uint32_t peft, std::int64_t budget) const {
  SizeQuestion question{.trainable = budget, .key = {}, .values = {}};
  const Json& section = variants_.at(method_index, peft).resolved;
  const SchemaInfo& schema = catalog_.find("peft", section.at("use").get<std::string>())->schema;
  const auto field = std::find_if(schema.fields.begin(), schema.fields.end(),
                                  [](const FieldInfo& f) { return f.sizes != 0; });
  if (field == schema.fields.end()) return question;
  question.key = field->name;
  for (const std::int64_t value : values_to_try(*field)) {
    if (variants_.changed(method_index, peft, {{field->name, value}}).sound) {
      question.values.push_back(value);
    }
  }
  return question;
}

SizeSearch DerivedSettings::ask(const Picks& picks, std::uint32_t context,
                                const SizeQuestion& question, Problems& problems) {
  const auto inspected = [&](std::size_t section) {
    const std::uint32_t text = identities_.section(section, picks, context, problems);
    return InspectedSection{&resolved(section, picks), identities_.texts()[text]};
  };
  return inspector_->fit(inspected(encoder_index), inspected(method_index),
                         inspected(dataset_section), towers_looked_at(identities_, context),
                         question);
}

DerivedSettings::Change DerivedSettings::sized(const Picks& picks, std::uint32_t context,
                                               Problems& problems) {
  Change change{.variant = picks[method_index], .impossible = {}};
  const auto budget = resolved(budget_index, picks).at("trainable").get<std::int64_t>();
  const SizeQuestion asked = question(picks[method_index], budget);
  const SizeSearch search = ask(picks, context, asked, problems);
  const std::string over = "budget.trainable: " + std::to_string(budget) + " is less than ";
  if (!search.smallest) {
    change.impossible = "budget.trainable: what " + method_of(picks) +
                        " trains is known only when features are there: leave it out, or give it "
                        "no budget";
    return change;
  }
  if (!search.found) {
    change.impossible = over + std::to_string(search.smallest->trainable) + ", what " +
                        method_of(picks) + " trains at least here";
    if (!asked.key.empty()) {
      change.impossible += ", with " + asked.key + ": " + std::to_string(search.smallest->value);
    }
    return change;
  }
  sizes_.push_back({.method = method_of(picks),
                    .encoder = resolved(encoder_index, picks).at("use"),
                    .key = asked.key,
                    .value = search.found->value,
                    .trainable = search.found->trainable,
                    .budget = budget});
  if (asked.key.empty()) return change;
  change.variant = variants_.add(
      method_index,
      variants_.changed(method_index, picks[method_index], {{asked.key, search.found->value}}));
  return change;
}

}  // namespace espalier
