#include "results/journal.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <limits>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JournalTest : public FolderTest {
 protected:
  void append(const Json& record) { Journal(file()).append(record); }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "journal.jsonl"; }
  [[nodiscard]] std::vector<int> numbers() const {
    std::vector<int> found;
    for (const Json& record : read_journal(file()).records) found.push_back(record.at("n"));
    return found;
  }
};

TEST_F(JournalTest, ALineEndsWithTheChecksumOfWhatIsBeforeIt) {
  append({{"event", "x"}, {"n", 1}});
  // zlib.crc32(b'{"event":"x","n":1') == 0x603b003e
  EXPECT_EQ(contents(file()), "{\"event\":\"x\",\"n\":1,\"crc\":\"603b003e\"}\n");
}

TEST_F(JournalTest, GivesBackWhatWasAppended) {
  append({{"n", 1}, {"text", "zwei\nZeilen \"mit\" ü"}});
  append({{"n", 2}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  const JournalContent content = read_journal(file());
  ASSERT_EQ(content.records.size(), 2u);
  EXPECT_EQ(content.records[0].at("text"), "zwei\nZeilen \"mit\" ü");
  EXPECT_TRUE(content.records[1].at("loss").is_null());
  EXPECT_EQ(journal_ends(file())->first.at("n"), 1);
  EXPECT_EQ(journal_ends(file())->last.at("n"), 2);
}

TEST_F(JournalTest, AnAbsentOrEmptyJournalHasNoRecords) {
  EXPECT_THAT(numbers(), IsEmpty());
  write(file(), "");
  EXPECT_THAT(numbers(), IsEmpty());
  EXPECT_FALSE(journal_ends(file()));
}

TEST_F(JournalTest, ATornLastLineIsLeftOutAndDoesNotSpoilTheNext) {
  append({{"n", 1}});
  append({{"n", 2}});
  const std::string whole = contents(file());
  for (std::size_t cut = whole.find('\n') + 2; cut < whole.size(); ++cut) {
    // Without its line end alone, the second record is whole.
    const bool whole_record = cut == whole.size() - 1;
    write(file(), whole.substr(0, cut));
    EXPECT_TRUE(read_journal(file()).torn) << cut;
    EXPECT_FALSE(journal_ends(file())) << cut;
    EXPECT_EQ(numbers(), whole_record ? std::vector({1, 2}) : std::vector({1})) << cut;
    append({{"n", 3}});
    EXPECT_EQ(numbers(), whole_record ? std::vector({1, 2, 3}) : std::vector({1, 3})) << cut;
  }
}

TEST_F(JournalTest, EveryFlippedBitIsSeen) {
  for (int n = 1; n <= 3; ++n) append({{"n", n}});
  const std::string whole = contents(file());
  const std::size_t begin = whole.find('\n') + 1;
  const std::size_t end = whole.find('\n', begin);
  for (std::size_t at = begin; at < end; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      if (bytes[at] == '\n') continue;
      write(file(), bytes);
      EXPECT_THAT(numbers(), ElementsAre(1, 3)) << at << " " << bit;
      EXPECT_THAT(read_journal(file()).damaged, ElementsAre(2)) << at << " " << bit;
    }
  }
}

TEST_F(JournalTest, ANewerVersionIsNamed) {
  write(file(), "{\"event\":\"start\",\"journal\":7,\"sum\":\"other\"}\n");
  try {
    (void)read_journal(file());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.problems()[0].found, "version 7");
    EXPECT_THAT(error.problems()[0].where, HasSubstr("journal.jsonl"));
  }
}

TEST_F(JournalTest, ReadsTheLastOfManyRecordsWithoutTheOthers) {
  for (int n = 1; n <= 2000; ++n) append({{"n", n}, {"filler", std::string(40, 'x')}});
  EXPECT_EQ(journal_ends(file())->last.at("n"), 2000);
  append({{"n", 2001}, {"filler", std::string(20'000, 'x')}});
  EXPECT_FALSE(journal_ends(file())) << "longer than what is looked at";
  EXPECT_EQ(read_journal(file()).records.size(), 2001u);
}

TEST_F(JournalTest, AFolderInItsPlaceIsAnError) {
  std::filesystem::create_directory(file());
  EXPECT_THROW(Journal{file()}, Error);
  EXPECT_THROW((void)read_journal(file()), Error);
}

TEST_F(JournalTest, ADamagedFirstLineIsNoEnd) {
  for (int n = 1; n <= 3; ++n) append({{"n", n}});
  std::string bytes = contents(file());
  bytes[6] ^= 1;
  write(file(), bytes);
  EXPECT_FALSE(journal_ends(file()));
}

TEST_F(JournalTest, ANewerFirstLineIsNamedWithoutReadingTheOthers) {
  append({{"event", "start"}, {"journal", journal_version + 1}});
  append({{"event", "complete"}});
  EXPECT_THROW((void)journal_ends(file()), Error);
}

TEST_F(JournalTest, ALinkOrAPipeInItsPlaceIsRefused) {
  write(folder_ / "target", "kept\n");
  std::filesystem::create_symlink(folder_ / "target", file());
  EXPECT_THROW(Journal{file()}, StorageError);
  EXPECT_THROW((void)read_journal(file()), Error);
  EXPECT_THROW((void)journal_ends(file()), Error);
  EXPECT_EQ(contents(folder_ / "target"), "kept\n");
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_THROW(Journal{file()}, StorageError);
  EXPECT_THROW((void)read_journal(file()), Error);
  EXPECT_THROW((void)journal_ends(file()), Error);
}

}  // namespace
}  // namespace espalier
