// Plans of methods that work on class vectors and on features.
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

// A residual on class vectors, and a cache of features.
std::vector<ComponentInfo> with_methods() {
  std::vector<ComponentInfo> all = components();
  all.push_back(
      component("peft", "residual", {"needs_class_texts", "needs_features", "needs_sites"}));
  all.push_back(component("peft", "cache",
                          {"fits_features", "needs_class_texts", "needs_features", "needs_sites"}));
  all.push_back(component("gnn", "perceptron", {"bipartite"}, {integer("layers", 2, 0, 9)}));
  return all;
}

class MethodRules : public testing_support::Experiment {
 protected:
  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes", "head=prompts"});
    return plan(base_text, overrides, with_methods());
  }
};

TEST_F(MethodRules, AskForTheHeadThatHasClassVectors) {
  const Plan made = planned({"peft=residual", "head.use=prompts,linear,cosine,zero_shot"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 2));
  EXPECT_THAT(reason(made, 1), AllOf(HasSubstr("peft/residual works on class vectors"),
                                     HasSubstr("head.use=prompts"), HasSubstr("head.use: linear")));
}

TEST_F(MethodRules, RefuseNetworksThatChangeWhatAMethodIsFittedTo) {
  const Plan made = planned({"peft=residual,cache", "gnn=gcn,ga_net"});
  EXPECT_THAT(states(made), ElementsAre(3, 0, 0, 1));
  EXPECT_THAT(reason(made, 2), AllOf(HasSubstr("peft/cache is fitted"), HasSubstr("gnn/gcn"),
                                     HasSubstr("gnn.layers=0"), HasSubstr("gnn=ga_net")));
  EXPECT_THAT(states(planned({"peft=cache", "gnn=perceptron", "+gnn.layers=0,1"})),
              ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(states(planned({"peft=cache", "gnn=gcn", "head.use=prompts,zero_shot"})),
              ElementsAre(1, 0, 0, 1))
      << "zero_shot has no network";
}

}  // namespace
}  // namespace espalier
