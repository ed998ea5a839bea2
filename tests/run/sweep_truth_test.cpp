// What is stored is what was planned: data, plugins and files that change under a sweep.
#include <gmock/gmock.h>

#include "plugin/build_id.hpp"
#include "run/run_lock.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>

#include "run/sweep_case.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SweepTruthTest : public SweepCase {};

TEST_F(SweepTruthTest, NothingIsStoredUnderTheNameOfDataThatChangedMeanwhile) {
  write(folder_ / "photos", "photos");
  const Plan changing =
      plan("a", "dataset.root: [" + (folder_ / "photos").string() + "], dataset.act: [overwrite]");
  const SweepResult result = run(changing);
  ASSERT_TRUE(result.table);
  EXPECT_EQ(result.table->records[0].status, TrialStatus::failed);
  EXPECT_THAT(result.table->records[0].error,
              HasSubstr("\"dataset.root\" changed while the sweep ran"));
  EXPECT_FALSE(std::filesystem::exists(trial(changing, 0) / "result.h5"));
}

TEST_F(SweepTruthTest, APluginThatChangedMeanwhileFailsTheTrial) {
  library_ = folder_ / "photos";
  std::filesystem::copy_file(current_executable(), library_);
  const Plan changing =
      plan("a", "dataset.root: [" + library_.string() + "], dataset.act: [overwrite]");
  const SweepResult result = run(changing);
  EXPECT_THAT(result.table->records[0].error, HasSubstr("\"dataset/fake\" changed"));
}

TEST_F(SweepTruthTest, TrialsOfAnotherBuildCountAsDoneAndAreNamedOnce) {
  library_ = current_executable();
  const Plan first = plan("a", "dataset.build: [0123456789abcdef], seed: [0, 1]");
  (void)run(first);
  EXPECT_THAT(survey_.warnings, SizeIs(0));
  (void)run(first);
  EXPECT_THAT(witness_.order, SizeIs(0));
  EXPECT_THAT(survey_.warnings,
              testing::ElementsAre(testing::AllOf(HasSubstr("2 trials that count as done"),
                                                  HasSubstr("dataset/fake: 0123456789ab, now "),
                                                  HasSubstr(short_build(build_id(library_))))));
  (void)run(plan("b", "dataset.build: [0123456789abcdef], seed: [0]"));
  EXPECT_THAT(survey_.elsewhere, SizeIs(1));
  EXPECT_THAT(survey_.warnings, testing::ElementsAre(HasSubstr("1 trial that counts as done")));
  EXPECT_EQ(SweepTable::read(results() / "b", false).records[0].builds.at("dataset/fake"),
            "0123456789abcdef");
}

TEST_F(SweepTruthTest, AnEditedResultRunsAgainAndSaysWhy) {
  const Plan small = plan("a", "seed: [0, 1]");
  const SweepResult before = run(small);
  const std::filesystem::path file = trial(small, 1) / "result.h5";
  std::string bytes = contents(file);
  bytes[bytes.size() / 2] ^= 1;
  std::filesystem::remove(file);
  write(file, bytes);
  const SweepTable seen = SweepTable::read(results() / "a", false);
  EXPECT_EQ(seen.records[1].status, TrialStatus::planned);
  EXPECT_THAT(seen.records[1].warnings, testing::ElementsAre(HasSubstr("SHA-256")));

  const SweepResult after = run(small);
  EXPECT_THAT(witness_.order, testing::ElementsAre(1));
  EXPECT_THAT(survey_.warnings, testing::ElementsAre(HasSubstr("its trial runs again")));
  EXPECT_EQ(numbers(*after.table), numbers(*before.table));
}

TEST_F(SweepTruthTest, ALinkInThePlaceOfTheLockKeepsWhatIsBehindIt) {
  const Plan small = plan("a", "seed: [0]");
  (void)run(small);
  write(folder_ / "precious", "precious");
  std::filesystem::remove(results() / "a" / ".lock");
  std::filesystem::create_symlink(folder_ / "precious", results() / "a" / ".lock");
  EXPECT_THROW((void)run(small), StorageError);
  EXPECT_THROW((void)RunLock::held(results() / "a"), Error);
  EXPECT_EQ(contents(folder_ / "precious"), "precious");
}

TEST_F(SweepTruthTest, LinksInThePlaceOfFilesOfATrialStopTheSweepAndTouchNothing) {
  for (const char* name : {"journal.jsonl", "log.txt", "result.h5"}) {
    const Plan small = plan(std::string("x") + name[0], "seed: [0]");
    std::filesystem::create_directories(trial(small, 0));
    write(folder_ / "precious", "precious");
    std::filesystem::create_symlink(folder_ / "precious", trial(small, 0) / name);
    try {
      EXPECT_TRUE(run(small).end.storage.has_value()) << name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
    EXPECT_EQ(contents(folder_ / "precious"), "precious") << name;
    EXPECT_TRUE(std::filesystem::is_symlink(trial(small, 0) / name)) << name;
  }
}

}  // namespace
}  // namespace espalier
