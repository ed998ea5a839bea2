// Activations at a cut as parts of the cache hold them.
#pragma once

#include "cache/stage_entry.hpp"
#include "train/activations.hpp"
#include <c10/core/ScalarType.h>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// How states are stored: half precision takes half the room and rounds, so that it belongs into the
// entry's key.
enum class StoredAs { float32, float16 };

// What the row of a look is called in an entry: by its sample's id, not its position.
using LookName = std::function<std::string(const Look&)>;

// Adds a part with one row for each of `ids`. `rows` are as advance() gives them, in float32.
void add_activations(StageEntry& entry, std::span<const std::string> ids, const Activations& rows,
                     StoredAs type);

// Rows are gathered by batch from the mapped parts; there is no copy of the whole.
class StoredActivations final : public ActivationSource {
 public:
  // The entry must hold every look that is asked for.
  StoredActivations(std::shared_ptr<const StageEntry> entry, LookName name)
      : entry_(std::move(entry)), name_(std::move(name)) {}
  // States in float32. Throws Error, when they are taken, where parts do not fit together.
  [[nodiscard]] Taken begin(std::vector<Look> looks) const override;

 private:
  [[nodiscard]] Activations rows(std::span<const std::string> ids) const;
  [[nodiscard]] at::Tensor gather(std::span<const std::string> ids, const char* name) const;

  std::shared_ptr<const StageEntry> entry_;
  LookName name_;
};

// What is not stored, rounded as if it had been.
class RoundedActivations final : public ActivationSource {
 public:
  RoundedActivations(std::shared_ptr<const ActivationSource> exact, StoredAs type)
      : exact_(std::move(exact)), type_(type) {}
  [[nodiscard]] Taken begin(std::vector<Look> looks) const override;

 private:
  std::shared_ptr<const ActivationSource> exact_;
  StoredAs type_;
};

}  // namespace espalier
