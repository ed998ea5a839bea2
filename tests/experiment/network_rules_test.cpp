// Plans of graph networks that need something, or that nothing is trained in.
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
using testing_support::states;

// A network of relations, one without training, one whose look at weights is a setting, and one
// that can normalise over nodes.
std::vector<ComponentInfo> with_networks() {
  std::vector<ComponentInfo> all = components();
  all.push_back(component("gnn", "relational", {"bipartite", "graph", "needs_relations"}));
  all.push_back(component("gnn", "propagation", {"bipartite", "graph", "scores"}));
  all.push_back(component("gnn", "attention", {"bipartite", "edge_weight:edge_width", "graph"},
                          {integer("edge_width", 0, 0, 9)}));
  ComponentInfo normed = component("gnn", "normed", {"bipartite", "graph"});
  FieldInfo norm;
  norm.name = "norm";
  norm.type = FieldType::string;
  norm.default_value = "none";
  norm.choices = {"none", "batch"};
  norm.doc = "Normalisation";
  normed.schema.fields.push_back(norm);
  all.push_back(std::move(normed));
  all.push_back(component("graph", "multiplex", {"relations"}));
  return all;
}

class NetworkRules : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes"});
    return plan(base_text, overrides, with_networks());
  }
  static std::string reason(const Plan& plan, std::size_t trial) {
    return plan.reasons()[plan.trials()[trial].reason];
  }
};

TEST_F(NetworkRules, RelationsAreThoseOfTwoKindsOfNodesOrOfTheBuilder) {
  const Plan made = planned({"gnn=relational", "nodes.fuse=image,bimodal"});
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(made, 0),
              AllOf(HasSubstr("gnn/relational"), HasSubstr("nodes.fuse: bimodal")));
  EXPECT_THAT(states(planned({"gnn=relational", "graph=multiplex"})), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(states(planned({"gnn=relational", "protocol.graph=none"})), ElementsAre(1, 0, 0, 0))
      << "without edges there is nothing to tell apart";
}

TEST_F(NetworkRules, WhereNothingIsTrainedHeadMethodAndTrainingCannotMatter) {
  EXPECT_THAT(states(planned({"gnn=propagation", "head.use=linear,cosine,prompts",
                              "train.epochs=1,2", "peft=none,lora"})),
              ElementsAre(1, 11, 0, 0));
  EXPECT_THAT(states(planned({"gnn=propagation", "graph.tau=0.5,0.7"})), ElementsAre(2, 0, 0, 0));
}

TEST_F(NetworkRules, ACapabilityMayDependOnASetting) {
  const std::vector<std::string> axes = {"gnn=attention", "graph=knn",
                                         "+graph.weighted=true,false"};
  EXPECT_THAT(states(planned(axes)), ElementsAre(1, 1, 0, 0));
  std::vector<std::string> with_weights = axes;
  with_weights.emplace_back("+gnn.edge_width=1");
  EXPECT_THAT(states(planned(with_weights)), ElementsAre(2, 0, 0, 0));
}

TEST_F(NetworkRules, NormalisingOverNodesNeedsAllTrainingNodesInSight) {
  const Plan made = planned({"gnn=normed", "+gnn.norm=none,batch",
                             "protocol.graph=none,inductive_attach,inductive_batch"});
  EXPECT_THAT(states(made), ElementsAre(4, 0, 0, 2));
  EXPECT_THAT(reason(made, 3), HasSubstr("gnn.norm=layer"));
  EXPECT_THAT(reason(made, 4), HasSubstr("gnn.norm=layer"));
}

}  // namespace
}  // namespace espalier
