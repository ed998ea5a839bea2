// The keys of the cached steps that trials share.
#pragma once

#include "experiment/plan.hpp"
#include <array>
#include <string>
#include <vector>

#include "variants_internal.hpp"

namespace espalier {

// What the keys of a trial's stages are made of: canonical identities, null of what is inert.
struct StageInputs {
  std::array<const std::string*, trial_sections.size()> identity{};
  const std::string* image_tower = nullptr;  // of the encoder, where the trial looks at images
  const std::string* text_tower = nullptr;   // where it looks at texts
  bool class_texts = false;                  // whose texts: those of the classes
  bool captions = false;                     // and captions
  bool seeded_captions = false;
  bool fitted_encoder = false;
  bool adapted = false;         // a method trains inside the encoder
  bool class_template = false;  // and says what classes are told
};

[[nodiscard]] std::vector<StageRef> stage_refs(const StageInputs& inputs);

}  // namespace espalier
