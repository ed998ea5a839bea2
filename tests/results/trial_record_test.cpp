#include "results/trial_record.hpp"

#include <gmock/gmock.h>

#include "results/journal.hpp"
#include <espalier/core/error.hpp>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TrialRecordTest : public FolderTest {
 protected:
  TrialRecordTest() : trial_(folder_ / "abc") { std::filesystem::create_directories(trial_); }

  void journal(const std::vector<Json>& records) {
    Journal journal(trial_ / "journal.jsonl");
    for (const Json& record : records) journal.append(record);
  }
  static EpochMetrics epoch(std::int32_t number) { return {number, number, "val", 1, 0.5, 0.1, 2}; }

  static TrialResult result() {
    TrialResult result;
    result.trial_id = "abc";
    result.combo_id = "co";
    result.seed = 4;
    result.config = {{"seed", 4}};
    result.val_top1 = 0.75;
    result.metrics = {epoch(0), epoch(1)};
    return result;
  }
  [[nodiscard]] std::vector<int> epochs(const TrialRecord& record) const {
    MetricsColumns rows;
    add_metrics(trial_, record, rows);
    return {rows.epoch.begin(), rows.epoch.end()};
  }

  std::filesystem::path trial_;
};

TEST_F(TrialRecordTest, FollowsTheStatesOfATrial) {
  EXPECT_EQ(read_trial(folder_ / "nothing").status, TrialStatus::planned);
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::planned);
  journal({start_record("abc", "co", 1), epoch_record(epoch(0)), epoch_record(epoch(1))});
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::running);
  EXPECT_EQ(read_trial(trial_).last_epoch, 1);
  journal({stopped_record()});
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::stopped);
  journal({start_record("abc", "co", 2), failed_record("signal", "killed")});
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::failed);
  EXPECT_EQ(read_trial(trial_).error, "killed");
  EXPECT_EQ(read_trial(trial_).result.attempt, 2);
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  journal({start_record("abc", "co", 3), complete_record(result(), extent)});
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::complete);
  EXPECT_EQ(record.result.val_top1, 0.75);
  EXPECT_EQ(record.result.seed, 4);
  EXPECT_TRUE(record.error.empty());
  EXPECT_THAT(epochs(record), ElementsAre(0, 1));
}

TEST_F(TrialRecordTest, AResultWithoutItsRecordCounts) {
  journal({start_record("abc", "co", 1)});
  (void)write_result(trial_ / "result.h5", result());
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::complete);
  EXPECT_EQ(record.result.val_top1, 0.75);
  EXPECT_THAT(epochs(record), ElementsAre(0, 1));
}

TEST_F(TrialRecordTest, AResultThatWasReplacedByAnotherTrialsIsRunAgain) {
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  journal({start_record("abc", "co", 1), complete_record(result(), extent)});
  TrialResult other = result();
  other.trial_id = "def";
  (void)write_result(trial_ / "result.h5", other);
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::planned);
  EXPECT_THAT(record.warnings, ElementsAre(AllOf(HasSubstr("result.h5 is of another trial"),
                                                 HasSubstr("runs again"))));
}

TEST_F(TrialRecordTest, AFolderThatWasCopiedFromAnotherTrialDoesNotCount) {
  TrialResult other = result();
  other.trial_id = "def";
  const ResultExtent extent = write_result(trial_ / "result.h5", other);
  journal({start_record("def", "co", 1), complete_record(other, extent)});
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::planned);
  EXPECT_THAT(record.warnings, testing::Contains(HasSubstr("journal.jsonl is of another trial")));
  journal({start_record("abc", "co", 1)});
  (void)write_result(trial_ / "result.h5", result());
  journal({complete_record(result(), write_result(trial_ / "result.h5", result()))});
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::complete) << "once it has run";
}

TEST_F(TrialRecordTest, AResultOfAnotherTrialDoesNotCount) {
  journal({start_record("abc", "co", 1)});
  TrialResult other = result();
  other.trial_id = "xyz";
  (void)write_result(trial_ / "result.h5", other);
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::running);
}

TEST_F(TrialRecordTest, AResultThatIsGoneOrCutRunsAgain) {
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  journal({start_record("abc", "co", 1), complete_record(result(), extent)});
  const std::string bytes = contents(trial_ / "result.h5");
  for (const std::size_t size :
       {bytes.size() - 1, bytes.size() / 2, std::size_t{100}, std::size_t{0}}) {
    write(trial_ / "result.h5", bytes.substr(0, size));
    const TrialRecord record = read_trial(trial_);
    EXPECT_EQ(record.status, TrialStatus::planned) << size;
    EXPECT_THAT(record.warnings, ElementsAre(HasSubstr("runs again"))) << size;
  }
  std::filesystem::remove(trial_ / "result.h5");
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::planned);
  EXPECT_THAT(read_trial(trial_).warnings, ElementsAre(HasSubstr("is gone")));
}

TEST_F(TrialRecordTest, AnEditedResultRunsAgainWhateverTheJournalSays) {
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  journal({start_record("abc", "co", 1), complete_record(result(), extent)});
  const std::string bytes = contents(trial_ / "result.h5");
  const std::size_t at = bytes.find(std::string("\0\0\0\0\0\0\xe8\x3f", 8));  // 0.75
  ASSERT_NE(at, std::string::npos);
  std::string edited = bytes;
  edited[at + 6] ^= 1;
  write(trial_ / "result.h5", edited);
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::planned);
  EXPECT_THAT(record.warnings, ElementsAre(AllOf(HasSubstr("SHA-256"), HasSubstr("runs again"))));
  write(trial_ / "result.h5", bytes);
  EXPECT_EQ(read_trial(trial_).status, TrialStatus::complete);
}

TEST_F(TrialRecordTest, ADamagedFirstLineOfACompleteTrialIsAWarning) {
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  journal({start_record("abc", "co", 1), complete_record(result(), extent)});
  std::string bytes = contents(trial_ / "journal.jsonl");
  bytes[10] ^= 1;
  write(trial_ / "journal.jsonl", bytes);
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::complete);
  EXPECT_THAT(record.warnings, ElementsAre(HasSubstr("line 1")));
}

TEST_F(TrialRecordTest, ANewerJournalIsNamedWhereTheTrialIsComplete) {
  const ResultExtent extent = write_result(trial_ / "result.h5", result());
  Json start = start_record("abc", "co", 1);
  start["journal"] = journal_version + 1;
  journal({start, complete_record(result(), extent)});
  EXPECT_THROW((void)read_trial(trial_), Error);
}

TEST_F(TrialRecordTest, LinksInThePlaceOfItsFilesAreRefused) {
  const ResultExtent extent = write_result(folder_ / "elsewhere.h5", result());
  journal({start_record("abc", "co", 1), complete_record(result(), extent)});
  std::filesystem::create_symlink(folder_ / "elsewhere.h5", trial_ / "result.h5");
  EXPECT_THROW((void)read_trial(trial_), Error);
}

TEST_F(TrialRecordTest, EpochsOfAnEarlierAttemptAreReplaced) {
  journal({start_record("abc", "co", 1), epoch_record(epoch(0)), epoch_record(epoch(1)),
           epoch_record(epoch(2)), start_record("abc", "co", 2), epoch_record(epoch(2)),
           epoch_record(epoch(3))});
  EXPECT_THAT(epochs(read_trial(trial_)), ElementsAre(0, 1, 2, 3));
  journal({start_record("abc", "co", 3), epoch_record(epoch(0))});
  EXPECT_THAT(epochs(read_trial(trial_)), ElementsAre(0));
}

TEST_F(TrialRecordTest, ADamagedLineIsAWarning) {
  journal({start_record("abc", "co", 1)});
  write(trial_ / "journal.jsonl", contents(trial_ / "journal.jsonl") + "{\"event\":\"failed\"}\n");
  const TrialRecord record = read_trial(trial_);
  EXPECT_EQ(record.status, TrialStatus::running);
  EXPECT_THAT(record.warnings, ElementsAre(HasSubstr("line 2")));
}

}  // namespace
}  // namespace espalier
