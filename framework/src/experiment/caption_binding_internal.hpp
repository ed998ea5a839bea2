// Captioners that are no functions: what they said was recorded, and is what counts.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <map>
#include <utility>

#include "plan_internal.hpp"

namespace espalier {

// Looks for the caption sets of `recorded` captioners in a folder, FOLDER/KEY.jsonl, where KEY is
// the SHA-256 of the identities of captioner and dataset.
class CaptionBinding {
 public:
  CaptionBinding(Plan::State& state, std::filesystem::path folder)
      : state_(state), folder_(std::move(folder)) {}

  // Of a trial whose captioner counts: gives it the identity that its captions have, and notes what
  // has to be recorded first.
  void bind(const Picks& picks, Picks& texts);

 private:
  [[nodiscard]] std::uint32_t bound(const Picks& picks, const Picks& texts);

  Plan::State& state_;
  std::filesystem::path folder_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> known_;  // captioner, dataset
};

}  // namespace espalier
