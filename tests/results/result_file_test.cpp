#include "results/result_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;

class ResultFileTest : public FolderTest {
 protected:
  static TrialResult full_result() {
    TrialResult result;
    result.trial_id = std::string(64, 'a');
    result.combo_id = std::string(64, 'b');
    result.seed = 3;
    result.config = {{"seed", 3},
                     {"graph", {{"use", "knn"}, {"k", 5}, {"tau", 0.5}, {"self", true}}},
                     {"long", std::string(100'000, 'x')},
                     {"none", nullptr}};
    result.class_names = {"Rose", "Löwenzahn"};
    result.val_top1 = 0.75;
    result.test_top1 = 0.5;
    result.best_epoch = 2;
    result.epochs = 2;
    result.trainable_parameters = 9'000'000'000;
    result.attempt = 2;
    result.metrics = {{0, 0, "train", 0.7, 0.5, 0.0, 0.1},
                      {0, 0, "val", 0.6, 0.5, missing, 0.2},
                      {1, 4, "train", 0.5, 0.6, 1e-3, 0.3}};
    result.predictions = {{"test", {"a.jpg", "b.jpg"}, {0, 1}, {0, 0}, {2, 1, 1, 0.5F}}};
    result.timing = {{"features", 1.5, true}};
    result.graph = {{"edges", 10}, {"mean_degree", 2.5}};
    result.environment = {{"host", "h"}, {"git_dirty", true}};
    return result;
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "result.h5"; }
};

TEST_F(ResultFileTest, GivesBackWhatWasWritten) {
  const TrialResult written = full_result();
  const ResultExtent extent = write_result(file(), written);
  const TrialResult read = read_result(file());
  EXPECT_EQ(read.trial_id, written.trial_id);
  EXPECT_EQ(read.combo_id, written.combo_id);
  EXPECT_EQ(read.config, written.config);
  EXPECT_EQ(read.seed, 3);
  EXPECT_EQ(read.val_top1, 0.75);
  EXPECT_TRUE(std::isnan(read.test_ece));
  EXPECT_EQ(read.trainable_parameters, 9'000'000'000);
  EXPECT_EQ(read.attempt, 2);
  ASSERT_EQ(read.metrics.size(), 3u);
  EXPECT_EQ(read.metrics[1].split, "val");
  EXPECT_TRUE(std::isnan(read.metrics[1].lr));
  ContentHasher hasher;
  EXPECT_TRUE(has_extent(file(), extent, hasher));
}

TEST_F(ResultFileTest, ItsRowsCanBeReadWithoutTheLibrary) {
  const ResultExtent extent = write_result(file(), full_result());
  EXPECT_EQ(extent.metrics_rows, 3);
  MetricsColumns plain;
  read_metrics(file(), extent, plain);
  const std::vector<EpochMetrics> proper = read_result(file()).metrics;
  ASSERT_EQ(plain.rows(), proper.size());
  for (std::size_t i = 0; i < proper.size(); ++i) {
    EXPECT_EQ(plain.epoch[i], proper[i].epoch);
    EXPECT_EQ(plain.step[i], proper[i].step);
    EXPECT_EQ(plain.split[i], proper[i].split);
    EXPECT_EQ(plain.loss[i], proper[i].loss);
    EXPECT_EQ(plain.wall_s[i], proper[i].wall_s);
  }
  EXPECT_EQ(extent_from_json(to_json(extent)), extent);
}

TEST_F(ResultFileTest, AResultWithoutRowsIsFine) {
  TrialResult bare;
  bare.trial_id = "t";
  const ResultExtent extent = write_result(file(), bare);
  MetricsColumns none;
  read_metrics(file(), extent, none);
  EXPECT_EQ(none.rows(), 0u);
  EXPECT_TRUE(read_result(file()).metrics.empty());
}

TEST_F(ResultFileTest, EveryTruncationIsAnError) {
  const ResultExtent extent = write_result(file(), full_result());
  const std::string bytes = contents(file());
  for (std::size_t part = 0; part < 20; ++part) {
    write(file(), bytes.substr(0, bytes.size() * part / 20));
    EXPECT_THROW((void)read_result(file()), Error) << part;
    ContentHasher hasher;
    EXPECT_FALSE(has_extent(file(), extent, hasher)) << part;
  }
}

TEST_F(ResultFileTest, EveryFlippedBitIsSeen) {
  const ResultExtent extent = write_result(file(), full_result());
  const std::string bytes = contents(file());
  for (std::size_t at = 0; at < bytes.size();
       at += at < 4096 || bytes.size() - at < 200 ? 31 : 997) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    write(file(), flipped);
    ContentHasher hasher;
    EXPECT_FALSE(has_extent(file(), extent, hasher)) << at;
    EXPECT_THROW((void)read_result(file()), Error) << at;
  }
}

TEST_F(ResultFileTest, ItsSealIsWhatSha256sumSaysOfTheBytesBeforeIt) {
  const ResultExtent extent = write_result(file(), full_result());
  const std::string bytes = contents(file());
  EXPECT_EQ(extent.bytes, static_cast<std::int64_t>(bytes.size()));
  EXPECT_EQ(extent.sha256, hex(sha256(bytes)));
  EXPECT_EQ(bytes.substr(bytes.size() - 72),
            "sha256 " + hex(sha256(std::string_view(bytes).substr(0, bytes.size() - 72))) + "\n");
}

TEST_F(ResultFileTest, ALinkOrAPipeInItsPlaceIsRefused) {
  const ResultExtent extent = write_result(folder_ / "other.h5", full_result());
  ContentHasher hasher;
  std::filesystem::create_symlink(folder_ / "other.h5", file());
  EXPECT_THROW((void)read_result(file()), Error);
  EXPECT_THROW((void)has_extent(file(), extent, hasher), Error);
  EXPECT_THROW((void)write_result(file(), full_result()), StorageError);
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  MetricsColumns rows;
  EXPECT_THROW((void)read_result(file()), Error);
  EXPECT_THROW((void)has_extent(file(), extent, hasher), Error);
  EXPECT_THROW(read_metrics(file(), extent, rows), Error);
}

TEST_F(ResultFileTest, WhatIsNoResultIsAnErrorThatNamesTheFile) {
  write(file(), "trial_id,accuracy\n");
  try {
    (void)read_result(file());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(file().string()));
  }
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_THROW((void)read_result(file()), Error);
  EXPECT_THROW((void)write_result(folder_ / "nowhere" / "result.h5", full_result()), Error);
}

TEST_F(ResultFileTest, AnImpossibleExtentIsNone) {
  const Json good = to_json(ResultExtent{1000, std::string(64, 'a'), 100, 3, 49});
  EXPECT_TRUE(extent_from_json(good));
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, Json>>{{"bytes", -1},
                                                 {"metrics_offset", 2000},
                                                 {"metrics_rows", 1'000'000'000'000},
                                                 {"metrics_row_bytes", 1},
                                                 {"bytes", "many"},
                                                 {"sha256", 7},
                                                 {"metrics_rows", nullptr}}) {
    Json bad = good;
    bad[name] = value;
    EXPECT_FALSE(extent_from_json(bad)) << bad.dump();
  }
  EXPECT_FALSE(extent_from_json(Json::array()));
}

}  // namespace
}  // namespace espalier
