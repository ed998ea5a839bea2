// The encoder plugins from pictures and texts to features, against what Hugging Face's processors,
// tokenizers and models made of the same.
#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include <espalier/core/file.hpp>
#include <espalier/image/decode.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/encoder.hpp>

#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

std::string folder(const std::string& name) {
  return ESPALIER_SOURCE_DIR "/tests/data/encoders/" + name;
}

NamedTensors expected(const std::string& name) {
  return read_named_tensors(folder(name) + "/expected.safetensors");
}

std::vector<std::string> texts_of(const std::string& name) {
  const std::string file = folder(name) + "/expected.json";
  std::vector<std::string> texts;
  const Json record = parse_json(read_file(file), file);
  for (const Json& text : record.at("texts")) {
    if (text.is_string()) texts.push_back(text);
  }
  return texts;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(ClipEncoder, TokenizesAndEncodesTextsAsTheReference) {
  const auto clip = make<Encoder>("clip", {{"weights", folder("clip-tiny-gelu")}});
  const at::Tensor features = clip->encode_texts(texts_of("clip-tiny-gelu"));
  const at::Tensor want = expected("clip-tiny-gelu").at("text_embeds_raw");
  // The recorded first text had a token put into it by hand.
  EXPECT_LT(difference(features.narrow(0, 1, 5), want.narrow(0, 1, 5)), 1e-5);
  EXPECT_GT(difference(features[0], want[0]), 1e-3);
  EXPECT_EQ(clip->text_width(), 20);
  EXPECT_NEAR(clip->logit_scale(),
              expected("clip-tiny-gelu").at("logits_per_image").abs().max().item<double>(), 6.0);
}

TEST(ClipEncoder, DecodesAndEncodesAPictureAsTheReference) {
  const auto clip = make<Encoder>("clip", {{"weights", folder("clip-tiny-gelu")}});
  const std::vector<Image> images = {read_image(ESPALIER_SOURCE_DIR "/tests/data/images/gray.jpg")};
  const at::Tensor want = expected("clip-tiny-gelu").at("image_embeds_raw");
  EXPECT_LT(difference(clip->encode_images(images)[0], want[3]), 1e-5);
}

TEST(ClipEncoder, GivesARowNoOtherPictureChanges) {
  const auto clip = make<Encoder>("clip", {{"weights", folder("clip-tiny-gelu")}});
  const Image gray = read_image(ESPALIER_SOURCE_DIR "/tests/data/images/gray.jpg");
  const Image exif = read_image(ESPALIER_SOURCE_DIR "/tests/data/images/exif_6.jpg");
  std::vector<Image> many(40, gray);
  many[7] = exif;
  const std::vector<Image> one = {exif};
  const at::Tensor rows = clip->encode_images(many);
  EXPECT_TRUE(at::equal(rows[7], clip->encode_images(one)[0]));
  EXPECT_LT(difference(rows[39], rows[0]), 1e-5);
  EXPECT_EQ(clip->encode_images({}).size(0), 0);
}

TEST(ClipEncoder, OffersItsSites) {
  const auto clip = make<Encoder>("clip", {{"weights", folder("clip-tiny-gelu")}});
  ASSERT_NE(clip->adaptable(), nullptr);
  EXPECT_EQ(clip->adaptable()->sites(SiteRole::linear, "q").size(), 3u + 2u);
}

TEST(BertEncoder, GivesTheSentenceEmbeddingsOfTheReference) {
  const auto bert = make<Encoder>("bert", {{"weights", folder("bert-tiny")}});
  const at::Tensor features = bert->encode_texts(texts_of("bert-tiny"));
  const at::Tensor want = expected("bert-tiny").at("sentence_embedding");
  EXPECT_LT(difference(features, want.narrow(0, 0, features.size(0))), 1e-5);
  EXPECT_THAT(error_of([&] { (void)bert->pixels({}); }), HasSubstr("text tower alone"));
}

TEST(DualEncoder, JoinsTwoModels) {
  const auto dual =
      make<Encoder>("dual", {{"image", {{"use", "vit"}, {"weights", folder("vit-tiny")}}},
                             {"text", {{"use", "bert"}, {"weights", folder("bert-tiny")}}}});
  const auto bert = make<Encoder>("bert", {{"weights", folder("bert-tiny")}});
  const auto texts = texts_of("bert-tiny");
  EXPECT_TRUE(dual->encode_texts(texts).equal(bert->encode_texts(texts)));
  EXPECT_EQ(dual->image_width(), 48);
  ASSERT_NE(dual->adaptable(), nullptr);
  EXPECT_NE(dual->adaptable()->image(), nullptr);
  EXPECT_NE(dual->adaptable()->text(), nullptr);
}

TEST(DualEncoder, RefusesASideWithoutItsTower) {
  EXPECT_THAT(error_of([&] {
                (void)make<Encoder>(
                    "dual", {{"image", {{"use", "bert"}, {"weights", folder("bert-tiny")}}},
                             {"text", {{"use", "bert"}, {"weights", folder("bert-tiny")}}}});
              }),
              HasSubstr("the image side"));
}

TEST(PretrainedEncoders, RefuseFoldersOfOtherFamilies) {
  for (const char* name : {"clip", "siglip", "dinov2", "bert"}) {
    EXPECT_THAT(error_of([&] {
                  (void)make<Encoder>(name, {{"weights", folder("vit-tiny")}});
                }),
                HasSubstr("use encoder/vit"))
        << name;
  }
  EXPECT_THAT(error_of([&] {
                (void)make<Encoder>("clip", {{"weights", "/no/such/folder"}});
              }),
              HasSubstr("a model is a folder"));
}

TEST(PretrainedEncoders, SayWhatTheyLackWhenItIsNeeded) {
  const auto mpnet = make<Encoder>("bert", {{"weights", folder("mpnet-tiny")}});
  const std::vector<std::string> texts = {"a"};
  EXPECT_THAT(error_of([&] { (void)mpnet->encode_texts(texts); }), HasSubstr("vocab"));
}

}  // namespace
}  // namespace espalier
