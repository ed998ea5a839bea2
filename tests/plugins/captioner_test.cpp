#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "datasets/flora/flora.hpp"
#include <espalier/plugin/captioner.hpp>
#include <fstream>
#include <set>

#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::error_of;
using testing_support::make;

Json rose() {
  Json facts = flora::facts(flora::species(flora::Pool::benchmark, 1)[0]);
  facts["background"] = "soil";
  return facts;
}

std::string caption(const Captioner& captioner, int sample, Json facts = rose()) {
  CaptionRequest request;
  request.facts = std::move(facts);
  request.wording = &flora::wording();
  request.random = Random(sample, "caption");
  return captioner.caption(request).text;
}

// How many of the attributes a caption gets wrong: their words are not in it.
int mistakes(const std::string& text, const Json& facts) {
  int wrong = 0;
  for (const char* key : {"petals", "centre", "leaf"}) {
    wrong += !testing::Value(text, HasSubstr(facts.at(key).get<std::string>()));
  }
  return wrong;
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

// Sixty pictures of three classes; each caption is the facts of its picture.
class NoisyCaption : public testing::Test {
 protected:
  NoisyCaption() {
    for (std::size_t i = 0; i < species_.size(); ++i) {
      ids_.push_back("picture " + std::to_string(i));
    }
  }

  [[nodiscard]] CaptionRequest request(std::size_t i, LabelTold told = LabelTold::yes) const {
    return {.id = ids_.at(i),
            .image = {},
            .facts = flora::facts(species_.at(i)),
            .wording = &flora::wording(),
            .random = Random(1, ids_[i]),
            .class_names = names_,
            .label = told == LabelTold::yes ? static_cast<std::int64_t>(i % 3) : -1,
            .samples = species_.size(),
            .of = [this, told](std::size_t other) { return request(other, told); }};
  }

  [[nodiscard]] static std::shared_ptr<Captioner> noisy(const std::string& kind, double rate,
                                                        Json more = Json::object()) {
    more.update({{"of", "attributes"}, {"kind", kind}, {"rate", rate}});
    return make<Captioner>("noisy", more);
  }

  [[nodiscard]] std::vector<std::string> captions(const Captioner& captioner) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < ids_.size(); ++i) all.push_back(captioner.caption(request(i)).text);
    return all;
  }
  [[nodiscard]] std::vector<std::string> clean() const {
    return captions(*make<Captioner>("attributes"));
  }

  std::vector<flora::Species> species_ = flora::species(flora::Pool::benchmark, 60);
  std::vector<std::string> ids_;
  std::vector<std::string> names_{"class_0", "class_1", "class_2"};
};

const char* const kinds[] = {"swap",           "drop",           "insert", "generic", "shuffle",
                             "shuffle_within", "shuffle_across", "empty",  "name"};

TEST_F(NoisyCaption, IsTheCaptionInsideWhereNothingHappens) {
  for (const char* kind : kinds) EXPECT_EQ(captions(*noisy(kind, 0)), clean()) << kind;
}

TEST_F(NoisyCaption, ChangesMoreAtAHigherRateAndTheSameOnes) {
  for (const char* kind : kinds) {
    const auto right = clean(), low = captions(*noisy(kind, 0.1)),
               high = captions(*noisy(kind, 0.5));
    int changed_low = 0, changed_high = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      changed_low += low[i] != right[i];
      changed_high += high[i] != right[i];
      if (low[i] != right[i]) {
        EXPECT_NE(high[i], right[i]) << kind;
      }
    }
    EXPECT_LT(0, changed_low) << kind;
    EXPECT_LT(changed_low, changed_high) << kind;
    EXPECT_EQ(high, captions(*noisy(kind, 0.5))) << kind;
  }
}

TEST_F(NoisyCaption, SaysOtherValuesLeavesThemOutOrAddsThem) {
  const auto right = clean(), swapped = captions(*noisy("swap", 1)),
             dropped = captions(*noisy("drop", 1)), added = captions(*noisy("insert", 1));
  for (std::size_t i = 0; i < right.size(); ++i) {
    const Json facts = flora::facts(species_[i]);
    EXPECT_EQ(mistakes(swapped[i], facts), 3) << swapped[i];
    EXPECT_EQ(mistakes(dropped[i], facts), 3) << dropped[i];
    EXPECT_EQ(mistakes(added[i], facts), 0) << added[i];
    EXPECT_THAT(added[i], testing::StartsWith(right[i])) << "and something false behind it";
    EXPECT_GT(added[i].size(), right[i].size() + 30);
  }
}

TEST_F(NoisyCaption, IsThatOfAnotherPictureOfTheClassAskedFor) {
  const auto right = clean();
  const auto class_of = [&](const std::string& text) {
    return static_cast<std::size_t>(std::find(right.begin(), right.end(), text) - right.begin()) %
           3;
  };
  const auto within = captions(*noisy("shuffle_within", 1)),
             across = captions(*noisy("shuffle_across", 1)), any = captions(*noisy("shuffle", 1));
  for (std::size_t i = 0; i < right.size(); ++i) {
    EXPECT_NE(within[i], right[i]);
    EXPECT_EQ(class_of(within[i]), i % 3);
    EXPECT_NE(class_of(across[i]), i % 3);
    EXPECT_NE(any[i], right[i]);
    EXPECT_THAT(right, testing::Contains(any[i]));
  }
}

TEST_F(NoisyCaption, NamesTheClassOrAnother) {
  const auto own = captions(*noisy("name", 1)),
             wrong = captions(*noisy("name", 1, {{"name_error", 1}}));
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::string name = "It is a class " + std::to_string(i % 3) + ".";
    EXPECT_THAT(own[i], HasSubstr(name));
    EXPECT_THAT(wrong[i], testing::AllOf(HasSubstr("It is a class "), Not(HasSubstr(name))));
  }
}

TEST_F(NoisyCaption, SaysNothingOrAlwaysTheSame) {
  EXPECT_THAT(captions(*noisy("empty", 1)), testing::Each(""));
  EXPECT_THAT(captions(*noisy("generic", 1, {{"sentence", "A plant."}})),
              testing::Each("A plant."));
}

TEST_F(NoisyCaption, GathersMistakesInSomePictures) {
  const auto spread = captions(*noisy("swap", 0.3)),
             gathered = captions(*noisy("swap", 0.3, {{"clustering", 2}}));
  const auto untouched = [&](const std::vector<std::string>& texts) {
    const auto right = clean();
    int count = 0;
    for (std::size_t i = 0; i < right.size(); ++i) count += texts[i] == right[i] ? 1 : 0;
    return count;
  };
  EXPECT_GT(untouched(gathered), untouched(spread) + 10);
}

TEST_F(NoisyCaption, NeedsALabelWhereTheClassDecides) {
  const CaptionRequest unlabelled = request(1, LabelTold::no);
  for (const char* kind : {"name", "shuffle_within", "shuffle_across"}) {
    EXPECT_THAT(error_of([&] { (void)noisy(kind, 1)->caption(unlabelled); }),
                HasSubstr("by its class"))
        << kind;
  }
  EXPECT_NE(noisy("shuffle", 1)->caption(unlabelled).text, "");
}

TEST_F(NoisyCaption, RefusesAttributesWithoutOtherValues) {
  CaptionRequest request;
  request.facts = {{"crown", "red"}};
  EXPECT_THAT(error_of([&] {
                noisy("swap", 0.1)->check({&request, 1});
              }),
              HasSubstr("captioner.kind"));
  noisy("drop", 0.1)->check({&request, 1});
}

CaptionRequest asked_for(std::string_view id, Json facts = nullptr) {
  CaptionRequest request;
  request.id = id;
  request.facts = std::move(facts);
  return request;
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

TEST_F(FileCaption, IsMadeWrongByItsWords) {
  std::ofstream(file_) << "path,caption\nb.jpg,a pale Red lily with six petals\na/1.jpg,x\n";
  const auto swapped = make<Captioner>(
      "noisy",
      {{"of", {{"use", "file"}, {"file", file_.string()}}}, {"kind", "swap"}, {"rate", 1}});
  swapped->check(requests_);
  const std::string text = swapped->caption(requests_[1]).text;
  EXPECT_THAT(text, testing::AllOf(testing::StartsWith("a "), HasSubstr(" lily with "),
                                   testing::EndsWith(" petals")));
  for (const char* word : {"pale", "Red", "six"}) EXPECT_THAT(text, Not(HasSubstr(word)));
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
