// A model run on tensors by name, as Hugging Face's classes name them: how a user holds Espalier
// against their own Python.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace espalier {

using NamedTensors = std::map<std::string, at::Tensor>;

// All tensors of a safetensors file.
[[nodiscard]] NamedTensors read_named_tensors(const std::filesystem::path& file);

// Inputs: `pixel_values` for the image tower; `input_ids`, and with it `attention_mask` (1: a real
// token) and `token_type_ids`, for the text tower, row i taken as what is said of class i where a
// method learns that; `interpolated.pixel_values`, pictures of another size; `samples`, whose the
// pictures are, where a method asks for that. What is not given is not computed; others are
// ignored.
//
// Outputs, with `.vision` or `.text` after the name where the model has both towers:
//   last_hidden_state, pooler_output
//   hidden_states.N                what enters layer N; the last: what leaves the last layer
//   {image,text}_embeds_raw        features of a model with both towers
//   {image,text}_embeds            the same, of length 1
//   logits_per_image, and for a model with a bias `probabilities`, their sigmoid
//   mean_pooled, sentence_embedding    of a sentence encoder, before and after its last step
//   last_hidden_state.text.no_mask     without the mask, where one was given
//   interpolated.*                 of interpolated.pixel_values
// Throws Error where neither input is there, or where the model has no tower for one.
[[nodiscard]] NamedTensors run_on_tensors(const AdaptableEncoder& encoder,
                                          const NamedTensors& inputs, bool hidden_states);
// The same by the pass to the feature that trials use, which leaves out of the last layer what the
// feature is not made of (tower.hpp): features and what is made of them alone.
[[nodiscard]] NamedTensors features_of_tensors(const AdaptableEncoder& encoder,
                                               const NamedTensors& inputs);

// The loss that the model was trained with, on what run_on_tensors() gave: cross entropy of
// logits_per_image against 0, 1, ...; where the model has a bias, the mean over pictures of the sum
// over texts of -log sigmoid(+-logit).
[[nodiscard]] at::Tensor contrastive_loss(const AdaptableEncoder& encoder,
                                          const at::Tensor& logits_per_image);

}  // namespace espalier
