#include <espalier/image/transform.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/image/decode.hpp>

#include "image/golden_images.hpp"
#include "tensor/golden_tensors.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::golden_dir;
using testing_support::GoldenTensors;

Preprocessing read(const char* text) {
  return Preprocessing::from_json(parse_json(text, "test"), "preprocessor_config.json");
}

std::string config_error(const char* text) {
  try {
    (void)read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Preprocessing, FillsInTheDefaultsOfItsClass) {
  const Preprocessing clip = read(R"({"image_processor_type": "CLIPImageProcessor"})");
  EXPECT_EQ(clip.shortest_edge, 224);
  EXPECT_EQ(clip.crop_width, 224);
  EXPECT_EQ(clip.filter, Filter::bicubic);
  EXPECT_EQ(clip.mean[0], 0.48145466);
  const Preprocessing vit = read(R"({"image_processor_type": "ViTImageProcessorFast"})");
  EXPECT_EQ(vit.shortest_edge, 0);
  EXPECT_EQ(vit.width, 224);
  EXPECT_EQ(vit.crop_width, 0);
  EXPECT_EQ(vit.filter, Filter::bilinear);
  EXPECT_EQ(vit.std[2], 0.5);
  const Preprocessing deit = read(R"({"image_processor_type": "DeiTImageProcessor"})");
  EXPECT_EQ(deit.height, 256);
  EXPECT_EQ(deit.crop_height, 224);
}

// The whole would be 13,440,000 x 224 pixels. A row of 60,000 levels, of which the middle is known.
TEST(ImageTransform, TakesTheMiddleOfAPictureThatIsAllWidth) {
  Image image{60'000, 1, {}};
  for (std::int64_t x = 0; x < image.width; ++x) {
    image.rgb.insert(image.rgb.end(), 3, static_cast<std::uint8_t>(x < 30'000 ? 40 : 200));
  }
  const Image middle = ImageTransform(Preprocessing{}).pixels(image);
  ASSERT_EQ(middle.width, 224);
  ASSERT_EQ(middle.height, 224);
  // One pixel becomes 224; the edge lies in the middle, and cubic weights reach two pixels far.
  EXPECT_EQ(middle.rgb[0],
            crop(resize(crop(image, 29'990, 0, 20, 1), 20 * 224, 224, Filter::bicubic),
                 9 * 224 + 112, 0, 1, 1)
                .rgb[0]);
  EXPECT_LT(middle.rgb[0], 60);
  EXPECT_GT(middle.rgb[3 * 223], 180);
}

TEST(Preprocessing, ReadsSizesAsOlderFilesHaveThem) {
  const Preprocessing clip =
      read(R"({"feature_extractor_type": "CLIPFeatureExtractor", "size": 336, "crop_size": 336})");
  EXPECT_EQ(clip.shortest_edge, 336);
  EXPECT_EQ(clip.crop_height, 336);
  const Preprocessing blip = read(R"({"image_processor_type": "BlipImageProcessor", "size": 384})");
  EXPECT_EQ(blip.shortest_edge, 0);
  EXPECT_EQ(blip.height, 384);
  EXPECT_EQ(read(R"({"do_normalize": false, "do_rescale": false})").rescale, 1.0);
}

TEST(Preprocessing, TakesTheModelsOwnClassWhereItsFileNamesNone) {
  const Json other = {{"_class_name", "LatentConsistencyModelPipeline"}};
  const Preprocessing clip = Preprocessing::from_json(other, "file", "clip");
  EXPECT_EQ(clip.shortest_edge, 224);
  EXPECT_EQ(clip.crop_height, 224);
  EXPECT_EQ(clip.filter, Filter::bicubic);
  EXPECT_EQ(clip.std[0], 0.26862954);
  EXPECT_EQ(Preprocessing::from_json(other, "file", "dinov2").shortest_edge, 224);
  EXPECT_EQ(Preprocessing::from_json(other, "file", "vit").filter, Filter::bilinear);
}

TEST(Preprocessing, ReadsPairsAndRefusesWhatItDoesNotDo) {
  const Preprocessing vit = read(R"({"size": [20, 30]})");
  EXPECT_EQ(vit.height, 20);
  EXPECT_EQ(vit.width, 30);
  EXPECT_EQ(read(R"({"do_center_crop": true, "size": 40, "crop_size": [20, 30]})").crop_width, 30);
  EXPECT_EQ(read(R"({"size": {"height": 20, "width": 30, "shortest_edge": null}})").width, 30);
  EXPECT_THAT(config_error(R"({"do_center_crop": true, "size": {"shortest_edge": 224,
      "longest_edge": 300}})"),
              HasSubstr("two edges"));
  EXPECT_THAT(config_error(R"({"size": [20, 30, 3]})"), HasSubstr("a pair"));
  EXPECT_THAT(config_error(R"({"do_pad": true, "pad_size": {"height": 300, "width": 300}})"),
              HasSubstr("do_pad"));
}

TEST(Preprocessing, FindsItsSettingsInAFolderOfTransformers5) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("processor_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  write_file(folder / "preprocessor_config.json", R"({"do_center_crop": true, "crop_size": 8})");
  write_file(folder / "config.json", R"({"model_type": "clip"})");
  EXPECT_EQ(Preprocessing::from_folder(folder).crop_width, 8);
  write_file(folder / "processor_config.json", R"({"processor_class": "CLIPProcessor"})");
  EXPECT_EQ(Preprocessing::from_folder(folder).crop_width, 8);
  write_file(folder / "processor_config.json", R"({"image_processor": {"crop_size": 16}})");
  EXPECT_EQ(Preprocessing::from_folder(folder).crop_width, 16);
  EXPECT_EQ(Preprocessing::from_folder(folder).mean[0], 0.48145466);
  std::filesystem::remove(folder / "preprocessor_config.json");
  std::filesystem::remove(folder / "processor_config.json");
  EXPECT_THROW((void)Preprocessing::from_folder(folder), Error);
  std::filesystem::remove_all(folder);
}

TEST(Preprocessing, ReportsEveryMistakeAtOnce) {
  const std::string text = config_error(R"({"image_processor_type": "ConvNextImageProcessor",
      "size": {"longest_edge": 9}, "resample": 1, "do_resize": false, "image_mean": [1, 2],
      "image_std": [1, 0, 1], "crop_size": -5})");
  for (const char* part : {"ConvNextImageProcessor", "SiglipImageProcessor", "longest_edge",
                           "\"resample\"", "do_resize", "\"image_mean\"", "\"image_std\"", "-5"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(config_error("[]"), HasSubstr("an object"));
  EXPECT_THAT(config_error(R"({"size": {"shortest_edge": 224}, "do_center_crop": false})"),
              HasSubstr("keep their shapes"));
  EXPECT_THAT(config_error(R"({"do_center_crop": true, "size": 20, "crop_size": 30})"),
              HasSubstr("larger than \"size\""));
  EXPECT_THAT(config_error(R"({"size": 1e9})"), HasSubstr("out of range"));
}

// Two by two pixels need no resizing; (51 / 255 - 0.5) / 0.25 = -1.2 and so on.
TEST(ImageTransform, NormalisesIntoPlanes) {
  Preprocessing p;
  p.shortest_edge = p.crop_width = p.crop_height = 2;
  p.mean = {0.5, 0, 0};
  p.std = {0.25, 1, 0.5};
  const Image image{2, 2, {51, 0, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0}};
  float to[12];
  ImageTransform(p).apply(image, to);
  const float expected[12] = {-1.2f, -2, -2, 2, 0, 0, 1, 0, 2, 0, 0, 0};
  for (int i = 0; i < 12; ++i) EXPECT_NEAR(to[i], expected[i], 1e-6f) << i;
}

// The whole pipeline as four image processors run it, to 1e-6. Pillow 13's order of passes, which
// made these values.
TEST(ImageTransform, EqualsTheImageProcessors) {
  if (!std::filesystem::exists(golden_dir() / "images")) GTEST_SKIP() << "no " << golden_dir();
  const GoldenTensors expected(golden_dir() / "images" / "expected.safetensors");
  const Json cases = *testing_support::golden_image_cases();
  const Json processors =
      parse_json(read_file(golden_dir() / "images" / "cases.json"), "cases").at("processors");
  const std::pair<const char*, const char*> kinds[] = {{"blip", "BlipImageProcessor"},
                                                       {"vit", "ViTImageProcessor"},
                                                       {"siglip", "SiglipImageProcessor"},
                                                       {"clip", "CLIPImageProcessor"}};
  int checked = 0;
  for (const auto& [kind, type] : kinds) {
    Json config = processors.at(kind);
    config["image_processor_type"] = type;
    Preprocessing p = Preprocessing::from_json(config, kind);
    p.order = PassOrder::pillow_13;
    const ImageTransform transform(p);
    for (const Json& item : cases) {
      const std::string name = item.at("name").get<std::string>() + "." + kind;
      if (!expected.has(name)) continue;
      const Image image = read_image(golden_dir() / ".." / item.at("path").get<std::string>());
      std::vector<float> got(static_cast<std::size_t>(transform.floats()));
      transform.apply(image, got.data());
      const std::vector<float> want = expected.floats(name);
      ASSERT_EQ(got.size(), want.size()) << name;
      for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-6f) << name;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 12);
}

}  // namespace
}  // namespace espalier
