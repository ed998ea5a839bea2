// From a picture and a prompt to the words that Transformers' processor and model gave for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/file.hpp>
#include <espalier/image/decode.hpp>
#include <espalier/plugin/captioner.hpp>
#include <fstream>

#include "nn/cases.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

const std::string blip_folder = ESPALIER_SOURCE_DIR "/tests/data/captioners/blip-tiny";

CaptionRequest picture_request(const char* picture) {
  CaptionRequest request;
  request.id = picture;
  request.image = [picture] {
    return read_image(std::string(ESPALIER_SOURCE_DIR "/tests/data/images/") + picture);
  };
  return request;
}

// The captions of expected.json begin with the first token and the prompt.
std::string recorded(const char* search, std::size_t row, const std::string& prompt) {
  const std::string file = blip_folder + "/expected.json";
  const Json captions = parse_json(read_file(file), file).at("captions");
  const std::string text = captions.at(search).at(row);
  return text.substr(("[DEC] " + prompt + " ").size());
}

TEST(BlipCaptioner, SaysWhatTransformersSays) {
  Json params = {{"weights", blip_folder}, {"prompt", "this food is"}, {"max_new_tokens", 20}};
  const Caption greedy = make<Captioner>("blip", params)->caption(picture_request("gray.jpg"));
  EXPECT_EQ(greedy.text, recorded("greedy_ids.prompted", 3, "this food is"));
  EXPECT_EQ(greedy.source, "blip");
  params["num_beams"] = 3;
  EXPECT_EQ(make<Captioner>("blip", params)->caption(picture_request("gray.jpg")).text,
            recorded("beam_ids.prompted", 3, "this food is"));
}

TEST(BlipCaptioner, CaptionsManyAsItCaptionsOne) {
  const auto blip = make<Captioner>("blip", {{"weights", blip_folder}});
  std::vector<CaptionRequest> many(11, picture_request("gray.jpg"));
  many[9] = picture_request("exif_6.jpg");
  const std::vector<Caption> captions = blip->captions(many);
  ASSERT_EQ(captions.size(), many.size());
  EXPECT_EQ(captions[9].text, blip->caption(many[9]).text);
  EXPECT_NE(captions[9].text, captions[0].text);
  for (const std::size_t i : {1, 8, 10}) EXPECT_EQ(captions[i].text, captions[0].text);
  EXPECT_TRUE(blip->captions({}).empty());
}

TEST(BlipCaptioner, KeepsToItsRules) {
  const auto text = [](Json params) {
    params["weights"] = blip_folder;
    return make<Captioner>("blip", params)->caption(picture_request("gray.jpg")).text;
  };
  const std::string plain = text({{"prompt", ""}});
  EXPECT_NE(plain, text({{"prompt", ""}, {"repetition_penalty", 3.0}}));
  EXPECT_NE(plain, text({{"prompt", ""}, {"no_repeat_ngram_size", 1}}));
  EXPECT_LT(text({{"prompt", ""}, {"max_new_tokens", 3}}).size(), plain.size());
}

TEST(BlipCaptioner, RefusesLengthsThatCannotBe) {
  const auto refused = [](Json params) {
    params["weights"] = blip_folder;
    return error_of([&] { (void)make<Captioner>("blip", params); });
  };
  EXPECT_THAT(refused({{"max_new_tokens", 45}}),
              AllOf(HasSubstr("captioner.max_new_tokens"), HasSubstr("at most 44")));
  EXPECT_THAT(refused({{"max_new_tokens", 5}, {"min_new_tokens", 6}}),
              HasSubstr("captioner.min_new_tokens"));
}

TEST(BlipCaptioner, RefusesAnotherSizeOfPictures) {
  const cases::CaseCopy copy(blip_folder);
  const std::string file = (copy / "preprocessor_config.json").string();
  Json config = parse_json(read_file(file), file);
  config["size"] = {{"height", 56}, {"width", 56}};
  std::ofstream(file) << config.dump();
  EXPECT_THAT(error_of([&] {
                (void)make<Captioner>("blip", {{"weights", copy.folder().string()}});
              }),
              AllOf(HasSubstr("48 x 48"), HasSubstr("56 x 56")));
}

TEST(BlipCaptioner, IsNamedByEncodersThatAreGivenItsFolder) {
  EXPECT_THAT(error_of([&] {
                (void)testing_support::make_any("encoder", "clip", {{"weights", blip_folder}},
                                                testing_support::TestContext());
              }),
              HasSubstr("captioner.use=blip"));
}

}  // namespace
}  // namespace espalier
