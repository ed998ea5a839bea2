// How a folder of sentence-transformers puts an encoder together: modules.json and what it names.
#pragma once

#include <espalier/core/error.hpp>
#include <filesystem>
#include <string>

namespace espalier {

// How the states of a text's tokens become one vector.
enum class SentencePooling { mean, cls, max, mean_sqrt_length };

struct SentenceModules {
  std::filesystem::path model;  // the folder of config.json, the weights and the tokenizer
  SentencePooling pooling = SentencePooling::mean;
  bool normalize = false;  // to length 1 at the end
  // Put before every text: `default_prompt_name` of config_sentence_transformers.json.
  std::string prompt;
};

// Without modules.json the model is `folder` itself, pooled by the mean, as sentence-transformers
// does it. Adds a problem for every module and setting that would change vectors and is not known
// here. A pooling whose `output_key` is not `sentence_embedding` gives another output and is passed
// over.
[[nodiscard]] SentenceModules read_sentence_modules(const std::filesystem::path& folder,
                                                    Problems& problems);

// `model` alone, such as DIR/0_Transformer; `folder` where modules.json is absent or damaged.
[[nodiscard]] std::filesystem::path model_folder(const std::filesystem::path& folder);

}  // namespace espalier
