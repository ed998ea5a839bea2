#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "captioner_support.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::asked_for;
using testing_support::error_of;
using testing_support::make;
using testing_support::mistakes;
using testing_support::rose;

std::string caption(const Captioner& captioner, int sample, Json facts = rose()) {
  CaptionRequest request;
  request.facts = std::move(facts);
  request.wording = &flora::wording();
  request.random = Random(sample, "caption");
  return captioner.caption(request).text;
}

TEST(NoCaption, IsEmpty) { EXPECT_EQ(caption(*make<Captioner>("none"), 1), ""); }

TEST(AttributesCaption, SaysEveryAttributeInEveryWording) {
  const auto captioner = make<Captioner>("attributes");
  std::set<std::string> texts;
  for (int sample = 0; sample < 50; ++sample) {
    const std::string text = caption(*captioner, sample);
    texts.insert(text);
    EXPECT_THAT(text, HasSubstr("deep purple")) << text;
    EXPECT_THAT(text, HasSubstr("road notched")) << text;
    EXPECT_THAT(text, HasSubstr("over bare soil"));
    EXPECT_EQ(mistakes(text, rose()), 0) << text;
    EXPECT_EQ(text, caption(*captioner, sample));
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(flora::wordings));
}

TEST(AttributesCaption, MakesAsManyMistakesAsAskedFor) {
  for (const double rate : {0.2, 0.6, 1.0}) {
    const auto captioner = make<Captioner>("attributes", {{"error_rate", rate}});
    int wrong = 0;
    for (int sample = 0; sample < 1000; ++sample)
      wrong += mistakes(caption(*captioner, sample), rose());
    // 3000 draws: five standard deviations are 5 sqrt(rate (1 - rate) / 3000) <= 0.045.
    EXPECT_NEAR(wrong / 3000.0, rate, 0.045);
  }
}

TEST(AttributesCaption, MistakesAtALowRateAreAmongThoseAtAHighOne) {
  const auto low = make<Captioner>("attributes", {{"error_rate", 0.1}});
  const auto high = make<Captioner>("attributes", {{"error_rate", 0.5}});
  for (int sample = 0; sample < 100; ++sample) {
    EXPECT_LE(mistakes(caption(*low, sample), rose()), mistakes(caption(*high, sample), rose()));
  }
}

TEST(AttributesCaption, DescribesASpeciesWithoutItsBackground) {
  const auto captioner = make<Captioner>("attributes");
  Json facts = rose();
  facts.erase("background");
  for (int sample = 0; sample < 20; ++sample) {
    EXPECT_THAT(caption(*captioner, sample, facts), Not(HasSubstr("stands")));
  }
}

TEST(AttributesCaption, NamesTheFactsThatAreMissing) {
  const auto captioner = make<Captioner>("attributes");
  const std::string text = error_of([&] {
    (void)caption(*captioner, 1, {{"petals", "five"}, {"leaf", 3}});
  });
  EXPECT_THAT(text, HasSubstr("petal_colour"));
  EXPECT_THAT(text, HasSubstr("\"leaf\""));
  EXPECT_THAT(text, Not(HasSubstr("lack \"petals\"")));
  EXPECT_THAT(error_of([&] { (void)caption(*captioner, 1, nullptr); }), HasSubstr("petal_shape"));
}

TEST(AttributesCaption, SaysFactsThatHaveNoWordingPlainly) {
  CaptionRequest request;
  request.facts = {{"beak_shape", "hooked"}, {"crown", "red"}, {"wings", 2}};
  EXPECT_EQ(make<Captioner>("attributes")->caption(request).text,
            "beak shape hooked, crown red, wings 2.");
}

TEST(AttributesCaption, RefusesErrorsWhereNoOtherValuesAreKnown) {
  CaptionRequest request;
  request.facts = {{"crown", "red"}};
  const auto wrong = make<Captioner>("attributes", {{"error_rate", 0.1}});
  EXPECT_THAT(error_of([&] { wrong->check({&request, 1}); }), HasSubstr("captioner.error_rate"));
  make<Captioner>("attributes")->check({&request, 1});
  request.facts = rose();
  request.wording = &flora::wording();
  wrong->check({&request, 1});
}

TEST(AttributesCaption, LeavesNullUnsaid) {
  const auto captioner = make<Captioner>("attributes");
  Json facts = rose();
  for (auto& [attribute, value] : facts.items()) value = nullptr;
  for (int sample = 0; sample < 20; ++sample) {
    const std::string text = caption(*captioner, sample, facts);
    for (const char* word : {"purple", "notched", "soil", "null", "  "}) {
      EXPECT_THAT(text, Not(HasSubstr(word)));
    }
  }
}

class FileCaption : public testing::Test {
 protected:
  FileCaption() {
    for (const char* id : {"a/1.jpg", "b.jpg"}) requests_.push_back(asked_for(id));
  }
  ~FileCaption() override { std::filesystem::remove(file_); }

  [[nodiscard]] std::shared_ptr<Captioner> reading(std::string_view text) const {
    std::ofstream(file_) << text;
    return make<Captioner>("file", {{"file", file_.string()}});
  }

  std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) / ("file_caption_" + std::to_string(::getpid()));
  std::vector<CaptionRequest> requests_;
};

TEST_F(FileCaption, GivesEachPhotoItsOwn) {
  const auto captioner = reading("path,caption\nb.jpg,a lily\na/1.jpg,a rose\nmore.jpg,x\n");
  captioner->check(requests_);
  EXPECT_EQ(captioner->caption(requests_[0]).text, "a rose");
  EXPECT_EQ(captioner->caption(requests_[1]).text, "a lily");
}

TEST_F(FileCaption, NamesPhotosWithoutOneAndCaptionsWithoutPhoto) {
  const auto captioner = reading("path,caption\nroses/b.jpg,a lily\n");
  EXPECT_THAT(error_of([&] { captioner->check(requests_); }),
              testing::AllOf(HasSubstr("2 of 2 photos"), HasSubstr("a/1.jpg, b.jpg"),
                             HasSubstr("roses/b.jpg")));
  EXPECT_THAT(error_of([&] { (void)captioner->caption(requests_[0]); }), HasSubstr("a/1.jpg"));
}

TEST_F(FileCaption, IsMaskedWhereItNamesClasses) {
  const std::vector<std::string> names{"tiger_lily", "rose"};
  std::ofstream(file_) << "path,caption\nb.jpg,two Tiger Lilies and a rose\na/1.jpg,a tiger\n";
  const Json file = {{"use", "file"}, {"file", file_.string()}};
  const auto masked = make<Captioner>("masked", {{"of", file}, {"word", "flower"}});
  const auto plain = make<Captioner>("masked", {{"of", file}, {"mask_names", false}});
  for (CaptionRequest& request : requests_) request.class_names = names;
  EXPECT_EQ(masked->caption(requests_[1]).text, "two flower and a flower");
  EXPECT_EQ(masked->caption(requests_[0]).text, "a tiger");
  EXPECT_EQ(plain->caption(requests_[1]).text, "two Tiger Lilies and a rose");
}

TEST(DatasetCaption, IsWhatTheDatasetSays) {
  const auto captioner = make<Captioner>("dataset");
  std::vector<CaptionRequest> requests{asked_for("1", {{"caption", "a rose"}}),
                                       asked_for("2", {{"caption", ""}}), asked_for("3")};
  EXPECT_EQ(captioner->caption(requests[0]).text, "a rose");
  EXPECT_THAT(error_of([&] { captioner->check(requests); }),
              testing::AllOf(HasSubstr("2 of 3 photos"), HasSubstr("none for 2, 3")));
  captioner->check({requests.data(), 1});
}

}  // namespace
}  // namespace espalier
