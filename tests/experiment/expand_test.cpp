// What the blocks of a sweep expand to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::base_text;
using testing_support::states;

class ExpandTest : public testing_support::Experiment {
 protected:
  static std::string values(const Plan& plan) {
    std::string text;
    for (std::size_t i = 0; i < plan.trials().size(); ++i) {
      text += plan.axis_values(i).dump() + " ";
    }
    return text;
  }
};

TEST_F(ExpandTest, MultipliesAGridWithItsLastAxisFastest) {
  const Plan made =
      plan(base_text + "sweep:\n  - grid: {graph.tau: [0.5, 0.6], seed: range(1, 3)}\n");
  EXPECT_EQ(values(made), R"({"graph.tau":0.5,"seed":1} {"graph.tau":0.5,"seed":2} )"
                          R"({"graph.tau":0.6,"seed":1} {"graph.tau":0.6,"seed":2} )");
  EXPECT_THAT(states(made), ElementsAre(4, 0, 0, 0));
}

TEST_F(ExpandTest, StepsAZipTogether) {
  const Plan made = plan(base_text +
                         "sweep:\n  - zip: {graph.tau: [0.5, 0.6], gnn.hops: [1, 2]}\n"
                         "    grid: {seed: [1, 2]}\n");
  EXPECT_EQ(values(made),
            R"({"gnn.hops":1,"graph.tau":0.5,"seed":1} {"gnn.hops":2,"graph.tau":0.6,"seed":1} )"
            R"({"gnn.hops":1,"graph.tau":0.5,"seed":2} {"gnn.hops":2,"graph.tau":0.6,"seed":2} )");
}

TEST_F(ExpandTest, UnitesBlocks) {
  const Plan made = plan(base_text +
                         "sweep:\n  - grid: {graph.tau: [0.5, 0.7]}\n"
                         "  - grid: {gnn.hops: [2, 3]}\n");
  EXPECT_EQ(values(made), R"({"graph.tau":0.5} {"graph.tau":0.7} {"gnn.hops":2} {"gnn.hops":3} )");
  EXPECT_THAT(states(made), ElementsAre(3, 1, 0, 0));  // tau 0.7 and hops 2 are the base
  EXPECT_EQ(made.trials()[2].state, TrialState::duplicate);
  EXPECT_EQ(made.trials()[2].original, 1u);
  EXPECT_EQ(made.trials()[2].trial_id, made.trials()[1].trial_id);
}

TEST_F(ExpandTest, DrawsASampleWithoutReplacement) {
  const std::string text =
      base_text +
      "sweep:\n  - grid: {graph.tau: 'range(0, 1, 0.01)', seed: range(0, 100)}\n"
      "    sample: {n: 50, seed: SEED}\n";
  const auto drawn = [&](const std::string& seed) {
    std::string with = text;
    with.replace(with.find("SEED"), 4, seed);
    return plan(with);
  };
  const Plan made = drawn("3");
  EXPECT_THAT(states(made), ElementsAre(50, 0, 0, 0));
  EXPECT_EQ(values(made), values(drawn("3")));
  EXPECT_NE(values(made), values(drawn("4")));
}

TEST_F(ExpandTest, DrawsAsManyAsAskedForThoughFewAreLeft) {
  const std::string grid = "sweep:\n  - grid: {seed: range(0, 100)}\n    sample: ";
  EXPECT_THAT(states(plan(base_text + grid + "99\n")), ElementsAre(99, 0, 0, 0));
  EXPECT_THAT(states(plan(base_text + grid + "200\n")), ElementsAre(100, 0, 0, 0));
}

TEST_F(ExpandTest, SamplesFromAProductTooLargeToList) {
  const Plan made =
      plan(base_text +
           "sweep:\n  - grid: {graph.tau: 'range(0, 1, 0.00001)', seed: range(0, 100000), "
           "train.lr: 'range(0.1, 1, 0.00001)'}\n    sample: 20\n");
  EXPECT_THAT(states(made), ElementsAre(20, 0, 0, 0));
}

TEST_F(ExpandTest, RefusesMoreTrialsThanItCanHold) {
  EXPECT_THAT(message(base_text +
                      "sweep:\n  - grid: {seed: range(0, 10000), train.epochs: range(0, 10000)}\n"),
              HasSubstr("too many trials"));
}

TEST_F(ExpandTest, SweepsEveryComponentThatAGlobMatches) {
  const Plan made = plan(base_text + "sweep:\n  - grid: {gnn.use: glob(g*, exclude=gps)}\n");
  EXPECT_EQ(values(made), R"({"gnn.use":"ga_net"} {"gnn.use":"gcn"} {"gnn.use":"gin"} )");
  EXPECT_EQ(values(plan(base_text, {"gnn.use=glob([mlp,gc*])"})),
            R"({"gnn.use":"gcn"} {"gnn.use":"mlp"} )");
  EXPECT_EQ(values(plan(base_text, {"gnn=ga_net", "+gnn.layer=glob(gi*)"})),
            R"({"gnn.layer":"gin"} )");
  EXPECT_THAT(message(base_text, {"gnn.use=glob(x*)"}), HasSubstr("matches no component"));
  EXPECT_THAT(message(base_text, {"graph.tau=glob(*)"}), HasSubstr("a key that names a component"));
}

TEST_F(ExpandTest, LeavesOutWhatConditionsExclude) {
  const Plan made = plan(base_text +
                         "sweep:\n  - grid: {graph.tau: [0.5, 0.6, 0.7], gnn.hops: [1, 2]}\n"
                         "    when: graph.tau > 0.5\n"
                         "    exclude: ['gnn.hops == 2 and graph.tau == 0.7']\n");
  EXPECT_THAT(states(made), ElementsAre(3, 0, 3, 0));
  EXPECT_EQ(reason(made, 0), "not when: graph.tau > 0.5");
  EXPECT_EQ(reason(made, 5), "exclude: gnn.hops == 2 and graph.tau == 0.7");
}

TEST_F(ExpandTest, ConditionsApplyToTheirOwnBlock) {
  const Plan made =
      plan(base_text +
           "sweep:\n  - grid: {graph.tau: [0.5, 0.6]}\n    exclude: graph.tau == 0.5\n"
           "  - grid: {graph.tau: [0.5]}\n");
  EXPECT_THAT(states(made), ElementsAre(2, 0, 1, 0));
}

TEST_F(ExpandTest, ConditionsMustNameKeysThatExist) {
  EXPECT_THAT(
      message(base_text + "sweep:\n  - grid: {graph.tau: [0.5]}\n    when: graph.tua > 0\n"),
      HasSubstr("did you mean \"graph.tau\"?"));
  EXPECT_THAT(message(base_text + "sweep:\n  - grid: {graph.tau: [0.5]}\n    when: graf.tau > 0\n"),
              HasSubstr("unknown section \"graf\""));
  EXPECT_THAT(
      message(base_text + "sweep:\n  - grid: {graph.tau: [0.5]}\n    when: graph.tau > 'a'\n"),
      HasSubstr("e.yaml:9"));
  // A key of a component that this sweep does not use is known all the same.
  EXPECT_THAT(states(plan(base_text + "sweep:\n  - grid: {seed: [1]}\n    exclude: gnn.eps > 0\n")),
              ElementsAre(1, 0, 0, 0));
}

}  // namespace
}  // namespace espalier
