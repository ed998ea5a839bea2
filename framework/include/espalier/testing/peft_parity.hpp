// A recorded case of a PEFT method, held against the component that computes it.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

// Whether a folder holds such a case.
[[nodiscard]] bool is_peft_case(const std::filesystem::path& folder);

// `folder` has meta.json, whose `base` names a model folder beside it, expected.safetensors, and
// either an adapter as Hugging Face PEFT writes it or parameters.safetensors with the name of a
// `method` and its `settings` in meta.json. Expected are, of `input.pixel_values`,
// `input.input_ids` and `input.attention_mask`: `image_features`, `text_features` (not of length 1)
// and `logits`, behind `on.` with the adapter, `off.` without its hooks, `merged.` after merge();
// `merged_weight.NAME`; `loss`, the cross entropy of the logits against `input.labels`, and
// `grad.NAME` by the adapter's keys; or `losses` and `final.NAME` of a few steps of AdamW. Float32,
// on `device` as device_of() has it; differences are over the larger of 1 and the largest expected
// value. A method on features and class vectors is recorded with these as its inputs, and computes
// on the CPU: docs/parity.md. Throws Error where the folder is no such case, or no component in
// `catalog` computes the method.
[[nodiscard]] std::vector<TensorDifference> peft_parity(const std::filesystem::path& folder,
                                                        const Catalog& catalog,
                                                        const std::string& device = "cpu");

}  // namespace espalier::conformance
