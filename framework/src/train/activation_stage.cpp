#include "train/activation_stage.hpp"

#include <espalier/core/units.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier {
namespace {

using Ids = std::span<const std::string>;
using Filling = StageFilling<Activations>;

std::string key_of(const StageRef& family, std::int64_t cut, StoredAs type) {
  return family.key + "." + std::to_string(cut) + (type == StoredAs::float16 ? "-half" : "");
}

std::vector<std::string> names_of(std::span<const Look> looks, const LookName& name) {
  std::vector<std::string> names;
  for (const Look& look : looks) names.push_back(name(look));
  return names;
}

std::int64_t bytes_of_all(const Activations& rows, StoredAs type) {
  const auto of = [](const at::Tensor& t) {
    return t.defined() ? static_cast<std::int64_t>(t.nbytes()) : 0;
  };
  const std::int64_t number = type == StoredAs::float16 ? 2 : 4;
  return number * rows.states.numel() + of(rows.valid) + of(rows.pooled);
}

Filling::Steps steps_of(std::shared_ptr<const ActivationSource> source, Ids ids,
                        std::span<const Look> looks, StoredAs type) {
  std::unordered_map<std::string, Look> look_of;
  for (std::size_t i = 0; i < ids.size(); ++i) look_of.emplace(ids[i], looks[i]);
  Filling::Steps steps;
  steps.begin = [source = std::move(source), look_of = std::move(look_of)](Ids some) {
    std::vector<Look> looks_at;
    for (const std::string& id : some) looks_at.push_back(look_of.at(id));
    return source->begin(std::move(looks_at));
  };
  steps.add = [type](StageEntry& entry, Ids some, const std::vector<Activations>& slices) {
    add_activations(entry, some, joined(slices), type);
  };
  steps.bytes = [type](const Activations& rows) { return bytes_of_all(rows, type); };
  return steps;
}

// `more` bytes, with which the entry has `all`. Says which of the two it is where it is not stored.
bool can_be_stored(StageEntry& entry, std::int64_t more, std::int64_t all,
                   const ActivationStage& stage, const StageStorage& storage) {
  if (all <= stage.budget) return entry.expect(more);
  storage.warn(stage.family.name + " would take " + bytes_text(all) +
               ", more than --activation-limit " + bytes_text(stage.budget) +
               ": computed anew in every epoch, with the same numbers");
  return false;
}

}  // namespace

std::int64_t bytes_of(const Activations& row, StoredAs type) {
  return bytes_of_all(row, type) / row.states.size(0);
}

std::shared_ptr<const ActivationSource> activations_at(const Tower& tower, std::int64_t cut,
                                                       const ActivationStage& stage,
                                                       std::span<const Look> looks,
                                                       const StageStorage& storage,
                                                       FillHooks hooks) {
  // Token ids are at hand.
  if (cut == -1 && tower.kind() == TowerKind::text) return stage.entering;
  std::shared_ptr<const ActivationSource> computed = stage.entering;
  if (cut > -1) {
    computed = std::make_shared<ComputedActivations>(tower, std::move(computed), -1, cut);
  }
  const auto entry = std::make_shared<StageEntry>(
      storage, stage.family.name, key_of(stage.family, cut, stage.type), stage.about);
  const std::vector<std::string> ids = names_of(looks, stage.name);
  const std::vector<std::string> missing = entry->missing(ids);
  if (!missing.empty()) {
    stage.computing();
    entry->use(stage.settings);
    const std::int64_t each = bytes_of(computed->at(looks.first(1)), stage.type);
    const std::int64_t more = each * std::ssize(missing);
    if (!can_be_stored(*entry, more, each * entry->size() + more, stage, storage)) {
      return std::make_shared<RoundedActivations>(std::move(computed), stage.type);
    }
    Filling filling(*entry, steps_of(computed, ids, looks, stage.type), std::move(hooks));
    if (!filling.run(ids)) return nullptr;
  }
  return std::make_shared<StoredActivations>(entry, stage.name);
}

}  // namespace espalier
