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
  all.push_back(component("gnn", "seven", {"bipartite", "graph", "needs_relations"},
                          {integer("relations", 4, 1, 128)}));
  all.push_back(component("graph", "multiplex", {"relations"}));
  return all;
}

class NetworkRules : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes"});
    return plan(base_text, overrides, with_networks());
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
  const Plan alone = planned(
      {"gnn=normed", "graph=none,knn", "+gnn.norm=batch", "protocol.graph=inductive_batch"});
  EXPECT_THAT(states(alone), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(alone, 0), HasSubstr("gnn.norm=layer"));
  EXPECT_THAT(states(planned({"gnn=normed", "graph=none", "+gnn.norm=batch", "nodes.fuse=bimodal",
                              "protocol.graph=inductive_batch"})),
              ElementsAre(1, 0, 0, 0));
}

TEST_F(NetworkRules, NodesOfClassesMatterWhereThereAreEdges) {
  const std::vector<std::string> axis = {"nodes.class_texts=0,3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), axis.begin(), axis.end());
    return planned(more);
  };
  EXPECT_THAT(states(with({})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(with({"gnn=mlp"})), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(states(with({"protocol.graph=none"})), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(states(with({"head.use=zero_shot"})), ElementsAre(1, 1, 0, 0));
}

TEST_F(NetworkRules, WhatClassesAreToldOfMattersWhereTheyHaveNodes) {
  const std::vector<std::string> prompts = {"head.prompts=simple,general"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), prompts.begin(), prompts.end());
    return planned(more);
  };
  EXPECT_THAT(states(with({})), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(states(with({"nodes.class_texts=3"})), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(states(with({"gnn=propagation", "nodes.class_texts=3"})), ElementsAre(2, 0, 0, 0));
}

TEST_F(NetworkRules, NodesOfClassesAreRefusedWhereTheyCannotBe) {
  const auto why = [&](std::vector<std::string> more) {
    more.emplace_back("nodes.class_texts=0,3");
    const Plan made = planned(more);
    EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1)) << more[0];
    return reason(made, 1);
  };
  EXPECT_THAT(why({"encoder=classical"}),
              AllOf(HasSubstr("nodes.class_texts: 3"), HasSubstr("nodes.class_texts=0")));
  EXPECT_THAT(why({"nodes.fuse=concat"}), HasSubstr("nodes.fuse=image"));
  EXPECT_THAT(why({"nodes.fuse=cross_attention"}), HasSubstr("nodes.attend=image"));
  EXPECT_THAT(why({"protocol.tasks=2"}), HasSubstr("nodes.class_texts=0"));
  EXPECT_THAT(why({"protocol.classes=base", "head.use=prompts"}), HasSubstr("keep some for later"));
  EXPECT_THAT(why({"gnn=seven", "nodes.fuse=bimodal"}), HasSubstr("relations=7"));
  EXPECT_THAT(states(planned({"gnn=seven", "+gnn.relations=7", "nodes.class_texts=3"})),
              ElementsAre(1, 0, 0, 0));
}

}  // namespace
}  // namespace espalier
