#include "results/build_mix.hpp"

#include <gmock/gmock.h>

#include "results/report.hpp"

#include "results/sweep_support.hpp"
#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string first_build(40, '1');
const std::string second_build(40, '2');

TrialRecord made_by(Builds builds, TrialStatus status = TrialStatus::complete) {
  TrialRecord record;
  record.status = status;
  record.builds = std::move(builds);
  return record;
}

TEST(BuildMix, KnowsComponentsOfWhichThereIsMoreThanOneBuild) {
  const std::vector<TrialRecord> records = {
      made_by({{"gnn/gcn", first_build}, {"encoder/clip", first_build}}),
      made_by({{"gnn/gcn", second_build}, {"encoder/clip", first_build}}),
      made_by({{"gnn/gcn", second_build}}), made_by({{"gnn/mlp", first_build}})};
  const BuildMix mix(records);
  EXPECT_EQ(mix.text(), "gnn/gcn: 111111111111 (1 trial), 222222222222 (2 trials)\n");
  EXPECT_EQ(mix.of(records[0]), "gnn/gcn=111111111111");
  EXPECT_EQ(mix.of(records[3]), "");
}

TEST(BuildMix, IsEmptyWhereAllIsOfOneBuildOrUnknown) {
  const std::vector<TrialRecord> records = {
      made_by({{"gnn/gcn", first_build}}), made_by({{"gnn/gcn", first_build}}), made_by({}),
      made_by({{"gnn/gcn", second_build}}, TrialStatus::failed)};
  EXPECT_TRUE(BuildMix(records).empty());
}

class MixedTable : public FolderTest {};

TEST_F(MixedTable, MarksTheRowsAndNamesTheBuilds) {
  const auto trial = [](const char* gnn, const char* combo, std::int64_t seed, const char* build) {
    MadeTrial made{{{"gnn.use", gnn}, {"seed", seed}}, combo, seed, 0.5};
    made.builds = {{"gnn/" + std::string(gnn), std::string(40, build[0])}};
    return made;
  };
  write_experiment(folder_, {"gnn.use", "seed"},
                   {trial("gcn", "c1", 0, "1"), trial("gcn", "c1", 1, "2"),
                    trial("mlp", "c2", 0, "3"), trial("mlp", "c2", 1, "3")});
  const SweepTable sweep = SweepTable::read(folder_, false);
  const std::string text = combinations_text(sweep);
  EXPECT_THAT(text, HasSubstr("gcn      2*"));
  EXPECT_THAT(text, Not(HasSubstr("mlp      2*")));
  EXPECT_THAT(text, HasSubstr("gnn/gcn: 111111111111 (1 trial), 222222222222 (1 trial)"));
  const Table trials = trials_table(sweep);
  const auto& builds = std::get<std::vector<std::string>>(trials.find("builds")->values);
  EXPECT_EQ(builds[1], "gnn/gcn=222222222222");
  EXPECT_EQ(builds[2], "");
}

}  // namespace
}  // namespace espalier
