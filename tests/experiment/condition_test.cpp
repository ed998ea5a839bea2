// What a condition cannot mean is a mistake, whether or not a trial would ever come to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing_support::base_text;

class ConditionTest : public testing_support::Experiment {
 protected:
  [[nodiscard]] std::string excluding(const std::string& condition) const {
    return message(base_text + "sweep:\n  - grid: {seed: [1, 2]}\n    exclude: \"" + condition +
                   " or seed == 7\"\n");
  }
};

TEST_F(ConditionTest, NamesKeysThatThereAre) {
  EXPECT_THAT(excluding("sed == 1"), AllOf(HasSubstr("unknown key \"sed\""), HasSubstr("e.yaml:9"),
                                           HasSubstr("did you mean \"seed\"?")));
  EXPECT_THAT(excluding("graph.tua == 1"), HasSubstr("did you mean \"graph.tau\"?"));
  EXPECT_THAT(excluding("grpah.tau == 1"), HasSubstr("unknown section \"grpah\""));
  EXPECT_THAT(excluding("gnn.layer.hopps == 1"), HasSubstr("unknown key \"gnn.layer.hopps\""));
  EXPECT_THAT(excluding("sed"), HasSubstr("unknown key \"sed\""));
  EXPECT_THAT(excluding("tau * 2 > 1"), HasSubstr("unknown key \"tau\""));
  EXPECT_THAT(excluding("gnc == gat"), HasSubstr("unknown key \"gnc\""));
  EXPECT_THAT(excluding("train == 3"), HasSubstr("no value of its own"));
}

TEST_F(ConditionTest, ComparesWithNamesThatThereAre) {
  EXPECT_THAT(excluding("gnn == gnc"), AllOf(HasSubstr("\"gnn\" with what it never is"),
                                             HasSubstr("did you mean \"gcn\"?")));
  EXPECT_THAT(excluding("treshold == graph.use"), HasSubstr("did you mean \"threshold\"?"));
  EXPECT_THAT(excluding("gnn in [gcn, gni]"), HasSubstr("did you mean \"gin\"?"));
  EXPECT_THAT(excluding("gnn.layer != gnc"), HasSubstr("did you mean \"gcn\"?"));
  EXPECT_THAT(excluding("nodes.fuse == imgae"), HasSubstr("did you mean \"image\"?"));
  EXPECT_THAT(excluding("head == cosin"), HasSubstr("did you mean \"cosine\"?"));
}

TEST_F(ConditionTest, ComparesWithValuesOfTheType) {
  EXPECT_THAT(excluding("graph.tau == '0.6'"),
              AllOf(HasSubstr("\"graph.tau\""), HasSubstr("a number"), HasSubstr("\"0.6\"")));
  EXPECT_THAT(excluding("seed == first"), HasSubstr("an integer"));
  EXPECT_THAT(excluding("nodes.normalize == 1"), HasSubstr("a boolean"));
  EXPECT_THAT(excluding("gnn == 3"), HasSubstr("with what it never is"));
}

TEST_F(ConditionTest, AsksForCapabilitiesThatThereAre) {
  EXPECT_THAT(excluding("has(gnn, grpah)"), HasSubstr("did you mean \"graph\"?"));
  EXPECT_THAT(excluding("has(gnm, graph)"), HasSubstr("did you mean \"gnn\"?"));
  EXPECT_THAT(excluding("has(trial, txt)"), HasSubstr("did you mean \"text\"?"));
  EXPECT_THAT(excluding("has(dataset, offical_test)"), HasSubstr("\"official_test\""));
}

TEST_F(ConditionTest, LeavesEverythingElseAlone) {
  for (const char* good :
       {"gnn == gin or gnn == gcn", "graph.tau > 0.9", "gnn.layer == gcn", "gnn.layer.hops == 2",
        "gnn.layer == null", "graph.tau == seed", "seed in [3, 4]", "has(gnn, graph)",
        "has(trial, training)", "has(dataset, official_test)", "seed % 2 == 3", "head == linear",
        "gnn.bottleneck * 2 > 64", "dataset.classes != 20 and encoder.weights == 'x'"}) {
    EXPECT_THAT(excluding(good), AnyOf(HasSubstr("no error"), HasSubstr("no trial"))) << good;
  }
}

TEST_F(ConditionTest, ReportsAllMistakesOnce) {
  const std::string text = message(base_text +
                                   "sweep:\n  - grid: {graph.tau: [0.5, 0.6, 0.7], seed: [1, 2]}\n"
                                   "    exclude: [sed == 1, gnn == gnc, 'has(gnn, grpah)', "
                                   "graph.use == treshold, \"graph.tau == '0.6'\"]\n");
  for (const char* what : {"\"sed\"", "\"gnc\"", "\"grpah\"", "\"treshold\"", "\"0.6\""}) {
    EXPECT_THAT(text, HasSubstr(what));
    EXPECT_EQ(text.find(what), text.rfind(what)) << what;
  }
}

}  // namespace
}  // namespace espalier
