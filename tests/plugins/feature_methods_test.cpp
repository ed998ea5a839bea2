// Methods on frozen features beside what tools/parity/make_feature_cases.py recorded.
#include <espalier/plugin/peft.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/testing/peft_parity.hpp>
#include <filesystem>

#include "nn/cases.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

class RecordedFeatures : public testing::TestWithParam<const char*> {};

TEST_P(RecordedFeatures, AreWhatTheMethodComputes) {
  const std::filesystem::path cases(ESPALIER_SOURCE_DIR "/tests/data/peft");
  const Catalog catalog = Catalog::scan({{ESPALIER_BINARY_DIR "/plugins"}, {}});
  const auto rows = conformance::peft_parity(cases / GetParam(), catalog);
  EXPECT_GE(rows.size(), 4U);
  for (const TensorDifference& row : rows) {
    EXPECT_TRUE(row.ok()) << row.name << " " << row.relative << " " << row.failure;
  }
}
INSTANTIATE_TEST_SUITE_P(All, RecordedFeatures,
                         testing::Values("gda", "lp_plus_plus", "clap", "cross_modal",
                                         "tip_adapter", "linear_probe"));

// Three classes along the axes, and samples of given classes that lie there.
MethodInput along_axes(const std::vector<std::int64_t>& labels) {
  MethodInput input;
  input.classes = at::arange(12, at::kFloat).view({3, 4}).remainder(5).eq(0).to(at::kFloat);
  input.logit_scale = 10;
  const auto judged = [&](const std::vector<std::int64_t>& of) {
    JudgedFeatures some;
    some.labels = at::tensor(of, at::kLong);
    some.features = input.classes.index_select(0, some.labels) * 2;
    some.logits = unit_rows(some.features).matmul(input.classes.t()) * input.logit_scale;
    return some;
  };
  input.train = judged(labels);
  input.val = judged({});
  return input;
}

struct OnAxes {
  OnAxes(const std::string& name, const Json& params, const MethodInput& input)
      : encoder(load_pretrained(cases::encoder_case("clip-tiny-gelu"))),
        method(make<Peft>(name, params)) {
    method->prepare(input);
    Random random(1, "init");
    method->attach(*encoder, parameters, random);
  }
  [[nodiscard]] at::Tensor scores(const JudgedFeatures& of) const {
    return encoder->score(of.features, of.logits, {});
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

TEST(Gda, IsZeroShotWhereSamplesHaveNoSpread) {
  const MethodInput input = along_axes({0, 1, 2});
  const OnAxes gda("gda", {{"alpha", 1}}, input);
  const at::Tensor shift = gda.scores(input.train) - input.train.logits;
  EXPECT_LT((shift + std::log(3.0)).abs().max().item<double>(), 1e-6);
}

TEST(FeatureMethod, KeepsAClassWithoutSamplesFinite) {
  const MethodInput input = along_axes({0, 0, 1});
  for (const char* name :
       {"gda", "lp_plus_plus", "clap", "cross_modal", "tip_adapter", "linear_probe"}) {
    const OnAxes method(name, Json::object(), input);
    EXPECT_TRUE(all_finite(method.scores(input.train))) << name;
  }
}

TEST(TipAdapter, TakesTheMeanOfViewsForOneKey) {
  MethodInput input = along_axes({0, 0, 1, 1, 2, 2});
  input.views = 2;
  input.train.features[1] = input.train.features[2];
  const OnAxes tip("tip_adapter", {{"train_keys", true}}, input);
  ASSERT_EQ(tip.parameters.entries().front().first, "keys");
  const at::Tensor keys = tip.parameters.entries().front().second;
  ASSERT_EQ(keys.size(0), 3);
  EXPECT_NEAR(keys[0][0].item<double>(), std::sqrt(0.5), 1e-6) << "between two classes";
  EXPECT_NEAR(keys[0][1].item<double>(), std::sqrt(0.5), 1e-6);
  EXPECT_EQ(tip.method->buffers().front().first, "values");
}

TEST(TipAdapter, SearchesNothingThatIsToStay) {
  const MethodInput input = along_axes({0, 1, 2});
  const OnAxes tip("tip_adapter", {{"search_alpha", 0}, {"search_beta", 0}}, input);
  const at::Tensor before = tip.scores(input.train);
  tip.method->conclude(input.train);
  EXPECT_TRUE(at::equal(tip.scores(input.train), before));
}

TEST(ClipAdapter, HasABottleneckOfOneColumnAtLeast) {
  const OnAxes adapter("clip_adapter", {{"reduction", 1000}}, along_axes({0}));
  EXPECT_EQ(adapter.parameters.count(), 2 * adapter.encoder->image()->feature_width());
}

TEST(FeatureMethod, SaysThatItNeedsClassVectors) {
  MethodInput input = along_axes({0, 1, 2});
  input.classes = at::Tensor();
  EXPECT_THAT(error_of([&] { make<Peft>("clap")->prepare(input); }), HasSubstr("head.use=prompts"));
}

}  // namespace
}  // namespace espalier
