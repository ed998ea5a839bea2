// Plans of tasks in a row, of elastic weight consolidation, and of nodes that training moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::base_text;
using testing_support::component;
using testing_support::components;
using testing_support::states;

class TaskRules : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    std::vector<ComponentInfo> all = components();
    all.push_back(component("peft", "fitted", {"needs_features", "needs_sites"}));
    all.push_back(component("peft", "inside", {"identity_at_init", "needs_sites"}));
    all.push_back(component("peft", "random", {"needs_sites"}));
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes"});
    return plan(base_text, overrides, all);
  }
};

TEST_F(TaskRules, RefuseConsolidationWithoutASource) {
  const Plan made = planned({"train.ewc=0,10", "protocol.tasks=1,3"});
  EXPECT_THAT(states(made), ElementsAre(3, 0, 0, 1));
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string said = reason(made, i);
    if (said.empty()) continue;
    EXPECT_THAT(said, AllOf(HasSubstr("train.ewc holds parameters to an earlier task"),
                            HasSubstr("protocol.tasks=2"), HasSubstr("ewc_source=zero_shot")));
  }
}

TEST_F(TaskRules, TakeZeroShotForASourceWhereTrainingBeginsSo) {
  const std::vector<std::string> held = {"train.ewc=10", "train.ewc_source=zero_shot"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), held.begin(), held.end());
    return planned(more);
  };
  const Plan heads = with({"head.use=linear,prompts", "gnn=ga_net"});
  EXPECT_THAT(states(heads), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(heads, 0), AllOf(HasSubstr("zero-shot"), HasSubstr("head.use: linear"),
                                      HasSubstr("gnn/ga_net")));
  EXPECT_THAT(states(with({"head.use=prompts", "gnn=gcn,ga_net"})), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(states(with({"head.use=prompts", "gnn=ga_net", "peft=inside,random"})),
              ElementsAre(1, 0, 0, 1));
}

TEST_F(TaskRules, RefuseTasksWhereAllIsKnownFromTheStart) {
  const Plan graphs =
      planned({"protocol.tasks=2", "graph=knn", "protocol.graph=inductive_attach,transductive"});
  EXPECT_THAT(states(graphs), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(graphs, 1), HasSubstr("transductive knows all images"));
  const Plan methods = planned({"protocol.tasks=1,2", "peft=fitted"});
  EXPECT_THAT(states(methods), ElementsAre(1, 0, 0, 1));
}

TEST_F(TaskRules, LetGraphsFollowTrainingWhereNodesMove) {
  const std::vector<std::string> graph = {"graph=knn", "protocol.graph_refresh=0,5"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), graph.begin(), graph.end());
    return planned(more);
  };
  EXPECT_THAT(states(with({})), ElementsAre(1, 1, 0, 0)) << "nodes stay: it makes no difference";
  EXPECT_THAT(states(with({"peft=inside"})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(with({"nodes.fuse=cross_attention"})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(with({"peft=inside", "protocol.graph=transductive"})),
              ElementsAre(1, 0, 0, 1));
}

TEST_F(TaskRules, KnowWhatCrossAttentionGivesAHead) {
  const Plan made =
      planned({"head.use=prompts", "nodes.fuse=cross_attention", "+nodes.attend=image,text,both"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(reason(made, 2), HasSubstr("nodes.attend=image"));
}

TEST_F(TaskRules, LeaveOutWhatOtherFusionsDoNotRead) {
  EXPECT_THAT(states(planned({"nodes.fuse=image", "+nodes.predict=image,both"})),
              ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(states(planned({"nodes.fuse=bimodal", "+nodes.predict=image,both"})),
              ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(planned({"nodes.fuse=concat", "+nodes.tokens=1,2"})), ElementsAre(1, 1, 0, 0));
}

}  // namespace
}  // namespace espalier
