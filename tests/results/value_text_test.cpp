#include "results/value_text.hpp"
#include <gtest/gtest.h>

namespace espalier {
namespace {

TEST(ValueText, IsWhatPeopleWouldWrite) {
  EXPECT_EQ(plain({{"use", "gcn"}, {"layers", 1}}), "gcn(layers=1)");
  EXPECT_EQ(plain({{"use", "mlp"}}), "mlp");
  EXPECT_EQ(plain({{"fuse", "cross_attention"}, {"attend", "image"}}),
            "attend=image, fuse=cross_attention");
  EXPECT_EQ(
      plain({{"use", "dual"}, {"image", {{"use", "vit"}, {"size", 224}}}, {"at", {{"a", 1}}}}),
      "dual(at={a=1}, image=vit(size=224))");
  const Json lora = {{"use", "lora"}, {"layers_to_transform", {1, 2}}};
  EXPECT_EQ(plain(Json::array({lora, {{"use", "taskres"}}})),
            "[lora(layers_to_transform=[1,2]), taskres]");
  EXPECT_EQ(plain({{"use", "stack"}, {"methods", Json::array({lora})}}),
            "stack(methods=[lora(layers_to_transform=[1,2])])");
  EXPECT_EQ(plain(nullptr), "-");
  EXPECT_EQ(plain(Json::object()), "{}");
  EXPECT_EQ(plain({1, 2}), "[1,2]");
  EXPECT_EQ(plain("a\x1b[31m"), "a\\x1b[31m");
}

}  // namespace
}  // namespace espalier
