#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

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

const char* const noise_kinds[] = {"swap",           "drop",    "insert",
                                   "generic",        "shuffle", "shuffle_within",
                                   "shuffle_across", "empty",   "name"};

TEST_F(NoisyCaption, IsTheCaptionInsideWhereNothingHappens) {
  for (const char* kind : noise_kinds) EXPECT_EQ(captions(*noisy(kind, 0)), clean()) << kind;
}

TEST_F(NoisyCaption, ChangesMoreAtAHigherRateAndTheSameOnes) {
  for (const char* kind : noise_kinds) {
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

TEST(NoisyFileCaption, IsMadeWrongByItsWords) {
  const auto file =
      std::filesystem::path(testing::TempDir()) / ("noisy_" + std::to_string(::getpid()));
  std::ofstream(file) << "path,caption\nb.jpg,a pale Red lily with six petals\na/1.jpg,x\n";
  const auto swapped = make<Captioner>(
      "noisy", {{"of", {{"use", "file"}, {"file", file.string()}}}, {"kind", "swap"}, {"rate", 1}});
  const std::vector<CaptionRequest> requests = {asked_for("a/1.jpg"), asked_for("b.jpg")};
  swapped->check(requests);
  const std::string text = swapped->caption(requests[1]).text;
  EXPECT_THAT(text, testing::AllOf(testing::StartsWith("a "), HasSubstr(" lily with "),
                                   testing::EndsWith(" petals")));
  for (const char* word : {"pale", "Red", "six"}) EXPECT_THAT(text, Not(HasSubstr(word)));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace espalier
