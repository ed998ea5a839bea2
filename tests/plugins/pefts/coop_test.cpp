// What recorded cases and the conformance suite do not show of methods that learn what classes are
// told.
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/peft/adapter.hpp>
#include <functional>

#include "on_tiny_clip.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::class_input;
using testing_support::error_of;
using testing_support::make;
using testing_support::OnTinyClip;

TEST(CoOp, SaysInWhatTextItLearns) {
  EXPECT_EQ(make<Peft>("coop", {{"n_ctx", 3}})->class_template(), "X X X {}.");
  EXPECT_EQ(make<Peft>("coop", {{"ctx_init", "a photo of a"}})->class_template(),
            "a photo of a {}.");
  EXPECT_THAT(error_of([] {
                (void)make<Peft>("coop", {{"ctx_init", "a photo of a {}."}});
              }),
              HasSubstr("the class follows its words by itself"));
}

TEST(CoOp, LearnsWordsForAllClassesOrForEach) {
  const OnTinyClip one("coop", {{"n_ctx", 4}}), each("coop", {{"n_ctx", 4}, {"csc", true}});
  const std::int64_t width = one.encoder->text()->width();
  EXPECT_EQ(one.parameters.count(), 4 * width);
  EXPECT_EQ(each.parameters.count(), 3 * 4 * width);
}

// Word embeddings in the place of word embeddings.
TEST(CoOp, StartsFromWordsAsTheEncoderReadsThem) {
  for (const bool csc : {false, true}) {
    const OnTinyClip coop("coop", {{"ctx_init", "a photo of a"}, {"csc", csc}});
    EXPECT_EQ(coop.parameters.count(), (csc ? 3 : 1) * 4 * coop.encoder->text()->width());
    EXPECT_TRUE(coop.of_classes({0, 1, 2}).equal(coop.features({0, 1, 2}, {})));
  }
}

TEST(CoOp, LearnsTheFirstOfManyWords) {
  const OnTinyClip coop("coop", {{"ctx_init", "a photo of a"}, {"n_ctx", 2}});
  EXPECT_EQ(coop.parameters.count(), 2 * coop.encoder->text()->width());
}

TEST(CoOp, LearnsEachTokenOfAWordThatIsSeveral) {
  const OnTinyClip coop("coop", {{"ctx_init", "a long photo"}});
  EXPECT_EQ(coop.parameters.count(), 4 * coop.encoder->text()->width());
}

TEST(CoOp, KnowsWhichClassARowIsOf) {
  const OnTinyClip coop("coop", {{"n_ctx", 4}, {"csc", true}});
  const at::Tensor all = coop.of_classes({0, 1, 2});
  EXPECT_TRUE(coop.of_classes({2, 0}).allclose(all.index_select(0, at::tensor({2, 0}, at::kLong)),
                                               1e-5, 1e-6));
}

TEST(CoOp, LeavesOtherTextsAlone) {
  const OnTinyClip coop("coop", {{"n_ctx", 4}});
  const at::Tensor before = coop.features({0, 1, 2}, {});
  EXPECT_FALSE(coop.of_classes({0, 1, 2}).equal(before));
  coop.encoder->reset();
  EXPECT_TRUE(coop.features({0, 1, 2}, {}).equal(before));
}

TEST(CoOp, RefusesTextsThatDoNotBeginWithItsWords) {
  const auto said = [](const std::function<void(MethodInput&)>& edit) {
    const auto method = make<Peft>("coop", {{"n_ctx", 3}});
    MethodInput input = class_input(*method, {"rose", "tulip"});
    edit(input);
    return error_of([&] { method->prepare(input); });
  };
  EXPECT_EQ(said([](MethodInput&) {}), "");
  EXPECT_THAT(said([](MethodInput& input) { input.class_tokens[1].at(0)[2] = 5; }),
              AllOf(HasSubstr("do not begin with the words"), HasSubstr("1 tokens")));
  EXPECT_THAT(said([](MethodInput& input) { input.class_tokens.clear(); }),
              HasSubstr("head.use=prompts"));
}

TEST(CoOp, SaysThatItMustKnowTheClasses) {
  for (const bool csc : {false, true}) {
    const auto method = make<Peft>("coop", {{"csc", csc}});
    const auto encoder = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
    Parameters parameters;
    Random random(1, "peft");
    EXPECT_THAT(error_of([&] { method->attach(*encoder, parameters, random); }),
                HasSubstr("inside a trial alone"));
  }
}

// A plan knows by a component's name alone whether head.prompts counts.
TEST(CoOp, IsNotStartedFromAnAdapter) {
  const OnTinyClip coop("coop", {{"n_ctx", 4}});
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("coop_adapter" + std::to_string(::getpid()));
  write_adapter(folder, {.config = coop.method->adapter_config(),
                         .tensors = coop.method->adapter_tensors(coop.parameters.entries())});
  const auto again = make<Peft>("hf", {{"path", folder.string()}});
  Parameters parameters;
  Random random(1, "peft");
  coop.encoder->reset();
  const std::string said = error_of([&] { again->attach(*coop.encoder, parameters, random); });
  std::filesystem::remove_all(folder);
  EXPECT_THAT(said, AllOf(HasSubstr("cannot be started from"), HasSubstr("peft.use=coop")));
}

// J layers with n words of the text tower's width t, and a map to the image tower's v with a bias.
TEST(Maple, LearnsWordsAndAMapALayer) {
  const auto expected = [](const AdaptableEncoder& encoder, std::int64_t depth) {
    const std::int64_t t = encoder.text()->width(), v = encoder.image()->width();
    return depth * (2 * t + v * t + v);
  };
  const OnTinyClip one("maple", {{"prompt_depth", 1}}), all("maple", {{"prompt_depth", 1000}});
  EXPECT_EQ(one.parameters.count(), expected(*one.encoder, 1));
  EXPECT_EQ(all.parameters.count(),
            expected(*all.encoder,
                     std::min(all.encoder->text()->layers(), all.encoder->image()->layers())));
}

TEST(Maple, StartsFromTheFirstOfTheWords) {
  const OnTinyClip maple("maple", {{"prompt_depth", 1}});
  EXPECT_TRUE(maple.of_classes({0, 1, 2}).equal(maple.features({0, 1, 2}, {})));
}

TEST(Maple, PutsItsTokensBehindThoseOfThePicture) {
  for (const std::int64_t depth : {1, 1000}) {
    const OnTinyClip maple("maple", {{"n_ctx", 3}, {"prompt_depth", depth}});
    const at::Tensor pixels =
        read_named_tensors(cases::encoder_case("clip-tiny-gelu") / "expected.safetensors")
            .at("pixel_values");
    const std::int64_t longer = forward(*maple.encoder->image(), pixels).last_hidden_state.size(1);
    maple.encoder->reset();
    EXPECT_EQ(longer, 3 + forward(*maple.encoder->image(), pixels).last_hidden_state.size(1));
  }
}

TEST(Maple, NeedsBothTowers) {
  const auto method = make<Peft>("maple");
  method->prepare(class_input(*method, {"rose"}));
  const auto both = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  Parameters parameters;
  Random random(1, "peft");
  method->attach(*both->part({.images = false, .texts = false, .classes = true}), parameters,
                 random);
  EXPECT_EQ(parameters.count(), 0);
}

}  // namespace
}  // namespace espalier
