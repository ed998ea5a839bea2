#include "cache/stage_cache.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <espalier/core/error.hpp>
#include <functional>

#include "cache/cache_fixture.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class StageCacheTest : public CacheTest {
 protected:
  StageCache cache() const { return StageCache(cache_); }

  static std::string problem_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST_F(StageCacheTest, ListsEntries) {
  EXPECT_TRUE(cache().entries().empty());
  EXPECT_EQ(cache_bytes(cache_), 0);
  fill("flora");
  fill("pets");
  std::ofstream(cache_ / "content") << "hashes of files";
  const std::vector<CachedStage> entries = cache().entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_LT(entries[0].key, entries[1].key);
  EXPECT_EQ(entries[0].stage, "image_features");
  EXPECT_EQ(entries[0].parts.size(), 2U);
  EXPECT_EQ(entries[0].samples(), 3);
  std::int64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(entries[0].folder)) {
    bytes += static_cast<std::int64_t>(file.file_size());
  }
  EXPECT_EQ(entries[0].bytes, bytes);
  EXPECT_EQ(cache_bytes(cache_), entries[0].bytes + entries[1].bytes);
}

TEST_F(StageCacheTest, KnowsWhenAnEntryWasUsedLast) {
  fill();
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(240);
  for (const auto& file : fs::directory_iterator(entry())) fs::last_write_time(file, long_ago);
  EXPECT_EQ(cache().entries()[0].used, long_ago);
  (void)open();
  EXPECT_GT(cache().entries()[0].used, long_ago + std::chrono::hours(239));
  EXPECT_EQ(cache().entries()[0].made, long_ago);
}

TEST_F(StageCacheTest, FindsByTheBeginningOfAKey) {
  fill("flora");
  fill("pets");
  EXPECT_EQ(cache().find(key("flora").substr(0, 8)).key, key("flora"));
  EXPECT_EQ(cache().find("image_features/" + key("pets").substr(0, 8)).key, key("pets"));
  EXPECT_THAT(problem_of([&] { (void)cache().find("no-such-key"); }),
              HasSubstr("no cache entry \"no-such-key\""));
  EXPECT_THAT(problem_of([&] { (void)cache().find(""); }), HasSubstr("2 entries"));
  EXPECT_THAT(problem_of([&] { (void)cache().find("image_features/"); }),
              HasSubstr("more than one cache entry"));
}

TEST_F(StageCacheTest, SaysWhatAnEntryWasMadeOf) {
  fill();
  EXPECT_EQ(cache().entries()[0].about(), about("flora"));
  std::ofstream(entry() / "about.json") << about("pets").dump();
  EXPECT_TRUE(cache().entries()[0].about().is_null()) << "it fits another key";
  std::ofstream(entry() / "about.json") << "{";
  EXPECT_TRUE(cache().entries()[0].about().is_null());
  fs::remove(entry() / "about.json");
  EXPECT_TRUE(cache().entries()[0].about().is_null());
}

TEST_F(StageCacheTest, NamesDamagedParts) {
  for (const Damage how : damages) {
    fs::remove_all(cache_);
    fill();
    EXPECT_TRUE(verify(cache().entries()[0]).empty());
    damage(how);
    const std::vector<PartFault> faults = verify(cache().entries()[0]);
    ASSERT_EQ(faults.size(), 1U) << static_cast<int>(how);
    EXPECT_EQ(faults[0].file, part(0));
    EXPECT_FALSE(faults[0].fault.newer);
    EXPECT_FALSE(faults[0].fault.reason.empty());
    EXPECT_TRUE(fs::exists(part(0))) << "looking changes nothing";
  }
}

TEST_F(StageCacheTest, ANewerPartIsNoDamage) {
  fill();
  make_newer();
  const std::vector<PartFault> faults = verify(cache().entries()[0]);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults[0].fault.newer);
  EXPECT_THAT(faults[0].fault.reason, HasSubstr("version 3"));
}

TEST_F(StageCacheTest, RemovesWholeEntriesThatNobodyFills) {
  fill("flora");
  fill("pets");
  const CachedStage flora = cache().find(key("flora"));
  {
    StageEntry entry = open("flora");
    const StageEntry::Claims claims(entry, Ids{"7"});
    EXPECT_FALSE(cache().remove(flora));
    EXPECT_TRUE(fs::exists(part(0)));
  }
  EXPECT_TRUE(cache().remove(flora));
  ASSERT_EQ(cache().entries().size(), 1U);
  EXPECT_EQ(cache().entries()[0].key, key("pets"));
  EXPECT_THAT(open("flora").missing(Ids{"4"}), ElementsAre("4"));
}

TEST_F(StageCacheTest, FinishesRemovalsThatWereCutShort) {
  fill();
  const fs::path half = cache_ / "image_features" / ".removed-abc";
  fs::create_directories(half / "inside");
  EXPECT_EQ(cache().entries().size(), 1U);
  cache().remove_leftovers();
  EXPECT_FALSE(fs::exists(half));
  EXPECT_EQ(cache().entries().size(), 1U);
}

}  // namespace
}  // namespace espalier
