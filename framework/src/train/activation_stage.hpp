// What enters a cut, as a stage: computed once for all trials that train above it.
#pragma once

#include "cache/stage_entry.hpp"
#include "experiment/stage.hpp"
#include "train/stage_filling.hpp"
#include "train/stored_activations.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/nn/tower.hpp>
#include <functional>
#include <memory>
#include <span>

namespace espalier {

// The plan names a family, of a dataset and an encoder: the cut is known only once a method is
// attached. The entry's key is the family's with the cut and the type of the states behind a dot.
struct ActivationStage {
  StageRef family;
  std::shared_ptr<const ActivationSource> entering;  // what enters the tower
  LookName name;
  StoredAs type = StoredAs::float32;
  std::int64_t budget = 0;          // bytes; what takes more is computed anew for every batch
  Json settings;                    // the encoder's
  Json about;                       // what a person is told of the entry
  std::function<void()> computing;  // called where rows are lacking
};

// What enters the cut of a tower whose layers below are frozen: from the cache, where what lacks is
// computed first, or anew for every batch where it is over the budget or cannot be stored. Equal
// bits either way. Null: stopped. The tower and the storage must outlive it.
[[nodiscard]] std::shared_ptr<const ActivationSource> activations_at(
    const Tower& tower, std::int64_t cut, const ActivationStage& stage, std::span<const Look> looks,
    const StageStorage& storage, FillHooks hooks);

// Bytes of one row of what enters the cut, as it is stored.
[[nodiscard]] std::int64_t bytes_of(const Activations& row, StoredAs type);

}  // namespace espalier
