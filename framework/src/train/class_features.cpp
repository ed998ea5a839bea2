#include "train/class_features.hpp"

#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/nn/unit_rows.hpp>
#include <vector>

namespace espalier {
namespace {

// What the dataset says of each class; where that is nothing, templates with its name.
ClassTexts automatic(const std::string& dataset_name, const Dataset& dataset) {
  const std::vector<std::string> published = prompt_templates(dataset_name);
  ClassTexts texts = class_texts(dataset.class_names(),
                                 published.empty() ? prompt_templates("simple") : published);
  for (std::size_t label = 0; label < texts.size(); ++label) {
    std::vector<std::string> own = dataset.class_texts(static_cast<std::int64_t>(label));
    if (!own.empty()) texts[label] = std::move(own);
  }
  return texts;
}

}  // namespace

ClassTexts class_prompts(const HeadParams& head, const std::string& dataset_name,
                         const Dataset& dataset) {
  const std::vector<std::string>& names = dataset.class_names();
  if (head.prompts == "auto") return automatic(dataset_name, dataset);
  if (head.prompts == "file") return read_class_texts(head.descriptions.text, names);
  if (head.prompts == "phrases") {
    return read_class_phrases(head.descriptions.text, names, head.phrase_prompt);
  }
  if (head.prompts == "template") return class_texts(names, std::vector{head.prompt});
  return class_texts(names, prompt_templates(head.prompts));
}

at::Tensor class_vectors(const Encoder& encoder, const ClassTexts& texts) {
  const c10::AutoGradMode no_grad(false);
  std::vector<std::string> all;
  for (const auto& of_class : texts) all.insert(all.end(), of_class.begin(), of_class.end());
  const at::Tensor rows = unit_rows(encoder.encode_texts(all).cpu());
  std::vector<at::Tensor> vectors;
  std::int64_t from = 0;
  for (const auto& of_class : texts) {
    const auto count = static_cast<std::int64_t>(of_class.size());
    vectors.push_back(rows.slice(0, from, from + count).mean(0));
    from += count;
  }
  return at::stack(vectors);
}

}  // namespace espalier
