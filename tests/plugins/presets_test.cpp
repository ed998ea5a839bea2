// The settings that methods were published with, and what a budget may set of them.
#include <gmock/gmock.h>

#include "experiment/sections.hpp"
#include <algorithm>
#include <set>
#include <string>

#include "train/resolved.hpp"

namespace espalier {
namespace {

// Frames around other methods, the absence of one, and GA-Net, whose authors do not say.
const std::set<std::string> unpublished = {"ga_net", "hf", "none", "stack"};

TEST(PublishedSettings, AreThereForEveryMethodAndFitTheSectionTrain) {
  const Catalog catalog =
      testing_support::described({.folders = {ESPALIER_BINARY_DIR "/plugins"}, .optional = {}});
  int methods = 0;
  for (const ComponentInfo& component : catalog.all()) {
    if (component.kind != "peft" || unpublished.contains(component.name)) continue;
    const TrainPreset* preset = component.schema.preset("paper");
    ASSERT_NE(preset, nullptr) << component.name;
    EXPECT_FALSE(preset->source.empty()) << component.name;
    Problems problems;
    (void)resolve_params(
        section_schema("train"), preset->train, "train.",
        [](std::string_view) { return std::string(); }, problems);
    for (const Problem& problem : problems.list()) ADD_FAILURE() << component.name << problem.what;
    ++methods;
  }
  EXPECT_GT(methods, 40);
}

TEST(SizesOfMethods, AreOneWholeNumberEach) {
  const Catalog catalog =
      testing_support::described({.folders = {ESPALIER_BINARY_DIR "/plugins"}, .optional = {}});
  int sized = 0;
  for (const ComponentInfo& component : catalog.all()) {
    const auto& fields = component.schema.fields;
    const auto found = std::count_if(fields.begin(), fields.end(),
                                     [](const FieldInfo& field) { return field.sizes != 0; });
    EXPECT_LE(found, 1) << component.name;
    sized += static_cast<int>(found);
    for (const FieldInfo& field : fields) {
      EXPECT_TRUE(field.sizes == 0 || field.type == FieldType::integer) << component.name;
    }
  }
  EXPECT_GT(sized, 25);
}

}  // namespace
}  // namespace espalier
