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
  std::string inputs = "{" + members + ",\"stage\":\"" + name + "\",\"version\":1}";
  std::string key = hex(sha256(inputs));
  return {std::move(name), std::move(key), std::move(inputs)};
}

StageRef captions(const StageInputs& inputs) {
  std::string members =
      "\"captioner\":" + part(inputs, "captioner") + ",\"dataset\":" + part(inputs, "dataset");
  if (inputs.seeded_captions) members += ",\"seed\":" + part(inputs, "seed");
  return stage("captions", members);
}

StageRef image_features(const StageInputs& inputs) {
  return stage("image_features", "\"dataset\":" + part(inputs, "dataset") +
                                     ",\"encoder\":" + part(inputs, "encoder"));
}

StageRef class_features(const StageInputs& inputs) {
  return stage("class_features", "\"dataset\":" + part(inputs, "dataset") + ",\"encoder\":" +
                                     part(inputs, "encoder") + ",\"head\":" + part(inputs, "head"));
}

StageRef text_features(const StageInputs& inputs, const StageRef& captions) {
  std::string members =
      "\"captions\":\"" + captions.key + "\",\"encoder\":" + part(inputs, "encoder");
  if (inputs.fitted_encoder) {
    Json split = Json::object();
    for (const char* key : {"split_seed", "test_fraction", "val_fraction"}) {
      split[key] = inputs.protocol->at(key);
    }
    members += ",\"split\":" + canonical_json(split);
  }
  return stage("text_features", members);
}

}  // namespace

std::vector<StageRef> stage_refs(const StageInputs& inputs) {
  if (inputs.head == "zero_shot") return {image_features(inputs), class_features(inputs)};
  std::vector<StageRef> stages;
  if (inputs.fuse != "text") stages.push_back(image_features(inputs));
  if (inputs.fuse == "image") return stages;
  stages.push_back(captions(inputs));
  stages.push_back(text_features(inputs, stages.back()));
  return stages;
}

}  // namespace espalier
