// The keys of the cached steps that trials share.
#pragma once

#include "experiment/plan.hpp"
#include <array>
#include <string>
#include <vector>

#include "variants_internal.hpp"

namespace espalier {

// What the keys of a trial's stages are made of.
struct StageInputs {
  std::array<const std::string*, trial_sections.size()> identity{};  // canonical; null where inert
  std::string head;                                                  // head.use
  std::string fuse;                                                  // nodes.fuse
  const Json* protocol = nullptr;                                    // resolved
  bool seeded_captions = false;
  bool fitted_encoder = false;
};

[[nodiscard]] std::vector<StageRef> stage_refs(const StageInputs& inputs);

}  // namespace espalier
