// plan.jsonl, as it is written.
#include <gtest/gtest.h>

#include "experiment/plan.hpp"
#include <espalier/core/file.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing_support::base_text;

class PlanFileTest : public testing_support::Experiment {};

TEST_F(PlanFileTest, WritesTheAxesThatMakeADifference) {
  const Plan made = plan(base_text +
                             "sweep:\n  - grid: {gnn.use: [ga_net], gnn.layer: [gcn, mlp], "
                             "graph.use: [knn], graph.k: [3]}\n  - grid: {head.use: [zero_shot]}\n",
                         {"encoder=clip", "~graph.tau"});
  made.write(folder_ / "plan.jsonl");
  std::istringstream file(read_file(folder_ / "plan.jsonl"));
  std::vector<Json> axes;
  for (std::string line; std::getline(file, line);)
    axes.push_back(parse_json(line, "line")["axes"]);
  ASSERT_EQ(axes.size(), 1u + 3u);
  EXPECT_EQ(
      axes[1],
      (Json{{"gnn.use", "ga_net"}, {"gnn.layer", "gcn"}, {"graph.use", "knn"}, {"graph.k", 3}}));
  EXPECT_EQ(axes[3], (Json{{"gnn.use", nullptr},
                           {"gnn.layer", nullptr},
                           {"graph.use", nullptr},
                           {"graph.k", nullptr},
                           {"head.use", "zero_shot"}}));
}

TEST_F(PlanFileTest, IsWrittenWithAChecksum) {
  const Plan made = plan(base_text, {"gnn=mlp", "graph.tau=0.5,0.6", "seed=1,2"});
  made.write(folder_ / "plan.jsonl");
  std::istringstream file(read_file(folder_ / "plan.jsonl"));
  std::string header;
  std::getline(file, header);
  std::string rest;
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) {
    rest += line + "\n";
    lines.push_back(parse_json(line, "line"));
  }
  EXPECT_EQ(parse_json(header, "header"), (Json{{"plan", 1},
                                                {"name", "test"},
                                                {"axes", {"graph.tau", "seed"}},
                                                {"sha256", hex(sha256(rest))}}));
  ASSERT_EQ(lines.size(), 2u);  // the other two are duplicates
  EXPECT_EQ(lines[1].at("trial_id"), hex(made.trials()[1].trial_id));
  EXPECT_EQ(lines[1].at("combo_id"), hex(made.trials()[0].combo_id));
  EXPECT_EQ(lines[1].at("axes"), (Json{{"graph.tau", nullptr}, {"seed", 2}}))
      << "no threshold for a network without messages";
  EXPECT_EQ(lines[1].at("config"), made.config(1));
  EXPECT_EQ(lines[1].at("stages"), (Json{{"image_features", made.stages(1)[0].key}}));
}

}  // namespace
}  // namespace espalier
