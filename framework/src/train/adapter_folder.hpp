// What a trial trained, for use elsewhere: results/<experiment>/trials/<trial_id>/adapter.
#pragma once

#include "train/adapted_encoder.hpp"
#include "train/trial_setting.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <string>
#include <vector>

namespace espalier {

// Writes the method's parameters as an adapter (peft/adapter.hpp), those of names behind `peft.`,
// and what was trained behind the features into network.safetensors, where there is any; its
// metadata give the classes in the order of the logits. The encoder's files are named in the
// adapter's config, and by their digest in the metadata of its tensors. `adapted` may be null.
// Gives the bytes of all these files.
std::int64_t save_adapter(const TrialSetting& setting, const AdaptedEncoder* adapted,
                          const Parameters& parameters,
                          const std::vector<std::string>& class_names);

}  // namespace espalier
