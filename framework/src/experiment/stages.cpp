#include <espalier/core/hash.hpp>

#include "stages_internal.hpp"

namespace espalier {
namespace {

const std::string& part(const StageInputs& inputs, std::string_view section) {
  const std::string* text = inputs.identity[section_index(section)];
  ESPALIER_ASSERT(text != nullptr, "a stage of sections that count");
  return *text;
}

// `members` are canonical JSON, sorted by key, without the braces; all come before "stage".
StageRef stage(std::string name, const std::string& members) {
  std::string inputs = "{" + members + ",\"stage\":\"" + name + "\",\"version\":2}";
  std::string key = hex(sha256(inputs));
  return {std::move(name), std::move(key), std::move(inputs)};
}

StageRef captions(const StageInputs& inputs) {
  std::string members =
      "\"captioner\":" + part(inputs, "captioner") + ",\"dataset\":" + part(inputs, "dataset");
  if (inputs.seeded_captions) members += ",\"seed\":" + part(inputs, "seed");
  return stage("captions", members);
}

std::string of_images(const StageInputs& inputs) {
  return "\"dataset\":" + part(inputs, "dataset") + ",\"encoder\":" + *inputs.image_tower;
}

std::string of_classes(const StageInputs& inputs) {
  std::string members = "\"dataset\":" + part(inputs, "dataset") +
                        ",\"encoder\":" + *inputs.text_tower + ",\"head\":" + part(inputs, "head");
  if (inputs.class_template) members += ",\"peft\":" + part(inputs, "peft");
  return members;
}

// Of the protocol's identity, what decides which samples are in the training split.
std::string split_of(const std::string& protocol) {
  const Json identity = parse_json(protocol, "identity");
  Json split = Json::object();
  for (const char* key : {"split_seed", "test_fraction", "val_fraction"}) {
    if (identity.contains(key)) split[key] = identity[key];
  }
  return canonical_json(split);
}

std::string of_texts(const StageInputs& inputs, const StageRef& captions) {
  return "\"captions\":\"" + captions.key + "\",\"encoder\":" + *inputs.text_tower;
}

StageRef text_features(const StageInputs& inputs, const StageRef& captions) {
  std::string members = of_texts(inputs, captions);
  if (inputs.fitted_encoder) members += ",\"split\":" + split_of(part(inputs, "protocol"));
  return stage("text_features", members);
}

}  // namespace

std::vector<StageRef> stage_refs(const StageInputs& inputs) {
  std::vector<StageRef> stages;
  const auto add = [&](const char* of, const std::string& members) {
    stages.push_back(stage(std::string(of) + "_features", members));
    if (inputs.adapted) stages.push_back(stage(std::string(of) + "_activations", members));
  };
  if (inputs.image_tower != nullptr) add("image", of_images(inputs));
  if (inputs.class_texts) add("class", of_classes(inputs));
  if (!inputs.captions) return stages;
  const StageRef texts = captions(inputs);
  stages.push_back(texts);
  if (inputs.text_tower == nullptr) return stages;
  stages.push_back(text_features(inputs, texts));
  if (inputs.adapted) stages.push_back(stage("text_activations", of_texts(inputs, texts)));
  return stages;
}

}  // namespace espalier
