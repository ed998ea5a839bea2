// Generation settings of a Hugging Face folder.
#pragma once

#include <espalier/nn/generation.hpp>

#include "config_internal.hpp"

namespace espalier {

// As files have them: lengths may be given with the prompt.
struct GenerationSettings {
  GenerationRules rules;        // max_new_tokens: 0 where it is not given
  std::int64_t max_length = 0;  // with the prompt; 0: not given

  // For a prompt of so many tokens; max_new_tokens wins over max_length, and 30 is what is taken
  // where neither is given.
  [[nodiscard]] GenerationRules for_prompt(std::int64_t tokens) const;
};

// What a section says, over `settings`. Every setting that would change what is generated and is
// not known here is a problem, by name.
void read_generation_settings(const ConfigReader& section, GenerationSettings& settings);

}  // namespace espalier
