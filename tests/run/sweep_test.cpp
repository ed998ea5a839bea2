#include "run/sweep.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>

#include "results/journal.hpp"
#include "run/run_lock.hpp"
#include <algorithm>
#include <csignal>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>

#include "run/sweep_case.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SweepTest : public SweepCase {};

TEST_F(SweepTest, RunsWhatIsLeftAndNothingTwice) {
  const Plan first = plan("a", "seed: [0, 1, 2]");
  const SweepResult result = run(first);
  EXPECT_EQ(result.end.signal, 0);
  EXPECT_THAT(witness_.order, SizeIs(3));
  ASSERT_TRUE(result.table);
  EXPECT_TRUE(std::filesystem::exists(results() / "a" / "sweep.h5"));
  EXPECT_TRUE(std::filesystem::exists(results() / "a" / "trials.csv"));

  const SweepResult again = run(first);
  EXPECT_THAT(witness_.order, SizeIs(0));
  EXPECT_EQ(survey_.complete, 3u);
  EXPECT_EQ(numbers(*again.table), numbers(*result.table));

  (void)run(plan("a", "seed: [0, 1, 2, 3]"));
  EXPECT_THAT(witness_.order, SizeIs(1));
}

TEST_F(SweepTest, TakesOverWhatAnotherExperimentHasDone) {
  const Plan first = plan("a", "seed: [0, 1]");
  (void)run(first);
  const Plan second = plan("b", "seed: [0, 1, 2]");
  const SweepResult result = run(second);
  EXPECT_THAT(witness_.order, SizeIs(1));
  EXPECT_EQ(survey_.elsewhere.size(), 2u);

  std::filesystem::remove_all(results() / "a");
  EXPECT_EQ(numbers(SweepTable::read(results() / "b", false)), numbers(*result.table));
  const Json complete = journal_ends(trial(second, 0) / "journal.jsonl")->last;
  EXPECT_THAT(complete.at("from").get<std::string>(), HasSubstr("../a/trials/"));
}

TEST_F(SweepTest, FailedTrialsAreRowsAndRunAgainOnlyWhenAsked) {
  const Plan mixed = plan("a", "dataset.act: ['', throw], seed: [0, 1]");
  const SweepResult result = run(mixed);
  const Table table = trials_table(*result.table);
  EXPECT_THAT(std::get<std::vector<std::string>>(table.find("status")->values),
              testing::UnorderedElementsAre("complete", "complete", "failed", "failed"));
  EXPECT_THAT(std::get<std::vector<std::string>>(table.find("error")->values),
              testing::Contains("the fake component gave up").Times(2));

  (void)run(mixed);
  EXPECT_THAT(witness_.order, SizeIs(0));
  EXPECT_THAT(survey_.failed, SizeIs(2));
  (void)run(mixed, true);
  EXPECT_THAT(witness_.order, SizeIs(2));
}

TEST_F(SweepTest, ATruncatedResultRunsAgainWithAWarning) {
  const Plan small = plan("a", "seed: [0, 1]");
  const SweepResult before = run(small);
  const std::filesystem::path file = trial(small, 1) / "result.h5";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);

  const SweepResult after = run(small);
  EXPECT_THAT(witness_.order, testing::ElementsAre(1));
  EXPECT_THAT(survey_.warnings,
              testing::ElementsAre(
                  HasSubstr("result.h5 cannot be used: a result was cut, edited or damaged")));
  EXPECT_EQ(numbers(*after.table), numbers(*before.table));
}

TEST_F(SweepTest, AFlippedByteInTheJournalLosesNothing) {
  const Plan small = plan("a", "seed: [0, 1]");
  const SweepResult before = run(small);
  const std::filesystem::path file = trial(small, 0) / "journal.jsonl";
  std::string bytes = contents(file);
  bytes[bytes.find("\"complete\"") + 1] ^= 1;
  write(file, bytes);

  const SweepResult after = run(small);
  EXPECT_THAT(witness_.order, SizeIs(0));
  EXPECT_THAT(survey_.warnings, testing::ElementsAre(HasSubstr("checksum wrong in line")));
  EXPECT_EQ(numbers(*after.table), numbers(*before.table));
  EXPECT_EQ(sweep_metrics_table(*after.table).rows(), sweep_metrics_table(*before.table).rows());
}

TEST_F(SweepTest, AJournalOfANewerVersionStopsBeforeAnythingRuns) {
  const Plan small = plan("a", "seed: [0, 1]");
  (void)run(small);
  write(trial(small, 0) / "journal.jsonl", R"({"event":"start","journal":2,"seal":"blake3:00"})"
                                           "\n");
  try {
    (void)run(small);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a newer Espalier wrote this journal"));
    EXPECT_THAT(error.what(), HasSubstr("version 2"));
  }
  EXPECT_THAT(witness_.order, SizeIs(0));
}

TEST_F(SweepTest, OneRunAtATime) {
  const Plan small = plan("a", "seed: [0, 1]");
  (void)run(small);
  const RunLock lock(results() / "a");
  EXPECT_TRUE(RunLock::held(results() / "a"));
  try {
    (void)run(small);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("in use by another run"));
    EXPECT_THAT(error.what(), HasSubstr("process " + std::to_string(::getpid())));
  }
}

TEST_F(SweepTest, AResultsFolderThatCannotBeMadeIsAnError) {
  write(folder_ / "results", "a file");
  const std::filesystem::path file = folder_ / "x.yaml";
  EXPECT_THROW(
      {
        try {
          (void)run(plan("a", "seed: [0]"));
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr((folder_ / "results").string()));
          throw;
        }
      },
      Error);
}

TEST_F(SweepTest, ASweepKilledInTheMiddleEndsWithTheSameTable) {
  const std::string axes = "dataset.ms: [5], dataset.epochs: [8], seed: range(0, 6)";
  const Plan disturbed = plan("a", axes);
  // A host that is killed: its workers must end with it, and its folder must be free again.
  const pid_t host = ::fork();
  if (host == 0) {
    (void)run(disturbed);
    ::_exit(0);
  }
  const std::filesystem::path journal = trial(disturbed, 0) / "journal.jsonl";
  const auto begun = [&] {
    std::error_code absent;
    return std::filesystem::file_size(journal, absent) > 0 && !absent;
  };
  for (int i = 0; i < 2000 && !begun(); ++i) ::usleep(5'000);
  ::kill(host, SIGKILL);
  int status = 0;
  ::waitpid(host, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  const SweepResult resumed = run(disturbed);
  EXPECT_GT(survey_.resumed, 0u);
  std::filesystem::rename(results(), folder_ / "old");
  const SweepResult undisturbed = run(disturbed);
  EXPECT_EQ(numbers(*resumed.table), numbers(*undisturbed.table));
  EXPECT_EQ(sweep_metrics_table(*resumed.table).rows(), 6u * 9u);
}

}  // namespace
}  // namespace espalier
