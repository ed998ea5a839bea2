#include "train/split.hpp"

#include <gmock/gmock.h>

#include "train/unlabelled_dataset.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <map>
#include <set>
#include <type_traits>

namespace espalier {
namespace {

using testing::HasSubstr;

class FakeDataset final : public Dataset {
 public:
  FakeDataset(std::int64_t classes, std::vector<Sample> samples) : samples_(std::move(samples)) {
    for (std::int64_t c = 0; c < classes; ++c) names_.push_back("class" + std::to_string(c));
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<Sample>& samples() const override { return samples_; }
  Image image(std::size_t) const override { return {}; }

 private:
  std::vector<std::string> names_;
  std::vector<Sample> samples_;
};

FakeDataset dataset(std::int64_t classes, std::int64_t per_class,
                    const std::vector<Split>& splits = {Split::none}) {
  std::vector<Sample> samples;
  for (std::int64_t i = 0; i < classes * per_class; ++i) {
    samples.push_back({"s" + std::to_string(i), i % classes,
                       splits[static_cast<std::size_t>(i / classes) % splits.size()]});
  }
  return {classes, std::move(samples)};
}

std::string error_of(const Dataset& data, const ProtocolParams& protocol = {}) {
  try {
    (void)split_dataset(data, protocol, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::map<std::int64_t, int> histogram(const std::vector<std::int64_t>& labels) {
  std::map<std::int64_t, int> counts;
  for (const std::int64_t label : labels) ++counts[label];
  return counts;
}

// Base is the first half, the larger one of an odd number; shots are drawn as without it.
TEST(SplitDataset, KeepsTheFirstHalfOfTheClassesAndTestsTheOther) {
  const FakeDataset data = dataset(5, 20);
  const DataSplit all = split_dataset(data, {.shots = 2, .val_shots = 1}, 1);
  const DataSplit base = split_dataset(data, {.shots = 2, .val_shots = 1, .classes = "base"}, 1);
  EXPECT_EQ(all.classes, 5);
  EXPECT_TRUE(all.new_test.samples.empty());
  EXPECT_EQ(base.classes, 3);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < all.train.samples.size(); ++i) {
    if (all.train.labels[i] < 3) kept.push_back(all.train.samples[i]);
  }
  EXPECT_EQ(base.train.samples, kept);
  EXPECT_EQ(base.val.samples.size(), 3u);
  EXPECT_EQ(base.test.samples.size(), 3u * 6);
  EXPECT_EQ(base.new_test.samples.size(), 2u * 6);
  for (const std::size_t i : base.new_test.samples) EXPECT_GE(data.samples()[i].label, 3);
  for (const std::size_t i : base.unlabelled_train) EXPECT_LT(data.samples()[i].label, 3);
  EXPECT_THAT(error_of(dataset(3, 20), {.classes = "base"}), HasSubstr("at least 4 classes"));
}

TEST(SplitDataset, IsStratifiedDisjointAndComplete) {
  const FakeDataset data = dataset(4, 20);
  const DataSplit split = split_dataset(data, {.shots = 0, .val_shots = 0}, 1);
  for (const auto& [label, count] : histogram(split.train.labels)) EXPECT_EQ(count, 10) << label;
  for (const auto& [label, count] : histogram(split.val.labels)) EXPECT_EQ(count, 4) << label;
  EXPECT_EQ(split.test.samples.size(), 24U);
  EXPECT_EQ(split.test.labels.size(), 24U);
  std::set<std::size_t> all(split.train.samples.begin(), split.train.samples.end());
  all.insert(split.val.samples.begin(), split.val.samples.end());
  all.insert(split.test.samples.begin(), split.test.samples.end());
  EXPECT_EQ(all.size(), 80U);
}

TEST(SplitDataset, FollowsItsOwnSeedAndNotTheTrials) {
  const FakeDataset data = dataset(4, 20);
  const auto test_of = [&](std::int64_t split_seed, std::int64_t seed) {
    return split_dataset(data, {.split_seed = split_seed}, seed).test.samples;
  };
  EXPECT_EQ(test_of(1, 1), test_of(1, 2));
  EXPECT_NE(test_of(1, 1), test_of(2, 1));
}

TEST(SplitDataset, DrawsAsManyShotsAsAskedForByTheTrialsSeed) {
  const FakeDataset data = dataset(3, 40);
  const auto draw = [&](std::int64_t seed) {
    return split_dataset(data, {.shots = 2, .val_shots = 4}, seed);
  };
  EXPECT_EQ(draw(1).train.samples.size(), 6U);
  EXPECT_EQ(draw(1).val.samples.size(), 6U) << "never more validation shots than training shots";
  EXPECT_NE(draw(1).train.samples, draw(2).train.samples);
  EXPECT_EQ(draw(1).unlabelled_train.size(), 60U);
}

TEST(SplitDataset, KeepsOfficialSplitsAndCarvesWhatIsMissing) {
  const FakeDataset data = dataset(2, 30, {Split::train, Split::train, Split::test});
  const DataSplit split = split_dataset(data, {.shots = 0, .val_shots = 0}, 1);
  EXPECT_EQ(split.test.samples.size(), 20U);
  for (const std::size_t i : split.test.samples) {
    EXPECT_EQ(data.samples()[i].split, Split::test);
  }
  EXPECT_EQ(split.val.samples.size(), 8U);
  EXPECT_EQ(split.train.samples.size(), 32U);
}

TEST(SplitDataset, LabelsBelongToTheirSamples) {
  const FakeDataset data = dataset(3, 40);
  const DataSplit split = split_dataset(data, {.shots = 5}, 3);
  for (std::size_t i = 0; i < split.train.samples.size(); ++i) {
    EXPECT_EQ(split.train.labels[i], data.samples()[split.train.samples[i]].label);
  }
  for (std::size_t i = 0; i < split.val.samples.size(); ++i) {
    EXPECT_EQ(split.val.labels[i], data.samples()[split.val.samples[i]].label);
  }
}

TEST(SplitDataset, SaysWhatIsWrongWithADataset) {
  EXPECT_THAT(error_of(dataset(2, 0)), HasSubstr("no samples"));
  EXPECT_THAT(error_of(dataset(1, 20)), HasSubstr("too few classes"));
  EXPECT_THAT(error_of(dataset(2, 1)), HasSubstr("class \"class0\" has too few images"));
  EXPECT_THAT(error_of(FakeDataset(2, {{"a", 2, Split::none}})), HasSubstr("out of range"));
  EXPECT_THAT(error_of(dataset(2, 20, {Split::none, Split::test})), HasSubstr("only some"));
}

// Nothing but TestSet can read them: there is no accessor to call.
template <class T>
concept Readable = requires(const T& labels) {
  labels[0];
}
|| requires(const T& labels) { labels.begin(); }
|| requires(const T& labels) { labels.data(); }
|| std::is_convertible_v<const T&, std::vector<std::int64_t>>;
static_assert(!Readable<SealedLabels>);

TEST(SplitDataset, AllTrainingImagesBringAllValidationImagesUnlessToldOtherwise) {
  const FakeDataset data = dataset(3, 20);
  const auto validation = [&](const ProtocolParams& protocol) {
    return split_dataset(data, protocol, 1).val.samples.size();
  };
  EXPECT_EQ(validation({.shots = 0}), 12U) << "a fifth of each class";
  EXPECT_EQ(validation({.shots = 0, .val_shots = 2}), 6U);
  EXPECT_EQ(validation({.shots = 8}), 12U) << "CoOp's four";
  EXPECT_EQ(validation({.shots = 2}), 6U);
  EXPECT_EQ(validation({.shots = 8, .val_shots = 0}), 12U);
}

TEST(SplitDataset, CanDoWithoutValidation) {
  const DataSplit split = split_dataset(dataset(3, 20), {.shots = 0, .val_fraction = 0}, 1);
  EXPECT_TRUE(split.val.samples.empty());
  EXPECT_EQ(split.train.samples.size() + split.test.samples.size(), 60U);
}

// What a trial keeps of its dataset cannot be asked for a label.
template <class T>
concept TellsLabels = requires(const T& data) {
  data.samples();
}
|| requires(const T& data) { data.label(0); }
|| requires(const T& data) { data.class_texts(0); };
static_assert(TellsLabels<FakeDataset>);
static_assert(!TellsLabels<UnlabelledDataset>);

}  // namespace
}  // namespace espalier
