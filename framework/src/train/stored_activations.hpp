// Activations at a cut as parts of the cache hold them.
#pragma once

#include "cache/stage_entry.hpp"
#include "train/activations.hpp"
#include <c10/core/ScalarType.h>
#include <memory>
#include <span>
#include <string>

namespace espalier {

// How states are stored: half precision takes half the room and rounds, so that it belongs into the
// entry's key.
enum class StoredAs { float32, float16 };

// What a row of a look is called in an entry.
[[nodiscard]] std::string row_id(const Look& look);

// Adds a part with one row a look, under row_id(). `rows` are as advance() gives them, in float32.
void add_activations(StageEntry& entry, std::span<const Look> looks, const Activations& rows,
                     StoredAs type);

// Rows are gathered by batch from the mapped parts; there is no copy of the whole.
class StoredActivations final : public ActivationSource {
 public:
  // The entry must hold every look that is asked for.
  explicit StoredActivations(std::shared_ptr<const StageEntry> entry) : entry_(std::move(entry)) {}
  // States in float32. Throws Error where parts do not fit together.
  [[nodiscard]] Activations at(std::span<const Look> looks) const override;

 private:
  [[nodiscard]] at::Tensor gather(std::span<const Look> looks, const char* name) const;

  std::shared_ptr<const StageEntry> entry_;
};

}  // namespace espalier
