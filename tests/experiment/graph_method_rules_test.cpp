// Plans of methods inside the encoder that send messages along the trial's graph.
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
using testing_support::integer;
using testing_support::layer;
using testing_support::states;

std::vector<ComponentInfo> with_graph_method() {
  std::vector<ComponentInfo> all = components();
  all.push_back(
      component("peft", "graph_adapter",
                {"needs_sites", "needs_image", "wraps:layer:graph", "wraps:layer:needs_relations"},
                {layer(), integer("bottleneck", 64, 1, 4096)}));
  all.push_back(component("gnn", "relational", {"bipartite", "graph", "needs_relations"}));
  all.push_back(component("graph", "multiplex", {"relations"}));
  return all;
}

class GraphMethodRules : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes", "head=prompts",
                                         "gnn=mlp", "peft=graph_adapter"});
    return plan(base_text, overrides, with_graph_method());
  }
};

TEST_F(GraphMethodRules, TheGraphCountsWhereTheMethodAloneLooksAtEdges) {
  EXPECT_THAT(states(planned({"graph.tau=0.5,0.7"})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(planned({"+peft.layer=mlp", "graph.tau=0.5,0.7"})), ElementsAre(1, 1, 0, 0))
      << "nobody looks at edges";
  EXPECT_THAT(states(planned({"protocol.graph=none,inductive_attach"})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(planned({"peft=lora", "protocol.graph=none,inductive_attach"})),
              ElementsAre(1, 1, 0, 0));
}

TEST_F(GraphMethodRules, QueriesMeetNobodyElse) {
  const Plan made = planned({"protocol.graph=none,inductive_attach,inductive_batch,transductive"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 2));
  EXPECT_THAT(reason(made, 2),
              AllOf(HasSubstr("peft/graph_adapter"), HasSubstr("protocol.graph: inductive_batch"),
                    HasSubstr("protocol.graph=inductive_attach")));
  EXPECT_THAT(states(planned({"+peft.layer=mlp", "gnn=gcn", "protocol.graph=transductive"})),
              ElementsAre(1, 0, 0, 0));
}

TEST_F(GraphMethodRules, AllTrainingImagesAreThereFromTheStartAndTheirGraphStays) {
  const Plan tasks = planned({"protocol.tasks=1,2"});
  EXPECT_THAT(states(tasks), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(tasks, 1), HasSubstr("protocol.tasks"));
  EXPECT_THAT(states(planned({"protocol.tasks=2", "protocol.graph=none"})),
              ElementsAre(1, 0, 0, 0));
  const Plan refresh = planned({"protocol.graph_refresh=0,5"});
  EXPECT_THAT(states(refresh), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(refresh, 1), HasSubstr("protocol.graph_refresh=0"));
}

TEST_F(GraphMethodRules, ASampleIsOneNode) {
  const Plan made = planned({"nodes.fuse=image,mean,bimodal"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(reason(made, 2), HasSubstr("nodes.fuse=mean or concat"));
}

TEST_F(GraphMethodRules, RelationsAreThoseOfTheBuilder) {
  const Plan made = planned({"+peft.layer=relational", "graph=threshold,multiplex"});
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(made, 0), HasSubstr("graph/threshold have one"));
}

}  // namespace
}  // namespace espalier
