#include "cache/stage_entry.hpp"

#include <gmock/gmock.h>

#include "cache/stage_cache.hpp"
#include <atomic>
#include <future>
#include <thread>

#include "cache/cache_fixture.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class StageEntryTest : public CacheTest {};

bool wait_for_it() { return true; }

TEST_F(StageEntryTest, KeepsRowsBySample) {
  EXPECT_THAT(open().missing(Samples{4, 2, 4}), ElementsAre(4, 2));
  EXPECT_FALSE(fs::exists(cache_)) << "looking writes nothing";
  fill();
  const StageEntry again = open();
  EXPECT_THAT(again.missing(Samples{2, 3, 4, 9}), ElementsAre(3));
  EXPECT_EQ(value(again, 2), 0.2F);
  EXPECT_EQ(value(again, 4), 0.4F);
  EXPECT_EQ(value(again, 9), 0.9F);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(StageEntryTest, ADamagedPartIsMadeAgain) {
  for (const Damage how : damages) {
    fs::remove_all(cache_);
    warnings_.clear();
    fill();
    damage(how);
    StageEntry entry = open();
    EXPECT_THAT(entry.missing(Samples{2, 4, 9}), ElementsAre(2, 4)) << static_cast<int>(how);
    EXPECT_THAT(warnings_,
                ElementsAre(HasSubstr("part-0.safetensors is damaged and is made again")));
    {
      const StageEntry::Lock lock(entry, wait_for_it);
      add(entry, {2, 4}, {0.2F, 0.4F});
    }
    EXPECT_TRUE(open().missing(Samples{2, 4, 9}).empty());
    EXPECT_EQ(warnings_.size(), 1U);
  }
}

TEST_F(StageEntryTest, ANewerPartIsLeftAlone) {
  fill();
  make_newer();
  StageEntry entry = open();
  EXPECT_THAT(entry.missing(Samples{2, 4, 9}), ElementsAre(2, 4));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("a newer version wrote it")));
  const StageEntry::Lock lock(entry, wait_for_it);
  add(entry, {2, 4}, {0.2F, 0.4F});
  EXPECT_TRUE(fs::exists(part(0)));
  EXPECT_TRUE(entry.missing(Samples{2, 4, 9}).empty());
}

TEST_F(StageEntryTest, OthersWaitAndThenFindTheRows) {
  StageEntry first = open();
  StageEntry second = open();
  std::atomic<bool> waited = false;
  std::future<bool> other;
  {
    const StageEntry::Lock lock(first, wait_for_it);
    other = std::async(std::launch::async, [&] {
      const StageEntry::Lock mine(second, [&] { return waited = true; });
      return !mine.given_up() && second.missing(Samples{1}).empty();
    });
    while (!waited) std::this_thread::yield();
    add(first, {1}, {0.1F});
  }
  EXPECT_TRUE(other.get());
}

TEST_F(StageEntryTest, AWaitCanBeGivenUp) {
  StageEntry first = open();
  StageEntry second = open();
  const StageEntry::Lock lock(first, wait_for_it);
  const StageEntry::Lock given_up(second, [] { return false; });
  EXPECT_TRUE(given_up.given_up());
}

TEST_F(StageEntryTest, AnEntryThatGoesWhileSomebodyWaitsIsMadeAnew) {
  fill();
  StageEntry entry = open();
  std::future<void> other;
  {
    StageEntry holder = open();
    const StageEntry::Lock lock(holder, wait_for_it);
    std::atomic<bool> waited = false;
    other = std::async(std::launch::async, [&] {
      const StageEntry::Lock mine(entry, [&] { return waited = true; });
      add(entry, {7}, {0.7F});
    });
    while (!waited) std::this_thread::yield();
    fs::rename(this->entry(), cache_ / "gone");
  }
  other.get();
  EXPECT_TRUE(open().missing(Samples{7}).empty());
  EXPECT_EQ(value(entry, 9), 0.9F) << "rows that were mapped stay";
}

TEST_F(StageEntryTest, WhatDoesNotFitIsKeptInMemoryAlone) {
  fill();
  StageEntry entry = open("other", 1000);
  {
    const StageEntry::Lock lock(entry, wait_for_it);
    EXPECT_FALSE(entry.expect(1000));
    add(entry, {1, 2}, {0.1F, 0.2F});
  }
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("at its limit of 1.0 kB")));
  EXPECT_TRUE(entry.missing(Samples{1, 2}).empty());
  EXPECT_EQ(value(entry, 2), 0.2F);
  EXPECT_FALSE(fs::exists(this->entry("other"))) << "nothing is left of it";
  EXPECT_TRUE(open("flora", 0).missing(Samples{2, 4, 9}).empty()) << "what is there is used";
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
  const StageEntry::Lock lock(entry, wait_for_it);
  EXPECT_FALSE(lock.given_up());
  EXPECT_FALSE(entry.expect(1));
  add(entry, {1}, {0.1F});
  EXPECT_EQ(value(entry, 1), 0.1F);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("cannot be written: Not a directory")));
}

TEST_F(StageEntryTest, APartThatCannotBeWrittenIsNoFailure) {
  StageEntry entry = open();
  const StageEntry::Lock lock(entry, wait_for_it);
  ASSERT_TRUE(entry.expect(100));
  fs::remove_all(this->entry());
  add(entry, {1}, {0.1F});
  EXPECT_EQ(value(entry, 1), 0.1F);
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(StageEntryTest, LeftoversOfAKilledWriterGo) {
  fill();
  const fs::path leftover = entry() / ".part-7.safetensors.12.0.tmp";
  std::ofstream(leftover) << "half a";
  StageEntry entry = open();
  EXPECT_TRUE(warnings_.empty());
  const StageEntry::Lock lock(entry, wait_for_it);
  EXPECT_FALSE(fs::exists(leftover));
}

}  // namespace
}  // namespace espalier
