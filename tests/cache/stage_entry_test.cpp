#include "cache/stage_entry.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/stage_cache.hpp"
#include <espalier/core/error.hpp>

#include "cache/cache_fixture.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StageEntryTest : public CacheTest {
 protected:
  static std::string problem_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST_F(StageEntryTest, KeepsRowsBySample) {
  EXPECT_THAT(open().missing(Ids{"4", "2", "4"}), ElementsAre("4", "2"));
  EXPECT_FALSE(fs::exists(cache_)) << "looking writes nothing";
  fill();
  const StageEntry again = open();
  EXPECT_THAT(again.missing(Ids{"2", "3", "4", "9"}), ElementsAre("3"));
  EXPECT_EQ(value(again, "2"), 0.2F);
  EXPECT_EQ(value(again, "4"), 0.4F);
  EXPECT_EQ(value(again, "9"), 0.9F);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(StageEntryTest, ADamagedPartIsMadeAgain) {
  for (const Damage how : damages) {
    fs::remove_all(cache_);
    warnings_.clear();
    fill();
    damage(how);
    StageEntry entry = open();
    EXPECT_THAT(entry.missing(Ids{"2", "4", "9"}), ElementsAre("2", "4")) << static_cast<int>(how);
    EXPECT_THAT(warnings_,
                ElementsAre(HasSubstr("part-0.safetensors is damaged and is made again")));
    {
      StageEntry::Claims claims(entry, Ids{"2", "4", "9"});
      EXPECT_EQ(claims.next(9), (Ids{"2", "4"}));
      add(entry, {"2", "4"}, {0.2F, 0.4F});
    }
    EXPECT_TRUE(open().missing(Ids{"2", "4", "9"}).empty());
    EXPECT_EQ(warnings_.size(), 1U);
  }
}

TEST_F(StageEntryTest, ANewerPartIsLeftAlone) {
  fill();
  make_newer();
  StageEntry entry = open();
  EXPECT_THAT(entry.missing(Ids{"2", "4", "9"}), ElementsAre("2", "4"));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("a newer version wrote it")));
  const StageEntry::Claims claims(entry, Ids{"2", "4"});
  add(entry, {"2", "4"}, {0.2F, 0.4F});
  EXPECT_TRUE(fs::exists(part(0)));
  EXPECT_TRUE(entry.missing(Ids{"2", "4", "9"}).empty());
}

TEST_F(StageEntryTest, EverySampleIsClaimedByOneAtATime) {
  StageEntry first = open(), second = open();
  StageEntry::Claims mine(first, Ids{"1", "2", "3", "4", "5"});
  StageEntry::Claims theirs(second, Ids{"5", "4", "3", "2", "1"});
  EXPECT_EQ(mine.next(2), (Ids{"1", "2"}));
  EXPECT_EQ(theirs.next(9), (Ids{"5", "4", "3"}));
  EXPECT_THAT(mine.next(9), IsEmpty()) << "the rest is being computed";
  EXPECT_THAT(theirs.next(9), IsEmpty());
  add(second, {"5", "4", "3"}, {0.5F, 0.4F, 0.3F});
  theirs.release(Ids{"5", "4", "3"});
  EXPECT_THAT(mine.next(9), IsEmpty()) << "the rest is there";
  EXPECT_EQ(value(first, "3"), 0.3F);
  EXPECT_THAT(first.missing(Ids{"1", "2", "3", "4", "5"}), ElementsAre("1", "2"));
}

TEST_F(StageEntryTest, WhatAKilledProcessHadClaimedIsClaimedAgain) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    StageEntry entry = open();
    StageEntry::Claims claims(entry, Ids{"1", "2"});
    const auto count = static_cast<char>(claims.next(9).size());
    (void)!::write(told[1], &count, 1);
    ::pause();
  }
  char claimed = 0;
  ASSERT_EQ(::read(told[0], &claimed, 1), 1);
  EXPECT_EQ(claimed, 2);
  StageEntry entry = open();
  StageEntry::Claims claims(entry, Ids{"1", "2"});
  EXPECT_THAT(claims.next(9), IsEmpty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(claims.next(9), (Ids{"1", "2"}));
}

TEST_F(StageEntryTest, RowsMadeUnderOtherSettingsAreRefused) {
  const Ids ids{"1", "2"};
  {
    StageEntry entry = open();
    entry.use({{"precision", "Float"}});
    const StageEntry::Claims claims(entry, ids);
    add(entry, {"1"}, {0.1F});
  }
  StageEntry same = open();
  EXPECT_EQ(problem_of([&] { same.use({{"precision", "Float"}}); }), "nothing was thrown");
  StageEntry other = open();
  EXPECT_THAT(problem_of([&] {
                other.use({{"precision", "BFloat16"}});
              }),
              AllOf(HasSubstr("made under other settings"), HasSubstr("BFloat16"),
                    HasSubstr("cache prune")));
}

TEST_F(StageEntryTest, WhoIsLaterWithOtherSettingsStoresNothing) {
  StageEntry first = open(), second = open();
  const StageEntry::Claims mine(first, Ids{"1"}), theirs(second, Ids{"2"});
  first.use({{"precision", "Float"}});
  second.use({{"precision", "BFloat16"}});
  add(first, {"1"}, {0.1F});
  EXPECT_THAT(problem_of([&] { add(second, {"2"}, {0.2F}); }),
              HasSubstr("made under other settings"));
  EXPECT_EQ(part_files(entry()).size(), 1U);
}

TEST_F(StageEntryTest, PartsAreVerifiedOnceAProcess) {
  fill();
  const auto shelf = std::make_shared<PartShelf>();
  const auto look = [&] {
    const StageEntry entry(
        {.cache = cache_, .limit = unlimited, .warn = [](const std::string&) {}, .shelf = shelf},
        "image_features", key("flora"), about("flora"));
    return entry.missing(Ids{"2", "4", "9"});
  };
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(shelf->verified(), 2);
  EXPECT_THAT(look(), IsEmpty());
  EXPECT_EQ(shelf->verified(), 2);
  damage(Damage::flipped);
  EXPECT_THAT(look(), ElementsAre("2", "4")) << "its time is another";
  EXPECT_EQ(shelf->verified(), 3);
}

TEST_F(StageEntryTest, AnEntryThatWasRemovedIsMadeAnew) {
  fill();
  StageEntry entry = open();
  fs::rename(this->entry(), cache_ / "gone");
  {
    StageEntry::Claims claims(entry, Ids{"7", "9"});
    EXPECT_EQ(claims.next(9), Ids{"7"});
    add(entry, {"7"}, {0.7F});
  }
  EXPECT_TRUE(open().missing(Ids{"7"}).empty());
  EXPECT_EQ(value(entry, "9"), 0.9F) << "rows that were mapped stay";
}

TEST_F(StageEntryTest, WhatDoesNotFitIsKeptInMemoryAlone) {
  fill();
  StageEntry entry = open("other", 1000), another = open("other");
  {
    StageEntry::Claims claims(entry, Ids{"1", "2"});
    EXPECT_EQ(claims.next(1), Ids{"1"});
    EXPECT_FALSE(entry.expect(1000));
    StageEntry::Claims theirs(another, Ids{"1"});
    EXPECT_EQ(theirs.next(1), Ids{"1"}) << "nobody waits for what is not stored";
    add(entry, {"1"}, {0.1F});
    EXPECT_EQ(claims.next(1), Ids{"2"});
    add(entry, {"2"}, {0.2F});
  }
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("at its limit of 1.0 kB")));
  EXPECT_TRUE(entry.missing(Ids{"1", "2"}).empty());
  EXPECT_EQ(value(entry, "2"), 0.2F);
  EXPECT_FALSE(fs::exists(this->entry("other"))) << "nothing is left of it";
  EXPECT_TRUE(open("flora", 0).missing(Ids{"2", "4", "9"}).empty()) << "what is there is used";
}

TEST_F(StageEntryTest, ALimitCountsAllEntries) {
  fill();
  const std::int64_t there = cache_bytes(cache_);
  EXPECT_TRUE(open("other", there + 500).expect(500));
  EXPECT_FALSE(open("other", there + 500).expect(501));
}

TEST_F(StageEntryTest, ADiskIsNotFilled) {
  fill();
  StageEntry entry = open();
  const auto all = static_cast<std::int64_t>(fs::space(cache_).available);
  EXPECT_FALSE(entry.expect(all));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("the disk would have less than 100.0 MB left")));
}

TEST_F(StageEntryTest, AFolderThatCannotBeMadeIsNoFailure) {
  std::ofstream(cache_) << "a file in its place";
  StageEntry entry = open();
  StageEntry::Claims claims(entry, Ids{"1"});
  EXPECT_EQ(claims.next(9), Ids{"1"});
  EXPECT_FALSE(entry.expect(1));
  add(entry, {"1"}, {0.1F});
  EXPECT_EQ(value(entry, "1"), 0.1F);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("cannot be written: Not a directory")));
}

TEST_F(StageEntryTest, APartThatCannotBeWrittenIsNoFailure) {
  StageEntry entry = open();
  const StageEntry::Claims claims(entry, Ids{"1"});
  ASSERT_TRUE(entry.expect(100));
  fs::remove_all(this->entry());
  std::ofstream(this->entry()) << "a file in its place";
  add(entry, {"1"}, {0.1F});
  EXPECT_EQ(value(entry, "1"), 0.1F);
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(StageEntryTest, LeftoversOfAKilledWriterGo) {
  fill();
  const fs::path leftover = entry() / ".part-7.safetensors.12.0.tmp";
  std::ofstream(leftover) << "half a";
  StageEntry entry = open();
  EXPECT_TRUE(warnings_.empty());
  const StageEntry::Claims claims(entry, Ids{"1"});
  EXPECT_FALSE(fs::exists(leftover));
}

}  // namespace
}  // namespace espalier
