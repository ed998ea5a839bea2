#include "run/sweep_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "results/journal.hpp"
#include "results/trial_record.hpp"
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

namespace espalier {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

class SchedulerTest : public FolderTest {
 protected:
  // Trial i does acts[i].
  SweepEnd run(const std::vector<Json>& acts, std::size_t workers = 1) {
    options_.workers = workers;
    if (options_.worker.arguments.empty()) options_.worker.arguments = {fake_worker()};
    options_.request = [&](std::size_t i) { return std::optional(request(i, acts[i])); };
    std::vector<QueuedTrial> trials;
    for (std::size_t i = 0; i < acts.size(); ++i) trials.push_back({i, {}});
    return run_trials(options_, trials, witness_);
  }

  TrialRequest request(std::size_t i, const Json& act) {
    TrialRequest request;
    request.trial_id = "t" + std::to_string(i);
    request.combo_id = "c";
    request.config = {{"seed", i}, {"dataset", act}};
    request.folder = trial_folder(i);
    request.attempt = read_trial(request.folder).result.trial_id.empty() ? 1 : 2;
    return request;
  }

  [[nodiscard]] std::filesystem::path trial_folder(std::size_t i) const {
    return folder_ / ("t" + std::to_string(i));
  }
  [[nodiscard]] TrialRecord record(std::size_t i) const { return read_trial(trial_folder(i)); }

  [[nodiscard]] std::vector<std::int32_t> epochs(std::size_t i) const {
    MetricsColumns rows;
    add_metrics(trial_folder(i), record(i), rows);
    return rows.epoch;
  }

  SchedulerOptions options_;
  Witness witness_;
};

const Json well = {{"act", ""}};

TEST_F(SchedulerTest, RunsEveryTrialOnceAndLeavesWholeFolders) {
  const SweepEnd end = run({well, well, well, well, well}, 2);
  EXPECT_EQ(end.signal, 0);
  EXPECT_THAT(witness_.outcomes, AllOf(SizeIs(5), Each(Pair(testing::_, TrialOutcome::complete))));
  EXPECT_THAT(witness_.order, testing::UnorderedElementsAre(0, 1, 2, 3, 4));
  for (std::size_t i = 0; i < 5; ++i) {
    const TrialRecord found = record(i);
    EXPECT_EQ(found.status, TrialStatus::complete);
    EXPECT_EQ(found.result.seed, static_cast<std::int64_t>(i));
    EXPECT_DOUBLE_EQ(found.result.val_top1, 1.0 - 1.0 / (5.0 + 0.1 * static_cast<double>(i)));
    EXPECT_EQ(epochs(i).size(), 4u);
    EXPECT_THAT(contents(trial_folder(i) / "log.txt"), HasSubstr("trial of seed"));
  }
}

TEST_F(SchedulerTest, StartsNoMoreWorkersThanTrials) {
  (void)run({well, well}, 8);
  EXPECT_LE(witness_.slots, 2u);
}

TEST_F(SchedulerTest, FailuresAreNamedAndTheSweepGoesOn) {
  const SweepEnd end = run({{{"act", "throw"}},
                            {{"act", "crash"}},
                            {{"act", "abort"}},
                            {{"act", "exit"}},
                            {{"act", "throw_number"}},
                            well});
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(witness_.errors[0], "the fake component gave up");
  EXPECT_THAT(witness_.errors[1], HasSubstr("signal 11 (Segmentation fault)"));
  EXPECT_THAT(witness_.errors[2], AllOf(HasSubstr("signal 6 (Aborted)"),
                                        HasSubstr("last words: fake: assertion failed")));
  EXPECT_THAT(witness_.errors[3], HasSubstr("exit code 5"));
  EXPECT_THAT(witness_.errors[4], HasSubstr("no std::exception"));
  EXPECT_EQ(witness_.outcomes[5], TrialOutcome::complete);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(record(i).status, TrialStatus::failed);
    EXPECT_EQ(record(i).error, witness_.errors[i]);
  }
}

TEST_F(SchedulerTest, WhatATrialPrintsIsNoReport) {
  (void)run({{{"act", "print"}}});
  EXPECT_EQ(record(0).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, ATrialThatHangsIsEndedByItsTimeLimit) {
  options_.limits.seconds = 0.3;
  (void)run({{{"act", "sleep"}}, well});
  EXPECT_EQ(record(0).error, "over its time limit of 0.3 s");
  EXPECT_EQ(record(1).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, ATrialThatGrowsIsEndedByItsMemoryLimit) {
  options_.limits.bytes = 200'000'000;
  (void)run({{{"act", "allocate"}}, well});
  EXPECT_THAT(record(0).error, HasSubstr("over its memory limit of 200 MB"));
  EXPECT_EQ(record(1).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, MemoryThatIsNotToBeHadIsNamed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends a program that asks for so much";
#endif
  (void)run({{{"act", "ask_for_too_much"}}, well});
  EXPECT_THAT(record(0).error, testing::StartsWith("out of memory"));
  EXPECT_EQ(record(1).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, ProcessorTimeThatIsUsedUpIsNamed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_CPU, &before), 0);
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  rlimit lower = before;
  lower.rlim_cur = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 2);
  ASSERT_EQ(::setrlimit(RLIMIT_CPU, &lower), 0);
  (void)run({{{"act", "spin"}}, well});
  ::setrlimit(RLIMIT_CPU, &before);
  EXPECT_THAT(record(0).error, AllOf(HasSubstr("signal 24 (CPU time limit exceeded)"),
                                     HasSubstr("s of processor time (ulimit -t)")));
  EXPECT_EQ(record(1).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, AFileOverItsLimitStopsTheSweepAndFailsNoTrial) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = 4096;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &lower), 0);
  const SweepEnd end = run({well, well});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_TRUE(end.storage.has_value());
  EXPECT_THAT(end.storage->found, AllOf(HasSubstr("File too large"), HasSubstr("ulimit -f")));
  EXPECT_NE(record(0).status, TrialStatus::failed);
  witness_ = {};
  EXPECT_FALSE(run({well, well}).storage.has_value());
  EXPECT_EQ(record(0).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, AWorkerThatCannotStartEndsTheSweepWithItsWords) {
  options_.worker.arguments = {fake_worker(), "refuse"};
  try {
    (void)run({well});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("this worker never starts"));
  }
  EXPECT_FALSE(std::filesystem::exists(trial_folder(0)));
}

TEST_F(SchedulerTest, AMissingProgramIsAnError) {
  options_.worker.arguments = {"/nowhere/worker"};
  EXPECT_THROW((void)run({well}), Error);
}

TEST_F(SchedulerTest, AKilledWorkerIsReplaced) {
  std::thread killer([this] {
    while (!std::filesystem::exists(trial_folder(0) / "journal.jsonl")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const JournalContent journal = read_journal(trial_folder(0) / "journal.jsonl");
    ::kill(journal.records.at(0).at("pid").get<pid_t>(), SIGKILL);
  });
  (void)run({{{"act", "sleep"}}, well});
  killer.join();
  EXPECT_THAT(record(0).error, HasSubstr("killed by signal 9 (Killed): "));
  EXPECT_EQ(record(1).status, TrialStatus::complete);
}

TEST_F(SchedulerTest, StopsAfterTheEpochAndGoesOnFromTheCheckpoint) {
  const Json slow = {{"act", ""}, {"epochs", 100}, {"ms", 10}};
  witness_.on_tick = [&, sent = false]() mutable {
    if (sent || witness_.epochs == 0) return;
    // As a batch system does it: host and worker at once.
    const JournalContent journal = read_journal(trial_folder(0) / "journal.jsonl");
    ::kill(journal.records.at(0).at("pid").get<pid_t>(), SIGTERM);
    sent = ::raise(SIGINT) == 0;
  };
  EXPECT_EQ(run({slow, well}).signal, SIGINT);
  EXPECT_EQ(witness_.outcomes[0], TrialOutcome::stopped);
  EXPECT_FALSE(witness_.outcomes.contains(1));
  EXPECT_EQ(record(0).status, TrialStatus::stopped);

  witness_ = {};
  EXPECT_EQ(run({slow, well}).signal, 0);
  const TrialRecord found = record(0);
  EXPECT_EQ(found.status, TrialStatus::complete);
  EXPECT_EQ(found.result.attempt, 2);
  // What the journal says and what result.h5 says agree: every epoch once.
  EXPECT_EQ(epochs(0).size(), 101u);
}

TEST_F(SchedulerTest, ReportsEpochsOfTrainingWhereNothingValidates) {
  (void)run({{{"act", ""}, {"epochs", 10}, {"ms", 30}}});
  EXPECT_THAT(witness_.splits, ElementsAre("val"));
  witness_ = {};
  (void)run({{{"act", ""}, {"epochs", 10}, {"ms", 30}, {"validates", false}}});
  EXPECT_GT(witness_.epochs, 0);
  EXPECT_THAT(witness_.splits, ElementsAre("train"));
}

TEST_F(SchedulerTest, AWorkerThatDoesNotStopIsEndedWhenTheGraceIsOver) {
  options_.grace = std::chrono::milliseconds(200);
  witness_.on_tick = [&, sent = false]() mutable {
    if (!sent && !witness_.stages.empty()) sent = ::raise(SIGTERM) == 0;
  };
  const SweepEnd end = run({{{"act", "spin"}}, well});
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_TRUE(end.at_once);
  EXPECT_EQ(witness_.killed, 1u);
  EXPECT_EQ(record(0).status, TrialStatus::running);  // nothing failed: it runs again
  EXPECT_FALSE(witness_.outcomes.contains(1));
}

TEST_F(SchedulerTest, ASecondSignalStopsAtOnce) {
  witness_.on_tick = [&] {
    if (!witness_.order.empty()) ::raise(SIGTERM);
  };
  const auto start = std::chrono::steady_clock::now();
  const SweepEnd end = run({{{"act", "sleep"}}});
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_TRUE(end.at_once);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(record(0).status, TrialStatus::running);
}

TEST_F(SchedulerTest, AFullDiskStopsTheSweepAndFailsNoTrial) {
  if (::geteuid() != 0 || ::mount("none", folder_.c_str(), "tmpfs", 0, "size=1500k") != 0) {
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  }
  const SweepEnd end = run({well, {{"act", "fill"}}, well});
  ASSERT_TRUE(end.storage.has_value());
  EXPECT_THAT(end.storage->found, HasSubstr("No space left on device"));
  EXPECT_THAT(end.storage->fix, HasSubstr("make room"));
  EXPECT_EQ(record(0).status, TrialStatus::complete);
  EXPECT_NE(record(1).status, TrialStatus::failed);
  EXPECT_NE(record(1).status, TrialStatus::complete);

  std::filesystem::remove(trial_folder(1) / "filler");
  witness_ = {};
  EXPECT_FALSE(run({well, well, well}).storage.has_value());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(record(i).status, TrialStatus::complete);
  ::umount(folder_.c_str());
}

}  // namespace
}  // namespace espalier
