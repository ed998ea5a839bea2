#include "train/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "graph/golden.hpp"

namespace espalier {
namespace {

std::vector<double> flat(const Json& rows) {
  std::vector<double> values;
  for (const Json& row : rows) {
    for (const Json& value : row) values.push_back(value.get<double>());
  }
  return values;
}

// scikit-learn's and torch's, in float64: 1e-10 leaves room for the order of sums.
TEST(Metrics, AreTheReferences) {
  const Json sets = golden::json("metrics/expected.json").at("sets");
  for (const auto& [name, set] : sets.items()) {
    const auto labels = set.at("labels").get<std::vector<std::int64_t>>();
    const ClassificationMetrics got = classification_metrics(flat(set.at("logits")), labels);
    const Json& expected = set.at("expected");
    const auto value = [&](const char* key) { return expected.at(key).get<double>(); };
    EXPECT_NEAR(got.top1, value("top1"), 1e-10) << name;
    EXPECT_NEAR(got.top5, value("top5"), 1e-10) << name;
    EXPECT_NEAR(got.macro_accuracy, value("macro_accuracy_of_present_classes"), 1e-10) << name;
    EXPECT_NEAR(got.macro_f1, value("f1_macro_all_classes"), 1e-10) << name;
    EXPECT_NEAR(got.loss, value("nll"), 1e-10) << name;
    EXPECT_NEAR(got.ece, value("ece"), 1e-10) << name;
  }
}

TEST(Metrics, OfEqualLogitsTheSmallerClassRanksFirst) {
  const std::vector<double> tie(6, 0.5);
  EXPECT_EQ(predicted_class(tie), 0);
  EXPECT_EQ(classification_metrics(tie, std::vector<std::int64_t>{0}).top1, 1);
  EXPECT_EQ(classification_metrics(tie, std::vector<std::int64_t>{4}).top5, 1);
  EXPECT_EQ(classification_metrics(tie, std::vector<std::int64_t>{5}).top5, 0);
}

TEST(Metrics, CertaintyFallsIntoTheLastBinAndDoesNotOverflow) {
  const ClassificationMetrics sure =
      classification_metrics(std::vector<double>{2000, 0}, std::vector<std::int64_t>{0});
  EXPECT_EQ(sure.ece, 0);
  EXPECT_EQ(sure.loss, 0);
  const ClassificationMetrics wrong =
      classification_metrics(std::vector<double>{2000, 0}, std::vector<std::int64_t>{1});
  EXPECT_EQ(wrong.ece, 1);
  EXPECT_EQ(wrong.loss, 2000);
}

TEST(Metrics, OfLogitsThatAreNoNumbersAreNone) {
  const double nan = std::nan("");
  const ClassificationMetrics lost =
      classification_metrics(std::vector<double>{nan, nan, 1, 0}, std::vector<std::int64_t>{0, 0});
  EXPECT_TRUE(std::isnan(lost.loss));
  EXPECT_TRUE(std::isnan(lost.ece));
}

TEST(Metrics, OfNothingAreMissing) { EXPECT_TRUE(std::isnan(classification_metrics({}, {}).top1)); }

}  // namespace
}  // namespace espalier
